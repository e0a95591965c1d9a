"""Projectors behind a real PgBouncer in transaction mode, where LISTEN does not work."""

import asyncio
import time

import pytest

from projector.database import Database, open_database
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from tests.pgbouncer_rig import pgbouncer
from tests.runtime_rig import (
    append_bodies,
    append_story,
    assert_oracle_agrees,
    assert_verified,
    no_progress,
    owners,
    rebuild_leftovers,
    renamed,
    replica,
    story,
    until,
    until_folded,
)

pytestmark = pytest.mark.binary("pgbouncer")


async def test_projectors_and_rebuilds_need_no_session(database_url: str) -> None:
    with pgbouncer(database_url, pool_size=8) as url:
        database = await open_database(url, size=16)
        assert database.pooled
        async with replica(database) as staying:
            async with replica(database):
                await append_story(database, story(5, 300), 11)
                await until_folded(database)
                await asyncio.gather(
                    append_story(database, story(6, 200), 11),
                    rebuild(database, PROJECTIONS, no_progress),
                )
                await until_folded(database)
                await assert_oracle_agrees(database)
            # Nobody is notified of the released lease: the next heartbeat finds it.
            assert await until(lambda: has_all(database, staying.name)) < 3
            assert await slowest_wake_up(database) < 1.5
        await assert_verified(database)
        assert await rebuild_leftovers(database) == 0
        await database.close()


async def has_all(database: Database, name: str) -> bool:
    return set((await owners(database)).values()) == {name}


async def slowest_wake_up(database: Database) -> float:
    """The longest of a few times in seconds from a commit to its effect, each after an idle period."""
    seconds = []
    for number in range(3):
        await asyncio.sleep(1.5)
        await append_bodies(database, [renamed(10_000 + number)])
        committed = time.monotonic()
        await until_folded(database)
        seconds.append(time.monotonic() - committed)
    return max(seconds)
