"""The runtime in ordinary operation: exactly once, soon, and in few round trips."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from projector.database import Database
from projector.errors import Fenced
from projector.folding.columns import LONGEST_EMAIL
from projector.folding.keys import LONGEST_ID
from projector.live.replica import TTL
from projector.projections import projection_named
from projector.state import store as store_module
from projector.state import table_sql as statements
from projector.state.batch import Batch, make_batch
from projector.state.dead_letters import retry_dead_letters
from projector.state.folder import Folder, Lease
from projector.state.store import Change, Move, Store
from projector.statements import queries
from tests.oracle.story import event
from tests.runtime_rig import (
    Counting,
    append_bodies,
    append_story,
    assert_oracle_agrees,
    assert_verified,
    counted,
    renamed,
    replica,
    story,
    trusts,
    until,
    until_folded,
)

USERS = projection_named("users")


class StallingStore(Store):
    """Pauses between the fold of a batch and its write, as a paused process does."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.folded = asyncio.Event()
        self.go_on = asyncio.Event()

    async def write(self, projection: Any, change: Change, move: Move) -> None:
        self.folded.set()
        await self.go_on.wait()
        await super().write(projection, change, move)


async def lease_on_users(database: Database, owner: str) -> Lease:
    """Take every lease for an owner, whoever holds it; returns that on `users`."""
    await database.fetch("UPDATE state.checkpoints SET owner = NULL, epoch = epoch + 1")
    await database.fetch("DELETE FROM state.replicas")
    rows = await database.fetch(
        queries("state")["hold_leases"], owner, ["users"], [projection_named("users").version], TTL
    )
    return next(Lease(row["at_position"], row["epoch"]) for row in rows if row["held"])


async def batch_after(database: Database, position: int) -> Batch:
    rows = await database.fetch(queries("log")["read"], position, 1000, 2**62, 2**24)
    return make_batch(position, rows, full=False)


def folder_on_users(database: Database, lease: Lease, store: Store | None = None) -> Folder:
    return Folder(USERS, store or Store(database), lease)


async def test_a_story_is_folded_once(database: Database) -> None:
    some = story(3, 600)
    await append_story(database, some[:200], 7)
    async with replica(database, batch_events=50):
        await append_story(database, some[200:], 13)
        await until_folded(database)
        await assert_oracle_agrees(database)
    await assert_verified(database)


async def test_the_longest_ids_and_emails_fit_into_every_index(database: Database) -> None:
    """Otherwise they would stop the projection for ever."""
    chance = random.Random(1)

    def longest(count: int) -> str:  # four bytes a character, and nothing to compress
        return "".join(chr(chance.randrange(0x20000, 0x2A6D0)) for _ in range(count))

    account, user, group = (longest(LONGEST_ID) for _ in range(3))
    person = {"id": user, "email": longest(LONGEST_EMAIL)}
    members = [{**person, "id": user}, {"email": longest(LONGEST_EMAIL)}]
    about = {"id": group, "name": "G", "members": members, "admins": members}
    await append_bodies(
        database,
        [
            event("user.created", 0, person, account=account, creation_type="ssoCreate"),
            event("user.deleted", 1, person, account=account),
            event("user.created", 2, person, account=account, creation_type="create"),
            event("group.member_added", 3, about, account=account),
            event("group.admin_added", 4, about, account=account),
            event(
                "user.signed_in", 5, {**person, "client_type": longest(LONGEST_ID)}, account=account
            ),
        ],
    )
    async with replica(database):
        await until_folded(database)
    assert await database.fetch("SELECT * FROM directory.dead_letters") == []
    assert len(await database.fetch("SELECT * FROM directory.users")) == 1
    assert len(await database.fetch("SELECT * FROM directory.memberships")) == 2
    assert len(await database.fetch("SELECT * FROM directory.group_admins")) == 2
    await assert_verified(database)


async def overtaken_folder(database: Database) -> Folder:
    """A folder that was paused between load and write while the rows changed at the same position.

    Event 2 was a dead letter; it is folded while the folder holds a batch with event 3, computed
    without it.
    """
    await append_bodies(database, [renamed(1)])
    first = folder_on_users(database, await lease_on_users(database, "one"))
    await first.fold(await batch_after(database, 0))
    await database.fetch(
        "ALTER TABLE state.users ADD CONSTRAINT spoiled CHECK (profile ->> 'dept' IS NULL)"
    )
    await append_bodies(database, [event("user.updated", 2, {"id": "u", "dept": "Sales"})])
    await first.fold(await batch_after(database, 1))
    await append_bodies(database, [renamed(3)])
    store = StallingStore(database)
    paused = folder_on_users(database, first.lease, store)
    writing = asyncio.create_task(paused.fold(await batch_after(database, 2)))
    await store.folded.wait()

    other = await lease_on_users(database, "two")
    await database.fetch("ALTER TABLE state.users DROP CONSTRAINT spoiled")
    assert (await retry_dead_letters(database)).folded == 1
    store.go_on.set()
    await writing
    assert other.epoch > first.lease.epoch
    return paused


