"""What an observation would change: folded as the projection will fold it, and compared with what stands.

So comparison and fold never disagree. An observation that changes nothing is not appended.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from projector.folding.documents import same
from projector.folding.fold import fold_entity, late_entities
from projector.folding.tables import Key, Row, SequenceTable
from projector.folding.unfoldable import Unfoldable
from projector.projections import projection_named
from projector.state.store import HistoryTooLong, Store
from projector.zoom.events import Event, decode_event, digest_of

_encode = msgspec.json.Encoder().encode

# Beyond every position: an observation is folded after whatever the directory holds.
_POSITION: Final = 2**62

# Columns of a row that no view shows as knowledge: when, by whom, and how often something was told.
_UNSHOWN: Final = frozenset(
    {"folded", "last_position", "changed_by", "spelled_by_lifecycle", "cutoff"}
)


class Preview(NamedTuple):
    """An observation, its entity's row before it (None: there is none) and after it."""

    body: bytes
    event: Event
    before: Row | None
    after: Row

    @property
    def known(self) -> bool:
        """Whether the directory has the entity, and not as a former one."""
        row = self.before
        return row is not None and row.last_position > 0 and not getattr(row, "removed", False)

    @property
    def changes(self) -> bool:
        """Whether anything that is shown changes."""
        return self.before is None or any(
            before is not after and self._shows(name) and not _same(before, after)
            for name, before, after in zip(self.after._fields, self.before, self.after, strict=True)
        )

    def _shows(self, column: str) -> bool:
        if column == "observed_created_ms":  # an event's word about the creation hides it
            return self.after.created_ms is None
        return column not in _UNSHOWN and not column.endswith("_order")


def _same(before: Any, after: Any) -> bool:
    """Whether two values of a column are the same. Most are, to the byte: that is told four times as fast."""
    return _encode(before) == _encode(after) or same(_plain(before), _plain(after))


def _plain(value: Any) -> Any:
    return list(value) if type(value) is tuple else value


def table_of(projection: str) -> SequenceTable:
    """The sequence table of a projection that has one."""
    table = projection_named(projection).sequence
    if table is None:
        raise ValueError(f"{projection} folds no sequence")
    return table


async def previews(
    store: Store,
    projection: str,
    bodies: Sequence[bytes],
    loaded: Mapping[Key, Row] | None = None,
) -> list[Preview]:
    """Fold observations of different entities into copies of their rows, in one query for all of them.

    `loaded`: their rows, where these were read already. Observations that cannot be folded are left out.
    """
    table = table_of(projection)
    events = _decoded(table, bodies)
    stored = await store.load(table, list(events)) if loaded is None else loaded
    past = await _histories(store, table, late_entities(stored, _each(events)))
    return [
        Preview(body, event, stored.get(key), after)
        for key, (body, event) in events.items()
        if (after := _folded(table, key, event, stored.get(key), past.get(key))) is not None
    ]


def _decoded(table: SequenceTable, bodies: Sequence[bytes]) -> dict[Key, tuple[bytes, Event]]:
    received_us = time.time_ns() // 1000
    found: dict[Key, tuple[bytes, Event]] = {}
    for body in bodies:
        event = decode_event(_POSITION, received_us, digest_of(body), body, own=True)
        try:
            if event is not None:
                found[table.key_of(event)] = body, event
        except Unfoldable:
            continue  # an id that is no key
    return found


def _each(events: dict[Key, tuple[bytes, Event]]) -> dict[Key, list[Event]]:
    return {key: [event] for key, (_, event) in events.items()}


async def _histories(
    store: Store, table: SequenceTable, late: Sequence[Key]
) -> dict[Key, list[Event]]:
    """The histories of entities of which something newer was folded; one by one where they are long."""
    try:
        return await store.histories(table, late)
    except HistoryTooLong:
        return {
            key: found
            for one in late
            for key, found in (await store.histories(table, [one])).items()
        }


def _folded(
    table: SequenceTable, key: Key, event: Event, before: Row | None, past: list[Event] | None
) -> Row | None:
    """The entity's row after the observation; None where it cannot be folded."""
    if past is not None:
        after, dead = fold_entity(table, table.start(key), [*past, event])
    else:
        after, dead = fold_entity(table, before or table.start(key), [event])
    return None if any(letter.position == _POSITION for letter in dead) else after
