"""State tables: load rows, load histories, write a batch. Sole writer of the schema it is given."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from projector.database import Queryable
from projector.errors import Fenced
from projector.events import Event
from projector.folding.fold import (
    EventsByName,
    contribute,
    fold_entity,
    group_by_entity,
    late_entities,
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
from projector.runtime.batch import decode_rows
from projector.runtime.codec import Column, codec_of

LIVE: Final = "state"

# Generous: no batch takes this long; but nothing may hang for ever.
STATEMENT_SECONDS: Final = 30.0

# Most events of several entities' past in memory at once. One entity alone is read whole.
HISTORY_EVENTS: Final = 10_000
HISTORY_BODIES: Final = 8 * 1024 * 1024  # in bytes; decoded they take about eight times as much
UNLIMITED: Final = 2**62

Rows = dict[str, dict[Key, Row]]


class HistoryTooLong(Exception):
    """The past of these entities together is more than is meant to be in memory at once."""


@dataclass
class Change:
    """What a batch changes: rows by table, new history entries by table, dead letters.

    `new` are rows of keys that the tables do not hold yet, `changed` those that stand there otherwise, and
    `merged` those that the database merges with what stands there.
    """

    new: list[tuple[Table, dict[Key, Row]]] = field(default_factory=list)
    changed: list[tuple[Table, dict[Key, Row]]] = field(default_factory=list)
    merged: list[tuple[MergeTable, dict[Key, Row]]] = field(default_factory=list)
    histories: list[tuple[SequenceTable, list[tuple[Any, ...]]]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)


@dataclass(frozen=True)
class Move:
    """A checkpoint's move: from a position, under an epoch, to a position with its event's digest."""

    start: int
    epoch: int
    end: int
    digest: bytes | None


def columns_of(keys: Sequence[Key]) -> list[Column]:
    """Keys as one array a column."""
    return [Column(column) for column in zip(*keys, strict=True)]


class Store:
    """The state tables of one schema: the live ones, or the shadow of a rebuild."""

    def __init__(
        self, database: Queryable, schema: str = LIVE, *, moves: str = "move_checkpoint"
    ) -> None:
        self.database = database
        self.schema = schema
        self._moves = moves

    async def load(self, wanted: Sequence[tuple[Table, Sequence[Key]]]) -> Rows:
        """The rows of some keys, by table and key, in one query."""
        asked = [(table, keys) for table, keys in wanted if keys]
        found: Rows = defaultdict(dict)
        if not asked:
            return found
        tables = tuple(table for table, _ in asked)
        arguments = [column for _, keys in asked for column in columns_of(keys)]
        records = await self.database.fetch(
            statements.load(self.schema, tables), *arguments, timeout=STATEMENT_SECONDS
        )
        codecs = [codec_of(table) for table in tables]
        offsets = [1]
        for codec in codecs:
            offsets.append(offsets[-1] + len(codec.columns))
        for record in records:
            number = record[0]
            row = codecs[number].row(record[offsets[number] : offsets[number + 1]])
            found[tables[number].name][row[: tables[number].key]] = row
        return found

    async def histories(self, table: SequenceTable, keys: Sequence[Key]) -> dict[Key, list[Event]]:
        """All events of some entities that their checkpoint has passed, in one query.

        Raises HistoryTooLong where several entities have too many together; one alone never has.
        """
        most, bodies = (HISTORY_EVENTS, HISTORY_BODIES) if len(keys) > 1 else (UNLIMITED, UNLIMITED)
        records = await self.database.fetch(
            statements.histories(self.schema, table),
            *columns_of(keys),
            most + 1,
            bodies,
            timeout=STATEMENT_SECONDS,
        )
        if len(records) > most or sum(len(record["body"] or b"") for record in records) > bodies:
            raise HistoryTooLong
        rows: dict[Key, list[Any]] = {key: [] for key in keys}
        for record in records:
            rows[tuple(record[: table.key])].append(tuple(record[table.key :]))
        return {key: decode_rows(some) for key, some in rows.items()}

    async def fold(self, projection: Projection, events: EventsByName) -> Change:
        """Fold a batch's events into the stored rows; nothing is written.

        The rows of merge tables are not read: the database merges them as they are written.
        """
        change = Change()
        for table in projection.tables:
            if isinstance(table, MergeTable):
                brought: dict[Key, Row] = {}
                change.dead += contribute(table, events, brought)
                if brought:
                    change.merged.append((table, brought))
        sequencing = [t for t in projection.tables if isinstance(t, SequenceTable)]
        sequences = {table.name: group_by_entity(table, events) for table in sequencing}
        stored = await self.load(
            [(table, list(sequences[table.name].events)) for table in sequencing]
        )
        for sequence in sequencing:
            grouped = sequences[sequence.name]
            change.dead += grouped.dead
            await self._fold_sequences(sequence, stored[sequence.name], grouped.events, change)
        return change

    async def _fold_sequences(
        self,
        table: SequenceTable,
        stored: Mapping[Key, Row],
        events: Mapping[Key, list[Event]],
        change: Change,
    ) -> None:
        late = late_entities(stored, events)
        past = await self.histories(table, late) if late else {}
        unknown: dict[Key, Row] = {}
        changed: dict[Key, Row] = {}
        for key, new in events.items():
            known = stored.get(key)
            if key in past:
                state, dead = fold_entity(table, table.start(key), past[key] + new)
            else:
                state, dead = fold_entity(table, known or table.start(key), new)
            change.dead += dead
            if known is None:
                unknown[key] = state
            elif state != known or _written_otherwise(table, state, known):
                changed[key] = state
        if unknown:
            change.new.append((table, unknown))
        if changed:
            change.changed.append((table, changed))
        entries = [(*key, event.position) for key, some in events.items() for event in some]
        if entries:
            change.histories.append((table, entries))

    async def write(self, projection: Projection, change: Change, move: Move) -> None:
        """Write a change and move the checkpoint, in one statement and one commit.

        Raises Fenced where position or epoch are not the expected ones: then nothing was written.
        """
        statement = statements.write(
            self.schema,
            tuple(table for table, _ in change.new),
            tuple(table for table, _ in change.changed),
            tuple(table for table, _ in change.merged),
            tuple(table for table, _ in change.histories),
            dead=bool(change.dead),
            moves=self._moves,
        )
        rows = await self.database.fetch(
            statement,
            projection.name, move.start, move.epoch, move.end, move.digest,
            *arguments_of(change),
            timeout=STATEMENT_SECONDS,
        )  # fmt: skip
        if rows[0][0] != 1:
            raise Fenced(f"the checkpoint of {projection.name} has another owner now")


def _written_otherwise(table: Table, state: Row, known: Row) -> bool:
    """Whether two rows that are equal to Python are not so as JSON: 1, 1.0 and true."""
    record = codec_of(table).record
    return record(state) != record(known)


def _in_order(table: Table, rows: Iterable[Row]) -> list[Row]:
    """Rows in the order of their keys, so that neighbours in the index are written one after the other.

    That takes a quarter less server time. Sorted column by column: so texts are compared, not tuples.
    """
    ordered = list(rows)
    for column in reversed(range(table.key)):
        ordered.sort(key=itemgetter(column))
    return ordered


def arguments_of(change: Change) -> Iterable[Any]:
    """A change as parameters of the write statement, after the checkpoint's."""
    for table, rows in [*change.new, *change.changed, *change.merged]:
        yield from codec_of(table).transpose(_in_order(table, rows.values()))
    for _, entries in change.histories:
        yield from columns_of(entries)
    if change.dead:
        yield from columns_of(change.dead)
