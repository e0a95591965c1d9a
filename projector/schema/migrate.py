"""Migrate: forward-only migrations, the projections' tables, and the views over them.

Everything happens in one transaction that takes a transaction-level lock first, so any number of replicas
may migrate at once, also through PgBouncer: one does it, the others wait and find nothing to do. No migration
tool that we know is asynchronous, leaves no session state behind, and re-creates views and derived tables by
rules of ours; hence these lines.
"""

import re
from collections.abc import Iterable
from typing import Final

import asyncpg

from projector.database import UNAVAILABLE, Connection, Database, Queryable, retrying
from projector.database_reasons import went_away
from projector.errors import DatabaseUnavailable, SchemaMismatch
from projector.folding.tables import Projection
from projector.projections import PROJECTIONS
from projector.schema.ddl import projection_statements, rights_text, roles_text, view_files
from projector.schema.migrations import migrations, read_applied, too_old
from projector.statements import queries

_SQL: Final = queries("schema")
_NEEDS: Final = re.compile(r"^-- needs: ([a-z_]+) (\d+)$", re.MULTILINE)

ATTEMPTS: Final = 30
DDL_SECONDS: Final = 3600.0  # an index of a large table takes its time

_LOCKED: Final = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


async def migrate(database: Database) -> list[str]:
    """Bring the schema up to date; returns the names of the migrations that were applied.

    Raises SchemaMismatch where the database is newer than this code and no longer serves it, or where this
    role may not migrate; DatabaseUnavailable where the database cannot be reached, or where somebody's lock
    outlasts a minute.
    """

    async def attempt() -> list[str]:
        async with database.transaction() as connection:
            return await _migrate_in(connection)

    try:
        return await retrying(attempt, on=_LOCKED, times=ATTEMPTS, pause=_pause)
    except _LOCKED as error:
        raise DatabaseUnavailable(
            "somebody holds a lock that the migration needs; end the long-running queries on the "
            "projector's tables and views, then run `projector migrate` again"
        ) from error
    except UNAVAILABLE as error:
        raise went_away(error, "nothing was changed: run `projector migrate` again") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise SchemaMismatch(
            f"this database role may not migrate ({error.args[0]}); let the role that migrated before, or a "
            "new one with CREATE on the database and CREATEROLE, run `projector migrate`"
        ) from error


def _pause(attempt: int) -> float:
    return 0.1 * min(attempt, 10)


async def _migrate_in(connection: Connection) -> list[str]:
    await connection.execute(_SQL["take_migration_lock"])
    await connection.execute(_SQL["limit_lock_waits"])
    await connection.execute(roles_text())
    await connection.execute(_SQL["create_ledger"])
    applied, serves = await read_applied(connection)
    known = migrations()
    if serves > len(known):
        raise SchemaMismatch(too_old(serves, len(known)))
    pending = [migration for migration in known if migration.number > applied]
    for migration in pending:
        await connection.execute(migration.text)
        await connection.execute(
            _SQL["record_migration"], migration.number, migration.name, migration.serves
        )
    if applied <= len(known):  # a newer release's views may show what this code does not know
        await create_missing_tables(connection)
        await create_views(connection)
        await connection.execute(rights_text())
    return [migration.name for migration in pending]


async def stored_versions(database: Queryable) -> dict[str, int]:
    """Return the version of each projection's stored rows."""
    rows = await database.fetch(_SQL["stored_versions"])
    return {row[0]: row[1] for row in rows}


async def create_missing_tables(connection: Connection) -> None:
    """Create the tables and the checkpoint of each projection that has none yet."""
    existing = await stored_versions(connection)
    for projection in PROJECTIONS:
        if projection.name not in existing:
            await create_tables(connection, projection, "state", "tables", "keys", "indexes")
            await connection.execute(
                _SQL["register_projection"], projection.name, projection.version
            )


async def create_tables(
    connection: Connection, projection: Projection, schema: str, *parts: str
) -> None:
    """Run parts of a projection's DDL in a schema."""
    for part in parts:
        await create_in(connection, schema, projection_statements(projection, part))


async def create_in(connection: Connection, schema: str, statements: Iterable[str]) -> None:
    """Run statements whose unqualified names mean a schema."""
    await connection.execute(_SQL["create_in"], schema)
    for statement in statements:
        await connection.execute(statement, timeout=DDL_SECONDS)
    await connection.execute(_SQL["create_in"], "public")


async def create_views(connection: Connection) -> None:
    """Create or replace every view; what users built on them stays.

    A file that says "-- needs: users 2" waits for the swap that brings that version of that projection.
    """
    stored = await stored_versions(connection)
    for text in view_files():
        if all(stored.get(name, 0) >= int(version) for name, version in _NEEDS.findall(text)):
            await connection.execute(text)
