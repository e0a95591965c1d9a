"""A rebuild next to the live projection: the same rows, and no disturbance."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from projector.database import Database, open_database
from projector.log.read import read_head
from projector.projections import PROJECTIONS, projection_named
from projector.rebuild import fill, scan, states, swap
from projector.rebuild.rebuild import rebuild
from projector.state.dead_letters import list_dead_letters
from projector.state.shadow import Shadow
from projector.statements import queries
from tests.directory_rows import shown
from tests.oracle.naive_views import KEYS
from tests.oracle.story import event
from tests.runtime_rig import (
    append_bodies,
    append_story,
    assert_oracle_agrees,
    assert_verified,
    live,
    no_progress,
    positions,
    raw,
    rebuild_leftovers,
    renamed,
    replica,
    story,
    until,
    until_folded,
)


@pytest.mark.versions
async def test_rebuilt_rows_are_the_live_rows(database: Database) -> None:
    await live(database)
    before = await raw(database)
    assert len(await list_dead_letters(database)) > 1
    assert all(before[table] for table in ("users", "memberships", "dead_letters", "freshness"))
    head = await read_head(database)
    assert await rebuild(database, PROJECTIONS, no_progress) == {p.name: head for p in PROJECTIONS}
    assert await raw(database) == before
    assert await rebuild_leftovers(database) == 0
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
    written: Counter[str] = Counter()
    copy = Shadow.copy

    async def counting(self: Shadow, table: str, columns: Any, records: Any) -> None:
        written[table] += 1
        await copy(self, table, columns, records)

    monkeypatch.setattr(Shadow, "copy", counting)
    monkeypatch.setattr(fill, "MEMORY", 10_000)
    monkeypatch.setattr(scan, "READ_ROWS", 40)
    monkeypatch.setattr(scan, "MOST_ENTRIES", 20)
    monkeypatch.setattr(states, "EVENTS_AT_ONCE", 15)
    monkeypatch.setattr(states, "LARGEST_BODY", 300)
    monkeypatch.setattr(states, "MOST_LETTERS", 0)
    await rebuild(database, PROJECTIONS, no_progress)
    assert all(written[f"{table}_runs"] > 1 for table in ("memberships", "presence", "sign_ins"))
    assert written["users_history"] > 1
    assert await raw(database) == before


async def test_a_swap_does_not_wait_for_another_rebuild(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other rebuild holds a transaction while it folds, but reads no view in it."""
    await live(database, count=200)
    held, go_on = asyncio.Event(), asyncio.Event()
    copy = Shadow.copy

    async def holding(self: Shadow, table: str, columns: Any, records: Any) -> None:
        await copy(self, table, columns, slow(records) if table == "users" else records)

    async def slow(records: Any) -> AsyncIterator[Any]:
        async for record in records:
            held.set()
            await go_on.wait()
            yield record

    monkeypatch.setattr(Shadow, "copy", holding)
    monkeypatch.setattr(swap, "ATTEMPTS", 1)
    other = asyncio.create_task(rebuild(database, [projection_named("users")], no_progress))
    await held.wait()
    await rebuild(database, [projection_named("groups")], no_progress)
    go_on.set()
    await other


async def test_an_empty_log_can_be_rebuilt_and_a_missing_state_too(database: Database) -> None:
    await rebuild(database, PROJECTIONS, no_progress)
    await append_story(database, story(6, 200))
    await rebuild(database, PROJECTIONS, no_progress)
    await assert_oracle_agrees(database)


class Readers:
    """Readers that query all the views in turn, without pause."""

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
    await append_bodies(database, people)
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
            await append_bodies(
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
    assert await rebuild_leftovers(database) == 0


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
            await append_bodies(database, [renamed(number, f"new {number}")])
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


@pytest.mark.parametrize(
    ("first", "busy"), [("directory.group_settings", True), ("pg_class", False)]
)
async def test_a_reader_with_an_older_snapshot_is_waited_for(
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    busy: bool,
) -> None:
    """It would find the new tables empty: their rows were written after its snapshot."""
    monkeypatch.setattr(swap, "PAUSE_SECONDS", 0.1)
    await live(database, count=100)
    expected = await database.fetchval("SELECT count(*) FROM directory.users")
    reader = await asyncpg.connect(database_url)
    async with reader.transaction(isolation="repeatable_read"):
        await reader.fetch(f"SELECT FROM {first}")
        at_work = asyncio.create_task(reader.execute(f"SELECT pg_sleep({1.5 * busy})"))
        await asyncio.sleep(0.2)
        rebuilding = asyncio.create_task(
            rebuild(database, [projection_named("users")], no_progress)
        )
        await asyncio.wait((rebuilding,), timeout=2)
        await at_work
        assert await reader.fetchval("SELECT count(*) FROM directory.users") == expected > 0
        assert not rebuilding.done()
    await asyncio.wait_for(rebuilding, 10)
    async with reader.transaction(isolation="repeatable_read"):
        assert await reader.fetchval("SELECT count(*) FROM directory.users") == expected
    await reader.close()


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
    assert await rebuild_leftovers(database) == 0


async def test_what_depends_on_state_itself_is_not_dropped(database: Database) -> None:
    await database.fetch("CREATE TABLE public.theirs (LIKE state.users, mine state.users)")
    with pytest.raises(swap.SwapFailed, match="schema `directory`"):
        await rebuild(database, [projection_named("users")], no_progress)
    assert await database.fetchval("SELECT to_regclass('public.theirs') IS NOT NULL")
    # A view on it is pointed at the new table.
    await database.fetch("DROP TABLE public.theirs")
    await database.fetch("CREATE VIEW public.theirs AS SELECT user_id AS who FROM state.users AS s")
    await append_bodies(database, [renamed(1)])
    await rebuild(database, [projection_named("users")], no_progress)
    assert [tuple(r) for r in await database.fetch("SELECT who FROM public.theirs")] == [("u",)]


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
        await append_bodies(database, [renamed(1)])
        await until_folded(database)
        epochs = {name: worker.lease.epoch for name, worker in running.workers.items()}
        await rebuild(database, PROJECTIONS, no_progress)
        await append_bodies(database, [renamed(2)])
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
