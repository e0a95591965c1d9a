"""The console as people meet it: in a Chromium, by mouse and by keyboard, with and without JavaScript."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from playwright.async_api import Browser, Page, expect

from projector.database import open_database
from projector.schema.migrate import migrate
from tests.browser import DESK, TELEPHONE, assert_accessible, assert_fits, chromium, page_of
from tests.console_pages import company_in, fold, told
from tests.console_rig import Browser as Plain
from tests.console_rig import console
from tests.examples.telling import Told, event, seen
from tests.own_server import own_server

pytestmark = pytest.mark.binary("chromium")

ADA = "/people/nordlicht/uAda"
SALES = "/groups/nordlicht/gSales"
PAGES = (
    "/", "/people", "/people?q=nobody", ADA, f"{ADA}?at=2026-01-01", "/people/nordlicht/uIvy",
    "/groups", SALES, "/groups/nordlicht/gAttic", "/changes", "/trust", "/trust/drift", "/trust/unresolved",
    "/trust/corrections", "/trust/dead-letters", "/trust/dismissed", "/trust/quarantine", "/projections",
)  # fmt: skip
MARK = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'"


@pytest.fixture(scope="module")
def company(server: str, template: str) -> Iterator[str]:
    """DSN of a database with the small company."""
    with company_in(server, template, "console_in_a_browser") as dsn:
        yield dsn


def settings_of_somebody() -> list[Told]:
    """Ann, in a group that locks one setting otherwise than she has it; many others are unknown."""
    name = "a_setting_with_a_long_name"
    own = {f"section_{n:02}": {name: {"value": "x" * 40}} for n in range(70)}
    locked = {"recording": {"cloud_recording": False}}
    return [
        event("user.created", 1, {"id": "Ann"}, creation_type="create"),
        event("group.created", 2, {"id": "T", "name": "Team"}),
        event("group.member_added", 3, {"id": "T", "members": [{"id": "Ann"}]}),
        event(
            "user.settings_updated",
            4,
            {"id": "Ann", "settings": own | {"recording": {"cloud_recording": True}}},
        ),
        seen(
            "group_settings_observed",
            5,
            {"id": "T", "settings": locked, "locks": {"recording": {"cloud_recording": True}}},
        ),
        seen("account_settings_observed", 6, {"id": "A", "settings": {}, "locks": locked}),
    ]


@asynccontextmanager
async def inside(browser: Browser, plain: Plain, **options: Any) -> AsyncIterator[Page]:
    """A page that has come in, on the overview."""
    async with page_of(browser, plain.url, **options) as page:
        await page.goto(plain.key)
        await page.wait_for_url(f"{plain.url}/")
        yield page


@asynccontextmanager
async def looking(url: str, **options: Any) -> AsyncIterator[Page]:
    """The same, with a console and a Chromium of its own."""
    async with (
        console(url, enter=False) as plain,
        chromium() as browser,
        inside(browser, plain, **options) as page,
    ):
        yield page


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_for_everybody(company: str, scheme: str, size: dict[str, int]) -> None:
    async with looking(company, viewport=size, color_scheme=scheme) as page:
        for path in PAGES:
            await page.goto(path)
            assert await page.locator("main h1").count() == 1, path
            await page.evaluate(
                "for (const one of document.querySelectorAll('details')) one.open = true"
            )
            await assert_accessible(page)
            await assert_fits(page)


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
async def test_settings_in_effect_are_for_everybody(
    database_url: str, size: dict[str, int], javascript: bool
) -> None:
    """Few of many are shown until all are asked for, by a link that leads to their section."""
    await fold(database_url, settings_of_somebody())
    async with (
        console(database_url, enter=False) as plain,
        chromium() as browser,
        page_of(browser, plain.url, viewport=size, java_script_enabled=javascript) as page,
    ):
        await page.goto(plain.key)
        await page.goto("/people/A/Ann")
        card = page.locator("section", has=page.get_by_role("heading", name="Settings in effect"))
        await expect(card.get_by_role("link", name="Team")).to_be_hidden()
        await card.locator("summary", has_text="recording").click()
        await expect(card.get_by_role("link", name="Team")).to_be_visible()
        await expect(card.get_by_text("locked by a group")).to_be_visible()
        if javascript:
            await assert_accessible(page)
        await assert_fits(page)
        await card.get_by_role("link", name="Show all").click()
        await expect(card.get_by_text("section_69.a_setting_with_a_long_name")).to_be_visible()
        if javascript:
            await assert_accessible(page)
        await assert_fits(page)
        await card.get_by_role("link", name="Show fewer").click()
        await expect(page).to_have_url(re.compile("/people/A/Ann#settings$"))


async def test_a_page_that_is_not_there_is_for_everybody(company: str) -> None:
    async with console(company, enter=False) as plain, chromium() as browser:
        for path, heading in (
            ("/nowhere", "Not there"),
            ("/people?after=x", "That cannot be asked"),
        ):
            async with inside(browser, plain, may_complain=True) as page:
                answer = await page.goto(path)
                assert answer is not None
                assert answer.status in (400, 404)
                await expect(page.get_by_role("heading", name=heading)).to_be_visible()
                await assert_accessible(page)


async def test_an_address_lets_in_once_and_leaving_is_final(company: str) -> None:
    async with console(company, enter=False) as plain, chromium() as browser:
        address = plain.key
        context = await browser.new_context(base_url=plain.url)
        page = await context.new_page()
        await page.goto(address)
        await page.wait_for_url(f"{plain.url}/")
        kept = await context.storage_state()
        stranger = await (await browser.new_context(base_url=plain.url)).new_page()
        assert (await stranger.goto(address)).status == 401  # type: ignore[union-attr]
        await expect(stranger.locator("main")).to_contain_text("used already")
        assert (await stranger.goto("/people")).status == 401  # type: ignore[union-attr]
        await assert_accessible(stranger)
        await page.get_by_role("button", name="Leave").click()
        await expect(page.get_by_role("heading", name="You have left")).to_be_visible()
        copied = await (
            await browser.new_context(base_url=plain.url, storage_state=kept)
        ).new_page()
        assert (await copied.goto("/people")).status == 401  # type: ignore[union-attr]


async def test_somebody_is_found_and_looked_at_in_the_past(company: str) -> None:
    async with looking(company) as page:
        search = page.get_by_role("searchbox", name="Find a person")
        await search.fill("HUGO@nordlicht.example")
        await search.press("Enter")
        await expect(page).to_have_url(re.compile("/people/nordlicht/uHugo$"))
        profile = page.locator("section", has=page.get_by_role("heading", name="Profile"))
        await expect(profile).to_contain_text("Support")
        entry = page.locator("section", has=page.get_by_role("heading", name="What happened"))
        await (
            entry.get_by_role("listitem")
            .filter(has_text="Support")
            .first.get_by_role("link", name="see just before")
            .click()
        )
        await expect(page).to_have_url(re.compile("at="))
        await expect(profile).to_contain_text("Office")
        await assert_accessible(page)


async def test_moments_are_typed_in_the_readers_zone_and_two_are_compared(
    database_url: str,
) -> None:
    """Noon in Berlin in summer is ten in UTC: the story begins at eight, and moves her at ten."""
    hours = 3_600_000
    about = {"id": "Ann", "display_name": "Ann Example", "dept": "Sales"}
    moved = event(
        "user.updated", 2 * hours, {"id": "Ann", "dept": "Labs"}, {"id": "Ann", "dept": "Sales"}
    )
    await fold(database_url, [event("user.created", 0, about), moved])
    async with looking(database_url) as page:
        for typed, dept in (("2026-05-04T11:59:59", "Sales"), ("2026-05-04T12:00:00", "Labs")):
            await page.goto("/people/A/Ann")
            await page.get_by_text("Another moment").click()
            await expect(page.get_by_label("As of, your time")).to_be_visible()
            await page.get_by_label("As of, your time").fill(typed)
            await page.get_by_role("button", name="Show").click()
            await expect(page).to_have_url(re.compile("at="))
            profile = page.locator("section", has=page.get_by_role("heading", name="Profile"))
            await expect(profile).to_contain_text(dept)
        shown = page.locator("main time").first
        await expect(shown).to_have_attribute("title", re.compile("2026-05-04 .* UTC"))
        await page.goto("/people/A/Ann?at=2026-05-04T09:00Z&versus=2026-05-04T11:00Z")
        await expect(page.get_by_role("row").filter(has_text="dept")).to_have_text(
            re.compile(r"Sales\s+Labs")
        )
        await assert_accessible(page)


async def test_a_long_list_is_walked_page_by_page(database_url: str) -> None:
    names = [f"Person {n:03}" for n in range(120)]
    events = [
        event("user.created", n, {"id": f"u{n}", "display_name": name, "email": f"{n}@x.test"})
        for n, name in enumerate(names)
    ]
    await fold(database_url, events)
    async with looking(database_url) as page:
        await page.goto("/people")
        seen: list[str] = []
        while True:
            seen += await page.locator("main tbody th").all_inner_texts()
            more = page.get_by_role("link", name="More")
            if not await more.count():
                break
            await more.click()
        assert seen == names
        await page.get_by_role("link", name="From the beginning").click()
        await expect(page.locator("main tbody th").first).to_have_text(names[0])


async def test_a_dead_letter_is_dismissed_by_a_form(database_url: str) -> None:
    await fold(database_url, [event("user.updated", 1, {"email": "nobody@x.test"})])
    async with looking(database_url) as page:
        await page.goto("/trust/dead-letters")
        for opened in await page.locator("details.acts summary").all():
            await opened.click()
        reason = page.get_by_role("textbox", name="Why").first
        await page.get_by_role("button", name="Dismiss").click()
        assert await reason.evaluate("field => !field.validity.valid"), "a reason is asked for"
        await reason.fill("A test of the subscription")
        await page.get_by_role("button", name="Dismiss").click()
        await expect(page.locator(".said")).to_contain_text("dismissed")
        await assert_accessible(page)
    connection = await asyncpg.connect(database_url)
    acts = await connection.fetch("SELECT event FROM log.events WHERE source = 'operator'")
    await connection.close()
    assert [row["event"] for row in acts] == ["operator.dead_letter_dismissed"]


async def test_without_javascript_everything_reads(company: str) -> None:
    async with (
        console(company, enter=False) as plain,
        chromium() as browser,
        page_of(browser, plain.url, java_script_enabled=False) as page,
    ):
        await page.goto(plain.key)
        await page.goto("/")
        for path in PAGES:
            assert (await page.goto(path)).status == 200  # type: ignore[union-attr]
            assert await page.locator("main").inner_text()
        await page.goto(ADA)
        assert re.search(
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? UTC", await page.inner_text("main")
        )
        await page.get_by_text("Another moment").click()
        await page.get_by_label("As of, UTC").fill("2026-01-01T12:00:00")
        await page.get_by_role("button", name="Show").click()
        await expect(page).to_have_url(re.compile("at=2026-01-01T12%3A00"))
        await page.get_by_role("searchbox").fill("ben")
        await page.get_by_role("searchbox").press("Enter")
        await expect(page.get_by_role("link", name="ben@nordlicht.example").first).to_be_visible()


async def test_the_keyboard_is_enough(company: str) -> None:
    async with looking(company) as page:
        await page.goto("/people")
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        await expect(skip).to_be_focused()
        await expect(skip).to_be_in_viewport()
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()
        for _ in range(40):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.matches('main tbody a')"):
                break
        name = await page.evaluate("document.activeElement.textContent")
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", "where the keyboard is can be seen"
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(name)


async def test_what_others_typed_is_text(database_url: str) -> None:
    about = {"id": "u", "display_name": MARK, "email": f"{MARK}@x.test", "dept": MARK}
    events = [
        event("user.created", 0, about, operator=MARK),
        event("group.created", 1, {"id": "g", "name": MARK}, operator=MARK),
        event("group.member_added", 2, {"id": "g", "members": [about]}, operator=MARK),
        event("user.personal_notes_updated", 3, {"id": "u", "personal_notes": MARK}),
        event("user.settings_updated", 4, {"id": "u", "settings": {MARK: {MARK: MARK}}}),
        event("group.settings_updated", 5, {"id": "g", "settings": {MARK: MARK}}),
    ]
    async with (
        told(database_url, *events) as plain,
        chromium() as browser,
        inside(browser, plain) as page,
    ):
        page.on("dialog", lambda dialog: pytest.fail(f"{dialog.message} was executed"))
        for path in ("/", "/people", "/people/A/u", "/groups", "/groups/A/g", "/changes", "/trust"):
            await page.goto(path)
            assert await page.locator("main script, main img").count() == 0
        await page.goto("/people/A/u")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(MARK)


async def test_a_database_that_goes_and_comes_is_told() -> None:
    with own_server("console-browser") as server:
        database = await open_database(server.dsn)
        await migrate(database)
        await database.close()
        async with console(server.dsn, enter=False) as plain, chromium() as browser:
            context = await browser.new_context(base_url=plain.url)
            page = await context.new_page()
            await page.goto(plain.key)
            await page.wait_for_url(f"{plain.url}/")
            await asyncio.to_thread(server.stop)
            assert (await page.goto("/people")).status == 503  # type: ignore[union-attr]
            await expect(page.get_by_role("heading", level=1)).to_have_text(
                "The database does not do this now"
            )
            await assert_accessible(page)
            await asyncio.to_thread(server.start)
            await page.get_by_role("link", name="Try again").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("People")
