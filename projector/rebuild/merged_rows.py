"""The rows of a merge table while a shadow is filled.

They collect in memory. What does not fit is written out as runs, of which a key may have a row in each, and
forgotten: no row is looked up again while the log is read. In the end the runs are merged as rows are in
memory, in the order of their keys.
"""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

from projector.database import Database
from projector.folding.fold import EventsByName, contribute
from projector.folding.tables import DeadLetter, Key, MergeTable, Row
from projector.rebuild.copying import copy
from projector.runtime.codec import codec_of

# Estimated bytes of a row in memory.
ROW_BYTES: Final = 900
FETCHED_AT_ONCE: Final = 1000


class MergedRows:
    """One merge table of a shadow. `weight`: estimated bytes of the rows in memory.

    `has_runs`: there are rows in the table of runs, of this process or another.
    """

    # To spill costs a sort in the end; states that were spilled cost a look-up whenever they are touched.
    spills_well: Final = 4

    def __init__(self, database: Database, schema: str, table: MergeTable) -> None:
        self.table = table
        self.has_runs = False
        self._database = database
        self._schema = schema
        self._rows: dict[Key, Row] = {}

    async def create(self) -> None:
        """Create the table of the runs."""
        await self._database.fetch(
            f"CREATE UNLOGGED TABLE {self._runs} AS "
            f"SELECT {self._names} FROM {self._schema}.{self.table.name}"
        )

    @property
    def weight(self) -> int:
        """Estimated bytes in memory."""
        return len(self._rows) * ROW_BYTES

    async def fold(self, events: EventsByName) -> list[DeadLetter]:
        """Merge a batch's events into the rows."""
        return contribute(self.table, events, self._rows)

    async def spill(self) -> None:
        """Write the rows out as a run."""
        self.has_runs = True
        await self._copy(f"{self.table.name}_runs")

    async def finish(self) -> None:
        """Write everything into the table."""
        if not self.has_runs:
            await self._copy(self.table.name)
            return
        await self.spill()
        schema, table = self._schema, self.table.name
        async with self._database.transaction() as connection:
            await connection.execute("SET LOCAL work_mem = '64MB'")
            # Of most tables few keys stand in two runs: those alone are sorted.
            await connection.execute(
                f"CREATE UNLOGGED TABLE {self._repeated} AS SELECT {self._key} FROM {self._runs} "
                f"GROUP BY {self._key} HAVING count(*) > 1; ANALYZE {self._repeated}",
                timeout=3600,
            )
            await connection.execute(
                f"INSERT INTO {schema}.{table} ({self._names}) SELECT {self._names} FROM {self._runs} r "
                f"WHERE NOT EXISTS (SELECT FROM {self._repeated} k WHERE {self._same_key})",
                timeout=3600,
            )
            repeated = connection.cursor(
                f"SELECT {self._names} FROM {self._runs} JOIN {self._repeated} USING ({self._key}) "
                f"ORDER BY {self._key}",
                prefetch=FETCHED_AT_ONCE,
                timeout=3600,
            )
            columns = codec_of(self.table).columns
            await copy(self._database, schema, table, columns, self._merged(repeated))
        await self._database.fetch(f"DROP TABLE {self._runs}, {self._repeated}")

    async def _merged(self, records: AsyncIterable[Row]) -> AsyncIterator[tuple[object, ...]]:
        codec, merge = codec_of(self.table), self.table.merge
        one: Row | None = None
        async for record in records:
            row = codec.row(tuple(record))
            if one is None:
                one = row
            elif one[: self.table.key] == row[: self.table.key]:
                one = merge(one, row)
            else:
                yield codec.record(one)
                one = row
        if one is not None:
            yield codec.record(one)

    async def _copy(self, into: str) -> None:
        if not self._rows:
            return
        codec = codec_of(self.table)
        records = map(codec.record, self._rows.values())
        await copy(self._database, self._schema, into, codec.columns, records)
        self._rows.clear()

    @property
    def _runs(self) -> str:
        return f"{self._schema}.{self.table.name}_runs"

    @property
    def _repeated(self) -> str:
        return f"{self._schema}.{self.table.name}_repeated"

    @property
    def _names(self) -> str:
        return ", ".join(codec_of(self.table).columns)

    @property
    def _key(self) -> str:
        return ", ".join(codec_of(self.table).key)

    @property
    def _same_key(self) -> str:
        return " AND ".join(f"k.{name} = r.{name}" for name in codec_of(self.table).key)
