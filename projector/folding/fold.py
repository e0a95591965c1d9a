"""The fold of a batch: rows and events in, changed rows and dead letters out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from projector.events import Event
from projector.folding.tables import DeadLetter, Key, MergeTable, Row, SequenceTable, dead_letter
from projector.folding.unfoldable import Unfoldable

EventsByName = Mapping[str, Sequence[Event]]

in_event_order = attrgetter("order")


def contribute(table: MergeTable, events: EventsByName, rows: dict[Key, Row]) -> list[DeadLetter]:
    """Merge what a batch's events bring to a merge table into `rows`; answers what could not be folded."""
    dead, merge, width = [], table.merge, table.key
    for name, rows_of in table.rows.items():
        for row in rows_of(events.get(name, ())):
            if type(row) is DeadLetter:
                dead.append(row)
                continue
            key = row[:width]
            known = rows.get(key)
            rows[key] = row if known is None else merge(known, row)
    return dead


@dataclass
class Sequences:
    """A batch's events by the entity of a sequence table that each belongs to."""

    events: dict[Key, list[Event]] = field(default_factory=lambda: defaultdict(list))
    dead: list[DeadLetter] = field(default_factory=list)


def group_by_entity(table: SequenceTable, events: EventsByName) -> Sequences:
    """Sort a batch's events into their entities; an event that names none is a dead letter."""
    found = Sequences()
    for name in table.steps:
        for event in events.get(name, ()):
            try:
                found.events[table.key_of(event)].append(event)
            except Unfoldable as error:
                if name not in table.context:
                    found.dead.append(dead_letter(event, error))
    return found


def late_entities(stored: Mapping[Key, Any], events: Mapping[Key, Sequence[Event]]) -> list[Key]:
    """The entities with an event that is not newer than everything folded into their row."""
    return [
        key
        for key, some in events.items()
        if (state := stored.get(key)) is not None
        and min(event.order for event in some) <= state.folded
    ]


def fold_entity(
    table: SequenceTable, state: Any, events: Iterable[Event]
) -> tuple[Any, list[DeadLetter]]:
    """Fold distinct events into a state, in event order.

    `state` holds nothing newer than the events: it is the row when they are all newer, the start when
    they are the entity's whole history.
    """
    dead = []
    steps = table.steps
    for event in distinct(events):
        try:
            after = steps[event.name](state, event)
        except Exception as error:  # noqa: BLE001  one event never stops a batch: it is kept
            if not (isinstance(error, Unfoldable) and event.name in table.context):
                dead.append(dead_letter(event, error))
            after = state
        state = after._replace(folded=event.order)
    return state, dead


def distinct(events: Iterable[Event]) -> list[Event]:
    """Events in event order, equal bytes once: as they stand at their smallest position."""
    first: dict[bytes, Event] = {}
    for event in events:
        digest = event.order[-32:]
        known = first.get(digest)
        if known is None or event.position < known.position:
            first[digest] = event
    return sorted(first.values(), key=in_event_order)
