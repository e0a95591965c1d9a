"""What the tables of state have about a person."""

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from projector.database import Queryable
from projector.folding.documents import ABSENT
from projector.operations.subjects.in_bodies import SCAN_SECONDS, FoundInLog
from projector.operations.subjects.naming import Naming
from projector.operations.subjects.parts import Parts
from projector.operations.subjects.person import Person
from projector.operations.subjects.place import Place, Record, moment_of
from projector.operations.subjects.tables import DEAD_LETTERS, DISMISSED, SPECIAL, STATE
from projector.statements import queries

_SQL: Final = queries("subjects")

# Places in event order, in hexadecimal: the first eight bytes are a time. An empty one is that of `folded`.
_ORDERS: Final = frozenset({
    "folded", "until", "cutoff", "email_order", "pending_order", "note_order", "told", "absent", "mark",
    "changed_order", "signed_in_order", "complete_order",
})  # fmt: skip
_KEYS: Final = (
    "account_id", "user_key", "person_key", "email_key", "entity_key", "entity", "group_id", "client_type",
    "section", "path", "position", "projection", "digest",
)  # fmt: skip
_KINDS_OF_PEOPLE: Final = frozenset({"user", "user_settings", "personal_note"})
_ORDER_BYTES: Final = 8
_milliseconds = struct.Struct(">Q").unpack_from
_decode = msgspec.json.decode

Found = list[tuple[str, Any, dict[str, Any]]]


async def rows_of_state(database: Queryable, person: Person) -> tuple[Found, set[int]]:
    """(table, part, row) of every row that names the person, and the positions of the person's own rows."""
    naming = Naming(person)
    patterns, parts = naming.patterns(), Parts(naming)
    found: Found = []
    positions: set[int] = set()
    for table in STATE:
        for (text,) in await database.fetch(_SQL[table], patterns, timeout=SCAN_SECONDS):
            row = _decode(text)
            own = _is_own(row, person)
            if row.get("account_id") in person.elsewhere:
                continue
            part = parts.of_row(row, own=own)
            if part is ABSENT:
                continue
            found.append((f"state.{table}", part, row))
            if own and (position := _position(row)):
                positions.add(position)
    return found, positions


async def rows_about_events(database: Queryable, person: Person, log: FoundInLog) -> Found:
    """The same of what is told about events: that one could not be folded, or that was dismissed."""
    naming = Naming(person)
    parts = Parts(naming)
    dead = await database.fetch(_SQL["dead_letters"], list(log.records))
    found: Found = [(DEAD_LETTERS, parts.of_row(row, own=True), row) for row in _rows(dead)]
    dismissed = await database.fetch(
        _SQL["dismissed_dead_letters"], naming.patterns(), sorted(log.digests), timeout=SCAN_SECONDS
    )
    for row in _rows(dismissed):
        part = parts.of_row(row, own=row["digest"] in log.digests)
        if part is not ABSENT:
            found.append((DISMISSED, part, row))
    return found


async def as_places(database: Queryable, found: Found) -> list[Place]:
    """Rows as the records of their tables, with when and how the event came that each of them stands for."""
    positions = {_position(row) for _, _, row in found} - {0}
    came = {
        row["position"]: row
        for row in await database.fetch(
            _SQL["received_at"], sorted(positions), timeout=SCAN_SECONDS
        )
    }
    kept = {f"state.{name}": one for name, one in STATE.items()} | SPECIAL
    places = {name: Place(name, one) for name, one in kept.items() if name.startswith("state.")}
    for name, part, row in found:
        places[name].records.append(_record(part, row, came.get(_position(row))))
    return list(places.values())


def _record(part: dict[str, Any], row: dict[str, Any], came: asyncpg.Record | None) -> Record:
    content = {name: _shown(name, value) for name, value in part.items()}
    at = _moment(row.get("folded"))
    if at is None and came is not None:
        at = moment_of(came["event_ts"])
    received, source = (None, None) if came is None else (came["received_at"], came["source"])
    where: dict[str, Any] = {name: content[name] for name in _KEYS if name in content}
    return Record(where, at, received, source, content)


def _is_own(row: dict[str, Any], person: Person) -> bool:
    if row.get("user_key", row.get("person_key")) in person.keys:
        return True
    if "email_key" in row:
        return row["email_key"] in person.own_emails
    return row.get("entity") in _KINDS_OF_PEOPLE and row.get("entity_key") in person.keys


def _position(row: dict[str, Any]) -> int:
    return int(row.get("position") or row.get("last_position") or 0)


def _shown(name: str, value: Any) -> Any:
    if name not in _ORDERS:
        return value
    moment = _moment(value)
    return None if moment is None else moment.isoformat()


def _moment(order: Any) -> Any:
    """The time of a place in event order; None for one below or above all others."""
    if not isinstance(order, str) or not order.startswith("\\x"):
        return None
    raw = bytes.fromhex(order[2:])
    return moment_of(_milliseconds(raw)[0]) if len(raw) > _ORDER_BYTES else None


def _rows(records: Sequence[asyncpg.Record]) -> Iterable[dict[str, Any]]:
    return (_decode(text) for (text,) in records)
