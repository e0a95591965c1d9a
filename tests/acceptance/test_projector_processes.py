"""Projector replicas as processes: killed, stopped cleanly, and paused past their lease."""

import asyncio
import math
import signal
import time
from pathlib import Path

import aiohttp
import pytest

from projector.database import Database
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from tests.processes import ProjectorProcess, projectors
from tests.runtime_rig import (
    append_bodies,
    append_story,
    assert_oracle_agrees,
    assert_verified,
    counted,
    no_progress,
    owners,
    rebuild_leftovers,
    renamed,
    story,
    until,
    until_folded,
)


async def shares(database: Database, *processes: ProjectorProcess) -> list[int]:
    """How many projections each process holds."""
    held = [owner or "" for owner in (await owners(database)).values()]
    return [sum(process.mark in owner for owner in held) for process in processes]


async def dealt(database: Database, *processes: ProjectorProcess) -> bool:
    """Whether these processes hold all projections, none of them more than its share."""
    held = await shares(database, *processes)
    return sum(held) == len(PROJECTIONS) and max(held) <= math.ceil(len(PROJECTIONS) / len(held))


async def test_killed_and_stopped_replicas_are_replaced(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with projectors(database_url, tmp_path, 3) as (one, two, three):
        await until(lambda: dealt(database, one, two, three), 20)
        async with aiohttp.ClientSession() as session:
            for route, text in (("livez", "alive"), ("metrics", "projector_projection_lag_events")):
                async with session.get(f"http://127.0.0.1:{one.health_port}/{route}") as answer:
                    assert answer.status == 200
                    assert text in await answer.text()

        await append_story(database, story(21, 300))
        one.kill()
        assert await until(lambda: dealt(database, two, three), 15) < 10
        await until_folded(database)

        stopped_at = time.monotonic()
        two.signal(signal.SIGTERM)
        await until(lambda: dealt(database, three))
        assert time.monotonic() - stopped_at < 1.5
        assert await two.ended(10) == 0
        await append_story(database, story(22, 100))
        await until_folded(database)
    await assert_oracle_agrees(database)
    await assert_verified(database)


async def test_a_replica_that_was_paused_past_its_lease_writes_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    stop = asyncio.Event()

    async def keep_appending() -> int:
        number = 0
        while not stop.is_set():
            number += 1
            await append_bodies(database, [renamed(number * 10 + n, f"u{n}") for n in range(10)])
            await asyncio.sleep(0.02)
        return number * 10

    with projectors(database_url, tmp_path, 2) as (paused, other):
        await until(lambda: dealt(database, paused, other), 20)
        appending = asyncio.create_task(keep_appending())
        await asyncio.sleep(0.5)
        paused.signal(signal.SIGSTOP)
        assert await until(lambda: dealt(database, other), 15) < 10
        await asyncio.sleep(0.5)
        paused.signal(signal.SIGCONT)
        await until(lambda: dealt(database, paused, other), 15)
        await asyncio.sleep(0.5)
        stop.set()
        total = await appending
        await until_folded(database)
        assert await counted(database) == total
    await assert_oracle_agrees(database)
    await assert_verified(database)


async def test_a_killed_rebuild_can_be_started_again(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await append_story(database, story(23, 400))
    await append_bodies(database, [renamed(n, f"u{n}") for n in range(6000)])
    await rebuild(database, PROJECTIONS, no_progress)
    process = ProjectorProcess(database_url, tmp_path / "rebuild.log", "rebuild")
    try:
        await until(lambda: has_begun(database), 20, pause=0.005)
    finally:
        process.kill()
    assert await rebuild_leftovers(database) > 0
    await assert_oracle_agrees(database)
    await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '20 s'")
    await rebuild(database, PROJECTIONS, no_progress)
    assert await rebuild_leftovers(database) == 0
    await assert_oracle_agrees(database)


@pytest.mark.parametrize(
    ("command", "end", "code"),
    [
        ("rebuild", signal.SIGTERM, 143),
        ("verify", signal.SIGTERM, 143),
        ("rebuild", signal.SIGINT, 130),
    ],
)
async def test_an_interrupted_command_leaves_nothing_behind(
    database: Database,
    database_url: str,
    tmp_path: Path,
    command: str,
    end: signal.Signals,
    code: int,
) -> None:
    for start in range(0, 20_000, 2000):
        await append_bodies(database, [renamed(start + n, f"u{n}") for n in range(2000)])
    process = ProjectorProcess(database_url, tmp_path / "interrupted.log", command)
    try:
        await until(lambda: has_begun(database), 20, pause=0.005)
        process.signal(end)
        assert await process.ended(20) == code
    finally:
        process.kill()
    assert await rebuild_leftovers(database) == 0
    await rebuild(database, PROJECTIONS[:1], no_progress)


async def has_begun(database: Database) -> bool:
    return await rebuild_leftovers(database) > len(PROJECTIONS)
