"""The page of trust and its lists: what stands open, every row once, and what may be done about it."""

from datetime import UTC, datetime
from hashlib import sha256

import asyncpg
import pytest

from projector.console import looking_back
from projector.console.pages import trust
from projector.database import Database
from projector.log.quarantine import Suspect, keep
from projector.operations import dead_letters, drift
from tests.console_pages import Node, fold, opened, told
from tests.console_rig import Browser, console
from tests.examples.telling import Told, event, seen

BOSS = "boss@x.test"
LONG = "x" * 90


async def walked(browser: Browser, path: str) -> list[list[str]]:
    """The rows of a list on all its pages."""
    found: list[list[str]] = []
    while path:
        page = await opened(browser, path)
        found += page.part("rows").rows
        path = page.link("More") if page.has_link("More") else ""
    return found


async def count(url: str, view: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM directory.{view}"))
    finally:
        await connection.close()


def drifting(ms: int, user: str, path: str = "dept", account: str = "A") -> Told:
    """A change whose old value is not the directory's."""
    return event(
        "user.updated", ms, {"id": user, path: f"new {ms}"}, {"id": user, path: "never"}, account=account
    )  # fmt: skip


def known(ms: int, user: str, account: str = "A") -> Told:
    about = {"id": user, "email": f"{user[:9]}@x.test", "dept": "Sales", "company": "Acme"}
    return event(
        "user.created", ms, {**about, "display_name": f"Name of {user[:9]}"}, account=account
    )


ODD = ["a/b", "%2F", "ü", "'\"", " a", LONG]


def all_drift() -> list[Told]:
    """Drift of several people, of several paths of one of them, and of one id in two accounts."""
    people = ["u1", "u2", "u3", *ODD]
    return [
        *(known(1, one) for one in people),
        known(1, "u1", account="B"),
        *(drifting(10 + at, one) for at, one in enumerate(people)),
        drifting(30, "u1", "company"),
        drifting(31, "u1", "dept", account="B"),
    ]


@pytest.mark.parametrize("rows", [1, 2, 50])
async def test_each_row_of_drift_is_on_some_page_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(trust, "ROWS", rows)
    async with told(database_url, *all_drift()) as browser:
        found = await walked(browser, "/trust/drift")
    assert len(found) == await count(database_url, "drift") == 11
    assert len({tuple(row) for row in found}) == 11


async def test_drift_says_whose_what_and_how_it_is_healed(database_url: str) -> None:
    note = event("user.personal_notes_updated", 3, {"id": "u1", "personal_notes": "b"},
                 {"id": "u1", "personal_notes": "never"})  # fmt: skip
    first = event("user.personal_notes_updated", 2, {"id": "u1", "personal_notes": "a"})
    async with told(database_url, known(1, "u1"), first, note, drifting(4, "u1")) as browser:
        page = await opened(browser, "/trust")
    rows = page.part("drift").rows
    healed = {row[1].split()[0]: (row[0], row[2], row[4]) for row in rows}
    assert healed["dept"][:2] == ("Name of u1", "Sales → never")
    assert healed["dept"][2].startswith("projector reconcile --person u1")
    assert healed["personal_notes"][1] == "a → never"
    assert healed["personal_notes"][2].startswith("no reading: acknowledge it")


async def test_the_page_shows_a_few_and_leads_to_all(database_url: str) -> None:
    async with told(database_url, *all_drift()) as browser:
        page = await opened(browser, "/trust")
        assert len(page.part("drift").rows) == trust.FIRST
        assert page.part("drift").link("The whole list") == "/trust/drift"
        assert not page.part("corrections").has_link("The whole list")


def nameless(ms: int) -> Told:
    return event("user.updated", ms, {"email": f"n{ms}@x.test", "dept": "x"})


@pytest.mark.parametrize("rows", [1, 3, 50])
async def test_each_dead_letter_is_on_some_page_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(trust, "ROWS", rows)
    async with told(database_url, *map(nameless, range(7))) as browser:
        found = await walked(browser, "/trust/dead-letters")
    assert [row[:3] for row in found] == [
        [str(position), "user.updated", "users"] for position in range(7, 0, -1)
    ]
    assert {row[3] for row in found} == {"there is no payload.object.id"}


async def test_what_was_dismissed_and_acknowledged_says_by_whom_and_why(
    database: Database, database_url: str
) -> None:
    await fold(database_url, [nameless(1), nameless(2), known(3, "u1"), drifting(4, "u1")])
    await dead_letters.dismiss(database, 1, projection=None, reason="a <test>", who="ann@x.test")
    await drift.acknowledge(
        database, "user", "u1", None, account=None, reason="we know & care", who="ben@x.test"
    )
    await fold(database_url, [])
    async with console(database_url) as browser:
        page = await opened(browser, "/trust")
        [dismissed] = page.part("dismissed").rows
        assert [dismissed[0], *dismissed[4:]] == ["1", "ann@x.test", "a <test>"]
        [acknowledged] = page.part("acknowledged").rows
        assert acknowledged[3:] == ["ben@x.test", "we know & care"]
        assert [row[0] for row in page.part("dead-letters").rows] == ["2"]
        assert page.part("drift").text.endswith("No event contradicts the directory.")
        assert await walked(browser, "/trust/dismissed") == [dismissed]
        assert await walked(browser, "/trust/acknowledged") == [acknowledged]


@pytest.mark.parametrize("rows", [1, 4, 50])
async def test_each_unresolved_person_and_group_is_on_some_page_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(trust, "ROWS", rows)
    groups = [f"g{number}" for number in range(3)]
    members = [
        event("group.member_added", 1, {"id": group, "members": [{"id": one} for one in ODD]})
        for group in groups
    ]
    mail = event("group.member_added", 2, {"id": "g1", "members": [{"email": "z@x.test"}]})
    async with told(database_url, *members, mail) as browser:
        people = await walked(browser, "/trust/unresolved")
        unknown = await walked(browser, "/trust/unresolved-groups")
    assert sorted(row[0] for row in people) == sorted(["email:z@x.test", *map(str.strip, ODD)])
    assert {row[2] for row in people} == {"memberships"}
    assert [row[0] for row in unknown] == groups


def refused(number: int, *, signed: bool = False) -> Suspect:
    body = f'{{"n": {number}}}'.encode()
    at = datetime(2026, 5, 4, 9, 0, number, tzinfo=UTC)
    reason = "not-an-event" if signed else "wrong"
    return Suspect(
        at, reason, "user.created", signed, None, "1", "v0=x", sha256(body).digest(), body
    )


@pytest.mark.parametrize("rows", [1, 3, 50])
async def test_each_row_of_the_quarantine_is_on_some_page_once(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(trust, "ROWS", rows)
    await keep(
        database, [*map(refused, range(6)), refused(7, signed=True)], max_rows=100, max_bytes=10_000
    )
    async with console(database_url) as browser:
        found = await walked(browser, "/trust/quarantine")
        page = await opened(browser, "/")
    assert [row[0] for row in found] == [str(number) for number in range(7, 0, -1)]
    assert found[0][1:5] == ["user.created", "not-an-event", "rightly", "8"]
    assert found[1][2:4] == ["wrong", "by no secret known here"]
    assert "they are rightly signed, and not in the log" in page.part("arriving").text
    [numbers] = page.all("dl", id="numbers")
    assert dict(numbers.pairs)["Quarantine"].startswith("7 ")


async def test_corrections_say_what_was_believed(database_url: str) -> None:
    third = event("user.updated", 30, {"id": "u1", "dept": "Third"})
    second = event("user.updated", 20, {"id": "u1", "dept": "Second"}, operator=BOSS)
    late = [known(1, "u1"), third, second]
    async with told(database_url, *late) as browser:
        page = await opened(browser, "/trust")
        [row] = page.part("corrections").rows
        assert row[0] == "Name of u1"
        assert row[1].startswith("dept")
        assert row[2] == "Sales → Second"
        assert f"by {BOSS}" in row[3]
        assert "position 3" in row[4]
        assert await walked(browser, "/trust/corrections") == [row]


@pytest.mark.parametrize(
    ("rows", "look"), [(1, 100_000), (2, 100_000), (50, 100_000), (50, 2), (1, 1)]
)
async def test_each_correction_is_on_some_page_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, rows: int, look: int
) -> None:
    monkeypatch.setattr(trust, "ROWS", rows)
    monkeypatch.setattr(looking_back, "LOOK_BACK", look)
    late = [
        event("user.updated", 20 - ms, {"id": "u1", "dept": f"{ms}", "company": f"c{ms}"})
        for ms in range(4)
    ]
    async with told(database_url, known(1, "u1"), *late) as browser:
        found = await walked(browser, "/trust/corrections")
    assert len(found) == await count(database_url, "corrections") == 6
    assert len({tuple(row) for row in found}) == 6


async def test_coverage_says_how_old_it_is_and_what_could_not_be_read(database_url: str) -> None:
    complete = seen(
        "section_read", 1, {"id": "users", "complete": True, "read": 1200, "repaired": 3}
    )
    partly = seen("section_read", 2, {"id": "groups", "complete": False, "unreadable": "a <scope>"})
    await fold(database_url, [complete, partly])
    async with console(database_url) as browser:
        page = await opened(browser, "/trust")
    groups, users = page.part("coverage").rows
    nothing = "\u2013"
    assert users[1:] == ["users", users[2], "1 200", nothing, "3", nothing, nothing]
    assert users[2].endswith("old"), "it was read in the year of the story"
    assert groups[1:3] == ["groups", "never old"]
    assert groups[-1] == "a <scope>"
    notices = [one.text for one in page.all("p") if "notice" in one.attributes.get("class", "")]
    assert any("could not be read: groups (a <scope>)" in one for one in notices)


async def test_an_empty_directory_has_nothing_open(database_url: str) -> None:
    async with console(database_url) as browser:
        page = await opened(browser, "/trust")
        assert "Zoom's REST API was never read." in page.part("coverage").text
        assert page.part("dead-letters").text.endswith("Every event is folded.")
        for one in (
            "drift",
            "dead-letters",
            "unresolved",
            "corrections",
            "dismissed",
            "acknowledged",
        ):
            shown = await opened(browser, f"/trust/{one}")
            assert not shown.part("rows").rows


@pytest.mark.parametrize(
    "path",
    ["drift?after=x", "drift?after=a/b/c", "drift?after=a/b/c/d/e", "drift?after=a/b/c/d/1/2",
     "dead-letters?after=x/users", "dead-letters?after=-1/users",
     "dead-letters?after=9999999999999999999/users",
     "unresolved?after=a/%2500"],
)  # fmt: skip
async def test_a_place_that_no_link_gives_is_refused(database_url: str, path: str) -> None:
    async with console(database_url) as browser:
        page = await opened(browser, f"/trust/{path}", 400)
        assert "after takes a place in the list" in page.text


def forms(page: Node) -> set[str]:
    found = {one.attributes["action"] for one in page.all("form") if "action" in one.attributes}
    return {one for one in found if one.startswith("/actions/")}


async def test_only_who_may_act_gets_forms(database_url: str) -> None:
    await fold(database_url, [nameless(1), known(2, "u1"), drifting(3, "u1")])
    async with console(database_url) as browser:
        assert forms(await opened(browser, "/trust")) == {
            "/actions/dead-letters/retry", "/actions/dead-letters/dismiss", "/actions/drift/acknowledge",
        }  # fmt: skip
        assert forms(await opened(browser, "/projections")) == {"/actions/rebuild"}
    async with console(database_url, console_operators="somebody@else.test") as browser:
        page = await opened(browser, "/trust")
        assert forms(page) == set()
        assert "PROJECTOR_CONSOLE_OPERATORS" in page.text


async def test_an_action_of_the_page_does_what_it_says(database_url: str) -> None:
    await fold(database_url, [nameless(1), nameless(2)])
    async with console(database_url) as browser:
        await browser.act(
            "dead-letters/dismiss", position="1", projection="users", reason="of no use"
        )
        await fold(database_url, [])
        page = await opened(browser, "/trust")
        assert [row[0] for row in page.part("dead-letters").rows] == ["2"]
        assert [row[0] for row in page.part("dismissed").rows] == ["1"]


async def test_projections_say_how_they_are_and_what_they_feed(database_url: str) -> None:
    await fold(database_url, [known(1, "u1")])
    async with console(database_url) as browser:
        page = await opened(browser, "/projections")
    rows = {row[0]: row[1:] for row in page.part("all").rows}
    connection = await asyncpg.connect(database_url)
    views = {
        row[0]
        for row in await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'directory'::regnamespace"
        )
    }
    names = {row[0] for row in await connection.fetch("SELECT projection FROM state.checkpoints")}
    await connection.close()
    assert set(rows) == names
    for name, row in rows.items():
        fed = row[4].split(", ")
        assert fed[0], f"{name} feeds something"
        assert set(fed) <= views, name
        assert row[0] == "nobody folds it"
        assert row[1].strip() == "1, 100 %"
