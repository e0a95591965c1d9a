"""The laws of what the console reads: its pages and ranges are the views, in parts, each row once."""

import random
import unicodedata
from typing import Any

import asyncpg
import pytest

from projector.database import Database
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from tests.directory_rows import deliveries
from tests.integration.stepping import Stepper
from tests.integration.test_history_laws import moments_of
from tests.integration.test_laws import arrive
from tests.oracle.histories import as_log, history


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-history")
        count = metafunc.config.getoption("--histories")
        metafunc.parametrize("seed", range(first, first + count))


EVENTS = 150


async def lived(database: Database, seed: int, events: int = EVENTS) -> random.Random:
    """Fold a drawn history, some of it late, some of it rebuilt; returns the chance that drew it."""
    chance = random.Random(seed)
    await arrive(database, as_log(history(seed, events)), chance)
    stepper = Stepper(database, chance, faults=0)
    await stepper.some(10)
    await rebuild(database, chance.sample(PROJECTIONS, 2), lambda *_: None)
    await stepper.run()
    return chance


def plain(text: str) -> str:
    """A text without its case and accents, by Python's own tables."""
    taken_apart = unicodedata.normalize("NFD", text)
    return "".join(c for c in taken_apart if not "\u0300" <= c <= "\u036f").lower()


async def people_found(
    database: Database, words: str, most: int, status: str = ""
) -> list[asyncpg.Record]:
    """Everybody of a status whom the words find, page by page."""
    found: list[asyncpg.Record] = []
    after = ("", "", "")
    while True:
        page = await database.fetch(
            "SELECT * FROM directory.people_page($1, $2, $3, $4, $5, $6)",
            words,
            status,
            *after,
            most,
        )
        found += page
        if len(page) < most:
            return found
        after = (page[-1]["sort_key"], page[-1]["account_id"], page[-1]["user_key"])


async def test_people_are_the_users_and_the_former_ones(database: Database, seed: int) -> None:
    chance = await lived(database, seed)
    columns = "account_id, user_id, email, status, first_name, last_name, display_name"
    known = {
        (row["account_id"], row["user_id"]): row
        for row in await database.fetch(
            f"SELECT {columns}, false AS removed FROM directory.users "
            f"UNION ALL SELECT {columns}, true FROM directory.former_users"
        )
    }
    listed = await people_found(database, "", chance.choice([1, 3, 50]))
    assert sorted((row["account_id"], row["user_id"]) for row in listed) == sorted(known)
    assert listed == await database.fetch(
        "SELECT * FROM directory.people ORDER BY sort_key, account_id, user_key"
    )
    for status in ("active", "pending", "inactive", "unknown", "deleted", "disassociated", "gone"):
        of_status = [row for row in listed if row["status"] == status]
        assert await people_found(database, "", 3, status) == of_status
    for row in listed:
        user = known[row["account_id"], row["user_id"]]
        assert (row["status"], row["removed"]) == (user["status"], user["removed"])
        assert row["email"] == (user["email"] or None)
        full = f"{user['first_name'] or ''} {user['last_name'] or ''}".strip(" ")
        assert row["name"] == ((user["display_name"] or "").strip(" ") or full or None)


async def test_a_person_is_found_by_any_part_of_names_mail_and_id(
    database: Database, seed: int
) -> None:
    chance = await lived(database, seed)
    columns = "account_id, user_id, email, first_name, last_name, display_name"
    rows = await database.fetch(
        f"SELECT {columns} FROM directory.users UNION ALL SELECT {columns} FROM directory.former_users"
    )
    for row in chance.sample(rows, min(8, len(rows))):
        part = chance.choice([v for name, v in row.items() if name != "account_id" and v])[:90]
        start = chance.randrange(len(part))
        part = part[start : start + chance.randint(2, 8)]
        turned = part.swapcase()
        part = turned if plain(turned) == plain(part) else part
        found = await people_found(database, part, 7)
        assert (row["account_id"], row["user_id"]) in {
            (one["account_id"], one["user_id"]) for one in found
        }, part
        for one in found:
            assert plain(part) in plain(one["search"]), part


@pytest.mark.parametrize("view", ["memberships", "group_admins"])
async def test_the_pages_of_a_list_are_the_list(database: Database, seed: int, view: str) -> None:
    chance = await lived(database, seed)
    columns = "account_id, group_id, user_id, email, group_name, user_status, added_at, added_by"
    moments = [None, *chance.sample(moments_of(await deliveries(database), chance), 3)]
    for at in moments:
        source = f"directory.{view}" if at is None else f"directory.{view}_at('{at.isoformat()}')"
        rows = await database.fetch(f"SELECT {columns}, last_event_at, last_position FROM {source}")
        for account, group in {(row["account_id"], row["group_id"]) for row in rows}:
            called = f"{view}_page(" if at is None else f"{view}_page_at('{at.isoformat()}', "
            paged = await pages(database, f"directory.{called}", account, group, chance)
            expected = [r for r in rows if (r["account_id"], r["group_id"]) == (account, group)]
            assert sorted(paged, key=repr) == sorted((tuple(r) for r in expected), key=repr), at


async def pages(
    database: Database, function: str, account: str, group: str, chance: random.Random
) -> list[tuple[Any, ...]]:
    """The rows of all pages, without the key that they are paged by."""
    found: list[tuple[Any, ...]] = []
    after, most = "", chance.choice([1, 2, 5, 100])
    while True:
        page = await database.fetch(
            f"SELECT * FROM {function}$1, $2, $3, $4)", account, group, after, most
        )
        found += [tuple(row)[:-1] for row in page]
        if len(page) < most:
            return found
        assert page[-1]["entry_key"] > after
        after = page[-1]["entry_key"]


