"""Events as they are read from the log: decoded, cleaned, and given their place in event order.

Pure: bytes in, values out. Nothing here raises on odd input; what is missing is None.
"""

import hashlib
import struct
from typing import Any, Final, TypeAlias, Union

import msgspec

from projector.zoom.bodies import (
    decode_clean,
    is_nested_too_deeply,
    may_be_nested_too_deeply,
    may_need_cleaning,
)
from projector.zoom.catalogue import CATALOGUE, Catalogue, EventType, Fields
from projector.zoom.event_time import DAY_MS, event_time
from projector.zoom.typed_bodies import body_type, cut

_order = struct.Struct(">QB").pack
_NO_PAYLOAD: Final[dict[str, Any]] = {}
_ID: Final[Fields] = {"id": None}


def digest_of(body: bytes) -> bytes:
    """SHA-256 of a delivery's bytes (32 bytes): equal for duplicates alone."""
    return hashlib.sha256(body).digest()


def identifier(value: Any) -> str | None:
    """An id as text: a text that is not empty, or an integer in decimal; anything else is no id."""
    if type(value) is str:
        return value or None
    if type(value) is int:
        return str(value)
    return None


class Event(msgspec.Struct, gc=False, eq=False):
    """One event of the log, ready to fold.

    `order` is its place in event order: 41 bytes that compare like (event time, lifecycle rank, digest).
    `account_id` and `entity_id` are None where the delivery names none, `object` where it has none.
    `old_object` holds the previous values; None: absent, no object, or a placeholder with a blank id.
    `operator` is the operator's e-mail: the payload's, else the top-level one. Of an event without
    documents `payload` is empty, and `object` and `old_object` hold what the catalogue says that folds
    read. `size` is that of the body in bytes. `too_deep`: it is nested deeper than 100 levels, and so
    cannot be folded. `unheld` collects the columns that could not hold a value of this event.
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
        """Note that a column could not hold this event's value; a second time changes nothing."""
        if self.unheld is None:
            self.unheld = set()
        self.unheld.add(column)


class Decoder:
    """Decodes the events of a catalogue, in one of two ways that give the same event.

    Bodies of a usual shape are decoded into types, in half the time; anything unusual about a body sends
    it the general way. `skim`: of events with documents, `object` may hold `id`, `email` and `settings`
    alone, `payload` the `operation` alone, and `old_object` be missing.
    """

    def __init__(self, catalogue: Catalogue, *, skim: bool = False) -> None:
        self._rows = catalogue.by_sent_name
        take_documents = _take_skimmed if skim else _take_whole
        self._types = {
            body_type(sent, row, skim=skim): (
                row.name, row.rank, row.own, take_documents if row.reads is None else _take_cut,
            )
            for sent, row in self._rows.items()
        }  # fmt: skip
        self._usual = msgspec.json.Decoder(Union[tuple(self._types)]).decode  # noqa: UP007  of a tuple

    def usual(
        self, position: int, received_us: int, digest: bytes, raw: bytes, own: bool = False
    ) -> Event | None:
        """The event of a body of usual shape; None where anything about it is unusual."""
        # Without a backslash no text needs cleaning, and a name stands in the bytes as it is. A second
        # `event` that differs is refused by the decoder; of any other key the last one counts.
        if b"\\" in raw:
            return None
        try:
            if not raw.isascii():
                raw.decode()  # the decoder does not check the texts that it skips
            body: Any = self._usual(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        name, rank, is_own, take = self._types[type(body)]
        time_ms, operator = body.event_ts, body.operator
        parts = take(body.payload, raw)
        if parts is None or is_own is not own or time_ms > received_us // 1000 + DAY_MS:
            return None
        account, entity_id, entity, old, inner, payload = parts
        if inner is not None or operator is not None:
            operator = identifier(inner) or identifier(operator)
        return Event(
            name, position, received_us, time_ms, _order(time_ms, rank) + digest, account,
            entity_id, entity, old, operator, payload, len(raw),
        )  # fmt: skip

    def event(
        self, position: int, received_us: int, digest: bytes, body: bytes | None, own: bool = False
    ) -> Event | None:
        """The event of a row of the log; None for an erased body, or one that is no event at all.

        `received_us` is the time of receipt in epoch microseconds. `own`: we appended it as a fact of our
        own. A delivery that bears the name of such a fact is no event, nor is the reverse.
        """
        if body is None:
            return None
        return self.usual(position, received_us, digest, body, own) or self.general(
            position, received_us, digest, body, own
        )

    def general(
        self, position: int, received_us: int, digest: bytes, raw: bytes, own: bool = False
    ) -> Event | None:
        """The event of any body; None where it is none."""
        try:
            body = decode_clean(raw)
        except (ValueError, RecursionError):
            return None
        sent = body.get("event") if isinstance(body, dict) else None
        if not isinstance(sent, str):
            return None
        row = self._rows.get(sent) or EventType(sent)
        if row.own is not own:
            return None
        payload = body.get("payload")
        payload = payload if isinstance(payload, dict) else {}
        entity = payload.get("object")
        entity = entity if isinstance(entity, dict) else None
        old = _previous(payload.get("old_object"))
        time_ms = event_time(body, received_us // 1000)
        event = Event(
            row.name, position, received_us, time_ms, _order(time_ms, row.rank) + digest,
            identifier(payload.get("account_id")),
            None if entity is None else identifier(entity.get("id")),
            entity, old, identifier(payload.get("operator")) or identifier(body.get("operator")),
            payload, len(raw),
        )  # fmt: skip
        if row.reads is None:
            event.too_deep = is_nested_too_deeply(body, raw)
        else:
            fields = row.reads | _ID
            event.object, event.old_object = cut(entity, fields), cut(old, fields)
            event.payload = _NO_PAYLOAD
        return event


def _previous(old: Any) -> dict[str, Any] | None:
    if not isinstance(old, dict) or ("id" in old and old["id"] in (None, "")):
        return None
    return old


# What a usual payload says: account, entity's id, object, old_object, operator, payload.
_Parts: TypeAlias = tuple[str | None, str | None, dict[str, Any], dict[str, Any] | None, Any, Any]


def _take_cut(payload: Any, _raw: bytes) -> _Parts | None:
    """Of an event without documents."""
    entity, old = payload.object, payload.old_object
    old = None if old is None else _previous(old)
    return payload.account_id, entity["id"], entity, old, payload.operator, _NO_PAYLOAD


def _take_whole(payload: Any, raw: bytes) -> _Parts | None:
    """Of an event with documents."""
    entity = payload.get("object")
    if type(entity) is not dict or may_need_cleaning(raw) or may_be_nested_too_deeply(raw):
        return None
    old = payload.get("old_object")
    old = None if old is None else _previous(old)
    account, entity_id = identifier(payload.get("account_id")), identifier(entity.get("id"))
    return account, entity_id, entity, old, payload.get("operator"), payload


def _take_skimmed(payload: Any, raw: bytes) -> _Parts | None:
    """The same, but for the documents other than settings."""
    entity, rest = payload.object, {"operation": payload.operation}
    if may_be_nested_too_deeply(raw) or ("settings" in entity and may_need_cleaning(raw)):
        return None
    return payload.account_id, entity["id"], entity, None, payload.operator, rest


decode_event: Final = Decoder(CATALOGUE).event
skim_event: Final = Decoder(CATALOGUE, skim=True).event
