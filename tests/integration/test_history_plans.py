"""The past of a mixed log: plans use indexes, and look-ups touch few buffers; the times are benchmarked."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import pytest

from projector.database import open_database
from tests.benchmarks.mixed_log import MixedLog, fill_log
from tests.conftest import database_of, run_on
from tests.integration.test_views_speed import scanned, touched
from tests.runtime_rig import replica, until_folded

EVENTS: Final = 30_000
AT: Final = (
    "(SELECT state.time_of(folded) FROM state.user_versions ORDER BY folded OFFSET 1500 LIMIT 1)"
)

# Each look-up, with the most buffers (of 8 KiB) that it may touch.
LOOK_UPS: Final = {
    "users_at($at) WHERE user_id = $user": 20,
    "users_at($at) WHERE lower(email) = lower($email)": 20,
    "memberships_at($at) WHERE group_id = $group": 8 * 200,
    "memberships_at($at) WHERE user_id = $member": 300,
    "group_admins_at($at) WHERE group_id = $led": 300,
    "groups_at($at) WHERE group_id = $group": 8 * 200,
    "user_settings_at($at) WHERE user_id = $set": 300,
    "changes WHERE user_id = $user": 1500,
    "changes WHERE user_id = $user AND entity = 'user'": 500,
    "changes WHERE group_id = $group": 30 * 400,
}


@pytest.fixture(scope="module")
def past(server: str, template: str) -> Iterator[str]:
    dsn = database_of(server, "past")

    async def fill() -> None:
        await run_on(server, f"CREATE DATABASE past TEMPLATE {template} STRATEGY file_copy")
        await fill_log(dsn, MixedLog(users=4_000, groups=100), EVENTS)
        database = await open_database(dsn)
        async with replica(database):
            await until_folded(database, 60)
        await database.close()
        await run_on(dsn, "ANALYZE")

    asyncio.run(fill())
    yield dsn
    asyncio.run(run_on(server, "DROP DATABASE past WITH (FORCE)"))


@pytest.fixture
async def connection(past: str) -> Any:
    opened = await asyncpg.connect(past)
    # There are few enough users here to join them all.
    await opened.execute(
        "SET max_parallel_workers_per_gather = 0; SET jit = off;"
        "SET enable_hashjoin = off; SET enable_mergejoin = off"
    )
    yield opened
    await opened.close()


async def filled_in(connection: asyncpg.Connection, query: str) -> str:
    row = await connection.fetchrow(
        f"""
        SELECT {AT}::text AS at,
            (SELECT user_id FROM state.user_versions WHERE status <> 'unknown' LIMIT 1) AS member,
            (SELECT user_id FROM state.user_versions ORDER BY folded LIMIT 1) AS user,
            (SELECT profile ->> 'email' FROM state.user_versions ORDER BY folded LIMIT 1) AS email,
            (SELECT group_id FROM state.memberships WHERE added LIMIT 1) AS "group",
            (SELECT group_id FROM state.group_admins LIMIT 1) AS led,
            (SELECT user_id FROM state.user_settings_versions ORDER BY folded LIMIT 1) AS set
        """
    )
    assert row is not None
    for name, value in row.items():
        query = query.replace(f"${name}", f"'{value}'")
    return query


@pytest.mark.parametrize(("look_up", "most"), LOOK_UPS.items())
async def test_a_look_up_of_the_past_reads_no_whole_table(
    connection: asyncpg.Connection, look_up: str, most: int
) -> None:
    query = await filled_in(connection, f"SELECT * FROM directory.{look_up}")
    plan = json.loads(await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}"))
    large = {
        row[0]
        for row in await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'state'::regnamespace AND relpages > 40"
        )
    }
    assert {"user_versions", "memberships_versions"} <= large
    assert scanned(plan[0]["Plan"]) & large == set()
    assert touched(plan[0]["Plan"]) <= most


async def test_everybody_at_a_moment_is_one_scan(connection: asyncpg.Connection) -> None:
    query = await filled_in(connection, "SELECT * FROM directory.users_at($at)")
    plan = json.loads(await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}"))
    pages = await connection.fetchval("SELECT pg_relation_size('state.user_versions') / 8192")
    assert touched(plan[0]["Plan"]) <= pages + 50
