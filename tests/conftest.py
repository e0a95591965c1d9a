"""A real PostgreSQL for every test that needs one: a template database, cloned per test."""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from projector.database import Database, open_database
from projector.embedded import EmbeddedServer
from projector.schema.migrate import migrate
from tests.folders import new_folder
from tests.other_postgres import found, serving

pytest_plugins = ["tests.no_skips", "tests.spread"]

# How fast the machine is decides no test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

TEMPLATE = "projector_template"
EMBEDDED = "embedded"
NO_OTHER = "no other PostgreSQL >= 15"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--histories", type=int, default=30, help="histories for the laws of the fold")
    parser.addoption("--first-history", type=int, default=0, help="seed of the first of them")
    parser.addoption("--chaos-seconds", type=float, default=30, help="length of the chaos test")
    parser.addoption("--failovers", type=int, default=1, help="failovers of each kind")
    parser.addoption("--chaos-seed", type=int, default=1, help="what happens in it, and when")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked `versions` on the embedded server and on every other installed release."""
    if metafunc.definition.get_closest_marker("versions"):
        servers = [EMBEDDED, *(found() or [NO_OTHER])]
        metafunc.parametrize("cluster", servers, indirect=True)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("binary"):
        for name in marker.args:
            if shutil.which(name) is None and not Path(f"/usr/sbin/{name}").exists():
                pytest.skip(f"the system binary {name} is missing")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """DSN of an embedded server without fsync: these tests crash processes, never the machine."""
    folder = new_folder("projector-tests")
    folder.chmod(0o711)
    settings = {
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        "max_wal_size": "256MB",  # its data may be in memory
    }
    embedded = EmbeddedServer(folder, settings=settings)
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
    asyncio.run(build_template(server))
    return TEMPLATE


async def build_template(dsn: str) -> None:
    await run_on(dsn, f"CREATE DATABASE {TEMPLATE}")
    database = await open_database(database_of(dsn, TEMPLATE))
    await migrate(database)
    await database.close()


@pytest.fixture(scope="session")
def other_servers() -> Iterator[Callable[[str], str]]:
    """Starts the server of a release, once, with a template; returns its DSN."""
    with ExitStack() as stack:

        @cache
        def start(major: str) -> str:
            dsn = stack.enter_context(serving(found()[major]))
            asyncio.run(build_template(dsn))
            return dsn

        yield start


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> str:
    """DSN of the server that a test runs on: the embedded one, except for tests of other releases."""
    release = getattr(request, "param", EMBEDDED)
    if release == NO_OTHER:
        pytest.skip(f"{NO_OTHER} on this machine")
    if release != EMBEDDED:
        return str(request.getfixturevalue("other_servers")(release))
    request.getfixturevalue("template")
    return str(request.getfixturevalue("server"))


@contextmanager
def cloned(dsn: str, template: str = TEMPLATE) -> Iterator[str]:
    """DSN of a clone of a template database, dropped when the block ends."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    asyncio.run(run_on(dsn, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    try:
        yield database_of(dsn, name)
    finally:
        asyncio.run(run_on(dsn, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database_url(cluster: str) -> AsyncIterator[str]:
    """DSN of a fresh, migrated database."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    await run_on(cluster, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield database_of(cluster, name)
    await run_on(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await open_database(database_url)
    yield opened
    opened.terminate()
