"""The event log: append to it, read it. Sole owner of the schema `log`'s events.

The invariant that readers build on: positions commit in order, so a reader that remembers only its last
position misses nothing. `log.append()` keeps it with a transaction-level lock (0001_log.sql).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

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


def delivery_of(
    body: bytes,
    decoded: dict[str, Any],
    *,
    received_at: datetime,
    request_id: str | None = None,
    verified_by: str | None = None,
) -> Delivery:
    """Make a delivery of a body and its decoded form, whose `event` must be a string.

    What PostgreSQL's text cannot hold is replaced in the columns; the body keeps it.
    """
    payload = decoded.get("payload")
    account = identifier(payload.get("account_id")) if isinstance(payload, dict) else None
    event_ts = decoded.get("event_ts")
    return Delivery(
        received_at,
        clean_text(decoded["event"]),
        _event_ts_column(event_ts),
        None if account is None else clean_text(account),
        None if request_id is None else clean_text(request_id),
        digest_of(body),
        verified_by,
        body,
    )


def parse_delivery(body: bytes) -> dict[str, Any]:
    """Decode a body that must be a JSON object with a string `event`; raises ValueError if not."""
    decoded = decode_json(body)
    if not isinstance(decoded, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004
    if not isinstance(decoded.get("event"), str):
        raise ValueError("no string `event`")  # noqa: TRY004
    return decoded


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