async def test_a_paused_owner_writes_nothing_when_it_goes_on(database: Database) -> None:
    with pytest.raises(Fenced):
        await overtaken_folder(database)
    worker = folder_on_users(database, await lease_on_users(database, "three"))
    await worker.fold(await batch_after(database, worker.lease.position))
    profile = await database.fetchval("SELECT profile::text FROM state.users")
    assert "Sales" in profile
    assert "name 3" in profile


async def test_without_the_epoch_a_paused_owner_destroys_rows(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = queries("state")["move_checkpoint"]
    blind = text.replace("AND epoch = $3", "AND $3::bigint IS NOT NULL")
    assert blind != text
    monkeypatch.setitem(queries("state"), "move_checkpoint", blind)
    statements.write.cache_clear()
    try:
        await overtaken_folder(database)
    finally:
        statements.write.cache_clear()
    assert "Sales" not in await database.fetchval("SELECT profile::text FROM state.users")


async def test_a_row_that_was_thought_to_be_new_condemns_no_event(database: Database) -> None:
    await append_bodies(database, [renamed(1)])
    store = StallingStore(database)
    worker = folder_on_users(database, await lease_on_users(database, "one"), store)
    batch = await batch_after(database, 0)
    writing = asyncio.create_task(worker.fold(batch))
    await store.folded.wait()
    await database.fetch(
        "INSERT INTO state.users (account_id, user_key, folded, last_position, user_id, status, "
        "spelled_by_lifecycle, profile, custom_attributes, removed, drift) "
        "VALUES ('A', 'u', '', 0, 'u', 'unknown', false, '{}', '[]', false, '[]')"
    )
    store.go_on.set()
    with pytest.raises(asyncpg.UniqueViolationError):
        await writing
    await worker.fold(batch)
    assert "name 1" in await database.fetchval("SELECT profile::text FROM state.users")
    assert await database.fetchval("SELECT count(*) FROM state.dead_letters") == 0


async def test_a_retry_fences_the_batch_under_way_of_the_same_owner(database: Database) -> None:
    """The lease keeps its holder: the replica's own worker is fenced, and starts again."""
    await database.fetch(
        "ALTER TABLE state.users ADD CONSTRAINT spoiled CHECK (profile ->> 'dept' IS NULL)"
    )
    async with replica(database):
        await append_bodies(database, [event("user.updated", 1, {"id": "u", "dept": "Sales"})])
        await until_folded(database)
        await database.fetch("ALTER TABLE state.users DROP CONSTRAINT spoiled")
        for number in range(2, 40):
            await append_bodies(database, [renamed(number)])
            if number == 20:
                assert not (await retry_dead_letters(database)).left
        await until_folded(database, 5)
        await assert_oracle_agrees(database)


async def test_a_write_that_was_committed_unnoticed_is_not_repeated(database: Database) -> None:
    """The owner is fenced by its own commit, and must not wait for another lease."""
    async with replica(database) as running:
        await append_bodies(database, [renamed(1)])
        await until_folded(database)
        for worker in running.workers.values():
            worker.lease.position = 0  # as after a lost answer
        await append_bodies(database, [renamed(2)])
        assert await until_folded(database) < 5
        assert await counted(database) == 2


async def test_round_trips_of_a_batch(database: Database) -> None:
    counting = Counting(database)
    async with replica(counting) as running:
        await append_bodies(database, [renamed(0, f"u{n}") for n in range(50)])
        await until_folded(database)
        await until(lambda: trusts(running))

        # One read for all projections; users loads its rows once, and each projection writes once.
        counting.counts.clear()
        await append_bodies(database, [renamed(10, f"u{n}") for n in range(50)])
        await until_folded(database)
        assert counting.counts["read"] == 1
        assert counting.counts["write"] == len(running.workers)
        assert counting.counts["load"] == 1
        assert set(counting.counts) <= {"read", "load", "write", "lease", "poll"}

        counting.counts.clear()
        await append_bodies(database, [renamed(5, f"u{n}") for n in range(50)])
        await until_folded(database)
        assert counting.counts["read"] == 1
        assert 1 <= counting.counts["histories"] <= counting.counts["load"]
        assert counting.counts["write"] == len(running.workers)


async def test_a_thousand_late_events_take_one_query_of_histories(database: Database) -> None:
    users = [f"u{n}" for n in range(1000)]
    await append_bodies(database, [renamed(100, user) for user in users])
    lease = await lease_on_users(database, "one")
    await folder_on_users(database, lease).fold(await batch_after(database, 0))
    await append_bodies(database, [renamed(50, user) for user in users])
    counting = Counting(database)
    await folder_on_users(counting, lease).fold(await batch_after(database, 1000))
    assert counting.counts == {"load": 1, "histories": 1, "write": 1}


async def test_a_long_past_is_not_read_into_memory_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "HISTORY_EVENTS", 25)
    await append_bodies(database, [renamed(100 + n, f"u{n % 20}") for n in range(400)])
    lease = await lease_on_users(database, "one")
    await folder_on_users(database, lease).fold(await batch_after(database, 0))
    await append_bodies(database, [renamed(n, f"u{n % 20}") for n in range(50)])
    counting = Counting(database)
    await folder_on_users(counting, lease).fold(await batch_after(database, 400))
    assert counting.counts["histories"] > 5
    assert lease.position == 450
    async with replica(database):
        await until_folded(database)
    await assert_verified(database)
