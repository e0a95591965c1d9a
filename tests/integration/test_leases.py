"""Leases by the database's clock: an even spread, and no projection with two owners."""

import asyncio
import math
from collections import Counter
from datetime import timedelta

import pytest

from projector.database import Database
from projector.live import replica as replica_module
from projector.live.replica import Replica
from projector.projections import PROJECTIONS
from projector.rebuild.claim import claimed
from projector.schema.migrate import migrate
from projector.statements import queries
from tests.runtime_rig import append_bodies, owners, renamed, replica, states, until, until_folded

HOLD = queries("state")["hold_leases"]
NAMES = [projection.name for projection in PROJECTIONS]
RELEASED = "UPDATE state.checkpoints SET version = version + $1 WHERE projection = 'groups'"
VERSIONS = [projection.version for projection in PROJECTIONS]


async def hold(database: Database, name: str, seconds: float = 6) -> set[str]:
    """Send one heartbeat of a replica; returns the projections it then holds."""
    rows = await database.fetch(HOLD, name, NAMES, VERSIONS, timedelta(seconds=seconds))
    return {row["projection"] for row in rows if row["held"]}


async def shares(database: Database) -> list[int]:
    return sorted(Counter(owner for owner in (await owners(database)).values() if owner).values())


async def test_projections_spread_over_the_replicas_that_are_there(database: Database) -> None:
    assert await hold(database, "a") == set(NAMES)
    for replicas in (["a", "b"], ["a", "b", "c"]):
        for _ in range(2):
            for name in replicas:
                await hold(database, name)
        assert await is_spread(database, len(replicas))


async def test_what_another_release_has_folded_is_given_back_and_nothing_else(
    database: Database,
) -> None:
    """Where one more is held than the share, it is not another one that goes."""

    async def beat(names: list[str]) -> None:
        for _ in range(3):
            for name in names:
                await hold(database, name)

    for names in (["a"], ["a", "b"]):
        await beat(names)
        await database.fetch(RELEASED, 1)
        await beat(names)
        owned = {name for name, owner in (await owners(database)).items() if owner}
        assert owned == set(NAMES) - {"groups"}
        await database.fetch(RELEASED, -1)
        await beat(names)
        assert all((await owners(database)).values())


async def test_many_replicas_at_once_own_nothing_twice(database: Database) -> None:
    names = [f"replica {number}" for number in range(6)]
    for _ in range(8):
        held = await asyncio.gather(*(hold(database, name) for name in names))
        everything = [projection for some in held for projection in some]
        assert len(everything) == len(set(everything))
    assert await is_spread(database, len(names))


async def test_an_owner_that_stops_beating_loses_its_leases(database: Database) -> None:
    await hold(database, "a", seconds=0.3)
    assert await hold(database, "b", seconds=0.3) == set()
    await asyncio.sleep(0.4)
    assert await hold(database, "b", seconds=0.3) == set(NAMES)
    assert await hold(database, "a", seconds=0.3) == set()


async def test_a_heartbeat_of_the_future_proves_nothing(database: Database) -> None:
    """The clock was set back, or the owner died with a server whose clock was ahead."""
    await hold(database, "a")
    await database.fetch("UPDATE state.replicas SET heartbeat_at = now() + interval '5 minutes'")
    assert {state for state, _ in (await states(database)).values()} == {"idle"}
    assert await hold(database, "b") == set(NAMES)
    assert await hold(database, "a") == set()
    assert await database.fetchval("SELECT count(*) FROM state.replicas") == 2
    async with claimed(database, PROJECTIONS[:1]):
        await database.fetch(
            "UPDATE state.rebuilds SET heartbeat_at = now() + interval '5 minutes'"
        )
        async with claimed(database, PROJECTIONS[:1]):
            assert (await states(database))["users"] == ("rebuilding", None)


async def test_every_change_of_hands_is_a_new_epoch(database: Database) -> None:
    before = dict.fromkeys(NAMES, 0)
    for name in ("a", "b", "a"):
        await database.fetch(queries("state")["release_leases"], "a")
        await database.fetch(queries("state")["release_leases"], "b")
        await hold(database, name)
        rows = await database.fetch("SELECT projection, epoch FROM state.checkpoints")
        after = {row[0]: row[1] for row in rows}
        assert all(after[projection] > before[projection] for projection in NAMES)
        before = after


async def test_a_clean_stop_hands_over_at_once(database: Database) -> None:
    async with replica(database) as second:
        async with replica(database):
            await until(lambda: is_spread(database))
        # Well below the heartbeat of two seconds: the notification caused it.
        assert await until(lambda: has_all(database, second.name)) < 1
        await append_bodies(database, [renamed(1)])
        assert await until_folded(database) < 1


async def is_spread(database: Database, replicas: int = 2) -> bool:
    """Whether all projections are held, and by no replica more than its share."""
    held = await shares(database)
    return sum(held) == len(NAMES) and max(held) <= math.ceil(len(NAMES) / replicas)


async def has_all(database: Database, name: str) -> bool:
    return set((await owners(database)).values()) == {name}


async def test_a_lease_that_is_freed_during_a_heartbeat_is_not_overlooked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wake-up during a heartbeat triggers the next one."""
    monkeypatch.setattr(replica_module, "HEARTBEAT_SECONDS", 30.0)
    await hold(database, "another")
    async with replica(database) as running:
        await until(lambda: heard_itself(running))
        original = running._hold

        async def hold_and_hear() -> None:
            await original()
            running._lease_wake.set()
            running._hold = original

        running._hold = hold_and_hear
        running._lease_wake.set()
        await asyncio.sleep(0.1)
        await database.fetch(queries("state")["release_leases"], "another")
        assert await until(lambda: has_all(database, running.name)) < 1


async def heard_itself(running: Replica) -> bool:
    return bool(running._watch.trusted)


async def test_twenty_replicas_migrate_at_once(database: Database) -> None:
    await database.fetch("DROP SCHEMA directory, state, log, observations, projector CASCADE")
    applied = await asyncio.gather(*(migrate(database) for _ in range(20)))
    assert sorted(len(names) for names in applied)[:-1] == [0] * 19
    assert max(applied, key=len)
    assert await hold(database, "a") == set(NAMES)
