"""The laws of effective settings: the views say what the naive rules say, world by world.

For a log in any order of arrival: of everybody, of one person, of one path, and of any moment.
`--histories N` runs N of them; each one's seed is in its test's name.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pytest

from projector.database import Database
from projector.log.append import append
from projector.zoom.delivery import delivery_of, head_of
from tests.directory_rows import deliveries
from tests.integration.stepping import Stepper
from tests.integration.test_history_laws import moments_of
from tests.oracle.histories import as_log, history
from tests.oracle.naive_diff import same
from tests.oracle.naive_effective import Judged, judged
from tests.oracle.naive_fold import Delivery, fold
from tests.oracle.naive_worlds import ANSWERS, as_text
from tests.oracle.settings_play import settings_play

Row = dict[str, Any]
Key = tuple[str, str, str]

EFFECTIVE = "account_id, user_id, path, value, source, source_group_id, locked_by, confidence"
VIOLATED = (
    "account_id, user_id, path, own_value, locked_value, locked_by, source_group_id, confidence"
)
VALUES = {"value", "own_value", "locked_value"}
PLAYS_FOR_COVERAGE = 100
EVENTS = 300


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-history")
        count = metafunc.config.getoption("--histories")
        metafunc.parametrize("seed", range(first, first + count))


async def arrive(database: Database, log: Sequence[Delivery], chance: random.Random) -> None:
    """Append in random order, some twice, each from its source."""
    arrivals = [*log, *chance.choices(log, k=len(log) // 5)]
    chance.shuffle(arrivals)
    for source, some in groupby(arrivals, lambda one: one.source):
        told = [
            delivery_of(one.body, head_of(one.body), received_at=one.received_at)
            for one in some
            if one.body is not None
        ]
        await append(database, told, source=source)  # type: ignore[arg-type]


async def folded(database: Database, seed: int) -> random.Random:
    """Let the play of a seed arrive and fold it; returns the source of chance for what follows."""
    chance = random.Random(seed)
    await arrive(database, settings_play(seed), chance)
    stepper = Stepper(database, chance, faults=0.05)
    await stepper.some(10)
    await stepper.run()
    return chance


async def setting_map(database: Database) -> list[Row]:
    return [dict(row) for row in await database.fetch("SELECT * FROM state.setting_map")]


async def read(database: Database, columns: str, source: str, *arguments: Any) -> dict[Key, Row]:
    """Read rows by account, person and path; a JSON value becomes (value,), and SQL's NULL None."""
    rows: dict[Key, Row] = {}
    for record in await database.fetch(f"SELECT {columns} FROM {source}", *arguments):
        row = {
            name: (json.loads(value),) if name in VALUES and value is not None else value
            for name, value in record.items()
        }
        key = (row["account_id"], row["user_id"], row["path"])
        assert key not in rows, key
        rows[key] = row
    return rows


def assert_effective(rows: dict[Key, Row], expected: list[Judged]) -> None:
    found = {(one.account_id, one.user_id, one.path): one for one in expected}
    assert rows.keys() == found.keys()
    for key, one in found.items():
        row, known = rows[key], one.row
        assert _without(row, "value") == _without(known, "value"), (key, one.question, one.said)
        assert_value(row["value"], one)


def assert_violations(rows: dict[Key, Row], expected: list[Judged]) -> None:
    found = {(one.account_id, one.user_id, one.path): one for one in expected if one.violation}
    assert rows.keys() == found.keys()
    for key, one in found.items():
        row, known = rows[key], one.violation or {}
        left_out = ("own_value", "locked_value")
        assert _without(row, *left_out) == _without(known, *left_out), (key, one.question, one.said)
        assert row["own_value"] is not None, key
        assert same(row["own_value"][0], known["own_value"]), key
        assert_value(row["locked_value"], one)


def assert_value(value: tuple[Any] | None, one: Judged) -> None:
    """A value has the text that all worlds share, and the type that it has in one of them."""
    if not one.answer.values:
        assert value is None, one
        return
    assert value is not None, one
    assert as_text(value[0]) == as_text(one.answer.values[0]), one
    assert any(same(value[0], known) for known in one.answer.values), one


def _without(row: Row, *columns: str) -> Row:
    return {name: value for name, value in row.items() if name not in columns}


async def test_the_view_says_what_the_rules_say_of_every_world(
    database: Database, seed: int
) -> None:
    chance = await folded(database, seed)
    expected = judged(fold(await deliveries(database)), await setting_map(database))
    view = "directory.effective_user_settings"
    assert_effective(await read(database, EFFECTIVE, view), expected)
    if not expected:
        return
    one = chance.choice(expected)
    person = f"{view} WHERE account_id = $1 AND user_id = $2"
    assert_effective(
        await read(database, EFFECTIVE, person, one.account_id, one.user_id),
        [e for e in expected if (e.account_id, e.user_id) == (one.account_id, one.user_id)],
    )
    assert_effective(
        await read(database, EFFECTIVE, f"{view} WHERE path = $1", one.path),
        [e for e in expected if e.path == one.path],
    )


async def test_a_violated_lock_is_an_own_value_that_differs_from_the_one_in_effect(
    database: Database, seed: int
) -> None:
    await folded(database, seed)
    expected = judged(fold(await deliveries(database)), await setting_map(database))
    assert_violations(await read(database, VIOLATED, "directory.lock_violations"), expected)


async def test_what_was_in_effect_at_a_moment_is_what_the_events_until_then_say(
    database: Database, seed: int
) -> None:
    chance = await folded(database, seed)
    known, log = await setting_map(database), await deliveries(database)
    view = "directory.effective_user_settings_at($1)"
    for at in moments_of(log, chance):
        expected = judged(fold(log, at.timestamp() * 1000), known)
        assert_effective(await read(database, EFFECTIVE, view, at), expected)


async def test_the_plays_reach_every_answer_with_the_map_of_zooms_reference(
    database: Database,
) -> None:
    known = await setting_map(database)
    answers: Counter[tuple[str, str, str | None]] = Counter()
    paths: set[str] = set()
    for seed in range(PLAYS_FOR_COVERAGE):
        for one in judged(fold(settings_play(seed)), known):
            found = one.answer
            answers[found.confidence, found.source, found.locked_by] += 1
            paths.add(one.path)
    assert set(answers) == ANSWERS
    mapped = {row["path"] for row in known}
    assert paths & mapped
    assert paths - mapped


async def test_whoever_is_in_a_group_by_the_view_is_in_it_here(
    database: Database, seed: int
) -> None:
    """Also where an entry names only an e-mail, as the plays of the directory's own laws draw it."""
    await arrive(database, as_log(history(seed, EVENTS)), random.Random(seed))
    await Stepper(database, random.Random(seed), faults=0).run()
    shown = await database.fetch(
        "SELECT m.account_id, m.user_id, m.group_id FROM directory.memberships m "
        "JOIN directory.users u ON u.account_id = m.account_id AND u.user_id = m.user_id ORDER BY 1, 2, 3"
    )
    here = "SELECT account_id, user_id, group_id FROM state.groups_of_users"
    assert await database.fetch(f"{here} ORDER BY 1, 2, 3") == shown
    for person in {row["user_id"] for row in shown}:
        found = await database.fetch(f"{here} WHERE user_id = $1 ORDER BY 1, 2, 3", person)
        assert found == [row for row in shown if row["user_id"] == person]
