"""A real PostgreSQL for every test that needs one: a template database, cloned per test."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest

from projector.database import Database, open_database
from projector.embedded import EmbeddedServer
from projector.schema import migrate

TEMPLATE = "projector_template"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--histories", type=int, default=30, help="histories for the laws of the fold")
    parser.addoption("--first-history", type=int, default=0, help="seed of the first of them")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("binary"):
        for name in marker.args:
            if shutil.which(name) is None and not Path(f"/usr/sbin/{name}").exists():
                pytest.skip(f"the system binary {name} is missing")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """DSN of an embedded server without fsync: these tests crash processes, never the machine."""
    folder = Path(tempfile.mkdtemp(prefix="projector-tests-"))
    folder.chmod(0o711)
    embedded = EmbeddedServer(
        folder, settings={"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
    )
    try:
        yield embedded.start()
    finally:
        embedded.stop()
        shutil.rmtree(folder)


def database_of(dsn: str, name: str) -> str:
    """The DSN of another database of the same server."""
    head, _, query = dsn.partition("?")
    return f"{head.rpartition('/')[0]}/{quote(name)}" + (f"?{query}" if query else "")


async def run_on(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template(server: str) -> str:
    """A migrated database that others are cloned from."""

    async def build() -> None:
        await run_on(server, f"CREATE DATABASE {TEMPLATE}")
        database = await open_database(database_of(server, TEMPLATE))
        await migrate(database)
        await database.close()

    asyncio.run(build())
    return TEMPLATE


@pytest.fixture
async def database_url(server: str, template: str) -> AsyncIterator[str]:
    """DSN of a fresh, migrated database."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    await run_on(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield database_of(server, name)
    await run_on(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await open_database(database_url)
    yield opened
    opened.terminate()
