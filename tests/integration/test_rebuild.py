"""A rebuild beside the live projection: the same rows, and nobody notices."""

import asyncio
from typing import Any

import asyncpg
import pytest

from projector import log
from projector.database import Database, open_database
from projector.errors import DatabaseUnavailable, RebuildRefused
from projector.projections import PROJECTIONS, projection_named
from projector.rebuild import bulk, claim, swap
from projector.rebuild.rebuild import rebuild
from projector.runtime import store
from projector.runtime.dead_letters import list_dead_letters
from projector.runtime.housekeeping import drop_abandoned_rebuilds
from projector.statements import queries
from tests.directory_rows import shown
from tests.oracle.naive_views import KEYS
from tests.oracle.story import event
from tests.runtime_rig import (
    append,
    append_story,
    assert_oracle_agrees,
    assert_verified,
    no_progress,
    positions,
    renamed,
    replica,
    story,
    unaccounted,
    until,
    until_folded,
)

STATE = (
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'state'::regnamespace "
    "AND c.relkind = 'r' ORDER BY 1"
)


async def raw(database: Database) -> dict[str, Any]:
    """Every row of every table of state, but for what tells when and by whom it was written."""
    tables = [row[0] for row in await database.fetch(STATE)]
    found = {}
    for table in set(tables) - {"replicas", "checkpoints", "rebuilds"}:
        rows = await database.fetch(f"SELECT to_jsonb(t) - 'failed_at' FROM state.{table} t")
        found[table] = sorted(row[0] for row in rows)
    return found


async def live(database: Database, seed: int = 4, count: int = 800) -> None:
    """Fold a disorderly story with dead letters, batch by batch."""
    some = story(seed, count)
    async with replica(database, batch_events=37):
        await append_story(database, some, 50)
        await append(database, [b'{"event": "user.updated", "payload": {}}'])
        await append(database, [event("group.member_added", 5, {"id": "g", "members": [{}]})])
        await until_folded(database)


@pytest.mark.versions
async def test_rebuilt_rows_are_the_live_rows(database: Database) -> None:
    await live(database)
    before = await raw(database)
    assert len(await list_dead_letters(database)) > 1
    assert all(before[table] for table in ("users", "memberships", "dead_letters", "freshness"))
    head = await log.head(database)
    assert await rebuild(database, PROJECTIONS, no_progress) == {p.name: head for p in PROJECTIONS}
    assert await raw(database) == before
    assert await unaccounted(database) == 0
    async with replica(database):
        await append_story(database, story(5, 100))
        await until_folded(database)
    await assert_oracle_agrees(database)
    await assert_verified(database)


