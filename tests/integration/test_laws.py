"""The laws of the fold, on the real runner and PostgreSQL: one set of events gives one directory.

`--histories N` runs N of them; each one's seed is in its test's name.
"""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from projector.database import Database
from projector.log.append import append
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from projector.rebuild.verify import verify
from projector.zoom.delivery import Delivery as Taken
from projector.zoom.delivery import delivery_of, head_of
from tests.directory_rows import deliveries, shown, without_positions
from tests.integration.stepping import Stepper
from tests.oracle.histories import as_log, history
from tests.oracle.naive_fold import Delivery, fold
from tests.runtime_rig import append_told

EVENTS = 300
# Activity counts by the hour of receipt.
DELAYS = (timedelta(0), timedelta(0), timedelta(minutes=59), timedelta(hours=3))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-history")
        count = metafunc.config.getoption("--histories")
        metafunc.parametrize("seed", range(first, first + count))


def received(some: Delivery, delay: timedelta) -> Taken:
    assert some.body is not None
    return delivery_of(some.body, head_of(some.body), received_at=some.received_at + delay)


async def arrive(database: Database, history: Sequence[Delivery], chance: random.Random) -> None:
    """Append in random order, with duplicates, in calls of random size."""
    arrivals = list(history) + chance.choices(history, k=len(history) // 5)
    chance.shuffle(arrivals)
    while arrivals:
        size = chance.randint(1, 40)
        some, arrivals = arrivals[:size], arrivals[size:]
        told = [received(d, chance.choice(DELAYS)) for d in some]
        # The same bytes by HTTP are another event, or the same delivery again.
        if chance.random() < 0.1:
            await append(database, told[:1])
        await append_told(database, told)
        if chance.random() < 0.1:
            await append(database, told[:1])
        if chance.random() < 0.1:  # without its digest, an event can be in the log twice
            await database.fetch("DELETE FROM log.digests WHERE event_ts >= 0")


@pytest.mark.parametrize("faults", [0.12])
async def test_any_arrival_gives_the_oracles_directory(
    database: Database, seed: int, faults: float
) -> None:
    chance = random.Random(seed)
    events = as_log(history(seed, EVENTS))
    await arrive(database, events, chance)
    stepper = Stepper(database, chance, faults=faults)
    await stepper.some(20)
    await rebuild(database, chance.sample(PROJECTIONS, 2), lambda *_: None)
    await stepper.run()

    rows = await shown(database)
    expected = fold(await deliveries(database))
    for view, some in expected.items():
        assert rows[view] == some, view
    assert stepper.broken.faults > 10
    in_order = fold(_once_each(await deliveries(database), events))
    assert without_positions(rows) == without_positions(in_order)


def _once_each(log_rows: Sequence[Delivery], events: Sequence[Delivery]) -> list[Delivery]:
    """The distinct events in the order in which they were generated."""
    first: dict[tuple[bool, bytes | None], Delivery] = {}
    for row in log_rows:
        first.setdefault((row.own, row.body), row)
    kinds = [(event.own, event.body) for event in events]
    return [first[kind] for kind in kinds if kind in first]


async def test_rebuilt_is_live(database: Database, seed: int) -> None:
    if seed % 5:
        chance = random.Random(seed)
        await arrive(database, as_log(history(seed, EVENTS // 4)), chance)
        await Stepper(database, chance, faults=0).run()
        assert [
            v for v in await verify(database, PROJECTIONS, lambda *_: None) if v.differences
        ] == []
        return
    chance = random.Random(seed)
    await arrive(database, as_log(history(seed, EVENTS)), chance)
    await Stepper(database, chance, faults=0).run(most=7)
    before = await shown(database)
    await rebuild(database, PROJECTIONS, lambda *_: None)
    assert await shown(database) == before
