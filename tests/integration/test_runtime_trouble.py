"""Faults: the runtime waits, reports the reason, and goes on by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest
from aiohttp.test_utils import TestClient, TestServer

from projector.database import Database, open_database
from projector.embedded import EmbeddedServer
from projector.folding.tables import Projection
from projector.health_port import make_health_app
from projector.live import replica as replica_module
from projector.live.replica import Replica
from projector.live.watch import Watch
from projector.projections import PROJECTIONS
from projector.schema.migrate import migrate
from projector.state import store as store_module
from projector.state.store import Change, Move, Store
from tests import own_server as servers
from tests.runtime_rig import (
    all_live,
    append_bodies,
    append_story,
    assert_oracle_agrees,
    assert_verified,
    positions,
    renamed,
    replica,
    states,
    story,
    until,
    until_folded,
)

CUT_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def test_connections_that_are_cut_again_and_again(
    database: Database, database_url: str
) -> None:
    await append_story(database, story(7, 1500), 500)
    folding = await open_database(database_url)
    breaker = await asyncpg.connect(database_url)
    async with replica(folding, batch_events=20) as running:
        cuts = 0
        for _ in range(12):
            await asyncio.sleep(0.25)
            cuts += len(await breaker.fetch(CUT_ALL))
        assert cuts > 12
        assert running.metrics.registry is not None
        await until_folded(await open_database(database_url), 30)
    folding.terminate()
    await breaker.close()
    await assert_oracle_agrees(database)
    await assert_verified(database)


@pytest.fixture
def own_server() -> Iterator[EmbeddedServer]:
    """A server for one test, to be stopped and started."""
    with servers.own_server("projector-trouble") as server:
        yield server


async def test_the_database_restarts(own_server: EmbeddedServer) -> None:
    database = await open_database(own_server.dsn)
    await migrate(database)
    some = story(8, 600)
    async with replica(database):
        await append_story(database, some[:300])
        await asyncio.to_thread(own_server.stop)
        await asyncio.sleep(2)
        await asyncio.to_thread(own_server.start)
        await append_story(database, some[300:])
        assert await until_folded(database, 20) < 15
        # Wake-up works again, the error is gone, and the leases are held.
        await until(lambda: all_live(database), 10)
        await assert_oracle_agrees(database)
    await assert_verified(database)
    await database.close()


@asynccontextmanager
async def locked(database_url: str, table: str) -> AsyncIterator[None]:
    """Hold an exclusive lock on a table while the block runs."""
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        await transaction.rollback()
        await connection.close()


async def test_a_locked_table_stops_one_projection_alone_which_says_why(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "STATEMENT_SECONDS", 0.5)
    monkeypatch.setattr(replica_module, "STUCK_SECONDS", 1.5)
    async with replica(database) as running:
        await append_bodies(database, [renamed(1)])
        await until_folded(database)
        async with locked(database_url, "state.users"):
            await append_bodies(database, [renamed(2)])
            others = [name for name in await positions(database) if name != "users"]
            await until_folded(database, 5, others)
            await until(
                lambda: says(database, "users", ("waiting", "the database does not answer in time"))
            )
            await until(lambda: is_stuck(running, ["users"]))
            assert (await positions(database))["users"] == 1
            assert await livez(running) == (503, ["users"])
        await until_folded(database)
        await until(lambda: says(database, "users", ("live", None)))
        assert running.stuck() == []
        assert await livez(running) == (200, None)


async def test_a_replica_that_gets_no_leases_is_stuck_too(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart for being stuck: it has no worker that could report it."""
    monkeypatch.setattr(replica_module, "STUCK_SECONDS", 1.0)
    monkeypatch.setattr(replica_module, "TTL", timedelta(seconds=0.3))
    async with locked(database_url, "state.checkpoints"), replica(database) as running:
        await append_bodies(database, [renamed(1)])
        await until(lambda: is_stuck(running, [p.name for p in PROJECTIONS]))
        assert (await livez(running))[0] == 503
    monkeypatch.undo()
    async with replica(database) as running:
        await until_folded(database)
        assert await livez(running) == (200, None)


async def says(database: Database, name: str, expected: tuple[str, str | None]) -> bool:
    return (await states(database))[name] == expected


async def is_stuck(running: Replica, names: list[str]) -> bool:
    return running.stuck() == names


async def livez(running: Replica) -> tuple[int, object]:
    """The status and document of /livez."""
    async with TestClient(
        TestServer(make_health_app(running.metrics.registry, running.stuck))
    ) as client:
        answer = await client.get("/livez")
        return answer.status, (await answer.json()).get("projections")


async def test_nobody_is_stuck_while_the_database_is_away_or_just_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replica(database) as running:
        await append_bodies(database, [renamed(1)])
        await until_folded(database)
        monkeypatch.setattr(replica_module, "STUCK_SECONDS", 0.2)
        for worker in running.workers.values():
            worker.moved_at = time.monotonic() - 100
        running._feed.head = 10
        running._watch.reachable_since = None
        assert running.stuck() == []
        running._watch.reachable_since = time.monotonic()
        assert running.stuck() == []
        running._watch.reachable_since = time.monotonic() - 1
        assert len(running.stuck()) == len(running.workers)


async def test_a_full_disk_is_waited_out_and_condemns_nobody(database: Database) -> None:
    await database.fetch(
        "CREATE FUNCTION public.full() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END$$"
    )
    await database.fetch(
        "CREATE TRIGGER disk_full BEFORE INSERT ON state.users EXECUTE FUNCTION public.full()"
    )
    async with replica(database):
        await append_story(database, story(9, 300))
        await until(
            lambda: says(database, "users", ("waiting", "the database's disk is full (no space)"))
        )
        await database.fetch("DROP TRIGGER disk_full ON state.users")
        await until_folded(database)
        await assert_oracle_agrees(database)


async def test_a_loop_that_dies_is_restarted_and_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, left = Store.write, ["users", "users"]

    async def write(store: Store, projection: Projection, change: Change, move: Move) -> None:
        await original(store, projection, change, move)
        if projection.name in left:
            left.remove(projection.name)
            raise KeyError("nobody foresaw this, after the commit")

    monkeypatch.setattr(Store, "write", write)
    monkeypatch.setattr(replica_module, "RESTART_SECONDS", 0.05)
    async with replica(database) as running:
        for number in range(4):
            await append_bodies(database, [renamed(number)])
            await until_folded(database)
        restarts = running.metrics.registry.get_sample_value(
            "projector_projection_restarts_total", {"projection": "users"}
        )
        assert restarts == 2
    await assert_oracle_agrees(database)


async def test_a_watch_that_dies_is_restarted_and_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, left = Watch._poll, [1]

    async def poll(watch: Watch) -> None:
        if left:
            left.pop()
            raise KeyError("nobody foresaw this")
        await original(watch)

    monkeypatch.setattr(Watch, "_poll", poll)
    monkeypatch.setattr(replica_module, "RESTART_SECONDS", 0.05)
    async with replica(database) as running:
        await append_bodies(database, [renamed(1)])
        assert await until_folded(database) < 5
        restarts = running.metrics.registry.get_sample_value(
            "projector_projection_restarts_total", {"projection": "watch"}
        )
        assert restarts == 1
