"""What a batch changes, decided from its events and what is stored of its entities. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from projector.folding.fold import (
    EventsByName,
    Grouped,
    contribute,
    contributed,
    fold_entity,
    group_by_entity,
)
from projector.folding.tables import (
    DeadLetter,
    Key,
    MergeTable,
    Projection,
    Row,
    SequenceTable,
    VersionsTable,
)
from projector.folding.versions import (
    VersionChange,
    after,
    from_order,
    merged_versions,
    rows_by_order,
)
from projector.zoom.events import Event


@dataclass
class Asked:
    """A batch's events as the tables of a projection take them: what a change depends on.

    `grouped`: the events of the sequence table, by entity. `rows`: those of the merge tables that have
    versions, by key and by order.
    """

    grouped: Grouped
    rows: dict[MergeTable, dict[Key, dict[bytes, Row]]]
    dead: list[DeadLetter]


@dataclass
class Stored:
    """What is stored of it: the states, the earlier events of the entities with a late one, and versions."""

    states: dict[Key, Row] = field(default_factory=dict)
    past: dict[Key, list[Event]] = field(default_factory=dict)
    versions: dict[MergeTable, dict[Key, list[Row]]] = field(default_factory=dict)


@dataclass
class Change:
    """Rows to write, entries of the history, versions, dead letters.

    `new` are states of entities that the sequence table does not hold yet, `changed` those that stand there
    otherwise, and `merged` the rows that the database merges with what stands there. `entries` are rows of
    the sequence table's history: the key, then the position.
    """

    new: dict[Key, Row] = field(default_factory=dict)
    changed: dict[Key, Row] = field(default_factory=dict)
    merged: list[tuple[MergeTable, dict[Key, Row]]] = field(default_factory=list)
    entries: list[tuple[object, ...]] = field(default_factory=list)
    versions: dict[VersionsTable, VersionChange] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)

    def add_versions(self, table: VersionsTable, change: VersionChange) -> None:
        """Add what changes in the versions of one entity."""
        self.versions.setdefault(table, VersionChange()).add(change)


def asked_by(projection: Projection, events: EventsByName) -> Asked:
    """Sort a batch's events by what they are about."""
    asked = Asked(Grouped(), {}, [])
    if projection.sequence is not None:
        asked.grouped = group_by_entity(projection.sequence, events)
    for table in projection.merging:
        if table.versions is not None:
            rows, dead = contributed(table, events)
            asked.rows[table] = rows_by_order(table, rows)
            asked.dead += dead
    return asked


def fold_batch(
    projection: Projection, events: EventsByName, asked: Asked, stored: Stored
) -> Change:
    """Decide what a batch's events change."""
    change = Change(dead=[*asked.dead, *asked.grouped.dead])
    for table in projection.merging:
        rows: dict[Key, Row] = {}
        if table in asked.rows:
            _merge_versioned(table, asked.rows[table], stored.versions.get(table, {}), rows, change)
        else:
            change.dead += contribute(table, events, rows)
        if rows:
            change.merged.append((table, rows))
    if projection.sequence is not None:
        _fold_states(projection.sequence, asked.grouped.events, stored, change)
    return change


def _merge_versioned(
    table: MergeTable,
    told: Mapping[Key, Mapping[bytes, Row]],
    stored: Mapping[Key, Sequence[Row]],
    rows: dict[Key, Row],
    change: Change,
) -> None:
    for key, by_order in told.items():
        for row in by_order.values():
            rows[key] = table.merge(rows[key], row) if key in rows else row
        if table.versions is not None:
            versions = merged_versions(table, table.versions, stored.get(key, ()), by_order)
            change.add_versions(table.versions, versions)


def _fold_states(
    table: SequenceTable, events: Mapping[Key, list[Event]], stored: Stored, change: Change
) -> None:
    for key, new in events.items():
        known = stored.states.get(key)
        versions: list[Row] = []
        if key in stored.past:
            whole = [*stored.past[key], *new]
            state, dead = fold_entity(table, table.start(key), whole, versions)
        else:
            state, dead = fold_entity(table, known or table.start(key), new, versions)
        if table.versions is not None:
            made = (
                from_order(table.versions, versions, min(event.order for event in new))
                if key in stored.past
                else after(key, known, versions)
            )
            change.add_versions(table.versions, made)
        change.dead += dead
        change.entries += [(*key, event.position) for event in new]
        (change.new if known is None else change.changed)[key] = state
