"""The event log: append to it, read it. Sole owner of the schema `log`'s events.

The invariant that readers build on: positions commit in order, so a reader that remembers only its last
position misses nothing. `log.append()` keeps it with a transaction-level lock (0001_log.sql).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from projector.bodies import clean_text, decode_json
from projector.database import Database, Queryable
from projector.events import INT8_DIGITS, digest_of, identifier
from projector.statements import queries

_SQL: Final = queries("log")

NOTIFY_CHANNEL: Final = "projector_log"
LARGEST_INT8: Final = 2**63 - 1

Source = Literal["webhook", "import", "quarantine"]


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


class Appended(NamedTuple):
    """Where the bytes stand in the log, and whether they stood there before this append."""

    position: int
    duplicate: bool


class Head(NamedTuple):
    """What the log's columns take of a body; all but `event` may be anything."""

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
    """The head of a body, which must be a JSON object with a string `event`; raises ValueError if not.

    What the head does not take is checked and skipped: a quarter of the time of making objects of it.
    """
    try:
        if not body.isascii():
            body.decode()  # what is skipped is not looked at that closely
        found = _decode_head(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return head_in(decode_json(body))
    payload = found.payload
    return Head(found.event, found.event_ts, None if payload is None else payload.account_id)


def head_in(decoded: Any) -> Head:
    """The head of a body that is decoded already; raises ValueError as `head_of` does."""
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

    What PostgreSQL's text cannot hold is replaced in the columns; the body keeps it.
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


async def append(
    database: Queryable,
    deliveries: Sequence[Delivery],
    *,
    source: Source = "webhook",
    timeout: float | None = None,
) -> list[Appended]:
    """Append in one call and one commit; answers each delivery in its order.

    Durable when it returns. On any error nothing is known: the deliveries may stand in the log, and
    appending them again answers with the same positions. `timeout` is in seconds.
    """
    columns = [list(column) for column in zip(*deliveries, strict=True)]
    received, event, event_ts, account, request, digest, verified_by, body = columns
    rows = await database.fetch(
        _SQL["append"],
        received,
        event,
        event_ts,
        account,
        request,
        digest,
        source,
        verified_by,
        body,
        timeout=timeout,
    )
    return [Appended(*row) for row in rows]


async def head(database: Database) -> int:
    """The greatest position, 0 for an empty log."""
    return int(await database.fetchval(_SQL["head"]))
