"""Events as they are read from the log: decoded, cleaned, and given their place in event order.

Pure: bytes in, values out. Nothing here raises on odd input; it says what is missing.
"""

import hashlib
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple, Required, TypedDict, Union

import msgspec

from projector.bodies import (
    decode_clean,
    is_nested_too_deeply,
    may_be_nested_too_deeply,
    may_need_cleaning,
)
from projector.event_names import ALIASES, EVENTS, ORDINARY_RANK, RANKS, WITHOUT_DOCUMENTS

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


class Event(msgspec.Struct, gc=False, eq=False):
    """One event of the log, ready to fold.

    `order` is its place in event order as 41 bytes that compare like (event time, lifecycle rank,
    digest). `account_id` and `entity_id` are None where the delivery names none, `object` where it has
    none. `old_object` holds the previous values, or is None: absent, no object, or a placeholder with a
    blank id. `operator` is the operator's e-mail: the payload's, else the top-level one. `payload` is
    empty for an event without documents, and `object` holds of such a one at least what the fold reads.
    `size` is that of the body in bytes; `too_deep` that it is nested deeper than 100 levels, and then
    cannot be folded. `unheld` collects the columns that could not hold what the event has for them.
    """

    name: str
    position: int
    received_us: int
    time_ms: int
    order: bytes
    account_id: str | None
    entity_id: str | None
    object: dict[str, Any] | None
    old_object: dict[str, Any] | None
    operator: str | None
    payload: dict[str, Any]
    size: int
    too_deep: bool = False
    unheld: set[str] | None = None

    def not_held(self, column: str) -> None:
        """Note that a column could not hold this event's value; noting it again changes nothing."""
        if self.unheld is None:
            self.unheld = set()
        self.unheld.add(column)


def decode_event(
    position: int, received_us: int, digest: bytes, body: bytes | None
) -> Event | None:
    """Decode a row of the log; None for an erased body, or one that is no event at all.

    `received_us` is the time of receipt in epoch microseconds.
    """
    if body is None:
        return None
    return _decode_usual(position, received_us, digest, body) or _decode_any(
        position, received_us, digest, body
    )


def _decode_any(position: int, received_us: int, digest: bytes, raw: bytes) -> Event | None:
    try:
        body = decode_clean(raw)
    except (ValueError, RecursionError):
        return None
    sent = body.get("event") if isinstance(body, dict) else None
    if not isinstance(sent, str):
        return None
    name: str = ALIASES.get(sent, sent)
    payload = body.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    entity = payload.get("object")
    entity = entity if isinstance(entity, dict) else None
    time_ms = event_time(body, received_us // 1000)
    return Event(
        name, position, received_us, time_ms, _order(time_ms, _rank(name)) + digest,
        identifier(payload.get("account_id")),
        None if entity is None else identifier(entity.get("id")),
        entity, _previous(payload.get("old_object")),
        identifier(payload.get("operator")) or identifier(body.get("operator")),
        payload, len(raw),
        name not in WITHOUT_DOCUMENTS and is_nested_too_deeply(body, raw),
    )  # fmt: skip


def _rank(name: str) -> int:
    return RANKS.get(name, ORDINARY_RANK)


def _previous(old: Any) -> dict[str, Any] | None:
    if not isinstance(old, dict) or ("id" in old and old["id"] in (None, "")):
        return None
    return old


# ---- the usual delivery --------------------------------------------------------------------------
#
# A body of known shape is decoded into typed objects, and of an event without documents only what the fold
# reads: that takes three fifths of the time. Whatever is unusual in any way goes the general way.


_Milliseconds = Annotated[int, msgspec.Meta(ge=0)]
_Identifier = Annotated[str, msgspec.Meta(min_length=1)]


class _Entity(TypedDict, total=False):
    id: Required[_Identifier]
    email: Any
    presence_status: Any
    app: Any
    client_type: Any
    login_type: Any
    version: Any
    members: Any
    admins: Any
    personal_notes: Any


class _Payload(msgspec.Struct, gc=False):
    object: _Entity
    account_id: _Identifier
    operator: Any = None
    old_object: Any = None


class _Kind(NamedTuple):
    name: str
    rank: int
    documents: bool


def _usual_body(event: str) -> type[msgspec.Struct]:
    """The type of a body whose `event` is this."""
    payload = _Payload if event in WITHOUT_DOCUMENTS else dict[str, Any]
    fields: list[Any] = [("payload", payload), ("event_ts", _Milliseconds), ("operator", Any, None)]
    return msgspec.defstruct("_Body", fields, tag_field="event", tag=event, gc=False)


_KINDS: Final = {
    _usual_body(event): _Kind(
        ALIASES.get(event, event), _rank(ALIASES.get(event, event)), event not in WITHOUT_DOCUMENTS
    )
    for event in (*EVENTS, *ALIASES)
}
_usual: Final = msgspec.json.Decoder(Union[tuple(_KINDS)]).decode  # noqa: UP007  made of a tuple
_NO_PAYLOAD: Final[dict[str, Any]] = {}


def _decode_usual(position: int, received_us: int, digest: bytes, raw: bytes) -> Event | None:
    """The event of a body of known shape; None where anything about it is unusual."""
    # Without a backslash no text needs cleaning, and a name stands in the bytes as it is. A second `event`
    # that says otherwise is refused by the decoder; of any other key the last one counts.
    if b"\\" in raw:
        return None
    try:
        body = _usual(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    name, rank, documents = _KINDS[type(body)]
    payload, time_ms, operator = body.payload, body.event_ts, body.operator
    if time_ms > received_us // 1000 + DAY_MS:
        return None
    if documents:
        if may_need_cleaning(raw) or may_be_nested_too_deeply(raw):
            return None
        entity, account, old, own = (
            payload.get("object"), payload.get("account_id"), payload.get("old_object"),
            payload.get("operator"),
        )  # fmt: skip
        if type(entity) is not dict:
            return None
        account, entity_id = identifier(account), identifier(entity.get("id"))
    else:
        entity, account, old, own = (
            payload.object, payload.account_id, payload.old_object, payload.operator
        )  # fmt: skip
        entity_id, payload = entity["id"], _NO_PAYLOAD
    if own is not None or operator is not None:
        operator = identifier(own) or identifier(operator)
    return Event(
        name, position, received_us, time_ms, _order(time_ms, rank) + digest, account, entity_id,
        entity, None if old is None else _previous(old), operator, payload, len(raw),
    )  # fmt: skip
