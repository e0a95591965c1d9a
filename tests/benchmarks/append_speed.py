"""Append: whether a log of millions of rows takes as many events per second as a short one."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from projector.database import open_database
from projector.log.append import append
from projector.zoom.delivery import Delivery, delivery_of, head_of
from tests.benchmarks.bench import Bench
from tests.benchmarks.databases import settle
from tests.benchmarks.figures import Row, Target, ratios, spread
from tests.benchmarks.folding_speed import logged
from tests.benchmarks.mixed_log import lengthen_log
from tests.benchmarks.requests import small_bodies

# About the size of the ingress's batches at 64 connections.
BATCH: Final = 64
APPENDED: Final = 20_000
REPEATED: Final = 1_000_000


async def append_speed(bench: Bench) -> list[Row]:
    """`log.append`, 64 at a time on one connection: a long log against a short one."""
    long, short = bench.scale.append_events, bench.scale.append_short
    count = min(APPENDED, long)
    rates: dict[str, list[float]] = {}
    bodies = small_bodies()
    async with (
        logged(bench, short, bench.scale.users) as one,
        lengthened(bench, long) as other,
    ):
        for url in (one, other):  # warm up an idle database
            await _appended(url, bodies, count // 4 or 1)
        for _, turn in bench.rounds(one, other):
            for url in turn:
                await settle(url)
                rates.setdefault(url, []).append(count / await _appended(url, bodies, count))
    return [
        Row(
            "append", f"append at {long:,} rows in the log", "events/s", spread(rates[other]),
            f"append at {short:,} rows", spread(rates[one]), ratios(rates[other], rates[one]),
            Target(0.90, 0.97),
        )
    ]  # fmt: skip


@asynccontextmanager
async def lengthened(bench: Bench, events: int) -> AsyncIterator[str]:
    """A database whose log holds that many events, made of fewer where they are many."""
    times = max(events // REPEATED, 1)
    async with logged(bench, events // times, bench.scale.users, times=times) as url:
        if times > 1:
            bench.say(f"making it {times} times as long")
            await lengthen_log(url, events // times, times)
        yield url


async def _appended(url: str, bodies: Iterator[bytes], count: int) -> float:
    """Seconds to append `count` distinct deliveries, made beforehand."""
    now = datetime.now(UTC)
    deliveries: list[Delivery] = [
        delivery_of(body, head_of(body), received_at=now, verified_by="benchmark")
        for body in islice(bodies, count)
    ]
    database = await open_database(url, size=1)
    try:
        await append(database, deliveries[:1])
        started = time.perf_counter()
        for start in range(0, count, BATCH):
            await append(database, deliveries[start : start + BATCH])
        return time.perf_counter() - started
    finally:
        await database.close()
