"""The law of the feed: whoever applies it, killed wherever, has the directory's values at the head."""

import random
from collections import Counter

import pytest

from projector.database import Database
from projector.history import feed
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from tests.directory_rows import shown
from tests.feed_consumer import Consumer, Killed
from tests.integration.stepping import Stepper
from tests.integration.test_laws import arrive
from tests.oracle.histories import as_log, history
from tests.replayed_changes import values_of

EVENTS = 60


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-history")
        count = metafunc.config.getoption("--histories")
        metafunc.parametrize("seed", range(first, first + count))


async def test_a_consumer_has_the_directory_wherever_it_was_killed(
    database: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(feed, "POSITIONS_AT_ONCE", chance.choice([1, 3, 500]))
    stepper = Stepper(database, chance, faults=0)
    consumers = [await Consumer.from_start(database)]
    for part in range(4):
        await arrive(database, as_log(history(seed + part * 1000, EVENTS // 4)), chance)
        await stepper.some(chance.randint(0, 12))
        if chance.random() < 0.3:
            await rebuild(database, [chance.choice(PROJECTIONS)], lambda *_: None)
        consumers.append(await Consumer.from_snapshot(database))
        for consumer in consumers:
            try:
                await consumer.read(database, chance.randint(0, 30))
            except Killed:
                continue
    await stepper.run()
    expected = values_of(await shown(database))
    consumers.append(await Consumer.from_snapshot(database))
    for number, consumer in enumerate(consumers):
        await consumer.read(database)
        assert consumer.values() == expected, number
        twice = [told for told, count in Counter(consumer.changes).items() if count > 1]
        assert not twice
