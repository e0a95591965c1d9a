"""A shadow: one projection's tables in a schema of their own, filled from the start of the log."""

from collections.abc import AsyncIterable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from projector.database import Connection, Database
from projector.folding.tables import DeadLetter, Projection, Row, Table
from projector.schema.ddl import projection_statements
from projector.schema.migrate import create_in, create_tables
from projector.state import shadow_sql
from projector.state.codec import codec_of
from projector.state.rebuilds import act_as_projector, shadow_schemas
from projector.state.store import columns_of

STATEMENT_SECONDS: Final = 3600.0


@dataclass(frozen=True)
class Shadow:
    """The tables into which one projection is folded again."""

    database: Database
    projection: Projection
    schema: str

    async def create(self) -> None:
        """Create the schema and its tables, without keys."""
        async with self.database.transaction() as connection:
            await connection.execute(shadow_sql.create_schema(self.schema))
            await act_as_projector(connection)
            await create_tables(connection, self.projection, self.schema, "tables")
            await connection.execute(shadow_sql.create_beside(self.schema, self.projection))

    async def build(self, part: str, number: int) -> None:
        """Create one of the keys or indexes; keys come before states, which read the history by key."""
        statement = projection_statements(self.projection, part)[number]
        async with self.database.transaction() as connection:
            await connection.execute(shadow_sql.MORE_MEMORY)
            await create_in(connection, self.schema, [statement])

    async def analyze(self, table: str) -> None:
        """Gather the planner's statistics of a table."""
        statement = shadow_sql.analyze(self.schema, table)
        await self.database.fetch(statement, timeout=STATEMENT_SECONDS)

    async def merge_runs(self, table: int, part: int, parts: int) -> None:
        """Merge the runs of a slice of a merge table, given by its number in the projection."""
        statement = shadow_sql.merge_runs(self.schema, self.projection.merging[table])
        async with self.database.transaction() as connection:
            await connection.execute(shadow_sql.MORE_MEMORY)
            await connection.execute(statement, part, parts, timeout=STATEMENT_SECONDS)

    async def copy(
        self, table: str, columns: Sequence[str], records: Iterable[Any] | AsyncIterable[Any]
    ) -> None:
        """Write records into one of the tables."""
        async with self.database.transaction() as connection:
            await connection.copy_records_to_table(
                table, schema_name=self.schema, columns=columns, records=records,
                timeout=STATEMENT_SECONDS,
            )  # fmt: skip

    async def write_rows(self, table: Table, rows: Iterable[Row]) -> None:
        """Write rows into the table that they are of."""
        codec = codec_of(table)
        await self.copy(table.name, codec.columns, map(codec.record, rows))

    async def write_dead_letters(self, dead: Sequence[DeadLetter]) -> None:
        """Write dead letters; an event keeps its first error."""
        if dead:
            statement = shadow_sql.dead_letters(self.schema)
            await self.database.fetch(statement, self.projection.name, *columns_of(dead))


async def drop_shadows(connection: Connection, projection: str) -> None:
    """Drop all shadows of a projection, whoever created them."""
    for schema in await shadow_schemas(connection, projection):
        await connection.execute(shadow_sql.drop_schema(schema))
