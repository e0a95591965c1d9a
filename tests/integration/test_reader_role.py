"""The role `directory_reader` can read the directory and nothing else."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from projector.database import Database
from tests.integration.test_views_catalogue import CATALOGUE


@pytest.fixture
async def reader(database: Database, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection with no more rights than the role's, over a directory with rows in it."""
    await database.fetch(
        """
        INSERT INTO state.memberships VALUES
            ('A', 'email:eve@x.test', 'G', int8send(1), 1, NULL, 'eve@x.test', int8send(1), true, NULL,
             int8send(1), true, '', false)
        """
    )
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET SESSION AUTHORIZATION directory_reader")
    yield connection
    await connection.close()


@pytest.mark.parametrize("view", CATALOGUE)
async def test_the_reader_reads_every_view(reader: asyncpg.Connection, view: str) -> None:
    await reader.fetch(f"SELECT * FROM directory.{view}")


async def test_views_work_where_they_call_functions(reader: asyncpg.Connection) -> None:
    row = await reader.fetchrow("SELECT user_id, added_at IS NOT NULL FROM directory.memberships")
    assert tuple(row) == ("email:eve@x.test", True)


CLOSED = "('log', 'state', 'projector', 'public')"
RELATIONS = f"""
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'p', 'S') AND n.nspname IN {CLOSED}
"""
CALLS = f"""
    SELECT format('%I.%I(%s)', n.nspname, p.proname, (
        SELECT string_agg('NULL::' || t::regtype, ', ') FROM unnest(p.proargtypes) t))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prorettype <> 'trigger'::regtype AND n.nspname IN {CLOSED}
"""


async def test_the_reader_reads_no_table_and_no_other_view(
    reader: asyncpg.Connection, database: Database
) -> None:
    relations = [row[0] for row in await database.fetch(RELATIONS)]
    assert {"log.events", "log.deliveries", "log.quarantine", "state.users"} <= set(relations)
    for relation in relations:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(f"SELECT 1 FROM {relation} LIMIT 1")


async def test_the_reader_calls_no_function(reader: asyncpg.Connection, database: Database) -> None:
    calls = [row[0] for row in await database.fetch(CALLS)]
    assert {"state.at(NULL::bigint)", "log.as_jsonb(NULL::bytea)"} <= set(calls)
    for call in calls:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(f"SELECT {call}")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM directory.dead_letters",
        "UPDATE directory.dead_letters SET position = 0",
        "INSERT INTO directory.dead_letters (position, projection) VALUES (1, 'users')",
        "CREATE VIEW directory.mine AS SELECT 1",
        "CREATE TABLE public.mine (n int)",
        "ALTER VIEW directory.users RENAME TO mine",
    ],
)
async def test_the_reader_changes_nothing(reader: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(statement)


async def test_the_role_cannot_log_in_and_others_can_get_it(
    database: Database, database_url: str
) -> None:
    assert not await database.fetchval(
        "SELECT rolcanlogin OR rolsuper OR rolcreaterole OR rolbypassrls FROM pg_roles "
        "WHERE rolname = 'directory_reader'"
    )
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "CREATE ROLE reader_test_analyst; GRANT directory_reader TO reader_test_analyst;"
            "SET SESSION AUTHORIZATION reader_test_analyst"
        )
        assert await connection.fetch("SELECT * FROM directory.users") == []
    finally:
        await connection.execute(
            "RESET SESSION AUTHORIZATION; DROP ROLE IF EXISTS reader_test_analyst"
        )
        await connection.close()
