"""Everything goes on after a restore from a backup into another database."""

import asyncio
import os
import subprocess
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from projector.database import Database, open_database
from projector.embedded.binaries import find_binaries
from tests.conftest import database_of, run_on
from tests.directory_rows import shown
from tests.runtime_rig import (
    append_bodies,
    append_story,
    assert_oracle_agrees,
    assert_verified,
    renamed,
    replica,
    story,
    until_folded,
)


@pytest.fixture
async def empty_url(server: str) -> AsyncIterator[str]:
    name = f"restored_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    await run_on(server, f"CREATE DATABASE {name}")
    yield database_of(server, name)
    await run_on(server, f"DROP DATABASE {name} WITH (FORCE)")


def connection_arguments(url: str) -> list[str]:
    """The arguments with which PostgreSQL's programs connect to a URL of the tests' server."""
    parts = urlsplit(url)
    server = parse_qs(parts.query)
    return ["-h", server["host"][0], "-p", server["port"][0], "-U", str(parts.username)]


async def run(program: str, *arguments: str) -> None:
    binaries = find_binaries()
    assert binaries is not None
    result = await asyncio.to_thread(
        subprocess.run, [binaries.program(program), *arguments], capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr.decode()


@pytest.mark.parametrize("parallel", ["1", "2"])
async def test_everything_goes_on_in_a_restored_database(
    database: Database, database_url: str, empty_url: str, tmp_path: Path, parallel: str
) -> None:
    """A dump taken while projections lag and appends go on is consistent, and lacks later events."""
    some = story(12, 600)
    async with replica(database, batch_events=40):
        await append_story(database, some[:200], 20)
        dump = asyncio.create_task(
            run(
                "pg_dump", *connection_arguments(database_url), "-Fd", "-j", parallel,
                "-f", str(tmp_path / "dump"), urlsplit(database_url).path[1:],
            )
        )  # fmt: skip
        await append_story(database, some[200:300], 5)
        await dump
        await until_folded(database)
    await run(
        "pg_restore", *connection_arguments(empty_url), "-d", urlsplit(empty_url).path[1:],
        "-j", parallel, "--exit-on-error", str(tmp_path / "dump"),
    )  # fmt: skip
    restored = await open_database(empty_url)
    async with replica(restored):
        await until_folded(restored)
        await append_story(restored, some[150:], 30)  # what Zoom sends again, and new events
        await until_folded(restored)
        await assert_oracle_agrees(restored)
    await assert_verified(restored)
    await append_story(database, some[300:], 30)
    async with replica(database):
        await until_folded(database)
    one, other = await shown(database), await shown(restored)
    assert len(one["users"]) == len(other["users"]) > 0
    restored.terminate()


async def test_a_replica_at_work_follows_a_log_that_went_back(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """The backup is of a time when the same replica held the same leases."""
    dump = str(tmp_path / "dump")
    target = [*connection_arguments(database_url), "-d", urlsplit(database_url).path[1:]]
    async with replica(database):
        await append_bodies(database, [renamed(n) for n in range(50)])
        await until_folded(database)
        await run("pg_dump", *target, "-Fc", "-f", dump)
        await append_bodies(database, [renamed(n) for n in range(50, 100)])
        await until_folded(database)
        # In one transaction: the replica sees the database either before or after it.
        await run("pg_restore", *target, "--clean", "--if-exists", "--single-transaction", dump)
        await append_bodies(database, [renamed(n) for n in range(200, 210)])
        assert await until_folded(database, 15) < 10
        await assert_oracle_agrees(database)
    await assert_verified(database)
