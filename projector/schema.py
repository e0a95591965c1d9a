"""The schema: forward-only migrations, the projections' tables, and the views over them.

Everything happens in one transaction that takes a transaction-level lock first, so any number of replicas
may migrate at once, also through PgBouncer: one does it, the others wait and find nothing to do. A few
dozen lines stand in for a migration tool because none of those that exist is asynchronous, leaves no
session state behind, and re-creates views and derived tables by rules of their own.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg

from projector.database import UNAVAILABLE, Connection, Database, Queryable
from projector.errors import DatabaseUnavailable, SchemaMismatch
from projector.folding.tables import Projection
from projector.projections import PROJECTIONS
from projector.statements import parse, sql_root

_FILE: Final = re.compile(r"(\d{4})_[a-z_]+\.sql")
_SERVES: Final = re.compile(r"-- serves: (\d+)\n")
_EACH_LIST: Final = re.compile(r"-- for each list of: ([a-z_, ]+)\n")

# How long a migration waits for a lock before it gives up and tries again: replicas at work queue behind
# a waiting migration, so it must not wait for long.
LOCK_TIMEOUT: Final = "2s"


class Migration(NamedTuple):
    """A step of the schema. `serves` is the number of the oldest code that the result still serves."""

    number: int
    name: str
    serves: int
    text: str


def migrations(folder: Path | None = None) -> list[Migration]:
    """All migrations in order; raises ValueError where numbers have gaps or a header is missing."""
    found = []
    for path in sorted((folder or sql_root() / "migrations").glob("*.sql")):
        named, text = _FILE.fullmatch(path.name), path.read_text(encoding="utf-8")
        serves = _SERVES.match(text)
        if named is None or serves is None:
            raise ValueError(f"{path.name}: a name like 0001_log.sql and a first line '-- serves: N'")
        found.append(Migration(int(named[1]), path.stem, int(serves[1]), text))
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("migrations are not numbered 1, 2, 3 and so on")
    return found


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
    """Everything that `migrate` runs on an empty database, as one script."""
    parts = [migration.text for migration in migrations()]
    for projection in PROJECTIONS:
        ddl = projection_ddl(projection)
        parts.append(f"SET LOCAL search_path = state;\n{ddl['tables']}\n{ddl['keys']}\n{ddl['indexes']}")
    return "\n".join([*parts, "SET LOCAL search_path = public;", *view_files()])


async def migrate(database: Database) -> list[str]:
    """Bring the schema up to date; answers the names of the migrations that were applied.

    Raises SchemaMismatch where the database is newer than this code and no longer serves it, and
    DatabaseUnavailable where it cannot be reached.
    """
    try:
        async with database.transaction() as connection:
            return await migrate_in(connection)
    except UNAVAILABLE as error:
        raise DatabaseUnavailable(
            f"the database went away while migrating ({type(error).__name__}); nothing was changed: "
            "run `projector migrate` again"
        ) from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise SchemaMismatch(
            f"this database role may not migrate ({error}); let a role with CREATE on the database "
            "and CREATEROLE run `projector migrate`"
        ) from error


async def migrate_in(connection: Connection) -> list[str]:
    """`migrate` within the caller's transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock(7017, 2)")
    await connection.execute(
        """
        CREATE SCHEMA IF NOT EXISTS projector;
        CREATE TABLE IF NOT EXISTS projector.migrations (
            number int PRIMARY KEY, name text NOT NULL, serves int NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp())
        """
    )
    applied, serves = await _applied(connection)
    known = migrations()
    if serves > len(known):
        raise SchemaMismatch(_too_old(serves, len(known)))
    pending = [migration for migration in known if migration.number > applied]
    for migration in pending:
        await connection.execute(migration.text)
        await connection.execute(
            "INSERT INTO projector.migrations (number, name, serves) VALUES ($1, $2, $3)",
            migration.number, migration.name, migration.serves,
        )  # fmt: skip
    if applied <= len(known):
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
    """Create or replace every view; what users built on them stays."""
    for text in view_files():
        await connection.execute(text)


async def check_schema(database: Queryable) -> None:
    """Raise SchemaMismatch unless the schema has what this code needs and still serves it."""
    try:
        rows = await database.fetch(
            "SELECT coalesce(max(number), 0), coalesce(max(serves), 0) FROM projector.migrations"
        )
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        raise SchemaMismatch("the database has no schema yet; run `projector migrate`") from None
    applied, serves = rows[0]
    needed = len(migrations())
    if applied < needed:
        raise SchemaMismatch(
            f"the schema is at migration {applied} and this code needs {needed}; "
            "run `projector migrate`"
        )
    if serves > needed:
        raise SchemaMismatch(_too_old(serves, needed))


def _too_old(serves: int, number: int) -> str:
    return (
        f"the schema serves code from migration {serves} on and this code is of {number}; "
        "run a newer release of the projector"
    )
