"""The laws of history: X_at(t) is the fold of exactly the events up to t, however they arrived."""

import math
import random
from datetime import datetime

import pytest

from projector.database import Database
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from projector.rebuild.replay import Replay, drop_replay, replay
from tests.directory_rows import HISTORIC, deliveries, shown, shown_at, shown_in
from tests.integration.stepping import Stepper
from tests.integration.test_laws import arrive
from tests.oracle.histories import as_log, history
from tests.oracle.naive_events import in_event_order
from tests.oracle.naive_fold import Delivery, fold
from tests.oracle.naive_values import moment
from tests.replayed_changes import assert_linked, changes, replayed, values_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-history")
        count = metafunc.config.getoption("--histories")
        metafunc.parametrize("seed", range(first, first + count))


EVENTS = 120
MOMENTS = 12


def moments_of(log: list[Delivery], chance: random.Random) -> list[datetime]:
    """Before everything, at events, between them, and after the last one."""
    times = sorted({event.order[0] for event in in_event_order(log)})
    some = chance.sample(times, min(MOMENTS, len(times)))
    return [moment(ms) for ms in (times[0] - 1, *some, times[-1])]


async def assert_history(database: Database, chance: random.Random) -> None:
    log = await deliveries(database)
    told = await changes(database)
    assert_linked(told)
    for at in moments_of(log, chance):
        rows = await shown_at(database, at)
        expected = fold(log, at.timestamp() * 1000)
        for view in HISTORIC:
            assert rows[view] == expected[view], (view, at)
        assert replayed(told, at) == values_of(expected), at


async def test_x_at_is_the_fold_of_the_events_up_to_then(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    await arrive(database, as_log(history(seed, EVENTS)), chance)
    stepper = Stepper(database, chance, faults=0.05)
    await stepper.some(10)
    await rebuild(database, chance.sample(PROJECTIONS, 3), lambda *_: None)
    await stepper.run()
    await assert_history(database, chance)
    present, last = await shown(database), await shown_at(database, None)
    for view in HISTORIC:
        assert last[view] == present[view], view


async def test_a_replay_is_the_fold_of_what_was_known_then(database: Database, seed: int) -> None:
    """Known at a position; and of that what had happened by a moment. The law on both axes."""
    chance = random.Random(seed)
    await arrive(database, as_log(history(seed, EVENTS // 2)), chance)
    log = await deliveries(database)
    known = chance.randint(1, len(log))
    until = chance.choice([None, chance.choice(moments_of(log, chance))])
    await replay(database, Replay("once", known, until), lambda *_: None, processes=1)
    expected = fold(log[:known], math.inf if until is None else until.timestamp() * 1000)
    rows = await shown_in(database, "once")
    for view, some in expected.items():
        assert rows[view] == some, view
    await drop_replay(database, "once")
    assert await database.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^once'") == 0
