"""Connections to a server that takes no writes go; several hosts in one URL lead to the one that does."""

import asyncio
import socket
import time
from urllib.parse import urlsplit

import asyncpg
import pytest

from projector.connecting import UNREACHABLE_SECONDS
from projector.database import Database, connect, open_database
from projector.errors import DatabaseUnavailable
from projector.ingress.connection import Lane, Upstream
from projector.log.append import append
from tests.conftest import run_on
from tests.ingress_rig import event_body, serving
from tests.processes import command, free_port
from tests.runtime_rig import delivery, renamed
from tests.wire import never_answering, wire

WRITE = "CREATE TABLE public.t{} ()"


async def read_only(url: str, *, on: bool) -> None:
    """Let new sessions of the database be read-only, as all on a former primary are; old ones stay."""
    name = urlsplit(url).path[1:]
    await run_on(
        url,
        f"BEGIN READ WRITE; ALTER DATABASE {name} SET default_transaction_read_only = {on}; COMMIT",
    )


@pytest.mark.parametrize("way", ["fetch", "transaction", "append"])
async def test_a_pool_replaces_every_connection_to_a_former_primary(
    database_url: str, way: str
) -> None:
    await read_only(database_url, on=True)
    database = await open_database(database_url)
    try:
        # Four sessions that are idle and will stay read-only.
        await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.2)") for _ in range(4)))
        assert database.pool.get_idle_size() == 4
        await read_only(database_url, on=False)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await write(database, way, 0)
        await asyncio.gather(*(write(database, way, n) for n in range(1, 5)))
    finally:
        database.terminate()


async def write(database: Database, way: str, number: int) -> None:
    if way == "append":
        await append(database, [delivery(renamed(number))])
    elif way == "fetch":
        await database.fetch(WRITE.format(number))
    else:
        async with database.transaction() as connection:
            await connection.execute(WRITE.format(number))


async def test_a_host_that_never_answers_delays_nobody(
    database_url: str, database: Database
) -> None:
    """Neither it nor one that nobody listens on takes the time that the next host needs."""
    async with wire(database_url) as to_server:
        with never_answering() as silent:
            url = to_server.url_with(silent, free_port(), silent)
            started = time.monotonic()
            connection = await connect(url)
            await connection.close()
            pool = await open_database(url)
            await pool.fetch("SELECT 1")
            pool.terminate()
            assert time.monotonic() - started < 4
            async with serving(url) as zoom:
                assert (await zoom.post(event_body())).status == 200
                await zoom.until_ready()
    assert await database.fetchval("SELECT count(*) FROM log.events") == 1


async def test_a_command_finds_the_server_among_hosts(database_url: str) -> None:
    async with wire(database_url) as to_server:
        with never_answering() as silent:
            url = to_server.url_with(silent)
            done = await asyncio.to_thread(command, "status", database_url=url)
    assert done.returncode == 0, done.stderr


async def test_a_host_that_is_read_only_is_none_to_write_to(database_url: str) -> None:
    await read_only(database_url, on=True)
    async with wire(database_url) as one, wire(database_url) as other:
        with pytest.raises(DatabaseUnavailable):
            await connect(one.url_with(other.port))


async def test_a_machine_out_of_reach_is_noticed_by_tcp(database_url: str) -> None:
    """The kernel breaks such a connection; that cannot be seen here, but that it was asked to."""
    async with wire(database_url) as to_server:
        connection = await connect(to_server.url)
        asked = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]
        assert asked.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            milliseconds = asked.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert milliseconds == UNREACHABLE_SECONDS * 1000
        await connection.close()
    local = await connect(database_url)  # a socket in the file system has no such options
    await local.close()


async def test_a_lane_leaves_once_nothing_runs_on_it(database_url: str) -> None:
    lane = Lane(Upstream(database_url))
    [[before]] = await lane.fetch("SELECT pg_backend_pid()")
    running = asyncio.create_task(lane.fetch("SELECT pg_backend_pid() FROM pg_sleep(0.3)"))
    await asyncio.sleep(0.1)
    lane.leave()
    assert await running == [(before,)]
    [[after]] = await lane.fetch("SELECT pg_backend_pid()")
    assert after != before
    lane.leave()
    [[last]] = await lane.fetch("SELECT pg_backend_pid()")
    assert last not in (before, after)
    lane.drop()
