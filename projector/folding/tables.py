"""What a projection is: a value that names its tables, its events and its pure functions.

Two kinds of tables hold everything:

- a *merge table* gets rows from single events; rows of one key merge by a function that does not care
  about order (`newest`, a maximum, a sum). It needs no history.
- a *sequence table* holds one state per entity, folded over that entity's events in event order. A late
  event folds the entity anew from its history.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from projector.events import Event

Row = Any  # a NamedTuple: its fields are the table's columns, its first ones the key
Key = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class MergeTable:
    """A table whose rows merge: associative, commutative, and the same however often one comes.

    `rows` gives, by event name, the rows that one event contributes. It may raise Unfoldable after
    yielding what could be folded.
    """

    name: str
    row: type[Any]
    key: int
    rows: Mapping[str, Callable[[Event], Iterable[Row]]]
    merge: Callable[[Row, Row], Row]


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
