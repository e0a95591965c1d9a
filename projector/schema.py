"""The schema: forward-only migrations, the projections' tables, and the views over them.

Everything happens in one transaction that takes a transaction-level lock first, so any number of replicas
may migrate at once, also through PgBouncer: one does it, the others wait and find nothing to do. A few
dozen lines stand in for a migration tool because none of those that exist is asynchronous, leaves no
session state behind, and re-creates views and derived tables by rules of their own.
"""

import asyncio
import re
from collections.abc import Iterator
from typing import Final

import asyncpg

from projector.database import UNAVAILABLE, Connection, Database
from projector.errors import DatabaseUnavailable, SchemaMismatch
from projector.folding.tables import Projection
from projector.migrations import Migration, migrations, too_old
from projector.projections import PROJECTIONS
from projector.statements import parse, sql_root

_EACH_LIST: Final = re.compile(r"-- for each list of: ([a-z_, ]+)\n")
_NEEDS: Final = re.compile(r"^-- needs: ([a-z_]+) (\d+)$", re.MULTILINE)

# How long a migration waits for a lock before it gives up and tries again: replicas at work queue behind
# a waiting migration, so it must not wait for long.
LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"
ATTEMPTS: Final = 30

_LEDGER: Final = """
CREATE SCHEMA IF NOT EXISTS projector;
CREATE TABLE IF NOT EXISTS projector.migrations (
    number int PRIMARY KEY, name text NOT NULL, serves int NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp());
"""


def projection_ddl(projection: Projection) -> dict[str, str]:
    """The statements `tables`, `keys` and `indexes` of a projection, with unqualified names."""
    path = sql_root() / "projections" / f"{projection.name}.sql"
    return parse(path.read_text(encoding="utf-8"))


def view_files() -> Iterator[str]:
    """The text of every view file, in the order in which they build on one another.

    A file that starts with "-- for each list of: a, b" comes once for each, in place of `{list}`.
    """
    for path in sorted((sql_root() / "views").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        each = _EACH_LIST.match(text)
        if each is None:
            yield text
        else:
            yield from (text.replace("{list}", name) for name in each[1].split(", "))


def full_text() -> str:
    """Everything that `migrate` runs on an empty database, as one script for one transaction."""
    parts = ["BEGIN;", _LEDGER]
    for migration in migrations():
        parts += [migration.text, f"{_recorded(migration)};"]
    for projection in PROJECTIONS:
        ddl = projection_ddl(projection)
        parts += ["SET LOCAL search_path = state;", ddl["tables"], ddl["keys"], ddl["indexes"]]
        parts.append(f"{_registered(projection)};")
    return "\n".join([*parts, "SET LOCAL search_path = public;", *view_files(), "COMMIT;"])


def _recorded(migration: Migration) -> str:
    values = f"{migration.number}, '{migration.name}', {migration.serves}"
    return f"INSERT INTO projector.migrations (number, name, serves) VALUES ({values})"


def _registered(projection: Projection) -> str:
    values = f"'{projection.name}', {projection.version}"
    return f"INSERT INTO state.checkpoints (projection, version) VALUES ({values})"


async def migrate(database: Database) -> list[str]:
    """Bring the schema up to date; answers the names of the migrations that were applied.

    Raises SchemaMismatch where the database is newer than this code and no longer serves it, and
    DatabaseUnavailable where it cannot be reached, or where somebody's lock outlasts a minute.
    """
    for attempt in range(ATTEMPTS):
        try:
            async with database.transaction() as connection:
                return await _migrate_in(connection)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(0.1 * min(attempt, 10))
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(
                f"the database went away while migrating ({type(error).__name__}); nothing was "
                "changed: run `projector migrate` again"
            ) from error
        except asyncpg.InsufficientPrivilegeError as error:
            raise SchemaMismatch(
                f"this database role may not migrate ({error}); let a role with CREATE on the "
                "database and CREATEROLE run `projector migrate`"
            ) from error
    raise DatabaseUnavailable(
        "somebody holds a lock that the migration needs; end the long-running queries on the "
        "projector's tables and views, then run `projector migrate` again"
    )


async def _migrate_in(connection: Connection) -> list[str]:
    await connection.execute("SELECT pg_advisory_xact_lock(7017, 2)")
    await connection.execute(LOCK_TIMEOUT)
    await connection.execute(_LEDGER)
    applied, serves = await _applied(connection)
    known = migrations()
    if serves > len(known):
        raise SchemaMismatch(too_old(serves, len(known)))
    pending = [migration for migration in known if migration.number > applied]
    for migration in pending:
        await connection.execute(migration.text)
        await connection.execute(_recorded(migration))
    if applied <= len(known):  # a newer release's views may show what this code does not know
        await create_missing_tables(connection)
        await create_views(connection)
    return [migration.name for migration in pending]


async def _applied(connection: Connection) -> tuple[int, int]:
    row = await connection.fetchrow(
        "SELECT coalesce(max(number), 0), coalesce(max(serves), 0) FROM projector.migrations"
    )
    assert row is not None  # noqa: S101  an aggregate always has a row
    return int(row[0]), int(row[1])


async def create_missing_tables(connection: Connection) -> None:
    """Create the tables and the checkpoint of each projection that has none yet."""
    rows = await connection.fetch("SELECT projection FROM state.checkpoints")
    existing = {row[0] for row in rows}
    for projection in PROJECTIONS:
        if projection.name not in existing:
            await create_tables(connection, projection, "state", "tables", "keys", "indexes")
            await connection.execute(
                "INSERT INTO state.checkpoints (projection, version) VALUES ($1, $2)",
                projection.name, projection.version,
            )  # fmt: skip


async def create_tables(
    connection: Connection, projection: Projection, schema: str, *parts: str
) -> None:
    """Run parts of a projection's DDL with `schema` as the place of its names."""
    ddl = projection_ddl(projection)
    await connection.execute(f"SET LOCAL search_path = {schema}")
    for part in parts:
        if ddl[part]:
            await connection.execute(ddl[part])
    await connection.execute("SET LOCAL search_path = public")


async def create_views(connection: Connection) -> None:
    """Create or replace every view; what users built on them stays.

    A file that says "-- needs: users 2" waits for the swap that brings that version of that projection.
    """
    rows = await connection.fetch("SELECT projection, version FROM state.checkpoints")
    stored = {row[0]: row[1] for row in rows}
    for text in view_files():
        if all(stored.get(name, 0) >= int(version) for name, version in _NEEDS.findall(text)):
            await connection.execute(text)
