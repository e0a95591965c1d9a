"""Events as they are read from the log: decoded, cleaned, and given their place in event order.

Pure: bytes in, values out. Nothing here raises on odd input; it says what is missing.
"""

import hashlib
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from projector.bodies import decode_clean, is_nested_too_deeply
from projector.event_names import ALIASES, ORDINARY_RANK, RANKS, WITHOUT_DOCUMENTS

DAY_MS: Final = 86_400_000
INT8_DIGITS: Final = 19
_order = struct.Struct(">QB").pack


def digest_of(body: bytes) -> bytes:
    """SHA-256 of a delivery's bytes (32 bytes): what tells duplicates."""
    return hashlib.sha256(body).digest()


def identifier(value: Any) -> str | None:
    """An id as text: a non-blank string, or an integer in decimal; anything else is no id."""
    if type(value) is str:
        return value or None
    if type(value) is int:
        return str(value)
    return None


def _milliseconds(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= INT8_DIGITS:
        return int(value)
    return None


def _instant(value: Any) -> int | None:
    """Epoch milliseconds of an RFC 3339 text, or of what `_milliseconds` takes."""
    number = _milliseconds(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    try:
        elapsed = parsed - _EPOCH
    except OverflowError:
        return None
    milliseconds = elapsed.days * DAY_MS + elapsed.seconds * 1000 + elapsed.microseconds // 1000
    return milliseconds if milliseconds >= 0 else None


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def event_time(body: Mapping[str, Any], received_ms: int) -> int:
    """Event time in epoch milliseconds: the first of the five places that holds a plausible one.

    A value more than 24 h after receipt counts as absent; with none left it is the time of receipt.
    """
    latest = received_ms + DAY_MS
    own = body.get("event_ts")
    if type(own) is int and 0 <= own <= latest:  # nearly every delivery
        return own
    payload = body.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    entity = payload.get("object")
    entity = entity if isinstance(entity, dict) else {}
    candidates = (
        _milliseconds(own),
        _milliseconds(payload.get("time_stamp")),
        _milliseconds(body.get("time_stamp")),
        _instant(entity.get("date_time")),
        _instant(entity.get("date-time")),
    )
    for candidate in candidates:
        if candidate is not None and candidate <= latest:
            return candidate
    return received_ms


class Event:
    """One event of the log, ready to fold.

    `order` is its place in event order as 41 bytes that compare like (event time, lifecycle rank,
    digest). `account_id` and `entity_id` are None where the delivery names none. `size` is that of the
    body in bytes; `too_deep` that it is nested deeper than 100 levels, and then cannot be folded. `unheld`
    collects the columns that could not hold what the event has for them.
    """

    __slots__ = (
        "account_id", "body", "entity_id", "name", "object", "order", "payload", "position",
        "received_us", "size", "time_ms", "too_deep", "unheld",
    )  # fmt: skip

    def __init__(
        self, position: int, received_us: int, digest: bytes, body: dict[str, Any], raw: bytes
    ) -> None:
        name = body["event"]
        name = ALIASES.get(name, name)
        self.name: str = name
        self.position = position
        self.received_us = received_us
        self.body = body
        self.unheld: set[str] | None = None
        self.size = len(raw)
        self.too_deep = name not in WITHOUT_DOCUMENTS and is_nested_too_deeply(body, raw)
        self.time_ms = event_time(body, received_us // 1000)
        self.order = _order(self.time_ms, RANKS.get(name, ORDINARY_RANK)) + digest
        payload = body.get("payload")
        self.payload: dict[str, Any] = payload if isinstance(payload, dict) else {}
        entity = self.payload.get("object")
        self.object: dict[str, Any] | None = entity if isinstance(entity, dict) else None
        self.account_id = identifier(self.payload.get("account_id"))
        self.entity_id = None if self.object is None else identifier(self.object.get("id"))

    def not_held(self, column: str) -> None:
        """Note that a column could not hold this event's value; noting it again changes nothing."""
        if self.unheld is None:
            self.unheld = set()
        self.unheld.add(column)

    @property
    def old_object(self) -> dict[str, Any] | None:
        """The previous values, or None: absent, no object, or a placeholder with a blank id."""
        old = self.payload.get("old_object")
        if not isinstance(old, dict) or ("id" in old and old["id"] in (None, "")):
            return None
        return old

    @property
    def operator(self) -> str | None:
        """E-mail of the operator: the payload's, else the top-level one."""
        for holder in (self.payload, self.body):
            operator = identifier(holder.get("operator"))
            if operator is not None:
                return operator
        return None


def decode_event(
    position: int, received_us: int, digest: bytes, body: bytes | None
) -> Event | None:
    """Decode a row of the log; None for an erased body, or one that is no event at all.

    `received_us` is the time of receipt in epoch microseconds.
    """
    if body is None:
        return None
    try:
        decoded = decode_clean(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(decoded, dict) or not isinstance(decoded.get("event"), str):
        return None
    return Event(position, received_us, digest, decoded, body)
