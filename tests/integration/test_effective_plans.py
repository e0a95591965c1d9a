"""What effective settings read, of an account with whole documents: each document once."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import pytest

from tests.benchmarks.effective_data import ACCOUNT, fill
from tests.conftest import database_of, run_on
from tests.integration.test_views_speed import touched

USERS: Final = 10_000
GROUPS: Final = 250

VIEW: Final = "SELECT * FROM directory.effective_user_settings"
PERSON: Final = f"{VIEW} WHERE account_id = '{ACCOUNT}' AND user_id = 'Person_10'"
PATH: Final = f"{VIEW} WHERE path = 'recording.cloud_recording'"
# Blocks. To read a document again for each of the hundreds of paths would take thousands.
OF_A_PERSON: Final = 400
# Blocks a person, of a path. Only one person in five has a document that is not in the row itself.
OF_A_PATH: Final = 3


@pytest.fixture(scope="module")
def account(server: str, template: str) -> Iterator[str]:
    dsn = database_of(server, "effective")

    async def make() -> None:
        await run_on(server, f"CREATE DATABASE effective TEMPLATE {template} STRATEGY file_copy")
        await fill(dsn, users=USERS, groups=GROUPS)

    asyncio.run(make())
    yield dsn
    asyncio.run(run_on(server, "DROP DATABASE effective WITH (FORCE)"))


@pytest.fixture
async def connection(account: str) -> Any:
    opened = await asyncpg.connect(account)
    await opened.execute("SET jit = off")
    yield opened
    await opened.close()


async def blocks(connection: asyncpg.Connection, query: str) -> int:
    assert await connection.fetch(query)
    explained = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")
    return touched(json.loads(explained)[0]["Plan"])


@pytest.mark.parametrize("workers", [0, 2])
async def test_of_one_person_it_reads_little(connection: asyncpg.Connection, workers: int) -> None:
    await connection.execute(f"SET max_parallel_workers_per_gather = {workers}")
    assert await blocks(connection, PERSON) <= OF_A_PERSON


async def test_of_one_path_it_reads_each_document_once(connection: asyncpg.Connection) -> None:
    assert await blocks(connection, PATH) <= OF_A_PATH * USERS


async def test_of_one_path_everybody_is_asked(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(PATH)
    assert len(rows) == USERS
    assert {row["confidence"] for row in rows} == {"exact", "declared"}
