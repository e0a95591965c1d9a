"""Events as they are read from the log: decoded, cleaned, and given their place in event order.

Pure: bytes in, values out. Nothing here raises on odd input; it says what is missing.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

DAY_MS: Final = 86_400_000
INT8_DIGITS: Final = 19
SECRETS: Final = frozenset({"host_key", "pmi_password"})

# Zoom's own example of a member removal carries this name in its body.
ALIASES: Final = {"group.members_deleted": "group.member_deleted"}

# The 21 events of Zoom's "Users" reference.
USER_EVENTS: Final = (
    "user.activated",
    "user.created",
    "user.deactivated",
    "user.deleted",
    "user.disassociated",
    "user.invitation_accepted",
    "user.personal_notes_updated",
    "user.presence_status_updated",
    "user.settings_updated",
    "user.signed_in",
    "user.signed_out",
    "user.updated",
)
GROUP_EVENTS: Final = (
    "group.admin_added",
    "group.admin_deleted",
    "group.created",
    "group.deleted",
    "group.lock_settings_updated",
    "group.member_added",
    "group.member_deleted",
    "group.settings_updated",
    "group.updated",
)
EVENTS: Final = USER_EVENTS + GROUP_EVENTS

# Events of which the fold reads single fields alone: no document of theirs, and so no secret and no deep
# nesting, gets into state. They are the flood.
_WITHOUT_DOCUMENTS: Final = frozenset(
    {
        "user.presence_status_updated",
        "user.personal_notes_updated",
        "user.signed_in",
        "user.signed_out",
        "group.member_added",
        "group.member_deleted",
        "group.members_deleted",
        "group.admin_added",
        "group.admin_deleted",
    }
)

# Events of one millisecond are folded in this order; all others are of rank 2.
RANKS: Final = {
    "user.created": 0,
    "group.created": 0,
    "user.invitation_accepted": 1,
    "user.activated": 1,
    "user.deactivated": 3,
    "user.disassociated": 4,
    "user.deleted": 5,
    "group.deleted": 5,
}
ORDINARY_RANK: Final = 2

# Far beyond any document of Zoom's, far within what PostgreSQL and every recursion here can take.
DEEPEST: Final = 100

_decode = msgspec.json.decode
_order = struct.Struct(">QB").pack


def digest_of(body: bytes) -> bytes:
    """SHA-256 of a delivery's bytes (32 bytes): what tells duplicates."""
    return hashlib.sha256(body).digest()


def decode_json(body: bytes) -> Any:
    """Decode JSON as Python's `json` accepts it: lone surrogates, NaN, UTF-16 and a BOM included.

    Raises ValueError for anything else (too deep a nesting too).
    """
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_leniently(body)


def _decode_leniently(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def clean_text(text: str) -> str:
    """Replace what PostgreSQL cannot hold, U+0000 and lone surrogates, by U+FFFD."""
    if text.isascii():
        return text.replace("\x00", "\ufffd") if "\x00" in text else text
    if any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in text):
        return "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def clean(value: Any) -> Any:
    """A JSON value as state may hold it: clean texts, no secrets at any depth, no NaN."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {
            name: clean(item)
            for key, item in value.items()
            if (name := clean_text(key)) not in SECRETS
        }
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _decode_clean(body: bytes) -> Any:
    """Decode a body and clean it; the walk is left out where it could change nothing."""
    try:
        decoded = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return clean(_decode_leniently(body))
    # Without a backslash no text holds U+0000 or a surrogate, and no key hides a secret's name. A search
    # for a single byte costs a tenth of one for a word: 0.06 µs.
    if b"\\" in body or (
        _may_hold_documents(decoded) and any(name in body for name in _SECRET_NAMES)
    ):
        return clean(decoded)
    return decoded


_SECRET_NAMES: Final = tuple(name.encode() for name in SECRETS)


def _may_hold_documents(decoded: Any) -> bool:
    return not isinstance(decoded, dict) or decoded.get("event") not in _WITHOUT_DOCUMENTS


def _is_nested_too_deeply(body: Any, raw: bytes) -> bool:
    return raw.count(b"{") + raw.count(b"[") > DEEPEST and _is_too_deep(body)


def _is_too_deep(value: Any, depth: int = DEEPEST) -> bool:
    if isinstance(value, dict):
        return depth == 0 or any(_is_too_deep(item, depth - 1) for item in value.values())
    if isinstance(value, list):
        return depth == 0 or any(_is_too_deep(item, depth - 1) for item in value)
    return False


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
    body in bytes; `too_deep` that it is nested deeper than 100 levels, and then cannot be folded.
    """

    __slots__ = (
        "account_id", "body", "entity_id", "name", "object", "order", "payload", "position",
        "received_us", "size", "time_ms", "too_deep",
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
        self.size = len(raw)
        self.too_deep = name not in _WITHOUT_DOCUMENTS and _is_nested_too_deeply(body, raw)
        self.time_ms = event_time(body, received_us // 1000)
        self.order = _order(self.time_ms, RANKS.get(name, ORDINARY_RANK)) + digest
        payload = body.get("payload")
        self.payload: dict[str, Any] = payload if isinstance(payload, dict) else {}
        entity = self.payload.get("object")
        self.object: dict[str, Any] | None = entity if isinstance(entity, dict) else None
        self.account_id = identifier(self.payload.get("account_id"))
        self.entity_id = None if self.object is None else identifier(self.object.get("id"))

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
        decoded = _decode_clean(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(decoded, dict) or not isinstance(decoded.get("event"), str):
        return None
    return Event(position, received_us, digest, decoded, body)