async def test_little_memory_gives_the_same_rows(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(database)
    before = await raw(database)
    spilled = []
    original = bulk.Shadow.spill

    async def spill(shadow: bulk.Shadow) -> None:
        spilled.append(shadow.projection.name)
        await original(shadow)

    monkeypatch.setattr(bulk.Shadow, "spill", spill)
    monkeypatch.setattr(bulk, "MEMORY", 60_000)
    monkeypatch.setattr(store, "HISTORY_EVENTS", 15)
    monkeypatch.setattr(bulk, "READ_ROWS", 40)
    await rebuild(database, PROJECTIONS, no_progress)
    assert len(spilled) > 10
    assert await raw(database) == before


async def test_an_empty_log_can_be_rebuilt_and_a_missing_state_too(database: Database) -> None:
    await rebuild(database, PROJECTIONS, no_progress)
    await append_story(database, story(6, 200))
    await rebuild(database, PROJECTIONS, no_progress)
    await assert_oracle_agrees(database)


class Readers:
    """People who query the views without pause; every one of them once in a round."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.rounds = 0
        self.users: list[int] = []

    async def run(self) -> None:
        while True:
            async with self._database.transaction(isolation="repeatable_read") as connection:
                counts = await connection.fetchrow(
                    "SELECT count(*), count(*) FILTER (WHERE display_name = 'mine') "
                    "FROM directory.users"
                )
            assert counts is not None
            assert counts[0] == counts[1], "a mixed directory"
            self.users.append(counts[0])
            for view in KEYS:
                await self._database.fetch(f"SELECT * FROM directory.{view} LIMIT 50")
            await self._database.fetch("SELECT * FROM public.mine")
            self.rounds += 1


async def test_readers_and_live_projection_go_on(database: Database, database_url: str) -> None:
    people = [event("user.created", n, {"id": f"u{n}", "display_name": "mine"}) for n in range(300)]
    await append(database, people)
    await database.fetch(
        "CREATE VIEW public.mine AS SELECT u.display_name, count(*) "
        "FROM directory.users u LEFT JOIN directory.presence p USING (account_id, user_id) GROUP BY 1"
    )
    await database.fetch("GRANT SELECT ON directory.users TO pg_monitor")
    await database.fetch("COMMENT ON VIEW directory.users IS 'as somebody wrote'")
    reading = await open_database(database_url)
    readers = Readers(reading)
    appended = 0

    async def keep_appending() -> None:
        nonlocal appended
        while True:
            appended += 1
            await append(
                database,
                [
                    event(
                        "user.presence_status_updated",
                        1000 + appended,
                        {"id": f"u{appended % 300}"},
                    )
                ],
            )
            await asyncio.sleep(0.005)

    async with replica(database):
        await until_folded(database)
        tasks = [asyncio.create_task(c) for c in (keep_appending(), readers.run(), readers.run())]
        for _ in range(2):
            await rebuild(database, PROJECTIONS, no_progress)
        await asyncio.sleep(0.2)
        assert [task for task in tasks if task.done()] == []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await until_folded(database)
    reading.terminate()
    assert set(readers.users) == {300}
    assert readers.rounds > 10
    assert appended > 50
    granted = await database.fetchval(
        "SELECT has_table_privilege('pg_monitor', 'directory.users', 'SELECT')"
    )
    assert granted
    assert await database.fetchval("SELECT obj_description('directory.users'::regclass)") == (
        "as somebody wrote"
    )
    assert await database.fetchval("SELECT sum(count) FROM public.mine") == 300
    await assert_oracle_agrees(database)
    await assert_verified(database)
    assert await unaccounted(database) == 0


async def test_a_long_reader_delays_the_swap_and_nothing_else(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "PAUSE_SECONDS", 0.1)
    await live(database, count=200)
    reader = await asyncpg.connect(database_url)
    transaction = reader.transaction()
    await transaction.start()
    before = await reader.fetchval("SELECT count(*) FROM directory.users")
    async with replica(database):
        rebuilding = asyncio.create_task(
            rebuild(database, [projection_named("users")], no_progress)
        )
        for number in range(12):
            await append(database, [renamed(number, f"new {number}")])
            await until_folded(database, 5)
            await database.fetch("SELECT count(*) FROM directory.users", timeout=2)
            await asyncio.sleep(0.1)
        assert not rebuilding.done()
        assert await reader.fetchval("SELECT count(*) FROM directory.users") == before + 12
        await transaction.rollback()
        await asyncio.wait_for(rebuilding, 10)
        await until_folded(database)
    await reader.close()
    await assert_oracle_agrees(database)
    await assert_verified(database)


async def test_the_swap_gives_up_at_last_and_leaves_everything(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(swap, "ATTEMPTS", 2)
    await live(database, count=100)
    before = await raw(database)
    async with database.transaction() as reader:
        await reader.fetch("SELECT FROM directory.users")
        with pytest.raises(swap.SwapFailed, match="long-running queries"):
            await rebuild(database, [projection_named("users")], no_progress)
    assert await raw(database) == before
    assert await unaccounted(database) == 0


async def test_what_depends_on_state_itself_is_not_dropped(database: Database) -> None:
    await database.fetch("CREATE TABLE public.theirs (LIKE state.users, mine state.users)")
    with pytest.raises(swap.SwapFailed, match="schema `directory`"):
        await rebuild(database, [projection_named("users")], no_progress)
    assert await database.fetchval("SELECT to_regclass('public.theirs') IS NOT NULL")
    # A view on it is pointed at the new table.
    await database.fetch("DROP TABLE public.theirs")
    await database.fetch("CREATE VIEW public.theirs AS SELECT user_id AS who FROM state.users AS s")
    await append(database, [renamed(1)])
    await rebuild(database, [projection_named("users")], no_progress)
    assert [tuple(r) for r in await database.fetch("SELECT who FROM public.theirs")] == [("u",)]


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
        assert await unaccounted(database) == 0
    assert await raw(database) == before
    await rebuild(database, PROJECTIONS, no_progress)
    assert await raw(database) == before


async def _slowly(database: Database, progress: Any) -> None:
    original = bulk.READ_ROWS
    bulk.READ_ROWS = 30
    try:
        await rebuild(database, PROJECTIONS, progress)
    finally:
        bulk.READ_ROWS = original


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
        assert await unaccounted(database) == 0


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
    """It wakes up in the middle of the other's work, with a claim that was taken from it."""
    await live(database, count=300)
    before = await raw(database)
    monkeypatch.setattr(claim, "BEAT_SECONDS", 1000)
    paused = asyncio.Event()
    go_on = asyncio.Event()
    original = bulk.fill

    async def fill(*arguments: Any) -> Any:
        filled = await original(*arguments)
        if not paused.is_set():
            paused.set()
            await go_on.wait()
        return filled

    monkeypatch.setattr("projector.rebuild.rebuild.fill", fill)
    first = asyncio.create_task(rebuild(database, PROJECTIONS, no_progress))
    await paused.wait()
    await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '1 hour'")
    await rebuild(database, PROJECTIONS, no_progress)
    go_on.set()
    with pytest.raises(asyncpg.PostgresError):
        await first
    assert await raw(database) == before
    assert await unaccounted(database) == 0


async def test_the_database_goes_away_during_a_rebuild(
    database: Database, database_url: str
) -> None:
    await live(database, count=300)
    other = await asyncpg.connect(database_url)
    begun = asyncio.Event()

    def progress(_position: int, _target: int) -> None:
        begun.set()

    rebuilding = asyncio.create_task(_slowly(database, progress))
    await begun.wait()
    await other.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with pytest.raises(DatabaseUnavailable, match="run this again"):
        await rebuilding
    await other.close()
    await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '20 s'")
    await rebuild(database, PROJECTIONS, no_progress)
    assert await unaccounted(database) == 0
    await assert_oracle_agrees(database)


async def test_the_swap_moves_a_projection_that_lagged(database: Database) -> None:
    await append_story(database, story(2, 100))
    assert set((await positions(database)).values()) == {0}
    await rebuild(database, [projection_named("users")], no_progress)
    assert (await positions(database))["users"] == 100
    async with replica(database):
        await until_folded(database)
    await assert_oracle_agrees(database)
    owners = await database.fetch(queries("state")["checkpoint"], "users")
    assert owners[0]["version"] == projection_named("users").version


async def test_a_worker_notices_the_swap_at_once(database: Database) -> None:
    async with replica(database) as running:
        await append(database, [renamed(1)])
        await until_folded(database)
        epochs = {name: worker.lease.epoch for name, worker in running.workers.items()}
        await rebuild(database, PROJECTIONS, no_progress)
        await append(database, [renamed(2)])
        assert await until_folded(database) < 2

        async def changed() -> bool:
            return all(
                running.workers[n].lease.epoch > e
                for n, e in epochs.items()
                if n in running.workers
            )

        await until(changed)
    await assert_oracle_agrees(database)
    assert await shown(database)
