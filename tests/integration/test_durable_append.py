"""An acknowledgement, of a duplicate too, waits for the standbys that the database demands."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from projector.database import Database, open_database
from projector.fetching import NotReplicated
from projector.ingress.connection import Lane, Upstream
from projector.log.append import append
from tests import own_server as servers
from tests.conftest import build_template, cloned, run_on
from tests.ingress_rig import event_body, serving
from tests.runtime_rig import append_bodies, delivery, renamed, until
from tests.wire import wire

WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture(scope="module")
def own_server() -> Iterator[str]:
    """DSN of a server of this module's own, whose settings a test may change."""
    settings = {**servers.NOT_DURABLE, "max_connections": "60"}
    with servers.own_server("projector-durable", settings) as server:
        asyncio.run(build_template(server.dsn))
        yield server.dsn


@pytest.fixture
def own_url(own_server: str) -> Iterator[str]:
    with cloned(own_server) as url:
        yield url


@pytest.fixture
async def own(own_url: str) -> AsyncIterator[Database]:
    opened = await open_database(own_url)
    yield opened
    opened.terminate()


@asynccontextmanager
async def absent_standby(url: str) -> AsyncIterator[None]:
    """Every commit waits for a standby that is not there, until the block ends."""
    await run_on(url, "ALTER SYSTEM SET synchronous_standby_names = 'absent'")
    await run_on(url, "SELECT pg_reload_conf()")
    await asyncio.sleep(0.3)
    try:
        yield
    finally:
        await run_on(url, "ALTER SYSTEM RESET synchronous_standby_names")
        await run_on(url, "SELECT pg_reload_conf()")


async def waiting(url: str) -> list[int]:
    """Process ids of the sessions whose commit waits for a standby."""
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(WAITS)]
    finally:
        await connection.close()


async def until_waiting(url: str) -> int:
    """Wait for a commit that waits; returns its process id."""
    found: list[int] = []

    async def waits() -> bool:
        found[:] = await waiting(url)
        return bool(found)

    await until(waits)
    return found[0]


@pytest.mark.parametrize("commit", ["on", "remote_apply", "remote_write", "local", "off"])
async def test_a_duplicate_waits_for_the_standby_as_the_first_copy_did(
    own_url: str, commit: str
) -> None:
    name = urlsplit(own_url).path[1:]
    await run_on(own_url, f"ALTER DATABASE {name} SET synchronous_commit = {commit}")
    some = [delivery(renamed(n)) for n in range(3)]
    lane = Lane(Upstream(own_url))
    first = await append(lane, some, timeout=5)
    async with absent_standby(own_url):
        with pytest.raises(TimeoutError):
            await append(lane, some, timeout=1)
    again = await append(lane, some, timeout=5)
    lane.drop()
    assert [one.position for one in again] == [one.position for one in first]
    assert all(one.duplicate for one in again)


async def test_a_cancelled_wait_is_no_acknowledgement(own: Database, own_url: str) -> None:
    """An administrator cancels it: the event stays, and stands on this server alone."""
    body = event_body()
    async with serving(own_url) as zoom:
        await zoom.until_ready()
        async with absent_standby(own_url):
            asked = asyncio.create_task(zoom.post(body))
            pid = await until_waiting(own_url)
            await run_on(own_url, f"SELECT pg_cancel_backend({pid})")
            assert (await asked).status == 503
            assert await own.fetchval("SELECT count(*) FROM log.events") == 1
            assert (await zoom.post(body)).status == 503, "a duplicate of what may be lost"
            assert (await zoom.get("/readyz")).status == 503
        await zoom.until_ready()
        answer = await zoom.post(body)
    assert answer.status == 200
    assert "X-Event-Duplicate" in answer.headers


@pytest.mark.parametrize("quiet", [False, True])
@pytest.mark.parametrize("pooled", [False, True])
async def test_a_cancelled_wait_raises(own_url: str, pooled: bool, quiet: bool) -> None:
    if quiet:
        name = urlsplit(own_url).path[1:]
        await run_on(own_url, f"ALTER DATABASE {name} SET client_min_messages = error")
    other = Database((await open_database(own_url)).pool, own_url, pooled=pooled)
    try:
        async with absent_standby(own_url):
            asked = asyncio.create_task(append_bodies(other, [renamed(1)]))
            await run_on(own_url, f"SELECT pg_cancel_backend({await until_waiting(own_url)})")
            with pytest.raises(NotReplicated):
                await asked
    finally:
        other.terminate()


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("how", ["cancelled", "too late"])
@pytest.mark.parametrize("via", ["lane", "pool"])
async def test_nobody_asks_the_server_to_cancel_an_append(
    own_url: str, via: str, how: str, pooled: bool
) -> None:
    async with wire(own_url) as counted:
        upstream = Upstream(counted.url)
        upstream.pooled = pooled
        pool = (await open_database(counted.url)).pool
        over = Lane(upstream) if via == "lane" else Database(pool, counted.url, pooled=pooled)
        async with absent_standby(own_url):
            limit = 0.5 if how == "too late" else 20
            asked = asyncio.create_task(append(over, [delivery(renamed(1))], timeout=limit))
            await until_waiting(own_url)
            if how == "cancelled":
                asked.cancel()
            with pytest.raises(asyncio.CancelledError if how == "cancelled" else TimeoutError):
                await asked
            await asyncio.sleep(0.3)
            assert len(await waiting(own_url)) == 1, "it goes on waiting"
        assert counted.cancels == 0
        pool.terminate()
        if isinstance(over, Lane):
            over.drop()


async def test_a_request_to_cancel_is_counted(own_url: str) -> None:
    """What the test above rests on: asyncpg does ask where a statement's own time is over."""
    async with wire(own_url) as counted:
        database = await open_database(counted.url)
        with pytest.raises(TimeoutError):
            await database.fetch("SELECT pg_sleep(5)", timeout=0.3)
        assert counted.cancels == 1
        database.terminate()


async def test_a_replica_that_stops_cancels_no_append(own_url: str) -> None:
    async with wire(own_url) as counted:
        async with absent_standby(own_url):
            async with serving(counted.url) as zoom:
                asked = asyncio.create_task(zoom.post(event_body()))
                await until_waiting(own_url)
            await asyncio.gather(asked, return_exceptions=True)
            assert len(await waiting(own_url)) == 1
        assert counted.cancels == 0
