"""The states of a sequence table while a shadow is filled.

They collect in memory, as records. Beyond the memory's bound they are written out, and read back when they
are touched again. An entity with a late event is set aside and folded from its history at the end: its state
is a function of its events, not of when they came.
"""

from collections.abc import Sequence
from typing import Any, Final

from projector.database import Database
from projector.events import Event
from projector.folding.fold import EventsByName, fold_entity, group_by_entity
from projector.folding.tables import DeadLetter, Key, SequenceTable
from projector.rebuild.copying import copy
from projector.runtime import statements
from projector.runtime.codec import codec_of
from projector.runtime.store import HistoryTooLong, Store, columns_of

# Estimated bytes in memory of a record without its documents, and of the key of one that was set aside.
RECORD_BYTES: Final = 900
LATE_BYTES: Final = 300
# Entries are a few hundred bytes each.
HISTORY_ENTRIES: Final = 10_000
UPSERT_ROWS: Final = 1000
# Of one batch so many states are read back at a time, and all are written out again beyond so many bytes:
# a small event may touch a large document.
RECALLED_AT_ONCE: Final = 500
RECALLED_BYTES: Final = 16 * 1024 * 1024
REFOLDED_AT_ONCE: Final = 500


class SequencedStates:
    """One sequence table of a shadow. `weight`: estimated bytes of what is in memory."""

    spills_well: Final = 1

    def __init__(self, store: Store, database: Database, table: SequenceTable) -> None:
        self.table = table
        self.weight = 0
        self._store = store
        self._database = database
        self._codec = codec_of(table)
        self._records: dict[Key, tuple[Any, ...]] = {}
        self._history: list[tuple[Any, ...]] = []
        self._late: set[Key] = set()
        self._spilled = False

    async def create(self) -> None:
        """Create the table of those set aside."""
        await self._database.fetch(
            f"CREATE UNLOGGED TABLE {self._late_table} AS "
            f"SELECT {', '.join(self._codec.key)} FROM {self._store.schema}.{self.table.name}"
        )

    async def fold(self, events: EventsByName) -> list[DeadLetter]:
        """Fold a batch's events into the states."""
        grouped = group_by_entity(self.table, events)
        dead, entities = grouped.dead, list(grouped.events.items())
        recalled = 0
        for start in range(0, len(entities), RECALLED_AT_ONCE):
            some = entities[start : start + RECALLED_AT_ONCE]
            recalled += await self._recall([key for key, _ in some if key not in self._late])
            for key, new in some:
                dead += self._fold(key, new)
            if recalled > RECALLED_BYTES:
                await self.spill()
                recalled = 0
        if len(self._history) > HISTORY_ENTRIES:
            await self._write_history()
        return dead

    def _fold(self, key: Key, new: list[Event]) -> list[DeadLetter]:
        self._history.extend((*key, event.position) for event in new)
        if key in self._late:
            return []
        known = self._records.get(key)
        state = self.table.start(key) if known is None else self._codec.row(known)
        if min(event.order for event in new) <= state.folded:
            self._late.add(key)
            self.weight += LATE_BYTES
            return []
        state, dead = fold_entity(self.table, state, new)
        self._keep(key, known, self._codec.record(state))
        return dead

    def _keep(self, key: Key, known: tuple[Any, ...] | None, record: tuple[Any, ...]) -> None:
        self._records[key] = record
        self.weight += self._codec.documents_size(record)
        self.weight += RECORD_BYTES if known is None else -self._codec.documents_size(known)

    async def _recall(self, keys: list[Key]) -> int:
        """Read back the states that were written out and are touched again; answers their bytes."""
        if not self._spilled:
            return 0
        missing = [key for key in keys if key not in self._records]
        before = self.weight
        found = (await self._store.load([(self.table, missing)]))[self.table.name]
        for key, state in found.items():
            self._keep(key, None, self._codec.record(state))
        return self.weight - before

    async def spill(self) -> None:
        """Write out before the end; the table must have its key by then."""
        await self.write_out()
        self._spilled = True

    async def write_out(self) -> None:
        """Move what is in memory into the tables."""
        records, self._records = list(self._records.values()), {}
        if self._spilled:
            await self._upsert(records)
        else:
            await self._copy(self.table.name, self._codec.columns, records)
        await self._write_history()
        late, self._late = list(self._late), set()
        await self._copy(f"{self.table.name}_late", self._codec.key, late)
        self.weight = 0

    async def _write_history(self) -> None:
        entries, self._history = self._history, []
        await self._copy(self.table.history, (*self._codec.key, "position"), entries)

    async def _copy(self, table: str, columns: Sequence[str], records: Sequence[Any]) -> None:
        if records:
            await copy(self._database, self._store.schema, table, columns, records)

    async def _upsert(self, records: Sequence[Any]) -> None:
        statement = statements.upsert(self._store.schema, self.table)
        for start in range(0, len(records), UPSERT_ROWS):
            columns = columns_of(records[start : start + UPSERT_ROWS])
            await self._database.fetch(statement, *columns, timeout=600)

    async def refold(self) -> list[DeadLetter]:
        """Fold the entities that were set aside from their histories, some at a time."""
        names, width = ", ".join(self._codec.key), self.table.key
        await self._database.fetch(f"CREATE INDEX ON {self._late_table} ({names})", timeout=600)
        dead: list[DeadLetter] = []
        after = ("",) * width
        while keys := await self._database.fetch(
            f"SELECT DISTINCT {names} FROM {self._late_table} WHERE ({names}) > "
            f"({', '.join(f'${i + 1}' for i in range(width))}) ORDER BY {names} LIMIT ${width + 1}",
            *after, REFOLDED_AT_ONCE,
            timeout=600,
        ):  # fmt: skip
            after = tuple(keys[-1])
            dead += await self._refold_some([tuple(key) for key in keys])
        return dead

    async def _refold_some(self, keys: list[Key]) -> list[DeadLetter]:
        try:
            histories = await self._store.histories(self.table, keys)
        except HistoryTooLong:
            middle = len(keys) // 2
            return await self._refold_some(keys[:middle]) + await self._refold_some(keys[middle:])
        dead: list[DeadLetter] = []
        records = []
        for key, events in histories.items():
            state, unfolded = fold_entity(self.table, self.table.start(key), events)
            records.append(self._codec.record(state))
            dead += unfolded
        await self._upsert(records)
        return dead

    @property
    def _late_table(self) -> str:
        return f"{self._store.schema}.{self.table.name}_late"
