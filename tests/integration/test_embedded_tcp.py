"""The embedded server over TCP: on request, on the loopback address, for logins with a password alone."""

import asyncio
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from projector.database import open_database
from projector.embedded import EmbeddedServer, EmbeddedStartFailed, running_dsn
from projector.embedded.layout import layout_of
from projector.embedded.postmaster import as_written
from projector.schema.migrate import migrate
from tests.folders import new_folder
from tests.integration.test_embedded import (
    holder,
    listening_inodes,
    lives,
    postmaster,
    query,
    socket_inodes,
)
from tests.processes import free_port
from tests.up_rig import end_server

PASSWORD = "Ofen-3-bis-Mittag"


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """A data directory with the schema, and a login that may read: what `projector grant --create` makes."""
    path = new_folder("embedded-tcp")
    path.chmod(0o711)
    with EmbeddedServer(path) as server:

        async def prepare() -> None:
            database = await open_database(server.dsn)
            await migrate(database)
            await database.close()

        asyncio.run(prepare())
        query(server.dsn, f"CREATE ROLE bi LOGIN PASSWORD '{PASSWORD}' IN ROLE directory_reader")
        query(server.dsn, "CREATE ROLE bare LOGIN IN ROLE directory_reader")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def used(directory: Path) -> Iterator[Path]:
    yield directory
    end_server(directory)


def over_tcp(port: int, user: str, password: str | None, database: str = "projector") -> Any:
    """How many people the directory has, asked over TCP."""

    async def ask() -> Any:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user=user, password=password, database=database, ssl=False
        )
        try:
            return await connection.fetchval("SELECT count(*) FROM directory.users")
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_a_login_with_a_password_reads_the_directory_and_nothing_else(used: Path) -> None:
    port = free_port()
    with EmbeddedServer(used, tcp_port=port) as server:
        assert over_tcp(port, "bi", PASSWORD) == 0
        with pytest.raises(asyncpg.InvalidPasswordError):
            over_tcp(port, "bi", "another")
        with pytest.raises(asyncpg.InvalidPasswordError):
            over_tcp(port, "bare", "")
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no pg_hba"):
            over_tcp(port, "bi", PASSWORD, "postgres")
        assert query(server.dsn, "SELECT current_user") == "projector"


def test_the_superuser_is_out_of_reach_even_with_a_password(used: Path) -> None:
    port = free_port()
    with EmbeddedServer(used, tcp_port=port) as server:
        query(server.dsn, f"ALTER ROLE projector PASSWORD '{PASSWORD}'")
        try:
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="rejects"):
                over_tcp(port, "projector", PASSWORD)
        finally:
            query(server.dsn, "ALTER ROLE projector PASSWORD NULL")


def test_it_listens_on_the_loopback_address_alone(used: Path) -> None:
    port = free_port()
    with EmbeddedServer(used, tcp_port=port) as server:
        assert query(server.dsn, "SHOW listen_addresses") == "127.0.0.1"
        assert query(server.dsn, "SELECT inet_server_addr() IS NULL")
        if sys.platform == "linux":
            assert len(listening_inodes() & socket_inodes(postmaster(used))) == 1
        other = socket.socket()
        with other:  # the same port of another loopback address is free
            other.bind(("127.0.0.2", port))


def test_another_process_finds_it_without_being_told_the_port(used: Path) -> None:
    with EmbeddedServer(used, tcp_port=free_port()) as server:
        assert running_dsn(used) == server.dsn
        assert query(server.dsn, "SELECT 1") == 1
    assert running_dsn(used) is None


@pytest.mark.parametrize("wanted", ["another", "the same"])
def test_one_left_behind_is_started_anew_where_it_listens_elsewhere(
    used: Path, wanted: str
) -> None:
    with holder(used) as child:
        child.kill()
        child.wait()
    left_behind = postmaster(used)
    assert lives(left_behind)
    port = free_port() if wanted == "another" else None
    with EmbeddedServer(used, tcp_port=port) as server:
        assert (postmaster(used) == left_behind) is (port is None)
        assert running_dsn(used) == server.dsn
        if port is not None:
            assert not lives(left_behind)
            assert over_tcp(port, "bi", PASSWORD) == 0
    with EmbeddedServer(used) as server:
        assert query(server.dsn, "SHOW listen_addresses") == ""


@pytest.mark.parametrize(
    ("port", "address", "expected"),
    [("5432", "", None), ("5432", "127.0.0.1", 5432), ("6543", "127.0.0.1", 6543), ("", "", 1)],
)
def test_where_a_server_listens_is_read_from_its_own_lock_file(
    tmp_path: Path, port: str, address: str, expected: int | None
) -> None:
    layout = layout_of(tmp_path, 1)
    layout.postgres.mkdir()
    lines = [
        "4242",
        str(layout.postgres),
        "1790000000",
        port,
        str(layout.sockets),
        address,
        "7 8",
        "",
    ]
    layout.postmaster_pid.write_text("\n".join(lines), encoding="utf-8")
    assert as_written(layout).tcp_port == expected
    layout.postmaster_pid.unlink()
    assert as_written(layout) == layout


def test_a_port_that_is_taken_is_told_before_anything_starts(used: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedStartFailed, match=rf"port {port} .*PROJECTOR_EMBEDDED_PORT"):
            EmbeddedServer(used, tcp_port=port).start()
    with EmbeddedServer(used) as server:
        assert query(server.dsn, "SELECT 1") == 1
