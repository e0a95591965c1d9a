"""A delivery on its way into the log: a body's bytes, and the fields of it that the log stores as columns."""

from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from projector.zoom.bodies import clean_text, decode_json
from projector.zoom.event_time import INT8_DIGITS
from projector.zoom.events import digest_of, identifier

LARGEST_INT8: Final = 2**63 - 1


class Delivery(NamedTuple):
    """One delivery on its way into the log. `body` holds the bytes as received."""

    received_at: datetime
    event: str
    event_ts: int | None
    account_id: str | None
    request_id: str | None
    digest: bytes
    verified_by: str | None
    body: bytes


class Head(NamedTuple):
    """The fields of a body that the log stores as columns. Only `event` is checked."""

    event: str
    event_ts: Any = None
    account_id: Any = None


class _Payload(msgspec.Struct):
    account_id: Any = None


class _Body(msgspec.Struct):
    event: str
    event_ts: Any = None
    payload: _Payload | None = None


_decode_head: Final = msgspec.json.Decoder(_Body).decode


def head_of(body: bytes) -> Head:
    """The head of a body; raises ValueError unless it is a JSON object with a string `event`.

    The rest of the body is checked, but not turned into objects: that would take four times as long.
    """
    try:
        if not body.isascii():
            body.decode()  # the decoder does not check the texts that it skips
        found = _decode_head(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return head_in(decode_json(body))
    payload = found.payload
    return Head(found.event, found.event_ts, None if payload is None else payload.account_id)


def head_in(decoded: Any) -> Head:
    """The head of a decoded body; raises ValueError as `head_of` does."""
    if not isinstance(decoded, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004
    event, payload = decoded.get("event"), decoded.get("payload")
    if not isinstance(event, str):
        raise ValueError("no string `event`")  # noqa: TRY004
    account = payload.get("account_id") if isinstance(payload, dict) else None
    return Head(event, decoded.get("event_ts"), account)


def delivery_of(
    body: bytes,
    head: Head,
    *,
    received_at: datetime,
    request_id: str | None = None,
    verified_by: str | None = None,
) -> Delivery:
    """Make a delivery of a body and its head.

    Characters that PostgreSQL cannot hold are replaced in the columns, not in the body.
    """
    account = identifier(head.account_id)
    return Delivery(
        received_at,
        clean_text(head.event),
        _event_ts_column(head.event_ts),
        None if account is None else clean_text(account),
        None if request_id is None else clean_text(request_id),
        digest_of(body),
        verified_by,
        body,
    )


def _event_ts_column(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= INT8_DIGITS:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_INT8:
        return value
    return None
