"""A shadow: one projection's tables in a schema of their own, filled from position 0.

Rows collect in memory while it lasts and go into the tables by COPY; keys and indexes come after. Beyond
the memory's bound the rows collected so far are written out and read back when they are touched again.
An entity with a late event is set aside and folded from its history at the end: its state is a function of
its events, not of when they came.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from projector.database import Database
from projector.events import Event
from projector.folding.fold import (
    EventsByName,
    contribute,
    fold_entity,
    group_by_entity,
    merge_rows,
)
from projector.folding.tables import (
    DeadLetter,
    Key,
    MergeTable,
    Projection,
    Row,
    SequenceTable,
    Table,
)
from projector.runtime import statements
from projector.runtime.codec import codec_of
from projector.runtime.store import HistoryTooLong, Store, columns_of
from projector.schema import create_tables

# Estimated bytes in memory of a row, and of each byte of a document's event once it is decoded.
ROW_BYTES: Final = 900
DECODED: Final = 6
HISTORY_BYTES: Final = 250
LATE_BYTES: Final = 300
UPSERT_ROWS: Final = 1000
# Of one batch so many rows are read back at a time, and all are written out again beyond so many bytes,
# estimated as above: one of its small events may touch a large document.
RECALLED_AT_ONCE: Final = 500
RECALLED_BYTES: Final = 48 * 1024 * 1024
REFOLDED_AT_ONCE: Final = 500


class Shadow:
    """The shadow tables of one projection while their bulk is filled."""

    def __init__(self, database: Database, projection: Projection, schema: str) -> None:
        self.projection = projection
        self.schema = schema
        self.store = Store(database, schema, moves="move_rebuild")
        self.weight = 0
        self._recalled = 0
        self._database = database
        self._rows: dict[str, dict[Key, Row]] = defaultdict(dict)
        self._history: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._late: dict[str, set[Key]] = defaultdict(set)
        self._dead: dict[int, DeadLetter] = {}
        self._written: set[str] = set()

    async def create(self) -> None:
        """Create the schema and its tables, without keys."""
        async with self._database.transaction() as connection:
            await connection.execute(f"CREATE SCHEMA {self.schema}")
            await create_tables(connection, self.projection, self.schema, "tables")
            await connection.execute(
                f"CREATE TABLE {self.schema}.dead_letters (LIKE state.dead_letters INCLUDING ALL)"
            )
            for table in self._sequences():
                await connection.execute(
                    f"CREATE TABLE {self.schema}.{table.name}_late AS "
                    f"SELECT {', '.join(codec_of(table).key)} FROM {self.schema}.{table.name}"
                )

    def _sequences(self) -> list[SequenceTable]:
        return [table for table in self.projection.tables if isinstance(table, SequenceTable)]

    async def fold(self, events: EventsByName) -> None:
        """Fold a batch into the rows in memory."""
        for table in self.projection.tables:
            if isinstance(table, MergeTable):
                await self._merge(table, events)
            else:
                await self._sequence(table, events)

    async def _merge(self, table: MergeTable, events: EventsByName) -> None:
        brought = contribute(table, events)
        self._note(brought.dead)
        if not brought.rows:
            return
        rows = self._rows[table.name]
        await self._recall(table, rows, brought.rows)
        before = len(rows)
        merged = merge_rows(table, rows, brought.rows)
        rows.update(merged.new)
        rows.update(merged.changed)
        self.weight += (len(rows) - before) * ROW_BYTES

    async def _sequence(self, table: SequenceTable, events: EventsByName) -> None:
        grouped = group_by_entity(table, events)
        self._note(grouped.dead)
        entities = list(grouped.events.items())
        self._recalled = 0
        for start in range(0, len(entities), RECALLED_AT_ONCE):
            await self._fold_some(table, entities[start : start + RECALLED_AT_ONCE])

    async def _fold_some(
        self, table: SequenceTable, entities: Sequence[tuple[Key, list[Event]]]
    ) -> None:
        rows, late, history = (
            self._rows[table.name],
            self._late[table.name],
            self._history[table.history],
        )
        await self._recall(table, rows, [key for key, _ in entities if key not in late])
        before = len(history)
        for key, new in entities:
            history.extend((*key, event.position) for event in new)
            if key in late:
                continue
            state = rows.get(key)
            if state is None:
                state = table.start(key)
                self.weight += ROW_BYTES
            if min(event.order for event in new) <= state.folded:
                late.add(key)
                self.weight += LATE_BYTES
                continue
            rows[key], dead = fold_entity(table, state, new)
            self._note(dead)
            self.weight += DECODED * sum(event.size for event in new)
        self.weight += (len(history) - before) * HISTORY_BYTES
        if self._recalled > RECALLED_BYTES:
            await self.spill()
            self._recalled = 0

    def _note(self, dead: Iterable[DeadLetter]) -> None:
        for letter in dead:
            if self._dead.setdefault(letter.position, letter) is letter:
                self.weight += LATE_BYTES

    async def _recall(self, table: Table, rows: dict[Key, Row], keys: Iterable[Key]) -> None:
        """Read back the rows that were written out and are touched again."""
        if table.name not in self._written:
            return
        missing = [key for key in keys if key not in rows]
        found = (await self.store.load([(table, missing)]))[table.name]
        rows.update(found)
        measure = codec_of(table).document_bytes
        recalled = sum(max(ROW_BYTES * 2, DECODED * measure(row)) for row in found.values())
        self.weight += recalled
        self._recalled += recalled

    async def write_out(self) -> None:
        """Move the rows in memory into the tables."""
        for table in self.projection.tables:
            rows = self._rows.pop(table.name, {})
            if not rows:
                continue
            if table.name in self._written:
                await self._upsert(table, list(rows.values()))
            else:
                await self._copy(
                    table.name, codec_of(table).columns, map(codec_of(table).record, rows.values())
                )
        for sequence in self._sequences():
            key = codec_of(sequence).key
            if entries := self._history.pop(sequence.history, []):
                await self._copy(sequence.history, (*key, "position"), entries)
            if late := self._late.pop(sequence.name, set()):
                await self._copy(f"{sequence.name}_late", key, late)
        await self._bury()
        self.weight = 0

    async def spill(self) -> None:
        """Write out before the end: from now on rows are found by their keys."""
        first = not self._written
        await self.write_out()
        if first:
            await self._create("keys")
            self._written = {table.name for table in self.projection.tables}

    async def _copy(self, table: str, columns: Sequence[str], records: Iterable[Any]) -> None:
        async with self._database.transaction() as connection:
            await connection.copy_records_to_table(
                table, schema_name=self.schema, columns=columns, records=records, timeout=600
            )

    async def _upsert(self, table: Table, rows: list[Row]) -> None:
        statement = statements.upsert(self.schema, table)
        for start in range(0, len(rows), UPSERT_ROWS):
            columns = codec_of(table).transpose(rows[start : start + UPSERT_ROWS])
            await self._database.fetch(statement, *columns, timeout=600)

    async def _create(self, part: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute("SET LOCAL maintenance_work_mem = '64MB'")
            await create_tables(connection, self.projection, self.schema, part)

    async def finish(self) -> None:
        """Write everything, fold the late entities from their histories, then create the indexes."""
        await self.write_out()
        if not self._written:
            await self._create("keys")
        for sequence in self._sequences():
            await self._refold(sequence)
        await self._bury()
        await self._create("indexes")
        for table in self.projection.tables:
            await self._database.fetch(f"ANALYZE {self.schema}.{table.name}", timeout=600)

    async def _refold(self, table: SequenceTable) -> None:
        """Fold the entities that were set aside from their histories, some at a time."""
        late, names = f"{self.schema}.{table.name}_late", ", ".join(codec_of(table).key)
        await self._database.fetch(f"CREATE INDEX ON {late} ({names})", timeout=600)
        after = ("",) * table.key
        while keys := await self._database.fetch(
            f"SELECT DISTINCT {names} FROM {late} WHERE ({names}) > "
            f"({', '.join(f'${i + 1}' for i in range(table.key))}) ORDER BY {names} LIMIT $"
            f"{table.key + 1}",
            *after, REFOLDED_AT_ONCE,
            timeout=600,
        ):  # fmt: skip
            after = tuple(keys[-1])
            await self._refold_some(table, [tuple(key) for key in keys])

    async def _refold_some(self, table: SequenceTable, keys: list[Key]) -> None:
        try:
            histories = await self.store.histories(table, keys)
        except HistoryTooLong:
            middle = len(keys) // 2
            await self._refold_some(table, keys[:middle])
            await self._refold_some(table, keys[middle:])
            return
        rows = []
        for key, events in histories.items():
            state, dead = fold_entity(table, table.start(key), events)
            rows.append(state)
            self._note(dead)
        await self._upsert(table, rows)

    async def _bury(self) -> None:
        """Write dead letters; the first verdict on an event stands."""
        if self._dead:
            await self._database.fetch(
                f"INSERT INTO {self.schema}.dead_letters (projection, position, event, error) "
                "SELECT $1, r.* FROM unnest($2::bigint[], $3::text[], $4::text[]) AS r "
                "ON CONFLICT DO NOTHING",
                self.projection.name, *columns_of(list(self._dead.values())),
            )  # fmt: skip
            self._dead.clear()
