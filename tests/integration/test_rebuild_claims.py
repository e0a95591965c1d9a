"""A rebuild that is interrupted, killed, paused, or concurrent with another."""

import asyncio
from typing import Any

import asyncpg
import pytest

from projector.database import Database
from projector.errors import DatabaseUnavailable, RebuildRefused
from projector.live.housekeeping import drop_abandoned_rebuilds
from projector.projections import PROJECTIONS, projection_named
from projector.rebuild import claim, tasks
from projector.rebuild import rebuild as rebuilding
from projector.rebuild.rebuild import rebuild
from projector.rebuild.scan import Scanner
from tests.runtime_rig import (
    assert_oracle_agrees,
    live,
    no_progress,
    raw,
    rebuild_leftovers,
)


async def test_an_interrupted_rebuild_leaves_nothing_behind(database: Database) -> None:
    await live(database, count=300)
    before = await raw(database)
    for steps in (0, 1, 3):
        reached = asyncio.Event()
        seen = 0

        def progress(_position: int, _target: int) -> None:
            nonlocal seen
            seen += 1
            if seen > steps:  # noqa: B023
                reached.set()  # noqa: B023

        task = asyncio.create_task(_slowly(database, progress))
        await asyncio.wait_for(reached.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert await rebuild_leftovers(database) == 0
    assert await raw(database) == before
    await rebuild(database, PROJECTIONS, no_progress)
    assert await raw(database) == before


async def test_a_rebuild_that_is_cancelled_while_it_clears_up_leaves_nothing_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a replica's is that stops just when the rows were swapped: cancelled again and again."""
    clearing, give_up = asyncio.Event(), claim.give_up_rebuild

    async def slow(*arguments: Any) -> None:
        clearing.set()
        await asyncio.sleep(0.2)
        await give_up(*arguments)

    monkeypatch.setattr(claim, "give_up_rebuild", slow)
    task = asyncio.create_task(rebuild(database, PROJECTIONS[:1], no_progress))
    await asyncio.wait_for(clearing.wait(), 10)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.02)
    await asyncio.wait((task,))
    assert task.cancelled()
    assert await rebuild_leftovers(database) == 0


async def _slowly(database: Database, progress: Any) -> None:
    original = tasks.SCAN_POSITIONS
    tasks.SCAN_POSITIONS = 30
    try:
        await rebuild(database, PROJECTIONS, progress)
    finally:
        tasks.SCAN_POSITIONS = original


async def test_what_a_killed_rebuild_left_is_cleared_away(database: Database) -> None:
    await live(database, count=50)
    for _ in range(2):
        await leave_behind(database, "users", "11112222", age="1 hour")
        await leave_behind(database, "user_settings", "33334444", age="1 second")
        await drop_abandoned_rebuilds(database)
        schemas = await database.fetch(
            "SELECT nspname FROM pg_namespace WHERE nspname ~ '^rebuild'"
        )
        assert [row[0] for row in schemas] == ["rebuild_user_settings_33334444"]
        with pytest.raises(RebuildRefused):
            await rebuild(database, [projection_named("user_settings")], no_progress)
        await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '20 s'")
        await rebuild(database, [projection_named("user_settings")], no_progress)
        assert await rebuild_leftovers(database) == 0


async def leave_behind(database: Database, projection: str, token: str, age: str) -> None:
    await database.fetch(f"CREATE SCHEMA rebuild_{projection}_{token}")
    await database.fetch(f"CREATE TABLE rebuild_{projection}_{token}.t ()")
    await database.fetch(
        f"INSERT INTO state.rebuilds VALUES ('{projection}', 'killed', now() - interval '{age}')"
    )


async def test_a_second_rebuild_is_refused(database: Database) -> None:
    users, groups = projection_named("users"), projection_named("groups")
    async with claim.claimed(database, [users]):
        with pytest.raises(RebuildRefused, match="users is being rebuilt"):
            await rebuild(database, [groups, users], no_progress)
        await rebuild(database, [groups], no_progress)
    await rebuild(database, [groups, users], no_progress)


async def test_a_paused_rebuild_cannot_spoil_the_one_that_took_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It resumes during the other's work, with a claim that has been taken over."""
    await live(database, count=300)
    before = await raw(database)
    monkeypatch.setattr(claim, "RENEW_SECONDS", 1000)
    paused = asyncio.Event()
    go_on = asyncio.Event()
    original = rebuilding.fill

    async def fill(*arguments: Any, **options: Any) -> Any:
        filled = await original(*arguments, **options)
        if not paused.is_set():
            paused.set()
            await go_on.wait()
        return filled

    monkeypatch.setattr(rebuilding, "fill", fill)
    first = asyncio.create_task(rebuild(database, PROJECTIONS, no_progress))
    await paused.wait()
    await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '1 hour'")
    await rebuild(database, PROJECTIONS, no_progress)
    go_on.set()
    with pytest.raises(asyncpg.PostgresError):
        await first
    assert await raw(database) == before
    assert await rebuild_leftovers(database) == 0


async def test_the_database_goes_away_during_a_rebuild(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(database, count=300)
    other = await asyncpg.connect(database_url)
    begun, locked = asyncio.Event(), asyncio.Event()
    original = Scanner.scan

    async def scan(*arguments: Any) -> None:
        if begun.is_set():
            await locked.wait()
        await original(*arguments)

    monkeypatch.setattr(Scanner, "scan", scan)
    rebuilding = asyncio.create_task(_slowly(database, lambda _done, _target: begun.set()))
    await begun.wait()
    await other.execute("BEGIN; LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE")
    locked.set()
    while not await other.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ):
        await asyncio.sleep(0.01)
    with pytest.raises(DatabaseUnavailable, match="run this again"):
        await rebuilding
    await other.close()
    await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '20 s'")
    await rebuild(database, PROJECTIONS, no_progress)
    assert await rebuild_leftovers(database) == 0
    await assert_oracle_agrees(database)
