"""A shadow: one projection's tables in a schema of their own, filled from position 0.

Rows go into the tables by COPY, in bulk where memory lasts; keys and indexes come after.
"""

from collections.abc import Iterable
from typing import Final

from projector.database import Database
from projector.folding.fold import EventsByName
from projector.folding.tables import DeadLetter, MergeTable, Projection, SequenceTable
from projector.rebuild.merged_rows import MergedRows
from projector.rebuild.sequenced_states import SequencedStates
from projector.runtime.store import Store, columns_of
from projector.schema import create_tables

# Dead letters in memory: a few hundred bytes each.
MOST_LETTERS: Final = 10_000


class Shadow:
    """The shadow tables of one projection while their bulk is filled.

    `events` are those of its events that this process folds; others may be another's.
    """

    def __init__(
        self,
        database: Database,
        projection: Projection,
        schema: str,
        events: frozenset[str] | None = None,
    ) -> None:
        self.projection = projection
        self.events = projection.events if events is None else events
        self.schema = schema
        self.store = Store(database, schema, moves="move_rebuild")
        self._database = database
        self._merging = [
            MergedRows(database, schema, table)
            for table in projection.tables
            if isinstance(table, MergeTable)
        ]
        self._sequencing = [
            SequencedStates(self.store, database, table)
            for table in projection.tables
            if isinstance(table, SequenceTable)
        ]
        self._parts: list[MergedRows | SequencedStates] = [*self._merging, *self._sequencing]
        self._dead: dict[int, DeadLetter] = {}
        self._keyed = False

    @property
    def weight(self) -> int:
        """Estimated bytes of rows in memory."""
        return sum(part.weight for part in self._parts)

    @property
    def spares(self) -> int:
        """How well it does to spill this one: the greatest does best."""
        return max(map(_spares, self._parts))

    async def create(self) -> None:
        """Create the schema and its tables, without keys."""
        async with self._database.transaction() as connection:
            await connection.execute(f"CREATE SCHEMA {self.schema}")
            await create_tables(connection, self.projection, self.schema, "tables")
            await connection.execute(
                f"CREATE TABLE {self.schema}.dead_letters (LIKE state.dead_letters INCLUDING ALL)"
            )
        for part in self._parts:
            await part.create()

    async def fold(self, batch: EventsByName) -> None:
        """Fold a batch into the rows in memory."""
        events = {name: batch[name] for name in self.events if name in batch}
        for part in self._parts:
            await self._note(await part.fold(events))

    async def spill(self) -> None:
        """Write out before the end what takes most memory and is best spared."""
        part = max(self._parts, key=_spares)
        await part.spill()
        if isinstance(part, SequencedStates):
            await self._create_keys()  # from now on states are found by them

    async def write_runs(self) -> None:
        """Write out what this process folded; who finishes the shadow merges it with what others wrote."""
        for merged in self._merging:
            await merged.spill()
        await self._bury()

    def expect_runs(self) -> None:
        """Know that processes have written runs."""
        for merged in self._merging:
            merged.has_runs = True

    async def finish(self) -> None:
        """Write everything, fold the late entities from their histories, then create the indexes."""
        for merged in self._merging:
            await merged.finish()
        for states in self._sequencing:
            await states.write_out()
        await self._create_keys()
        for states in self._sequencing:
            await self._note(await states.refold())
        await self._bury()
        await self._create("indexes")
        for table in self.projection.tables:
            await self._database.fetch(f"ANALYZE {self.schema}.{table.name}", timeout=600)

    async def _create_keys(self) -> None:
        if not self._keyed:
            await self._create("keys")
            self._keyed = True

    async def _create(self, part: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute("SET LOCAL maintenance_work_mem = '64MB'")
            await create_tables(connection, self.projection, self.schema, part)

    async def _note(self, dead: Iterable[DeadLetter]) -> None:
        for letter in dead:
            self._dead.setdefault(letter.position, letter)
        if len(self._dead) > MOST_LETTERS:
            await self._bury()

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


def _spares(part: MergedRows | SequencedStates) -> int:
    return part.weight * part.spills_well
