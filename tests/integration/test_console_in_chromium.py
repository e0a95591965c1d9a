"""Overview, changes, trust and projections in Chromium: for everybody, and following by themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser import DESK, TELEPHONE, assert_accessible, assert_fits, chromium
from tests.console_pages import fold
from tests.console_rig import Browser, console
from tests.examples.telling import Told, event, seen
from tests.integration.test_console_trust import all_drift, known, nameless

pytestmark = pytest.mark.binary("chromium")

ANN = {"id": "Ann", "email": "ann@x.test"}
LOOKS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": DESK},
    "desk, dark": {"viewport": DESK, "color_scheme": "dark"},
    "telephone": {"viewport": TELEPHONE},
    "without JavaScript": {"viewport": TELEPHONE, "java_script_enabled": False},
}
PATHS = (
    "/",
    "/?account=A",
    "/changes",
    "/trust",
    "/trust/drift",
    "/trust/dead-letters",
    "/projections",
)


def moved(ms: int) -> Told:
    return event("user.updated", ms, {"id": "Ann", "dept": f"Dept {ms}"}, operator="boss@x.test")


@asynccontextmanager
async def visited(console_: Browser, **look: Any) -> AsyncIterator[Page]:
    """A page of whoever has come in; what it complains of fails the test."""
    async with chromium() as browser:
        context = await browser.new_context(base_url=console_.url, **look)
        [kept] = console_.session.cookie_jar
        await context.add_cookies([{"name": kept.key, "value": kept.value, "url": console_.url}])
        page = await context.new_page()
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda one: said.append(one.text) if "Policy" in one.text else None)
        yield page
        assert said == []


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_is_for_everybody(database_url: str, look: str) -> None:
    long = event("user.updated", 50, {"id": "u1", "dept": "w" * 300}, operator=f"{'o' * 60}@x.test")
    unread = seen("section_read", 51, {"id": "users", "complete": False, "unreadable": "no scope"})
    elsewhere = known(52, "u9", account="B")
    events = [*all_drift(), *map(nameless, range(60, 63)), long, unread, elsewhere]
    await fold(database_url, events)
    async with console(database_url) as browser, visited(browser, **LOOKS[look]) as page:
        for path in PATHS:
            await page.goto(path)
            await assert_fits(page)
            if LOOKS[look].get("java_script_enabled", True):
                await assert_accessible(page)


def state(page: Page) -> Any:
    return page.locator(".live [role=status]")


async def test_a_change_appears_and_the_focus_stays(database_url: str) -> None:
    await fold(database_url, [event("user.created", 1, ANN), moved(2), moved(3)])
    async with console(database_url) as browser, visited(browser) as page:
        await page.goto("/changes")
        link = page.locator("#p2 a").first
        await link.focus()
        await fold(database_url, [moved(4)])
        await page.locator("#p4").wait_for(timeout=15_000)
        focused = (
            "document.activeElement.closest('article')?.id + document.activeElement.textContent"
        )
        assert await page.evaluate(focused) == "p2ann@x.test"
        assert await state(page).inner_text() == "Following"


async def test_whoever_types_or_has_paused_is_left_alone(database_url: str) -> None:
    await fold(database_url, [event("user.created", 1, ANN)])
    async with console(database_url) as browser, visited(browser) as page:
        await page.goto("/changes")
        await page.get_by_role("button", name="Pause").click()
        assert await state(page).inner_text() == "Paused"
        await fold(database_url, [moved(2)])
        await page.wait_for_timeout(6_500)
        assert await page.locator("#p2").count() == 0
        await page.get_by_role("button", name="Go on").click()
        await page.locator("#p2").wait_for(timeout=15_000)
        await page.get_by_label("By whom").fill("bo")
        await page.locator("h1").click()
        await fold(database_url, [moved(3)])
        await page.wait_for_timeout(6_500)
        assert await page.locator("#p3").count() == 0
        assert await page.get_by_label("By whom").input_value() == "bo"


async def test_whoever_reads_further_down_is_told_that_there_is_more(database_url: str) -> None:
    await fold(database_url, [event("user.created", 1, ANN), *map(moved, range(2, 30))])
    async with console(database_url) as browser, visited(browser) as page:
        await page.goto("/changes")
        await page.evaluate("scrollTo(0, 900)")
        await fold(database_url, [moved(40)])
        await state(page).get_by_text("Something new").wait_for(timeout=15_000)
        assert await page.evaluate("scrollY") == 900
        await page.locator(".live button").click()
        await page.locator("#p30").wait_for(timeout=5_000)


async def test_open_documents_stay_open(database_url: str) -> None:
    await fold(database_url, [event("user.created", 1, ANN)])
    async with console(database_url) as browser, visited(browser) as page:
        await page.goto("/changes")
        await fold(
            database_url, [event("user.updated", 2, {"id": "Ann", "settings": {"a": [1, 2]}})]
        )
        document = page.locator("#p2 details")
        await document.wait_for(timeout=15_000)
        await document.locator("summary").click()
        await fold(database_url, [moved(3)])
        await page.locator("#p3").wait_for(timeout=15_000)
        assert await document.get_attribute("open") is not None
        assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"


async def test_lost_contact_and_an_ended_session_are_told(database_url: str) -> None:
    async with console(database_url) as browser, visited(browser) as page:
        await page.goto("/projections")
        await page.context.set_offline(offline=True)
        await state(page).get_by_text("No contact").wait_for(timeout=15_000)
        await page.context.set_offline(offline=False)
        await state(page).get_by_text("Following").wait_for(timeout=15_000)
        await page.context.clear_cookies()
        await state(page).get_by_text("Your session ended").wait_for(timeout=15_000)
        await page.get_by_role("button", name="Enter again").click()
        await page.get_by_text("projector console --address").wait_for(timeout=5_000)


async def test_ten_tabs_stay_alive(database_url: str) -> None:
    await fold(database_url, [event("user.created", 1, ANN)])
    async with console(database_url) as browser, visited(browser) as page:
        tabs = [page, *[await page.context.new_page() for _ in range(9)]]
        for tab in tabs:
            await tab.goto("/changes")
        await fold(database_url, [moved(2)])
        for tab in tabs:
            await tab.bring_to_front()
            await tab.locator("#p2").wait_for(timeout=20_000)