RANGES = 12


@pytest.mark.parametrize(
    ("view", "known"), [("changes", "position"), ("corrections", "known_since")]
)
async def test_a_range_of_positions_has_the_rows_of_the_view(
    database: Database, seed: int, view: str, known: str
) -> None:
    chance = await lived(database, seed)
    rows = await database.fetch(f"SELECT * FROM directory.{view}")
    head = await database.fetchval("SELECT max(position) FROM log.events")
    for _ in range(RANGES):
        after = chance.randint(-1, head)
        up_to = after + chance.choice([0, 1, 1, 2, 5, 40, head])
        expected = [tuple(row) for row in rows if after < row[known] <= up_to]
        found = await database.fetch(
            f"SELECT * FROM directory.{view}_between($1, $2)", after, up_to
        )
        assert sorted(map(tuple, found), key=repr) == sorted(expected, key=repr), (after, up_to)


TOLD: Any = (
    "entity", "group_id", "user_id", "path", "before", "after", "changed_at", "changed_by", "event",
    "position", "source", "event_order",
)  # fmt: skip


async def told_by_pages(
    database: Database, kind: str, account: str, key: str, most: int
) -> list[asyncpg.Record]:
    """The rows of all pages of a timeline."""
    found: list[asyncpg.Record] = []
    order, place = "", ""
    while True:
        page = await database.fetch(
            f"SELECT * FROM directory.timeline_of_{kind}($1, $2, $3, $4, $5)",
            account, key, order, place, most,
        )  # fmt: skip
        found += page
        if len(page) < most:
            return found
        order, place = page[-1]["event_order"], page[-1]["place"]


def in_columns(rows: list[asyncpg.Record]) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[name] for name in TOLD) for row in rows), key=repr)


async def test_a_persons_timeline_is_their_changes_and_sign_ins(
    database: Database, seed: int
) -> None:
    chance = await lived(database, seed)
    rows = await database.fetch(
        f"SELECT account_id, {', '.join(TOLD)} FROM directory.changes WHERE user_id IS NOT NULL "
        "UNION ALL SELECT account_id, 'sign_in', NULL, user_id, client_type, NULL, "
        "to_jsonb(CASE WHEN signed_in THEN 'signed in' ELSE 'signed out' END), changed_at, NULL, event, "
        "position, source, event_order FROM directory.sign_in_changes"
    )
    people = {(row["account_id"], row["user_id"].lower()) for row in rows}
    for account, key in chance.sample(sorted(people), min(12, len(people))):
        paged = await told_by_pages(database, "person", account, key, chance.choice([1, 2, 7, 50]))
        theirs = [r for r in rows if (r["account_id"], r["user_id"].lower()) == (account, key)]
        assert in_columns(paged) == in_columns(theirs)
        places = [(row["event_order"], row["place"]) for row in paged]
        assert places == sorted(set(places), reverse=True)


async def test_a_groups_timeline_is_its_changes(database: Database, seed: int) -> None:
    chance = await lived(database, seed)
    rows = await database.fetch(
        f"SELECT account_id, {', '.join(TOLD)} FROM directory.changes WHERE group_id IS NOT NULL"
    )
    own = {
        (row["account_id"], row["group_id"], row["event_order"])
        for row in rows
        if row["entity"] == "group"
    }
    groups = {(row["account_id"], row["group_id"]) for row in rows}
    assert groups
    for account, group in groups:
        paged = await told_by_pages(database, "group", account, group, chance.choice([1, 2, 7, 50]))
        expected = [
            row
            for row in rows
            if (row["account_id"], row["group_id"]) == (account, group)
            and not (row["path"] == "member" and (account, group, row["event_order"]) in own)
        ]
        assert in_columns(paged) == in_columns(expected)
        places = [(row["event_order"], row["place"]) for row in paged]
        assert places == sorted(set(places), reverse=True)


async def test_the_pages_of_unresolved_people_are_the_unresolved(
    database: Database, seed: int
) -> None:
    chance = await lived(database, seed)
    most = chance.choice([1, 2, 5, 100])
    found: list[asyncpg.Record] = []
    account, key = "", ""
    while True:
        page = await database.fetch(
            "SELECT * FROM directory.unresolved_users_page($1, $2, $3)", account, key, most
        )
        found += page
        if len(page) < most:
            break
        assert (page[-1]["account_id"], page[-1]["person_key"]) > (account, key)
        account, key = page[-1]["account_id"], page[-1]["person_key"]
    expected = await database.fetch("SELECT * FROM directory.unresolved_users")
    assert sorted((tuple(row)[:-1] for row in found), key=repr) == sorted(
        map(tuple, expected), key=repr
    )


async def test_the_pages_of_drift_are_the_drift(database: Database, seed: int) -> None:
    chance = await lived(database, seed, 300)
    most = chance.choice([1, 2, 5, 100])
    found: list[asyncpg.Record] = []
    after: tuple[Any, ...] = ("", "", "", "", 0)
    while True:
        page = await database.fetch(
            "SELECT * FROM directory.drift_page($1, $2, $3, $4, $5, $6)", *after, most
        )
        found += page
        if len(page) < most:
            break
        last = page[-1]
        after = tuple(
            last[name] for name in ("entity_key", "account_id", "entity", "path", "position")
        )
    expected = await database.fetch("SELECT * FROM directory.drift")
    assert sorted((tuple(row)[:-1] for row in found), key=repr) == sorted(
        map(tuple, expected), key=repr
    )
