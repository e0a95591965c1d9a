"""What a batch changes, decided from its events, the stored states and, for late events, the past. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from projector.folding.fold import (
    EventsByName,
    Grouped,
    contribute,
    fold_entity,
)
from projector.folding.tables import (
    DeadLetter,
    Key,
    MergeTable,
    Projection,
    Row,
    SequenceTable,
)
from projector.zoom.events import Event


@dataclass
class Change:
    """Rows to write, entries of the history, dead letters.

    `new` are states of entities that the sequence table does not hold yet, `changed` those that stand there
    otherwise, and `merged` the rows that the database merges with what stands there. `entries` are rows of
    the sequence table's history: the key, then the position.
    """

    new: dict[Key, Row] = field(default_factory=dict)
    changed: dict[Key, Row] = field(default_factory=dict)
    merged: list[tuple[MergeTable, dict[Key, Row]]] = field(default_factory=list)
    entries: list[tuple[object, ...]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)


def fold_batch(
    projection: Projection,
    events: EventsByName,
    grouped: Grouped,
    stored: Mapping[Key, Row],
    past: Mapping[Key, Sequence[Event]],
) -> Change:
    """Decide what a batch's events change.

    `grouped` are those of the sequence table by entity, `stored` the states of these entities as far as there
    are any, and `past` all earlier events of the entities with a late one.
    """
    change = Change()
    for table in projection.merging:
        rows: dict[Key, Row] = {}
        change.dead += contribute(table, events, rows)
        if rows:
            change.merged.append((table, rows))
    change.dead += grouped.dead
    if projection.sequence is not None:
        _fold_states(projection.sequence, grouped.events, stored, past, change)
    return change


def _fold_states(
    table: SequenceTable,
    events: Mapping[Key, list[Event]],
    stored: Mapping[Key, Row],
    past: Mapping[Key, Sequence[Event]],
    change: Change,
) -> None:
    for key, new in events.items():
        known = stored.get(key)
        if key in past:
            state, dead = fold_entity(table, table.start(key), [*past[key], *new])
        else:
            state, dead = fold_entity(table, known or table.start(key), new)
        change.dead += dead
        change.entries += [(*key, event.position) for event in new]
        (change.new if known is None else change.changed)[key] = state
