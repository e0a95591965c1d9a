"""What the pages of people and groups say of the past is what the naive fold of the log says."""

import json
import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from projector.console import timeline
from projector.console.asked import Asked
from projector.console.compared import Compared
from projector.console.documents import parsed, written
from projector.console.errors import NotThere
from projector.console.lately import Lately
from projector.console.pages import Page
from projector.console.pages.group import GROUP
from projector.console.pages.person import PERSON
from projector.console.snapshot import Source, snapshot
from projector.database import Database
from tests.directory_rows import Rows, deliveries
from tests.integration.stepping import Stepper
from tests.integration.test_history_laws import moments_of
from tests.integration.test_laws import arrive
from tests.oracle.histories import as_log, history
from tests.oracle.naive_fold import fold
from tests.replayed_changes import OF_USERS, Values, values_of

SEEDS = range(6)
EVENTS = 150
SUBJECTS = 8
LISTS = {"membership", "group_admin"}
OF_GROUPS = {"group", "membership", "group_admin", "group_settings", "group_locks"}

Told = dict[tuple[str, str | None, str | None, str], tuple[str | None, str | None]]


@pytest.fixture(params=SEEDS)
async def past(
    request: pytest.FixtureRequest, database: Database
) -> tuple[Database, random.Random]:
    chance = random.Random(request.param)
    await arrive(database, as_log(history(request.param, EVENTS)), chance)
    await Stepper(database, chance, faults=0).run()
    return database, chance


def source(database: Database) -> Source:
    return Source(database, Lately(), frozenset(), 1000, 2**20)


async def shown(
    database: Database, page: Page, place: tuple[str, str], **asked: datetime | None
) -> Any:
    """What a page shows of a person or a group; None where that never was."""
    query = {name: moment.isoformat() for name, moment in asked.items() if moment is not None}
    name = "user" if page is PERSON else "group"
    async with snapshot(source(database)) as read:
        try:
            return await page.read(Asked(query, {"account": place[0], name: place[1]}), read)
        except NotThere:
            return None


def ids(views: Rows, column: str) -> Iterator[tuple[str, str]]:
    for rows in views.values():
        yield from ((row["account_id"], row[column]) for row in rows if row.get(column))


def of_place(row: dict[str, Any], place: tuple[str, str], column: str) -> bool:
    same = (
        row[column].lower() == place[1].lower() if column == "user_id" else row[column] == place[1]
    )
    return row["account_id"] == place[0] and same


async def test_a_person_and_a_group_as_of_a_moment(past: tuple[Database, random.Random]) -> None:
    database, chance = past
    log = await deliveries(database)
    seen = 0
    for at in moments_of(log, chance):
        expected = fold(log, at.timestamp() * 1000)
        people = sorted(set(ids(fold(log), "user_id")))
        for place in chance.sample(people, min(SUBJECTS, len(people))):
            page = await shown(database, PERSON, place, at=at)
            known = person_at(expected, place)
            assert known == (said_of_person(page) if page else (None, [], [], None)), (place, at)
            seen += any(known)
        groups = sorted(set(ids(fold(log), "group_id")))
        for place in chance.sample(groups, min(SUBJECTS, len(groups))):
            page = await shown(database, GROUP, place, at=at)
            known = group_at(expected, place)
            assert known == (said_of_group(page) if page else (None, [], [])), (place, at)
            seen += any(known)
    assert seen > 20


def person_at(views: Rows, place: tuple[str, str]) -> tuple[Any, ...]:
    def rows(*names: str) -> list[dict[str, Any]]:
        return [row for name in names for row in views[name] if of_place(row, place, "user_id")]

    users, settings = rows("users", "former_users"), rows("user_settings")
    return (
        (users[0]["status"], users[0]["email"], users[0]["dept"]) if users else None,
        sorted(row["group_id"] for row in rows("memberships")),
        sorted(row["group_id"] for row in rows("group_admins")),
        text(settings[0]["settings"]) if settings and settings[0]["settings"] else None,
    )


def said_of_person(page: dict[str, Any]) -> tuple[Any, ...]:
    person, known = page["person"], page["known"]
    return (
        (person["status"], person["email"], person["dept"]) if person else None,
        sorted(row["group_id"] for row in known.groups),
        sorted(row["group_id"] for row in known.administers),
        side(parsed(known.settings["settings"])) if known.settings else None,
    )


def group_at(views: Rows, place: tuple[str, str]) -> tuple[Any, ...]:
    def rows(*names: str) -> list[dict[str, Any]]:
        return [row for name in names for row in views[name] if of_place(row, place, "group_id")]

    groups = rows("groups", "former_groups")
    return (
        (groups[0]["name"], "removed_at" in groups[0]) if groups else None,
        sorted(row["user_id"] for row in rows("memberships")),
        sorted(row["user_id"] for row in rows("group_admins")),
    )


