"""The page of changes: every change once, newest first, whatever the filters, in pages of bounded work."""

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from projector.console import looking_back
from projector.console.pages import changes
from tests.console_pages import Node, company_in, opened, told
from tests.console_rig import Browser, console
from tests.examples.telling import Told, event, seen

BOSS = "boss@x.test"
ANN = {"id": "Ann", "email": "ann@x.test"}


@pytest.fixture(scope="module")
def company(server: str, template: str) -> Iterator[str]:
    with company_in(server, template, "console_changes") as dsn:
        yield dsn


def entries(page: Node) -> list[Node]:
    return page.all("article")


def positions(page: Node) -> list[int]:
    return [int(one.attributes["id"].removeprefix("p")) for one in entries(page)]


def sentence(entry: Node) -> str:
    [part] = [one for one in entry.children if isinstance(one, Node) and one.tag == "div"]
    return part.text


async def walked(browser: Browser, path: str) -> list[int]:
    """The positions on a page and on all that follow."""
    found: list[int] = []
    while path:
        page = await opened(browser, path)
        found += positions(page)
        following = [one for one in page.all("a") if one.attributes.get("rel") == "next"]
        path = following[0].attributes["href"] if following else ""
    return found


async def known(url: str, condition: str = "true", *arguments: Any) -> list[int]:
    """The positions of changes in the order of the page."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            f"SELECT DISTINCT position FROM directory.changes WHERE {condition} ORDER BY 1 DESC",
            *arguments,
        )
    finally:
        await connection.close()
    return [row[0] for row in rows]


@pytest.mark.parametrize(("most", "stride", "look"), [(40, 1000, 100_000), (3, 2, 7), (1, 1, 1)])
async def test_every_change_is_on_some_page_once(
    company: str, monkeypatch: pytest.MonkeyPatch, most: int, stride: int, look: int
) -> None:
    monkeypatch.setattr(changes, "EVENTS", most)
    monkeypatch.setattr(looking_back, "FIRST_STRIDE", stride)
    monkeypatch.setattr(looking_back, "LOOK_BACK", look)
    async with console(company) as browser:
        assert await walked(browser, "/changes") == await known(company)


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("account=nordlicht", "true"),
        ("account=elsewhere", "false"),
        ("entity=membership", "entity = 'membership'"),
        ("path=in_meeting.", "starts_with(path, 'in_meeting.')"),
        ("path=in_meeting%25", "false"),
        ("by=ADA@nordlicht.example", "changed_by = 'ada@nordlicht.example'"),
        ("person=UHUGO", "user_id = 'uHugo'"),
        ("person=Hugo@nordlicht.example", "user_id = 'uHugo'"),
        ("group=gSales", "group_id = 'gSales'"),
        ("group=sales", "group_id = 'gSales'"),
        ("entity=user&path=dept&person=uHugo", "entity = 'user' AND path = 'dept' AND user_id = 'uHugo'"),
        ("before=20", "position < 20"),
        ("before=1", "false"),
        ("before=9223372036854775807", "true"),
    ],
)  # fmt: skip
async def test_filters_leave_exactly_what_they_say(
    company: str, monkeypatch: pytest.MonkeyPatch, query: str, condition: str
) -> None:
    monkeypatch.setattr(changes, "EVENTS", 4)
    async with console(company) as browser:
        assert await walked(browser, f"/changes?{query}") == await known(company, condition)


@pytest.mark.parametrize("query", ["before=x", "before=-1", "entity=users", "before=1e3"])
async def test_what_no_address_can_mean_is_refused(company: str, query: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, f"/changes?{query}", 400)
        assert query.partition("=")[0] in page.text


async def test_what_was_asked_for_stands_in_the_form(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, "/changes?entity=user&path=de&by=a%26b&person=x&group=y")
    fields = {one.attributes["name"]: one.attributes.get("value") for one in page.all("input")}
    assert {name: fields[name] for name in ("path", "by", "person", "group")} == {
        "path": "de", "by": "a&b", "person": "x", "group": "y",
    }  # fmt: skip
    [chosen] = [one for one in page.all("option") if "selected" in one.attributes]
    assert chosen.text == "user"


def story() -> list[Told]:
    everybody = [ANN, {"id": "bob"}, {"id": "cy"}]
    settings = {"meet": {"chat": False, "size": 12345678901234567890}}
    moved = {"id": "Ann", "dept": "Marketing"}, {"id": "Ann", "dept": "Sales"}
    return [
        event("user.created", 1, {**ANN, "display_name": "Ann Example", "dept": "Sales"}, operator=BOSS),
        event("user.updated", 2, *moved, operator=BOSS),
        event("group.created", 3, {"id": "G", "name": "Growers"}, operator=BOSS),
        event("group.member_added", 4, {"id": "G", "members": everybody}, operator=BOSS),
        event("group.admin_added", 5, {"id": "G", "admins": [ANN]}),
        event("group.member_deleted", 6, {"id": "G", "members": [{"id": "bob"}]}),
        event("group.lock_settings_updated", 7, {"id": "G", "settings": {"meet": {"chat": True}}}),
        event("user.settings_updated", 8, {"id": "Ann", "settings": settings}),
        event("user.personal_notes_updated", 9, {**ANN, "personal_notes": "Out"}),
        seen("account_settings_observed", 10, {"id": "A", "settings": {"meet": {"chat": True}}}),
        event("user.deleted", 11, ANN),
    ]  # fmt: skip


async def test_an_event_reads_as_one_sentence(database_url: str) -> None:
    async with told(database_url, *story()) as browser:
        page = await opened(browser, "/changes")
    said = [sentence(one) for one in reversed(entries(page))]
    assert said[1] == "Ann Example: dept Sales → Marketing"
    assert said[3] == "Ann Example, bob and cy joined Growers"
    assert said[4] == "Ann Example became an admin of Growers"
    assert said[5] == "bob left Growers"
    assert said[6] == "Group Growers, locks: meet.chat → true"
    assert said[7] == "Ann Example, settings: meet.chat → false meet.size → 12345678901234567890"
    assert said[8] == "Ann Example, note: personal_notes → Out"
    assert said[9] == "Account A, settings: meet.chat → true"
    assert said[10].startswith("Ann Example: status active → deleted ")
    assert "Ann Example is no longer an admin of Growers" in said[10]
    [second] = [one for one in entries(page) if one.attributes["id"] == "p2"]
    assert f"by {BOSS}, user.updated, position 2" in second.text
    [observed] = [one for one in entries(page) if one.attributes["id"] == "p10"]
    assert "rest.account_settings_observed (rest)" in observed.text
    assert page.link("Ann Example") == "/people/A/Ann"
    assert page.link("Growers") == "/groups/A/G"


async def test_an_event_of_many_values_is_one_entry_that_says_how_many_more(
    database_url: str,
) -> None:
    many = {f"s{number:03}": number for number in range(500)}
    async with told(
        database_url,
        event("user.created", 1, ANN),
        event("user.settings_updated", 2, {"id": "Ann", "settings": {"meet": many}}),
    ) as browser:
        page = await opened(browser, "/changes")
        html = (await browser.get("/changes")).text
    [entry] = [one for one in entries(page) if one.attributes["id"] == "p2"]
    assert len(entry.items) == changes.VALUES
    assert f"and {500 - changes.VALUES} more values of this event" in entry.text
    assert len(html) < 20_000


async def test_a_long_value_is_told_by_its_length(database_url: str) -> None:
    long = "x" * 50_000
    async with told(
        database_url,
        event("user.created", 1, {**ANN, "dept": long}),
        event("user.updated", 2, {"id": "Ann", "dept": "y"}, {"id": "Ann", "dept": long}),
    ) as browser:
        page = await opened(browser, "/changes")
    [entry] = [one for one in entries(page) if one.attributes["id"] == "p2"]
    assert sentence(entry) == "ann@x.test: dept a value of 50 002 characters → y"
    assert "xxxx" not in page.text


async def test_a_page_looks_back_a_bounded_way_and_says_how_far(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_back, "LOOK_BACK", 10)
    presence = [
        event("user.presence_status_updated", 10 + ms, {**ANN, "presence_status": "Away"})
        for ms in range(25)
    ]
    async with told(database_url, event("user.created", 1, ANN), *presence) as browser:
        page = await opened(browser, "/changes")
        assert not entries(page)
        assert "Looked back to position 17" in page.text
        assert "Nothing found as far as this page looked" in page.text
        page = await opened(browser, page.link("Look further back"))
        assert "Looked back to position 7" in page.text
        page = await opened(browser, page.link("Look further back"))
        assert positions(page) == [1]
        assert "looked back to the beginning of the log" in page.text
        assert not page.has_link("Look further back")
        assert page.link("Newest") == "/changes"


async def test_what_came_late_says_so(database_url: str) -> None:
    late = [
        event("user.created", 1, ANN),
        event("user.updated", 30, {"id": "Ann", "dept": "Third"}),
        event("user.updated", 20, {"id": "Ann", "dept": "Second"}),
        event("user.updated", 40, {"id": "Ann", "dept": "Fourth"}),
    ]
    async with told(database_url, *late) as browser:
        page = await opened(browser, "/changes")
    assert [("came late" in one.text) for one in entries(page)] == [False, True, False, False]


async def test_an_empty_log_says_so(database_url: str) -> None:
    async with console(database_url) as browser:
        page = await opened(browser, "/changes")
    assert "The log is empty" in page.text
    assert not page.has_link("Look further back")


async def test_the_newest_page_follows_by_itself_and_no_older_one(company: str) -> None:
    async with console(company) as browser:
        [newest] = (await opened(browser, "/changes")).all("main")
        [older] = (await opened(browser, "/changes?before=30")).all("main")
    assert newest.attributes["data-live"] == "5"
    assert "data-live" not in older.attributes
    for part in newest.children:
        assert isinstance(part, str) or part.attributes.get("id"), "each part can be found again"


async def test_several_accounts_are_named(database_url: str) -> None:
    async with told(
        database_url,
        event("user.created", 1, ANN),
        event("user.created", 2, {"id": "Ben", "email": "ben@x.test"}, account="B"),
    ) as browser:
        both = await opened(browser, "/changes")
        one = await opened(browser, "/changes?account=B")
    assert [entry.text.rpartition(" ")[2] for entry in entries(both)] == ["B", "A"]
    assert positions(one) == [2]


MARK = "<b id=\"m\" onclick='x'>&amp;{{ 911*911 }}"


async def test_markup_in_whatever_a_delivery_sets_is_text(database_url: str) -> None:
    mark, by = {"id": MARK, "email": MARK}, {"account": MARK, "operator": MARK}
    before, after = {"id": MARK, "dept": MARK * 2}, {"id": MARK, "dept": "y"}
    settings = {MARK: {MARK: [MARK], "x": MARK}}
    unread = {"id": "users", "complete": False, "unreadable": MARK}
    events = [
        event("user.created", 1, {**mark, "display_name": MARK, "dept": MARK}, **by),
        event("user.updated", 2, after, before, **by),
        event("group.created", 3, {"id": MARK, "name": MARK}, **by),
        event("group.member_added", 4, {"id": MARK, "members": [mark]}, **by),
        event("user.settings_updated", 5, {"id": MARK, "settings": settings}, **by),
        event("group.settings_updated", 6, {"id": MARK, "settings": settings}, **by),
        event("user.personal_notes_updated", 7, {**mark, "personal_notes": MARK}, **by),
        event("user.updated", 8, {"email": MARK}, **by),
        event("group.member_added", 9, {"id": MARK + "?", "members": [{"id": MARK + "!"}]}, **by),
        seen("section_read", 10, unread, account=MARK),
        event("user.created", 11, {"id": "Late", "email": "l@x.test"}, account="C"),
    ]
    paths = ["/", "/changes", "/trust", "/trust/drift", "/trust/unresolved", "/trust/dead-letters"]
    paths += [
        "/trust/corrections",
        "/projections",
        "/changes?path=<b>&by='%22<i>&group={{1}}&person=<u>",
    ]
    async with told(database_url, *events) as browser:
        for path in paths:
            answer = await browser.get(path)
            assert answer.status == 200, path
            assert "<b id" not in answer.text, path
            assert "829921" not in answer.text, path
            assert "<i>" not in answer.text, path
            assert "<u>" not in answer.text, path
        shown = await opened(browser, "/changes")
        assert MARK in shown.text
