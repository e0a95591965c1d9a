"""The records of rebuilds: one claim at a time, a lease for the swap, and what it must wait for."""

from datetime import timedelta

import pytest

from projector.database import Database
from projector.state.checkpoints import read_checkpoint
from projector.state.rebuilds import (
    abandoned_rebuilds,
    claim_rebuild,
    earlier_readers,
    forget_abandoned_rebuild,
    give_lease_back,
    give_up_rebuild,
    place_rebuild,
    renew_rebuilds,
    shadow_schemas,
    still_open,
    swap_checkpoint,
    take_lease,
    views_on,
)

TTL = timedelta(seconds=60)
RECORDS = "SELECT projection, owner, position, digest FROM state.rebuilds"


async def test_one_claim_at_a_time(database: Database) -> None:
    first = await claim_rebuild(database, "users", "a", TTL)
    assert first is not None
    assert await claim_rebuild(database, "users", "b", TTL) is None
    assert await claim_rebuild(database, "groups", "b", TTL) is not None
    await place_rebuild(database, "users", "b", 7, b"x")  # not its own
    await place_rebuild(database, "users", "a", 5, b"y")
    rows = await database.fetch(f"{RECORDS} ORDER BY 1")
    assert [tuple(row) for row in rows] == [("groups", "b", 0, None), ("users", "a", 5, b"y")]
    await give_up_rebuild(database, "users", "b")
    assert await claim_rebuild(database, "users", "b", TTL) is None
    await give_up_rebuild(database, "users", "a")
    assert await claim_rebuild(database, "users", "b", TTL) is not None


async def test_a_claim_that_is_not_renewed_is_taken_over(database: Database) -> None:
    epoch = await claim_rebuild(database, "users", "a", TTL)
    assert epoch is not None
    assert await abandoned_rebuilds(database, TTL) == []
    assert not await forget_abandoned_rebuild(database, "users", TTL)
    await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '2 min'")
    assert await abandoned_rebuilds(database, TTL) == ["users"]
    await renew_rebuilds(database, "a", timeout=5)
    assert await abandoned_rebuilds(database, TTL) == []
    await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '2 min'")
    taken = await claim_rebuild(database, "users", "b", TTL)
    assert taken == epoch + 1
    await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '2 min'")
    assert await forget_abandoned_rebuild(database, "users", TTL)
    assert await database.fetch(RECORDS) == []


async def test_a_swap_needs_the_lease_that_it_took(database: Database) -> None:
    before = await read_checkpoint(database, "users")
    lease = await take_lease(database, "users", "a")
    assert lease == (before.position, before.epoch + 1)
    assert not await swap_checkpoint(database, "users", before.epoch, 9, b"z", 3)
    assert await read_checkpoint(database, "users") == (before.position, None, lease.epoch)
    assert await swap_checkpoint(database, "users", lease.epoch, 9, b"z", 3)
    after = await read_checkpoint(database, "users")
    assert (after.position, after.digest) == (9, b"z")
    await give_lease_back(database, "users", "a")  # the swap has released it already: no effect
    assert await read_checkpoint(database, "users") == after
    again = await take_lease(database, "users", "a")
    await give_lease_back(database, "users", "a")
    assert (await read_checkpoint(database, "users")).epoch == again.epoch + 1
    assert await database.fetch("SELECT FROM state.replicas") == []


@pytest.mark.parametrize("name", ["rebuild_users_0a1b2c3d", "rebuild_users_0a1b2c3d_retired"])
async def test_the_schemas_of_a_projection_are_its_own(database: Database, name: str) -> None:
    for schema in (name, "rebuild_users_more_0a1b2c3d", "rebuild_users_theirs"):
        await database.fetch(f"CREATE SCHEMA {schema}")
    assert await shadow_schemas(database, "users") == [name]
    assert await shadow_schemas(database, "groups") == []


async def test_readers_of_before_are_known_until_they_end(database: Database) -> None:
    assert await earlier_readers(database) == []
    async with database.transaction() as reader:
        await reader.fetch("SELECT FROM directory.users")
        (open_now,) = await earlier_readers(database)
        assert await still_open(database, [open_now]) == [open_now]
    assert await still_open(database, [open_now]) == []


async def test_the_views_on_tables_are_those_that_read_them(database: Database) -> None:
    views = await views_on(database, ["state.freshness"])
    assert [view.name for view in views] == ["directory.freshness", "directory.observation"]
    assert "state.freshness" in views[0].definition
    assert await views_on(database, ["state.no_such_table"]) == []