def said_of_group(page: dict[str, Any]) -> tuple[Any, ...]:
    group = page["group"]
    return (
        (group["name"], page["removed"]) if group else None,
        sorted(row["user_id"] for row in page["members"]),
        sorted(row["user_id"] for row in page["admins"]),
    )


async def test_what_differs_between_two_moments(past: tuple[Database, random.Random]) -> None:
    database, chance = past
    log = await deliveries(database)
    moments = moments_of(log, chance)
    seen = 0
    for _ in range(10):
        first, second = sorted(chance.sample(moments, 2))
        before, after = (values_of(fold(log, at.timestamp() * 1000)) for at in (first, second))
        for page, column in ((PERSON, "user_id"), (GROUP, "group_id")):
            places = sorted(set(ids(fold(log), column)))
            for place in chance.sample(places, min(SUBJECTS, len(places))):
                asked = {"at": second, "versus": first}
                answer = await shown(database, page, place, **asked)
                expected = differences(before, after, place, page)
                if answer and answer["compared"].relived:
                    expected = {
                        key: sides for key, sides in expected.items() if key[0] not in LISTS
                    }
                    assert page is GROUP
                assert expected == (said(answer["compared"], page) if answer else {}), place
                seen += len(expected)
    assert seen > 50


def differences(before: Values, after: Values, place: tuple[str, str], page: Page) -> Told:
    found: Told = {}
    for where in before.keys() | after.keys():
        account, entity, entity_id, group_id, path = where
        of_list = entity in LISTS
        if page is PERSON:
            concerned = entity in OF_USERS and entity_id == place[1].lower()
            key = entity, group_id, None, path
        else:
            concerned = entity in OF_GROUPS and (group_id if of_list else entity_id) == place[1]
            key = entity, None, entity_id if of_list else None, path
        sides = value(before, where), value(after, where)
        if account == place[0] and concerned and sides[0] != sides[1]:
            found[key] = sides
    return found


def value(values: Values, where: Any) -> str | None:
    return text(values[where]) if where in values else None


def text(document: Any) -> str:
    return side(parsed(json.dumps(document))) or ""


def side(found: Any) -> str | None:
    return None if found is None else written(found)


def said(compared: Compared, page: Page) -> Told:
    found: Told = {}
    for one in compared.differences:
        of_list = one.entity in LISTS
        group_id = one.group_id if of_list and page is PERSON else None
        user_id = one.user_id.lower() if of_list and page is GROUP and one.user_id else None
        found[one.entity, group_id, user_id, one.path] = side(one.before), side(one.after)
    assert len(found) == len(compared.differences)
    return found


# How many changes a timeline tells: all but who is in a group when it is removed, or comes back with it.
TOLD = """
    SELECT c.account_id, c.user_id, c.group_id, count(*) FROM directory.changes c
    WHERE NOT (c.entity IN ('membership', 'group_admin') AND EXISTS (
        SELECT FROM state.group_versions g
        WHERE g.account_id = c.account_id AND g.group_id = c.group_id
          AND encode(g.folded, 'hex') = c.event_order))
    GROUP BY GROUPING SETS ((account_id, user_id), (account_id, group_id))
"""
OF_A_PERSON = "SELECT count(*) FROM directory.changes WHERE account_id = $1 AND user_id = $2"


async def test_a_timeline_in_pages_tells_every_change_once(
    past: tuple[Database, random.Random], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, chance = past
    monkeypatch.setattr(timeline, "ROWS", 7)
    rows = await database.fetch(TOLD)
    some = [row for row in rows if (row["user_id"] is None) != (row["group_id"] is None)]
    assert max(row["count"] for row in some) > 2 * timeline.ROWS
    for row in sorted(some, key=lambda row: -row["count"])[:6] + chance.sample(some, 4):
        page = GROUP if row["user_id"] is None else PERSON
        place = row["account_id"], row["group_id"] if page is GROUP else row["user_id"]
        count = row["count"] if page is GROUP else await database.fetchval(OF_A_PERSON, *place)
        assert len(await changes_told(database, page, place)) == count, place


async def changes_told(database: Database, page: Page, place: tuple[str, str]) -> set[Any]:
    seen: list[Any] = []
    before: str | None = ""
    name = "user" if page is PERSON else "group"
    while before is not None:
        asked = Asked({"before": before}, {"account": place[0], name: place[1]})
        async with snapshot(source(database)) as read:
            told = (await page.read(asked, read))["told"]
        seen += [
            (event.position, event.at, one.entity, one.group_id, one.user_id, one.path)
            for event in told.events
            for one in event.changes
            if one.entity != "sign_in"
        ]
        before = told.following or None
    assert len(seen) == len(set(seen))
    return set(seen)
