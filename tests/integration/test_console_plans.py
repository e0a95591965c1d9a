"""What the console reads, of a small copy of the large account: few buffers, and no table whole."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import pytest

from projector.database import open_database
from tests.benchmarks.console_data import ConsoleLog
from tests.benchmarks.mixed_log import ACCOUNT, fill_log
from tests.conftest import database_of, run_on
from tests.integration.test_views_speed import touched
from tests.runtime_rig import replica, until_folded

USERS: Final = 4_000
GROUPS: Final = 100
EVENTS: Final = 40_000

# Each call, with the most buffers (of 8 KiB) that it may touch.
CALLS: Final = {
    "people_page('', '', '', '', '', 50)": 300,
    "people_page('', '', 'm', '', '', 50)": 300,
    "people_page('krüger 1', 'active', '', '', '', 50)": 600,
    "people_page('nobody at all', '', '', '', '', 50)": 200,
    "memberships_page($account, $largest, '', 50)": 4_000,
    "memberships_page($account, $largest, 'm', 50)": 4_000,
    "memberships_page_at($at, $account, $largest, 'm', 50)": 5_000,
    "group_admins_page($account, $led, '', 50)": 500,
    "changes_between(39000, 39100)": 2_500,
    "changes_between(20000, 20100)": 2_500,
    "corrections_between(30000, 31000)": 14_000,
    "timeline_of_person($account, $person, '', '', 50)": 1_500,
    "timeline_of_group($account, $largest, '', '', 50)": 35_000,
    "timeline_of_group($account, $largest, $order, '', 50)": 10_000,
    "sign_in_changes WHERE account_id = $account AND user_id = $person": 100,
    "unresolved_users_page('', '', 10)": 14_000,
    "unresolved_groups": 1_000,
    "drift_page('', '', '', '', 0, 50)": 2_500,
    "drift_page('m', '', '', '', 0, 50)": 2_500,
    "quarantine WHERE id < 1000 ORDER BY id DESC LIMIT 50": 10,
}


@pytest.fixture(scope="module")
def account(server: str, template: str) -> Iterator[str]:
    dsn = database_of(server, "console")

    async def fill() -> None:
        await run_on(server, f"CREATE DATABASE console TEMPLATE {template} STRATEGY file_copy")
        log = ConsoleLog(users=USERS, groups=GROUPS, start_ms=1_750_000_000_000)
        await fill_log(dsn, log, EVENTS)
        database = await open_database(dsn)
        async with replica(database):
            await until_folded(database, 120)
        await database.close()
        await run_on(dsn, "VACUUM ANALYZE")

    asyncio.run(fill())
    yield dsn
    asyncio.run(run_on(server, "DROP DATABASE console WITH (FORCE)"))


@pytest.fixture
async def connection(account: str) -> Any:
    opened = await asyncpg.connect(account)
    # There are few enough people here to join them all.
    await opened.execute(
        "SET max_parallel_workers_per_gather = 0; SET jit = off; SET enable_hashjoin = off; "
        "SET enable_mergejoin = off"
    )
    yield opened
    await opened.close()


async def filled_in(connection: asyncpg.Connection, call: str) -> str:
    row = await connection.fetchrow(
        """
        SELECT $1::text AS account,
            (SELECT group_id FROM state.memberships GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) AS largest,
            (SELECT group_id FROM directory.group_admins LIMIT 1) AS led,
            (SELECT user_id FROM state.sign_in_moments JOIN state.users USING (account_id, user_key)
             GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) AS person,
            (SELECT state.time_of(folded)::text FROM state.memberships_versions ORDER BY folded OFFSET 4000
             LIMIT 1) AS at,
            (SELECT encode(folded, 'hex') FROM state.memberships_versions ORDER BY folded OFFSET 4000 LIMIT 1)
                AS order
        """,
        ACCOUNT,
    )
    assert row is not None
    for name, value in row.items():
        call = call.replace(f"${name}", f"'{value}'")
    return call


SCANNED: Final = """
SELECT s.relname, s.seq_scan FROM pg_stat_xact_user_tables s JOIN pg_class c ON c.oid = s.relid
WHERE s.schemaname IN ('state', 'log') AND c.relpages > 20
"""


@pytest.mark.parametrize(("call", "most"), CALLS.items())
async def test_it_reads_a_small_part_of_the_directory(
    connection: asyncpg.Connection, call: str, most: int
) -> None:
    query = f"SELECT * FROM directory.{await filled_in(connection, call)}"
    rows = await connection.fetch(query)
    assert rows or call.startswith(("quarantine", "unresolved_groups", "people_page('nobody"))
    # The sixth call of a function may have another plan than the first: one for all arguments.
    for _ in range(6):
        await connection.fetch(query)
    async with connection.transaction():
        before = await connection.fetch(SCANNED)
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")
        assert await connection.fetch(SCANNED) == before
    assert touched(json.loads(explained)[0]["Plan"]) <= most


async def test_nobody_is_found_without_reading_their_rows(connection: asyncpg.Connection) -> None:
    query = "SELECT * FROM directory.people_page('nobody at all', '', '', '', '', 50)"
    assert await connection.fetch(query) == []
    explained = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")
    pages = await connection.fetchval("SELECT pg_relation_size('state.users_listed') / 8192")
    assert touched(json.loads(explained)[0]["Plan"]) <= pages + 20
