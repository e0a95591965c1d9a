"""The schema: what the migrations create, in which steps, and that code and tables agree."""

import asyncio
import re
import uuid
from pathlib import Path

import pytest

from projector.database import Database, open_database
from projector.errors import SchemaMismatch
from projector.folding.tables import SequenceTable, Table
from projector.projections import PROJECTIONS
from projector.schema.ddl import projection_ddl
from projector.schema.migrate import migrate
from projector.schema.migrations import check_schema, migrations
from projector.state.codec import codec_of
from projector.statements import sql_root
from tests.conftest import database_of, run_on
from tests.dump_schema import HEADER, dumped, normalised

TABLES = [table for p in PROJECTIONS for table in (*p.tables, *p.versions)]
COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'state' AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position
"""


async def columns(database: Database, table: str) -> list[tuple[str, str]]:
    """The columns that code writes, and their types."""
    return [(row[0], row[1]) for row in await database.fetch(COLUMNS, table)]


def test_the_committed_schema_is_what_the_migrations_give(database_url: str) -> None:
    committed = (sql_root() / "schema.sql").read_text(encoding="utf-8")
    assert committed.startswith(HEADER)
    assert normalised(committed) == dumped(database_url), "run the command in its first lines"


def test_migrations_are_numbered_named_and_say_whom_they_serve() -> None:
    found = migrations()
    assert [migration.number for migration in found] == list(range(1, len(found) + 1))
    assert len({migration.name for migration in found}) == len(found)
    served = [migration.serves for migration in found]
    assert served == sorted(served)
    for migration in found:
        assert re.fullmatch(r"\d{4}_[a-z_]+", migration.name)
        assert 1 <= migration.serves <= migration.number


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"0001_log.sql": "-- serves: 1\n", "0003_next.sql": "-- serves: 1\n"}, "numbered"),
        ({"0001_log.sql": "-- serves: 1\n", "0001_other.sql": "-- serves: 1\n"}, "numbered"),
        ({"1_log.sql": "-- serves: 1\n"}, "a name like"),
        ({"0001_Log.sql": "-- serves: 1\n"}, "a name like"),
        ({"0001_log.sql": "SELECT 1;\n"}, "a first line"),
    ],
)
def test_a_migration_that_breaks_the_rules_is_refused(
    tmp_path: Path, files: dict[str, str], complaint: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        migrations(tmp_path)


async def test_migrating_again_does_nothing(database: Database, database_url: str) -> None:
    before = dumped(database_url)
    assert await migrate(database) == []
    assert dumped(database_url) == before
    rows = await database.fetch("SELECT number, name, serves FROM projector.migrations ORDER BY 1")
    assert [tuple(row) for row in rows] == [(m.number, m.name, m.serves) for m in migrations()]


async def test_what_users_built_on_the_views_survives_a_migration(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("CREATE SCHEMA theirs")
        await connection.execute("CREATE VIEW theirs.mails AS SELECT email FROM directory.users")
    await migrate(database)
    assert await database.fetch("SELECT email FROM theirs.mails") == []
    assert await database.fetchval("SELECT obj_description('directory.users'::regclass)")


async def test_code_and_schema_tell_when_they_do_not_serve_each_other(database: Database) -> None:
    await check_schema(database)
    newest = len(migrations())
    add = "INSERT INTO projector.migrations (number, name, serves) VALUES ($1, 'next', $2)"
    await database.fetch(add, newest + 1, newest)
    await check_schema(database)
    assert await migrate(database) == []
    await database.fetch(add, newest + 2, newest + 1)
    for refused in (check_schema, migrate):
        with pytest.raises(SchemaMismatch, match="run a newer release"):
            await refused(database)
    await database.fetch("DELETE FROM projector.migrations WHERE number >= $1", newest)
    with pytest.raises(SchemaMismatch, match="run `projector migrate`"):
        await check_schema(database)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_row_type_is_its_table(database: Database, table: Table) -> None:
    codec = codec_of(table)
    assert await columns(database, table.name) == list(zip(codec.columns, codec.types, strict=True))
    if isinstance(table, SequenceTable):
        expected = [*zip(codec.key, codec.types[: table.key], strict=True), ("position", "bigint")]
        assert await columns(database, table.history) == expected


def test_every_table_of_a_projection_is_one_of_its_row_types() -> None:
    known = {table.name for table in TABLES}
    known |= {table.history for table in TABLES if isinstance(table, SequenceTable)}
    made: set[str] = set()
    for projection in PROJECTIONS:
        made |= set(re.findall(r"CREATE TABLE (\w+)", projection_ddl(projection)["tables"]))
    assert made == known


async def test_a_checkpoint_stands_for_every_projection(database: Database) -> None:
    rows = await database.fetch("SELECT projection, version FROM state.checkpoints")
    assert {row[0]: row[1] for row in rows} == {p.name: p.version for p in PROJECTIONS}


async def test_replicas_migrate_an_empty_database_at_once(server: str) -> None:
    name = f"raced_{uuid.uuid4().hex[:8]}"
    await run_on(server, f"CREATE DATABASE {name}")
    databases = [await open_database(database_of(server, name), size=1) for _ in range(8)]
    applied = await asyncio.gather(*(migrate(each) for each in databases))
    assert sorted(applied) == [[]] * 7 + [[migration.name for migration in migrations()]]
    for each in databases:
        await each.close()
    await run_on(server, f"DROP DATABASE {name}")
