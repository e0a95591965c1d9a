"""The quarantine: refused deliveries that may be genuine, in log.quarantine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from projector.database import Database, Queryable
from projector.log.append import append
from projector.statements import queries
from projector.zoom.catalogue import URL_VALIDATION
from projector.zoom.delivery import Delivery, delivery_of, head_of
from projector.zoom.signature import fingerprint, signer

_SQL: Final = queries("quarantine")

# Few, because each may be as large as the body limit.
REVERIFY_BATCH: Final = 20


class Suspect(NamedTuple):
    """A refused delivery; `signed`: with a live secret."""

    received_at: datetime
    reason: str
    event: str | None
    signed: bool
    request_id: str | None
    timestamp: str
    signature: str
    digest: bytes
    body: bytes


class Listed(NamedTuple):
    """A row of the quarantine without what may not be shown; `size`: bytes of the body."""

    id: int
    received_at: datetime
    reason: str
    event: str | None
    signed: bool
    request_id: str | None
    size: int


class Totals(NamedTuple):
    """Rows in the quarantine, bytes of their bodies, and how many rows are signed."""

    rows: int
    bytes: int
    signed: int


class Reverified(NamedTuple):
    """What `reverify` did: rows appended, rows whose bytes were in the log already, rows left."""

    appended: int
    duplicates: int
    left: int


async def keep(
    database: Queryable,
    suspects: Sequence[Suspect],
    *,
    max_rows: int,
    max_bytes: int,
    timeout: float | None = None,
) -> list[str]:
    """Keep what the bounds have room for; returns `kept`, `known` or `dropped` for each."""
    columns = [list(column) for column in zip(*suspects, strict=True)]
    rows = await database.fetch(_SQL["keep"], *columns, max_rows, max_bytes, timeout=timeout)
    return [row[0] for row in rows]


async def list_rows(database: Queryable, *, limit: int = 100) -> list[Listed]:
    """Return the newest rows, without their bodies."""
    return [Listed(*row) for row in await database.fetch(_SQL["list"], limit)]


async def read_row(database: Queryable, row_id: int) -> tuple[Listed, bytes] | None:
    """Return a row and its body, or None where there is none."""
    rows = await database.fetch(_SQL["one"], row_id)
    if not rows:
        return None
    *listed, body = rows[0]
    return Listed(*listed), body


async def present(database: Queryable, ids: Sequence[int]) -> set[int]:
    """Return which of these rows are there."""
    return {row[0] for row in await database.fetch(_SQL["present"], list(ids))}


async def totals(database: Queryable) -> Totals:
    """Return how much the quarantine holds now."""
    rows = await database.fetch(_SQL["totals"])
    return Totals(*rows[0])


async def reverify(database: Database, secrets: Sequence[bytes]) -> Reverified:
    """Append what a secret verifies now, whatever the age of its timestamp, with its time of receipt.

    Appended rows leave the quarantine; so do those whose bytes the log holds already. What no secret
    verifies, or is no event, stays. It may be interrupted and run again: a second append is a duplicate.
    """
    appended = duplicates = left = after = 0
    while rows := await database.fetch(_SQL["read"], after, REVERIFY_BATCH):
        after = rows[-1]["id"]
        verified = {
            row["id"]: delivery
            for row in rows
            if (delivery := _delivery(QuarantinedRow(*row), secrets)) is not None
        }
        left += len(rows) - len(verified)
        if verified:
            results = await append(database, list(verified.values()), source="quarantine")
            repeated = sum(result.duplicate for result in results)
            duplicates += repeated
            appended += len(results) - repeated
            await database.fetch(_SQL["release"], list(verified))
    return Reverified(appended, duplicates, left)


class QuarantinedRow(NamedTuple):
    """A row as `reverify` reads it."""

    id: int
    received_at: datetime
    request_id: str | None
    timestamp: str
    signature: str
    body: bytes


def _delivery(row: QuarantinedRow, secrets: Sequence[bytes]) -> Delivery | None:
    """Return the delivery of a row, or None where no secret verifies it or it is no event for the log."""
    secret = signer(secrets, row.timestamp, row.signature, row.body)
    if secret is None:
        return None
    try:
        head = head_of(row.body)
    except ValueError:
        return None
    if head.event == URL_VALIDATION:
        return None
    return delivery_of(
        row.body,
        head,
        received_at=row.received_at,
        request_id=row.request_id,
        verified_by=fingerprint(secret),
    )


async def purge(
    database: Queryable, *, before: datetime | None = None, ids: Sequence[int] | None = None
) -> int:
    """Delete rows received before a time, of these ids, or all; returns how many."""
    rows = await database.fetch(_SQL["purge"], before, None if ids is None else list(ids))
    return int(rows[0][0])
