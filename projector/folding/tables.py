"""A projection as a value: its tables, its events, and a pure function for each event.

There are two kinds of tables of the present:

- a *merge table* gets rows from single events. Rows with one key merge by a function that is the same in
  any order (the newest, a maximum, a sum). It needs no history.
- a *sequence table* holds one state per entity: the fold of that entity's events in event order. A late
  event makes the entity be folded again from its history.

Either may have *versions*: a table of every row that it ever had, in event order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from projector.folding.unfoldable import Unfoldable
from projector.zoom.events import Event

Row = Any  # a NamedTuple: its fields are the table's columns, its first ones the key
Key = tuple[Any, ...]


class DeadLetter(NamedTuple):
    """An event that a projection could not fold. `error` never contains input."""

    position: int
    event: str
    error: str


def dead_letter(event: Event, error: Exception) -> DeadLetter:
    """The dead letter of an event and of what its fold raised; it never contains input."""
    reason = (
        str(error) if isinstance(error, Unfoldable) else f"the fold failed: {type(error).__name__}"
    )
    return DeadLetter(event.position, event.name, reason)


def each(
    rows_of: Callable[[Event], Iterable[Row]],
) -> Callable[[Sequence[Event]], Iterator[Row | DeadLetter]]:
    """Turn a function that yields the rows of one event into one for `MergeTable.rows`.

    It may raise Unfoldable after yielding the rows that could be made.
    """

    def rows(events: Sequence[Event]) -> Iterator[Row | DeadLetter]:
        for event in events:
            try:
                yield from rows_of(event)
            except Exception as error:  # noqa: BLE001  one event never stops a batch: it is a dead letter
                yield dead_letter(event, error)

    return rows


def one_each(
    row_of: Callable[[Event], Row],
) -> Callable[[Sequence[Event]], Iterator[Row | DeadLetter]]:
    """The same for a function that returns exactly one row, or raises Unfoldable."""

    def rows(events: Sequence[Event]) -> Iterator[Row | DeadLetter]:
        for event in events:
            try:
                yield row_of(event)
            except Exception as error:  # noqa: BLE001  one event never stops a batch: it is a dead letter
                yield dead_letter(event, error)

    return rows


class Rule(Enum):
    """Which value a column has when two rows merge."""

    GREATEST = auto()
    LEAST = auto()
    SUM = auto()


class With(NamedTuple):
    """The value of the row whose `column` is greater; that may be the same column."""

    column: str


# The end of the version that stands: greater than every order.
STANDS: Final = b"\xff"


@dataclass(frozen=True, eq=False)
class VersionsTable:
    """What the rows of another table were, each version with the stretch of event order in which it stood.

    A version begins with the event whose order is its `folded`, and stands until the next one begins: until
    `until`, or STANDS. No stretch is empty. `row`: the columns; the first ones, `key` of them, are the other
    table's key and `folded`.
    """

    name: str
    row: type[Any]
    key: int


@dataclass(frozen=True, eq=False)
class StateVersions(VersionsTable):
    """The versions of a sequence table. `of` makes one of the states before and after an event."""

    of: Callable[[Any, Any, Event], Row]


@dataclass(frozen=True, eq=False)
class RowVersions(VersionsTable):
    """The versions of a merge table, whose first column after the key is the order of a row's event.

    `of` makes a version of a row, `restored` the row of a version.
    """

    of: Callable[[Row], Row]
    restored: Callable[[Row], Row]


@dataclass(frozen=True, eq=False)
class MergeTable:
    """A table whose rows merge, in any order.

    `key`: how many columns, the first ones, are the key. `rows`: by event name, a function from a batch's
    events of that name to their rows, with a dead letter for each event that cannot be folded wholly.
    `merge` merges two rows with one key; `rules` says the same column by column, for the database, which
    merges with the row that it has. `superseded`, where it is worth the question, tells that an event can
    change none of the given rows. A table with versions has no such question.
    """

    name: str
    row: type[Any]
    key: int
    rows: Mapping[str, Callable[[Sequence[Event]], Iterable[Row | DeadLetter]]]
    merge: Callable[[Row, Row], Row]
    rules: Mapping[str, Rule | With]
    superseded: Callable[[Event, Mapping[Key, Row]], bool] | None = None
    versions: RowVersions | None = None

    @property
    def events(self) -> frozenset[str]:
        """The names of the events that are folded into this table."""
        return frozenset(self.rows)


@dataclass(frozen=True, eq=False)
class SequenceTable:
    """A table of states, each the fold of its entity's events in event order.

    `key`: how many columns, the first ones, are the key. `steps`: by event name, a function
    (state before, event) -> state after, which raises Unfoldable to leave the event out. A state is a row:
    a NamedTuple whose `folded` is the order of the newest event folded in. `history` names the table of the
    positions of each entity's events. `context`: events of `steps` whose dead letters are left to the
    projection that they belong to.
    """

    name: str
    row: type[Any]
    key: int
    key_of: Callable[[Event], Key]
    start: Callable[[Key], Any]
    steps: Mapping[str, Callable[[Any, Event], Any]]
    history: str
    context: frozenset[str] = frozenset()
    versions: StateVersions | None = None

    @property
    def events(self) -> frozenset[str]:
        """The names of the events that are folded into this table."""
        return frozenset(self.steps)


Table = MergeTable | SequenceTable | VersionsTable


@dataclass(frozen=True, eq=False)
class Projection:
    """A named part of the directory. Whoever changes what it computes gives it the next version.

    It has any number of merge tables and at most one sequence table.
    """

    name: str
    version: int
    tables: tuple[MergeTable | SequenceTable, ...]
    merging: tuple[MergeTable, ...] = field(init=False)
    sequence: SequenceTable | None = field(init=False)
    events: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        sequences = [table for table in self.tables if isinstance(table, SequenceTable)]
        if len(sequences) > 1:
            raise ValueError(f"projection {self.name} has more than one sequence table")
        merging = tuple(table for table in self.tables if isinstance(table, MergeTable))
        events = frozenset().union(*(table.events for table in self.tables))
        object.__setattr__(self, "merging", merging)
        object.__setattr__(self, "sequence", sequences[0] if sequences else None)
        object.__setattr__(self, "events", events)

    @property
    def versions(self) -> tuple[VersionsTable, ...]:
        """The tables of versions, in the order of `tables`."""
        return tuple(table.versions for table in self.tables if table.versions is not None)

    @property
    def table_names(self) -> tuple[str, ...]:
        """The names of all tables that it stores rows in: its history and versions included."""
        history = () if self.sequence is None else (self.sequence.history,)
        return (*(table.name for table in (*self.tables, *self.versions)), *history)
