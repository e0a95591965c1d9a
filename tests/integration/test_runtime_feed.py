"""Wake-up and reading: soon after an append, and at little cost while idle."""

import asyncio
import statistics
import time

import pytest

from projector.database import Database
from projector.exposition import new_registry
from projector.live.feed import Feed
from projector.live.watch import Watch
from projector.log.read import read_head
from projector.operations.gauges import DatabaseGauges
from projector.operations.measures import Measures
from projector.projections import PROJECTIONS
from projector.state.status import read_status
from projector.tasks import end
from tests.oracle.story import event
from tests.pgbouncer_rig import pgbouncer
from tests.runtime_rig import (
    Counting,
    append_bodies,
    append_story,
    renamed,
    replica,
    story,
    trusts,
    until,
    until_folded,
)


async def test_views_follow_an_append_at_once(database: Database) -> None:
    async with replica(database) as running:
        await until(lambda: trusts(running))
        seconds = await latencies(database)
        assert statistics.median(seconds) < 0.5, seconds
        assert max(seconds) < 1, seconds


async def latencies(database: Database, times: int = 6) -> list[float]:
    """Seconds from a committed append to its effect in a view, each after an idle period."""
    seconds = []
    for number in range(times):
        await asyncio.sleep(0.3)
        await append_bodies(database, [renamed(number)])
        committed = time.monotonic()
        query = "SELECT count(*) FROM directory.users WHERE display_name = $1"
        while not await database.fetchval(query, f"name {number}"):
            await asyncio.sleep(0.002)
        seconds.append(time.monotonic() - committed)
    return seconds


@pytest.mark.binary("pgbouncer")
async def test_a_listen_that_hears_nothing_is_not_trusted(
    database: Database, database_url: str
) -> None:
    with pgbouncer(database_url) as url:
        # Configured as no pooler: the watch must detect it by itself.
        deceived = Database(database.pool, url, pooled=False)
        feed = Feed(database)
        watch = Watch(deceived, feed, lambda: None)
        task = asyncio.create_task(watch.run())
        for number in range(3):
            await asyncio.sleep(1.5)  # long enough for polling to slow down
            await append_bodies(database, [renamed(number)])
            assert await until(lambda: reaches(feed, number + 1)) < 1.5  # noqa: B023
        assert not watch.trusted
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reaches(feed: Feed, position: int) -> bool:
    return feed.head >= position


async def test_an_idle_replica_costs_next_to_nothing(database: Database) -> None:
    """As the README says, for everything that an idle `project` process does."""
    counting = Counting(database)
    async with replica(counting) as running:
        reading = DatabaseGauges(new_registry(), Measures(500))
        gauges = asyncio.create_task(reading.run(counting))
        await append_bodies(database, [renamed(1)])
        await until_folded(database)
        await until(lambda: trusts(running))
        await asyncio.sleep(0.5)
        counting.counts.clear()
        await asyncio.sleep(5)
        a_second = counting.counts.total() / 5
        await end(gauges)
    assert a_second <= 5, counting.counts


async def test_batches_grow_and_stay_bounded(database: Database) -> None:
    await append_story(database, story(1, 2000), 1000)
    feed = Feed(database, most=700)
    feed.advance(await read_head(database))
    sizes, position = [], 0
    while (batch := await feed.after(position, "test")) is not None:
        sizes.append(len(batch))
        position = batch.end
    assert position == 2000
    assert sizes[0] < sizes[-2] <= 700
    large = [event("user.updated", n, {"id": "u", "dept": "x" * 300_000}) for n in range(20)]
    await append_bodies(database, large)
    batch = await feed.after(position, "test")
    assert batch is not None
    assert len(batch) < 10
    feed.close()


async def test_a_feed_that_was_told_too_much_waits(database: Database) -> None:
    """As after a database was restored: the feed must not loop."""
    counting = Counting(database)
    feed = Feed(counting)
    feed.advance(1000)
    assert await feed.after(10, "test") is None
    assert feed.head == 10
    await append_bodies(database, [renamed(n) for n in range(12)])
    feed.advance(12)
    batch = await feed.after(10, "test")
    assert batch is not None
    assert batch.end == 12
    feed.close()
    assert counting.counts["read"] <= 3


async def test_the_rate_is_that_of_the_time_between_two_looks(database: Database) -> None:
    before = await read_status(database)
    async with replica(database):
        await append_bodies(database, [renamed(n) for n in range(60)])
        await until_folded(database)
    await asyncio.sleep(before.read_at + 2 - time.monotonic())
    now = await read_status(database, before)
    rates = [projection.events_per_second for projection in now.projections]
    assert rates == [pytest.approx(30, rel=0.1)] * len(PROJECTIONS)
    assert {p.events_per_second for p in before.projections} == {None}
