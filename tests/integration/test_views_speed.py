"""The views at a twentieth of their full size: plans use indexes, and look-ups touch few buffers.

The full size, in milliseconds, is measured by `tests/benchmarks/look_ups.py`.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import pytest

from projector.statements import sql_root
from tests.benchmarks.load_directory import load
from tests.conftest import database_of, run_on

# Tables that grow with the account: no look-up may scan one of them.
LARGE: Final = {
    "users", "memberships", "observed_groups", "presence", "notes", "sign_ins", "user_settings",
}  # fmt: skip

# Each look-up, with the most buffers (of 8 KiB) that it may touch. A large group has 1,000 members,
# a small one 300.
LOOK_UPS: Final = {
    "users WHERE user_id = $user": 10,
    "users WHERE lower(email) = lower($email)": 10,
    "former_users WHERE user_id = $left": 10,
    "memberships WHERE user_id = $user": 250,
    "memberships WHERE account_id = 'account' AND user_id = $user": 250,
    "memberships WHERE user_id = $stranger": 250,
    "memberships WHERE user_id = $crowded": 250,
    "group_admins WHERE user_id = $admin": 100,
    "presence WHERE user_id = $user": 30,
    "sign_ins WHERE user_id = $user": 40,
    "user_settings WHERE user_id = $user": 20,
    "user_setting_values WHERE user_id = $user": 20,
    "group_settings WHERE group_id = $group": 20,
    "group_setting_values WHERE group_id = $group": 20,
}


@pytest.fixture(scope="module")
def large(server: str, template: str) -> Iterator[str]:
    dsn = database_of(server, "large")

    async def fill() -> None:
        await run_on(server, f"CREATE DATABASE large TEMPLATE {template} STRATEGY file_copy")
        connection = await asyncpg.connect(dsn)
        rows = await load(connection, 0.05)
        await connection.execute(
            "INSERT INTO state.freshness VALUES ('account', 'user.created', 0, 0, 1, 0)"
        )
        await connection.close()
        assert (rows["users"], rows["memberships"], rows["user_settings"]) == (9900, 100000, 10000)

    asyncio.run(fill())
    yield dsn
    asyncio.run(run_on(server, "DROP DATABASE large WITH (FORCE)"))


@pytest.fixture
async def connection(large: str) -> Any:
    opened = await asyncpg.connect(large)
    await opened.execute("SET max_parallel_workers_per_gather = 0; SET jit = off")
    yield opened
    await opened.close()


async def filled_in(connection: asyncpg.Connection, query: str) -> str:
    """The query, filled in with a user and a small group.

    `crowded` is in the group with the most entries without an id.
    """
    row = await connection.fetchrow(
        """
        SELECT m.user_id AS user, m.group_id AS group, u.email,
            (SELECT user_id FROM state.users WHERE removed LIMIT 1) AS left,
            (SELECT user_id FROM directory.group_admins LIMIT 1) AS admin,
            (SELECT m.user_id FROM state.memberships m LEFT JOIN state.users u
                ON u.user_key = m.person_key
             WHERE u.user_key IS NULL AND m.user_id IS NOT NULL AND m.added LIMIT 1) AS stranger,
            (SELECT m.user_id FROM state.memberships m JOIN state.users u ON u.user_key = m.person_key
             WHERE m.added AND NOT u.removed AND m.group_id = (
                SELECT group_id FROM state.memberships WHERE user_id IS NULL
                GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) LIMIT 1) AS crowded
        FROM state.users u
        JOIN state.memberships m ON m.account_id = u.account_id AND m.person_key = u.user_key
        JOIN state.groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
        WHERE NOT u.removed AND NOT g.removed AND m.added AND u.cutoff IS NULL
          AND (SELECT count(*) FROM state.memberships o WHERE o.group_id = m.group_id) < 400
        LIMIT 1
        """
    )
    assert row is not None
    for name, value in row.items():
        query = query.replace(f"${name}", f"'{value}'")
    return query


async def plan_of(connection: asyncpg.Connection, query: str) -> dict[str, Any]:
    query = await filled_in(connection, query)
    assert await connection.fetch(query), "a look-up that finds nothing says nothing"
    plan = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")
    found: dict[str, Any] = json.loads(plan)[0]["Plan"]
    return found


def scanned(plan: dict[str, Any]) -> set[str]:
    """The tables that a plan actually scans sequentially."""
    found = (
        {plan["Relation Name"]}
        if plan["Node Type"] == "Seq Scan" and plan["Actual Loops"]
        else set()
    )
    return found.union(*(scanned(child) for child in plan.get("Plans", ())))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def touched(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


@pytest.mark.parametrize(("look_up", "most"), LOOK_UPS.items())
async def test_a_look_up_uses_indexes(
    connection: asyncpg.Connection, look_up: str, most: int
) -> None:
    plan = await plan_of(connection, f"SELECT * FROM directory.{look_up}")
    assert scanned(plan) & LARGE == set()
    assert touched(plan) <= most


async def test_who_is_in_a_group_reads_the_group_alone(connection: asyncpg.Connection) -> None:
    # There are few enough users here to join them all.
    await connection.execute("SET enable_hashjoin = off; SET enable_mergejoin = off")
    plan = await plan_of(connection, "SELECT * FROM directory.memberships WHERE group_id = $group")
    assert scanned(plan) & LARGE == set()
    assert touched(plan) <= 8 * 400
    users = [node for node in nodes(plan) if node.get("Relation Name") == "users"]
    assert sum(read(node) for node in users) <= 3 * 400
    # A user's row is wide; an index has the columns that this needs.
    assert sum(read(node) for node in users if node["Node Type"] != "Index Only Scan") <= 50


def read(node: dict[str, Any]) -> float:
    """How many rows a node of a plan read, including those it filtered out."""
    of_one_loop = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return float(of_one_loop * node["Actual Loops"])


async def test_who_is_in_a_group_starts_no_workers(connection: asyncpg.Connection) -> None:
    """Starting them takes longer than the look-up; at full size too, where users are not hashed."""
    await connection.execute("RESET max_parallel_workers_per_gather; SET enable_hashjoin = off")
    plan = await plan_of(connection, "SELECT * FROM directory.memberships WHERE group_id = $group")
    assert "Gather" not in {node["Node Type"] for node in nodes(plan)}


# Queries for users in no group. (NOT IN compares all pairs, whatever the views do.)
IN_NO_GROUP: Final = (
    "m.account_id = u.account_id AND m.user_id = u.user_id",
    "m.user_id = u.user_id",
)


@pytest.mark.parametrize("condition", IN_NO_GROUP)
@pytest.mark.parametrize("end", ["", "ORDER BY u.email", "ORDER BY u.email LIMIT 50", "LIMIT 50"])
async def test_who_is_in_no_group_reads_the_memberships_once(
    connection: asyncpg.Connection, condition: str, end: str
) -> None:
    there = f"EXISTS (SELECT FROM directory.memberships m WHERE {condition})"
    await reads_little(connection, f"SELECT u.email FROM directory.users u WHERE NOT {there} {end}")


async def test_a_join_of_users_and_memberships_reads_them_once(
    connection: asyncpg.Connection,
) -> None:
    join = "directory.users u LEFT JOIN directory.memberships m USING (account_id, user_id)"
    await reads_little(
        connection, f"SELECT u.email FROM {join} WHERE m.user_id IS NULL ORDER BY u.email LIMIT 50"
    )
    await reads_little(connection, f"SELECT u.dept, count(m.user_id) FROM {join} GROUP BY u.dept")
    await reads_little(connection, "SELECT count(*) FROM directory.memberships")


async def reads_little(connection: asyncpg.Connection, query: str) -> None:
    """Assert that it reads the large tables a few times, and little for each entry without an id."""
    explained = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")
    plan = json.loads(explained)[0]["Plan"]
    pages = await connection.fetchval(
        "SELECT (pg_relation_size('state.memberships') + pg_relation_size('state.users')) / 8192"
    )
    nameless = await connection.fetchval(
        "SELECT count(*) FROM state.memberships WHERE user_id IS NULL"
    )
    assert touched(plan) <= 5 * pages + 120 * nameless
    compared = sum(node.get("Rows Removed by Join Filter", 0) for node in nodes(plan))
    assert compared <= 100_000


async def test_who_has_not_signed_in_is_one_join(connection: asyncpg.Connection) -> None:
    page = (sql_root() / "QUESTIONS.md").read_text(encoding="utf-8")
    _, _, question = page.partition("### Which licensed users have not signed in")
    await reads_little(connection, question.partition("```sql")[2].partition("```")[0])


async def test_one_group_counts_its_own_people(connection: asyncpg.Connection) -> None:
    await connection.execute("SET enable_hashjoin = off")
    plan = await plan_of(connection, "SELECT * FROM directory.groups WHERE group_id = $group")
    assert scanned(plan) & LARGE == set()
    assert touched(plan) <= 6 * 400


async def test_groups_without_counts_read_groups_alone(connection: asyncpg.Connection) -> None:
    plan = await plan_of(connection, "SELECT group_id, name, created_at FROM directory.groups")
    pages = await connection.fetchval("SELECT pg_relation_size('state.groups') / 8192")
    assert touched(plan) <= pages + 5


async def test_groups_with_counts_touch_less_than_the_memberships(
    connection: asyncpg.Connection,
) -> None:
    plan = await plan_of(connection, "SELECT * FROM directory.groups")
    memberships = await connection.fetchval("SELECT count(*) FROM state.memberships")
    assert touched(plan) <= memberships * 0.4


async def test_the_counts_are_those_of_the_lists(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(
        """
        WITH counted AS (
            SELECT 'm' AS list, account_id, group_id, count(*) FROM directory.memberships
            GROUP BY 2, 3
            UNION ALL
            SELECT 'a', account_id, group_id, count(*) FROM directory.group_admins GROUP BY 2, 3
        )
        SELECT g.group_id, g.member_count, m.count, g.admin_count, a.count
        FROM directory.groups g
        LEFT JOIN counted m ON m.list = 'm' AND (m.account_id, m.group_id) = (g.account_id, g.group_id)
        LEFT JOIN counted a ON a.list = 'a' AND (a.account_id, a.group_id) = (g.account_id, g.group_id)
        WHERE g.member_count <> coalesce(m.count, 0) OR g.admin_count <> coalesce(a.count, 0)
        """
    )
    assert rows == []
