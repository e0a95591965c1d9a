"""Reasons made to happen: what a real server, or a real PgBouncer, refuses is told in words."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import asyncpg
import pytest

from projector import database as database_module
from projector.database import Connection, connect, open_database
from projector.database_reasons import Reason, reason_of
from projector.errors import DatabaseUnavailable
from projector.schema.migrate import migrate
from tests.pgbouncer_rig import pgbouncer
from tests.processes import free_port
from tests.tcp_postgres import PASSWORD, TcpPostgres, tcp_postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[TcpPostgres]:
    with tcp_postgres(max_connections="8", superuser_reserved_connections="2") as server:
        yield server


async def refused(url: str) -> DatabaseUnavailable:
    """The error of connecting there."""
    with pytest.raises(DatabaseUnavailable) as raised:
        await connect(url)
    assert PASSWORD not in str(raised.value)
    return raised.value


async def failed(connection: Connection, *statements: str) -> Reason:
    """The reason why the last of these statements fails."""
    *before, last = statements
    for statement in before:
        await connection.execute(statement)
    with pytest.raises(Exception) as raised:  # noqa: PT011  whatever it is, it has a reason
        await connection.execute(last)
    return reason_of(raised.value)


async def test_a_login_that_is_refused(postgres: TcpPostgres) -> None:
    error = await refused(postgres.url(password="wrong"))
    assert error.word == "authentication"
    assert str(error).startswith("the database refuses the password")
    assert 'user "owner"' in str(error)
    assert "check user and password in PROJECTOR_DATABASE_URL" in str(error)
    error = await refused(postgres.url(user="nobody"))
    assert error.word == "authentication"
    error = await refused(postgres.url(database="atlantis"))
    assert error.word == "no_database"
    assert '"atlantis" does not exist' in str(error)


async def test_a_rule_of_the_server_that_is_missing(postgres: TcpPostgres) -> None:
    rules = postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text(encoding="utf-8")
    rules.write_text("local all all trust\n", encoding="utf-8")
    try:
        postgres.run("pg_ctl", "-D", str(postgres.folder / "data"), "reload")
        await asyncio.sleep(0.3)
        error = await refused(postgres.url())
    finally:
        rules.write_text(before, encoding="utf-8")
        postgres.run("pg_ctl", "-D", str(postgres.folder / "data"), "reload")
        await asyncio.sleep(0.3)
    assert error.word == "authentication"
    assert "no pg_hba.conf entry" in str(error)


async def test_an_encryption_that_the_server_has_not(postgres: TcpPostgres) -> None:
    error = await refused(postgres.url() + "?sslmode=require")
    assert error.word == "tls"
    assert "the server offers none" in str(error)
    error = await refused(postgres.url() + "?sslmode=perhaps")
    assert error.word == "tls"
    assert "check sslmode" in str(error)


async def test_connections_that_are_all_in_use(postgres: TcpPostgres) -> None:
    owner = await asyncpg.connect(postgres.url())
    await owner.execute(f"CREATE ROLE ordinary LOGIN PASSWORD '{PASSWORD}'")
    try:
        async with AsyncExitStack() as stack:
            while True:
                try:
                    opened = await connect(postgres.url(user="ordinary"))
                except DatabaseUnavailable as unavailable:
                    error = unavailable
                    break
                stack.push_async_callback(opened.close)
    finally:
        await owner.execute("DROP ROLE ordinary")
        await owner.close()
    assert error.word == "connections"
    assert "connection slots" in str(error)
    assert PASSWORD not in str(error)


async def test_hosts_that_are_not_there(tmp_path: Path) -> None:
    error = await refused(f"postgresql://u:{PASSWORD}@nowhere.invalid/d")
    assert error.word == "unknown_host"
    assert "the host name nowhere.invalid is not known" in str(error)
    port = free_port()
    for host in ("127.0.0.1", "localhost"):
        error = await refused(f"postgresql://u:{PASSWORD}@{host}:{port}/d")
        assert error.word == "refused"
        assert f"nothing listens at {host}:{port}" in str(error)
    error = await refused(f"postgresql://u:{PASSWORD}@/d?host={tmp_path}")
    assert error.word == "refused"
    assert f"no server listens at {tmp_path}; look whether that server runs" in str(error)
    assert "PROJECTOR_DATABASE_URL" not in str(error)


async def test_a_server_that_takes_the_connection_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database_module, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the kernel accepts, nobody reads
        port = listener.getsockname()[1]
        error = await refused(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/d?sslmode=disable")
    assert error.word == "timeout"
    assert f"the database at 127.0.0.1:{port} does not answer in time" in str(error)


async def test_a_server_that_stops() -> None:
    with tcp_postgres() as server:
        holding = await connect(server.url())
        server.stop("-W", mode="smart")  # it waits for whoever is connected
        await asyncio.sleep(0.3)
        error = await refused(server.url())
        assert (error.word, "is shutting down" in str(error)) == ("starting", True)
        server.stop(mode="fast")
        reason = await failed(holding, "SELECT 1")
        holding.terminate()
        assert reason.word == "lost"
        assert "terminating connection" in reason.what or "lost" in reason.what


async def test_statements_that_a_server_refuses(postgres: TcpPostgres) -> None:
    connection, other = await connect(postgres.url()), await connect(postgres.url())
    try:
        reason = await failed(connection, "SET statement_timeout = 20", "SELECT pg_sleep(9)")
        assert (reason.word, "statement_timeout" in reason.next) == ("cancelled", True)
        await connection.execute("SET statement_timeout = 0; CREATE TABLE held (n int)")
        await other.execute("BEGIN; LOCK TABLE held")
        reason = await failed(connection, "SET lock_timeout = 20", "SELECT * FROM held")
        assert reason.word == "locked"
        reason = await failed(connection, "SELECT * FROM nothing_of_that_name")
        assert (reason.word, "nothing_of_that_name" in reason.what) == ("schema", True)
        await other.execute("ROLLBACK; CREATE ROLE weak")
        reason = await failed(connection, "SET ROLE weak", "SELECT * FROM held")
        assert (reason.word, "table held" in reason.what) == ("privilege", True)
    finally:
        await connection.execute("RESET ROLE; DROP TABLE held; DROP ROLE IF EXISTS weak")
        await connection.close()
        await other.close()


async def test_a_database_that_takes_no_writes(postgres: TcpPostgres) -> None:
    connection = await connect(postgres.url())
    try:
        reason = await failed(
            connection, "SET default_transaction_read_only = on", "CREATE TABLE no (n int)"
        )
    finally:
        await connection.close()
    assert reason.word == "read_only"
    assert "name the primary" in reason.next


if os.geteuid() == 0:  # only root can mount

    @contextmanager
    def small_disk(folder: Path, size: str, owner: int) -> Iterator[Path]:
        """A file system of that size."""
        folder.mkdir()
        options = f"size={size},uid={owner},mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)

    async def test_a_disk_that_is_full(postgres: TcpPostgres) -> None:
        """Of the table that the deliveries go to: the append says so, and goes on once it has room."""
        place = postgres.folder / "small"
        with small_disk(place, "2m", postgres.account.uid):
            owner = await connect(postgres.url())
            await owner.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
            await owner.execute("CREATE TABLE filled (body text) TABLESPACE small")
            await owner.execute("ALTER TABLE filled ALTER body SET STORAGE PLAIN")
            try:
                reason = await failed(
                    owner,
                    "INSERT INTO filled SELECT repeat('x', 7000) FROM generate_series(1, 1000)",
                )
            finally:
                await owner.execute("DROP TABLE filled")
                await owner.execute("DROP TABLESPACE small")
                await owner.close()
        assert reason.word == "disk_full"
        assert "No space left on device" in reason.what
        assert "free space" in reason.next


# ---- PgBouncer ------------------------------------------------------------------------------------

pooled = pytest.mark.binary("pgbouncer")


@pooled
async def test_a_pooler_whose_server_has_no_such_database(database_url: str) -> None:
    with pgbouncer(database_url) as url:
        error = await refused(url.rpartition("/")[0] + "/atlantis")
    assert error.word in {"no_database", "pooler"}
    assert '"atlantis"' in str(error)


@pooled
async def test_a_pooler_without_a_free_connection(database_url: str) -> None:
    with pgbouncer(database_url, pool_size=1, query_wait_timeout="1") as url:
        holding = await connect(url, statement_cache=0)
        waiting = await connect(url, statement_cache=0)
        async with holding.transaction():
            await holding.fetchval("SELECT 1")
            reason = await failed(waiting, "SELECT 1")
        await holding.close()
    assert reason.word == "connections"
    assert "query_wait_timeout" in reason.what


@pooled
async def test_a_pooler_whose_server_is_away(postgres: TcpPostgres) -> None:
    gone = f"postgresql://owner@/postgres?host={postgres.folder}&port=5432"
    with pgbouncer(gone, server_login_retry="1", query_wait_timeout="2") as url:
        error = await refused(url)
    assert error.word in {"pooler", "connections"}


async def test_a_migration_that_loses_the_database_says_why(postgres: TcpPostgres) -> None:
    owner = await connect(postgres.url())
    await owner.execute("CREATE DATABASE fresh")
    await owner.execute("ALTER DATABASE fresh SET default_transaction_read_only = on")
    database = await open_database(postgres.url(database="fresh"))
    try:
        with pytest.raises(DatabaseUnavailable, match="takes no writes") as raised:
            await migrate(database)
        assert raised.value.word == "read_only"
    finally:
        await database.close()
        await owner.execute("DROP DATABASE fresh WITH (FORCE)")
        await owner.close()
