"""The rows and versions of merge tables that have versions: each key is merged once, in event order."""

from collections.abc import AsyncIterator
from itertools import groupby
from typing import Any, Final

from projector.database import Connection
from projector.folding.tables import MergeTable, Row, VersionsTable
from projector.folding.versions import all_versions
from projector.state import shadow_sql
from projector.state.codec import codec_of
from projector.state.rebuilds import reads_no_view
from projector.state.shadow import STATEMENT_SECONDS, Shadow

ROWS_AT_ONCE: Final = 2000


class Versions:
    """Versions on their way into a shadow, a few thousand at a time."""

    def __init__(self, shadow: Shadow, table: VersionsTable | None) -> None:
        self._shadow = shadow
        self._table = table
        self._rows: list[Row] = []

    async def add(self, rows: list[Row]) -> None:
        """Take the versions of an entity."""
        self._rows += rows
        if len(self._rows) > ROWS_AT_ONCE:
            await self.write()

    async def write(self) -> None:
        """Write what is still here."""
        rows, self._rows = self._rows, []
        if rows and self._table is not None:
            await self._shadow.write_rows(self._table, rows)


async def merge_versions(shadow: Shadow, number: int, part: int, parts: int) -> None:
    """Merge the rows of one slice of a merge table, given by its number in the projection."""
    table = shadow.projection.merging[number]
    async with shadow.database.transaction() as connection:
        await reads_no_view(connection)
        await connection.execute(shadow_sql.MORE_MEMORY)
        merged = _merged(connection, shadow, table, part, parts)
        await shadow.copy(table.name, codec_of(table).columns, merged)


async def _merged(
    connection: Connection, shadow: Shadow, table: MergeTable, part: int, parts: int
) -> AsyncIterator[tuple[Any, ...]]:
    """Yield the row of each key, as COPY takes it; writes the versions."""
    assert table.versions is not None  # noqa: S101  only tables with versions have such tasks
    codec, of = codec_of(table), table.versions
    versions = Versions(shadow, of)
    async for rows in _by_key(connection, shadow, table, part, parts):
        mine = all_versions(table, of, rows)
        yield codec.record(of.restored(mine[-1]))
        await versions.add(mine)
    await versions.write()


async def _by_key(
    connection: Connection, shadow: Shadow, table: MergeTable, part: int, parts: int
) -> AsyncIterator[list[Row]]:
    """Yield the rows of each key, in event order."""
    row_of = codec_of(table).row
    statement = shadow_sql.rows_of_runs(shadow.schema, table)
    cursor = await connection.cursor(statement, part, parts, timeout=STATEMENT_SECONDS)
    held: list[Row] = []
    while records := await cursor.fetch(ROWS_AT_ONCE, timeout=STATEMENT_SECONDS):
        rows = map(row_of, map(tuple, records))
        for key, group in groupby(rows, lambda row: row[: table.key]):
            if held and held[0][: table.key] != key:
                yield held
                held = []
            held += group
    if held:
        yield held
