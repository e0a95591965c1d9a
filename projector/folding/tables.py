"""What a projection is: a value that names its tables, its events and its pure functions.

Two kinds of tables hold everything:

- a *merge table* gets rows from single events; rows of one key merge by a function that does not care
  about order (`newest`, a maximum, a sum). It needs no history.
- a *sequence table* holds one state per entity, folded over that entity's events in event order. A late
  event folds the entity anew from its history.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

from projector.events import Event
from projector.folding.unfoldable import Unfoldable

Row = Any  # a NamedTuple: its fields are the table's columns, its first ones the key
Key = tuple[Any, ...]


class DeadLetter(NamedTuple):
    """An event that a projection could not fold. `error` never contains input."""

    position: int
    event: str
    error: str


def dead_letter(event: Event, error: Exception) -> DeadLetter:
    """Say why an event could not be folded, without a word of what it held."""
    reason = (
        str(error) if isinstance(error, Unfoldable) else f"the fold failed: {type(error).__name__}"
    )
    return DeadLetter(event.position, event.name, reason)


def each(
    rows_of: Callable[[Event], Iterable[Row]],
) -> Callable[[Sequence[Event]], Iterator[Row | DeadLetter]]:
    """Make a merge table's function of one that takes a single event.

    That one may raise Unfoldable after yielding what could be folded.
    """

    def rows(events: Sequence[Event]) -> Iterator[Row | DeadLetter]:
        for event in events:
            try:
                yield from rows_of(event)
            except Exception as error:  # noqa: BLE001  one event never stops a batch: it is kept
                yield dead_letter(event, error)

    return rows


def one_each(
    row_of: Callable[[Event], Row],
) -> Callable[[Sequence[Event]], Iterator[Row | DeadLetter]]:
    """The same of a function that makes exactly one row of an event, or raises Unfoldable."""

    def rows(events: Sequence[Event]) -> Iterator[Row | DeadLetter]:
        for event in events:
            try:
                yield row_of(event)
            except Exception as error:  # noqa: BLE001  one event never stops a batch: it is kept
                yield dead_letter(event, error)

    return rows


class Rule(Enum):
    """What becomes of two values of a column when their rows merge."""

    GREATEST = auto()
    LEAST = auto()
    SUM = auto()


class With(NamedTuple):
    """The value is that of the row where `column`, which may be this one itself, is greater."""

    column: str


@dataclass(frozen=True, eq=False)
class MergeTable:
    """A table whose rows merge: associative, commutative, and the same however often one comes.

    `rows` gives, by event name, the rows that a batch's events of that name contribute, and a dead letter
    for each that cannot be folded (wholly). `rules` says of every column but the key's what `merge` does with
    it, for the database to do the same with the row that stands there.
    """

    name: str
    row: type[Any]
    key: int
    rows: Mapping[str, Callable[[Sequence[Event]], Iterable[Row | DeadLetter]]]
    merge: Callable[[Row, Row], Row]
    rules: Mapping[str, Rule | With]


@dataclass(frozen=True, eq=False)
class SequenceTable:
    """A table of states, each the fold of its entity's events in event order.

    `steps` gives, by event name, (state before, event) -> state after, and raises Unfoldable to leave
    the event out. A state is its row: a NamedTuple whose `folded` is the order of the newest event
    folded in. `context` names the events that matter here but are another projection's to report when
    they cannot be folded. `history` is the table that finds an entity's events.
    """

    name: str
    row: type[Any]
    key: int
    key_of: Callable[[Event], Key]
    start: Callable[[Key], Any]
    steps: Mapping[str, Callable[[Any, Event], Any]]
    history: str
    context: frozenset[str] = frozenset()


Table = MergeTable | SequenceTable


@dataclass(frozen=True, eq=False)
class Projection:
    """A named, versioned part of the directory. A change of what it computes needs a new version."""

    name: str
    version: int
    tables: tuple[Table, ...]
    events: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        names: set[str] = set()
        for table in self.tables:
            names.update(table.steps if isinstance(table, SequenceTable) else table.rows)
        object.__setattr__(self, "events", frozenset(names))
