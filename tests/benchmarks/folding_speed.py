"""Folding: the live projection and the rebuild of a mixed log, a rebuild's processes and memory."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from tests.benchmarks import four_tables as tables
from tests.benchmarks import processes
from tests.benchmarks.bench import Bench
from tests.benchmarks.cpu import server_of, server_seconds
from tests.benchmarks.databases import forget_state, fresh, settle
from tests.benchmarks.figures import Row, Target, megabytes, ratios, spread
from tests.benchmarks.mixed_log import MixedLog, fill_log, start_before_now

# 300 MB in all; flat: ten times the users and events take hardly more.
MOST_MB: Final = 300.0
FLAT: Final = 1.10


@asynccontextmanager
async def logged(bench: Bench, events: int, users: int, *, times: int = 1) -> AsyncIterator[str]:
    """A database with `events` mixed events in its log; every projection is at the start."""
    async with fresh(bench.server) as url:
        bench.say(f"writing a log of {events:,} events of {users:,} users")
        await fill_log(
            url, MixedLog(users=users, start_ms=start_before_now(events * times)), events
        )
        yield url


async def projection(bench: Bench) -> list[Row]:
    """All projections in one `projector project`, against one upsert per event into four tables."""
    events, sample = bench.scale.events, min(bench.scale.sample, bench.scale.events)
    ours, theirs = [], []
    server_ours, server_theirs = [], []
    peak = 0
    async with logged(bench, events, bench.scale.users) as url:
        server = await server_of(url)
        await _run(url, tables.TABLES)
        for _, turn in bench.rounds("product", "baseline"):
            for side in turn:
                await forget_state(url)
                await _run(url, tables.EMPTY)
                await settle(url)
                before = server_seconds(server)
                if side == "baseline":
                    theirs.append(sample / await _upsert_per_event(bench, url, sample))
                    server_theirs.append((server_seconds(server) - before) / sample * 1e6)
                else:
                    seconds, memory = await _project(bench, url, events)
                    ours.append(events / seconds)
                    server_ours.append((server_seconds(server) - before) / events * 1e6)
                    peak = max(peak, memory)
    rows = [
        Row(
            "projection", f"live projection, {events:,} mixed events", "events/s", spread(ours),
            f"an upsert an event, 500 a transaction, four tables ({sample:,})", spread(theirs),
            ratios(ours, theirs), Target(5, 10), {}, megabytes(peak or None),
        )
    ]  # fmt: skip
    if server is not None:
        rows.append(
            Row(
                "projection-server", "CPU of PostgreSQL for a million of them", "s",
                spread(server_ours), "for a million upserts", spread(server_theirs),
                ratios(server_ours, server_theirs),
            )
        )  # fmt: skip
    return rows


async def _project(bench: Bench, url: str, events: int) -> tuple[float, int]:
    """Seconds from taking the leases until every checkpoint is at the head, and peak memory in bytes."""
    async with processes.held_back(url, "state.replicas") as gate:
        with processes.projector("project", url, bench.folder) as process:
            await gate.open(process)
            started = time.perf_counter()
            while (
                await gate.onlooker.fetchval("SELECT min(position) FROM state.checkpoints") < events
            ):
                process.check()
                process.look()
                await asyncio.sleep(0.02)
            return time.perf_counter() - started, process.look() or 0


async def _upsert_per_event(bench: Bench, url: str, sample: int) -> float:
    arguments = ["tests.benchmarks.upsert_per_event", url, str(sample)]
    with processes.running(arguments, bench.folder) as process:
        assert process.process.stdout is not None
        said = await asyncio.to_thread(process.process.stdout.read)
        process.process.wait()
        if not said:
            process.check()
        return float(said)


async def rebuild(bench: Bench) -> list[Row]:
    """`projector rebuild` of everything, against set-based SQL for four tables on a jsonb copy."""
    events = bench.scale.events
    ours, theirs = [], []
    peak = 0
    async with logged(bench, events, bench.scale.users) as url:
        await _run(url, tables.TABLES)
        await _run(url, tables.COPY_LOG)
        await _run(url, "VACUUM ANALYZE baseline.events")
        for _, turn in bench.rounds("product", "baseline"):
            for side in turn:
                await _run(url, tables.EMPTY)
                await settle(url)
                if side == "baseline":
                    theirs.append(events / await _set_based(url))
                else:
                    seconds, memory = await _rebuild(bench, url)
                    ours.append(events / seconds)
                    peak = max(peak, memory)
    rows = [
        Row(
            "rebuild", f"rebuild of everything, {events:,} mixed events", "events/s", spread(ours),
            "set-based SQL, four tables, from a jsonb copy", spread(theirs), ratios(ours, theirs),
            Target(0.16, 0.35), {}, megabytes(peak or None),
        )
    ]  # fmt: skip
    if peak:
        what = f"peak memory of that rebuild, {bench.scale.users:,} users"
        rows.append(_memory("rebuild-memory", what, peak / 1e6, MOST_MB))
    return rows


async def rebuild_processes(bench: Bench) -> list[Row]:
    """A rebuild in two processes against one in one, and the memory of a third process."""
    events = bench.scale.events
    speeds: dict[int, list[float]] = {1: [], 2: []}
    peaks: dict[int, int] = {}
    async with logged(bench, events, bench.scale.users) as url:
        for _, turn in bench.rounds(1, 2):
            for number in turn:
                await settle(url)
                seconds, peaks[number] = await _rebuild(bench, url, number)
                speeds[number].append(events / seconds)
        await settle(url)
        _, peaks[3] = await _rebuild(bench, url, 3)
    rows = [
        Row(
            "rebuild-2", f"rebuild in two processes, {events:,} mixed events", "events/s",
            spread(speeds[2]), "in one", spread(speeds[1]), ratios(speeds[2], speeds[1]),
            Target(1.6, 1.9), {}, megabytes(peaks[2] or None),
        )
    ]  # fmt: skip
    if peaks[2]:
        further = (peaks[3] - peaks[2]) / 1e6
        rows.append(
            Row(
                "rebuild-further", "peak memory of a third process", "MB", spread([further]),
                target=Target(100, 60, "lower"), peak_mb=further,
            )
        )  # fmt: skip
    return rows


async def rebuild_memory(bench: Bench) -> list[Row]:
    """The peak memory of a rebuild at ten times the users, against that at the ordinary number."""
    scale = bench.scale
    peaks = []
    for events, users in ((scale.events, scale.users), (scale.large_events, scale.large_users)):
        async with logged(bench, events, users) as url:
            await settle(url)
            seconds, peak = await _rebuild(bench, url)
            bench.say(f"rebuilt {events:,} events in {seconds:.1f} s")
            peaks.append(peak / 1e6)
    smaller, larger = peaks
    if not smaller:
        return []  # this system does not report a process's memory
    documents = min(scale.large_events // 25, scale.large_users)
    what = (
        f"peak memory of a rebuild, {scale.large_users:,} users, {documents:,} settings documents, "
        f"{scale.large_events:,} events"
    )
    return [_memory("memory", what, larger, round(min(MOST_MB, smaller * FLAT)))]


def _memory(name: str, what: str, peak_mb: float, aim: float) -> Row:
    return Row(
        name, what, "MB", spread([peak_mb]), target=Target(MOST_MB, aim, "lower"), peak_mb=peak_mb
    )


async def _rebuild(bench: Bench, url: str, number: int | None = None) -> tuple[float, int]:
    """Seconds from the claim to the end of a rebuild in `number` processes; peak memory in bytes."""
    command = "rebuild" if number is None else f"rebuild --processes {number}"
    async with processes.held_back(url, "state.rebuilds") as gate:
        with processes.projector(command, url, bench.folder) as process:
            await gate.open(process)
            started = time.perf_counter()
            if await process.ended():
                process.check()
            return time.perf_counter() - started, process.look() or 0


async def _set_based(url: str) -> float:
    started = time.perf_counter()
    for statement in tables.SET_BASED:
        await _run(url, statement)
    return time.perf_counter() - started


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement, timeout=3600)
    finally:
        await connection.close()
