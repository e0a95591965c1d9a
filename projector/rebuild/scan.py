"""The scan: ranges of the log, each read and decoded once for all shadows.

Rows of merge tables collect in memory and are written out as runs. Merging does not depend on order, so it
does not matter which process reads which range, when, or where a run ends. Those of a table with versions go
to its runs with one row an event and key. For a sequence table the scan records only which entity each event
belongs to.
"""

from collections.abc import Collection, Sequence
from typing import Final

from projector.database import Database
from projector.folding.fold import (
    EventsByName,
    contribute,
    contributed,
    group_by_entity,
    telling,
)
from projector.folding.tables import DeadLetter, Key, MergeTable, Row
from projector.folding.versions import rows_by_order
from projector.log import read as log
from projector.state.batch import by_name, skim_rows
from projector.state.codec import codec_of
from projector.state.shadow import Shadow
from projector.state.shadow_sql import history_columns, runs_of
from projector.zoom.catalogue import CATALOGUE

READ_ROWS: Final = 2000
READ_BYTES: Final = 2 * 1024 * 1024

# Bytes of a merge table's row in memory: estimated, on the high side.
ROW_BYTES: Final = 900
# A run is spilled only if it holds at least this part (1/8) of the rows that fit into memory.
SMALLEST_RUN: Final = 8
# History entries, and dead letters, held in memory: a few hundred bytes each.
MOST_ENTRIES: Final = 10_000


class Scanner:
    """Scans ranges of the log for some shadows; holds about `memory` bytes of rows."""

    def __init__(self, database: Database, shadows: Sequence[Shadow], memory: int) -> None:
        self._database = database
        self._collected = [_Collected(shadow) for shadow in shadows]
        self._most_rows = memory // ROW_BYTES
        names = frozenset().union(*(shadow.projection.events for shadow in shadows))
        self._names = None if names.issuperset(CATALOGUE.names) else CATALOGUE.sent_as(names)

    async def scan(
        self, start: int, end: int, repeated: frozenset[int], until_ms: int | None = None
    ) -> None:
        """Scan the events after position `start` up to `end`, except those at `repeated` positions.

        `until_ms`: only the events up to that time, in epoch milliseconds.
        Newest first: most older events then no longer change anything, and make no row.
        """
        while start < end:
            rows = await log.scan(
                self._database, start, end,
                rows=READ_ROWS, size=READ_BYTES, events=self._names, timeout=60.0,
            )  # fmt: skip
            if not rows:
                return
            end = rows[-1][0] - 1
            if repeated:
                rows = [row for row in rows if row[0] not in repeated]
            skimmed = skim_rows(rows)
            if until_ms is not None:
                skimmed = [event for event in skimmed if event.time_ms <= until_ms]
            events = by_name(skimmed)
            for collected in self._collected:
                await collected.add(events)
            await self._spill()

    async def _spill(self) -> None:
        """Write out tables until the rest fits into memory, first those whose rows merge least."""
        tables = [(collected, table) for collected in self._collected for table in collected.rows]
        held = sum(len(collected.rows[table]) for collected, table in tables)
        if held <= self._most_rows:
            return
        for collected, table in sorted(tables, key=lambda one: one[0].merging(one[1])):
            rows = len(collected.rows[table])
            if rows * SMALLEST_RUN >= self._most_rows:
                await collected.write_run(table)
                held -= rows
            if held <= self._most_rows:
                return

    async def finish(self) -> None:
        """Write out everything."""
        for collected in self._collected:
            await collected.write_all()


class _Collected:
    """What the scan has found for one shadow and not yet written."""

    def __init__(self, shadow: Shadow) -> None:
        merging = shadow.projection.merging
        self.rows: dict[MergeTable, dict[Key, Row]] = {t: {} for t in merging if not t.versions}
        self._unmerged: dict[MergeTable, list[Row]] = {t: [] for t in merging if t.versions}
        self._merged = dict.fromkeys(self.rows, 0)
        self._shadow = shadow
        self._sequence = shadow.projection.sequence
        self._entries: list[tuple[object, ...]] = []
        self._dead: list[DeadLetter] = []

    async def add(self, events: EventsByName) -> None:
        for table, rows in self.rows.items():
            self._merged[table] += sum(len(events.get(name, ())) for name in table.rows)
            self._dead += contribute(table, telling(table, events, rows), rows)
        for table, unmerged in self._unmerged.items():
            found, dead = contributed(table, events)
            for by_order in rows_by_order(table, found).values():
                unmerged.extend(by_order.values())
            self._dead += dead
            if len(unmerged) > MOST_ENTRIES:
                await self._write_unmerged(table)
        if self._sequence is not None:
            grouped = group_by_entity(self._sequence, events)
            self._dead += grouped.dead
            for key, some in grouped.events.items():
                self._entries += [(*key, event.position) for event in some]
        if len(self._entries) > MOST_ENTRIES:
            await self._write_entries()
        if len(self._dead) > MOST_ENTRIES:
            await self._write_dead_letters()

    def merging(self, table: MergeTable) -> float:
        """The mean number of events for each row of a table in memory."""
        return self._merged[table] / (len(self.rows[table]) or 1)

    async def write_all(self) -> None:
        for table in self.rows:
            await self.write_run(table)
        for table in self._unmerged:
            await self._write_unmerged(table)
        await self._write_entries()
        await self._write_dead_letters()

    async def write_run(self, table: MergeTable) -> None:
        rows, self.rows[table] = self.rows[table], {}
        self._merged[table] = 0
        await self._write_rows(table, rows.values())

    async def _write_unmerged(self, table: MergeTable) -> None:
        rows, self._unmerged[table] = self._unmerged[table], []
        await self._write_rows(table, rows)

    async def _write_rows(self, table: MergeTable, rows: Collection[Row]) -> None:
        if rows:
            codec = codec_of(table)
            await self._shadow.copy(runs_of(table), codec.columns, map(codec.record, rows))

    async def _write_entries(self) -> None:
        entries, self._entries = self._entries, []
        if self._sequence is not None and entries:
            columns = history_columns(self._sequence)
            await self._shadow.copy(self._sequence.history, columns, entries)

    async def _write_dead_letters(self) -> None:
        dead, self._dead = self._dead, []
        await self._shadow.write_dead_letters(dead)
