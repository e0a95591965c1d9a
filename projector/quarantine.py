"""The quarantine: refused deliveries that may be genuine. Sole owner of log.quarantine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from projector import log
from projector.database import Database, Queryable
from projector.event_names import URL_VALIDATION
from projector.log import Delivery, delivery_of, head_of
from projector.signature import fingerprint, signer
from projector.statements import queries

_SQL: Final = queries("quarantine")

# Few, for each may be as large as the body limit.
REVERIFY_BATCH: Final = 20


class Suspect(NamedTuple):
    """A refused delivery. `signed` tells that its signature is that of a live secret."""

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
    """A row of the quarantine as it may be shown: `size` is that of the body in bytes."""

    id: int
    received_at: datetime
    reason: str
    event: str | None
    signed: bool
    request_id: str | None
    size: int


class Totals(NamedTuple):
    """What the quarantine holds: rows, bytes of bodies, and how many rows are signed."""

    rows: int
    bytes: int
    signed: int


class Reverified(NamedTuple):
    """What `reverify` did: appended anew, found in the log already, left where it is."""

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
    """Keep what the bounds have room for; answers `kept`, `known` or `dropped` for each."""
    columns = [list(column) for column in zip(*suspects, strict=True)]
    rows = await database.fetch(_SQL["keep"], *columns, max_rows, max_bytes, timeout=timeout)
    return [row[0] for row in rows]


async def list_rows(database: Queryable, *, limit: int = 100) -> list[Listed]:
    """The newest rows, without their bodies."""
    return [Listed(*row) for row in await database.fetch(_SQL["list"], limit)]


async def totals(database: Queryable) -> Totals:
    """What the quarantine holds now."""
    rows = await database.fetch(_SQL["totals"])
    return Totals(*rows[0])


async def reverify(database: Database, secrets: Sequence[bytes]) -> Reverified:
    """Append what a secret verifies now, whatever the age of its timestamp, as received back then.

    Appended rows leave the quarantine; so do those that the log holds already. What no secret
    verifies, or is no event, stays. Interrupted, it may run again: an append twice is a duplicate.
    """
    appended = duplicates = left = after = 0
    while rows := await database.fetch(_SQL["read"], after, REVERIFY_BATCH):
        after = rows[-1]["id"]
        verified = {
            row["id"]: delivery
            for row in rows
            if (delivery := _delivery(Suspended(*row), secrets)) is not None
        }
        left += len(rows) - len(verified)
        if verified:
            answers = await log.append(database, list(verified.values()), source="quarantine")
            repeated = sum(answer.duplicate for answer in answers)
            duplicates += repeated
            appended += len(answers) - repeated
            await database.fetch(_SQL["release"], list(verified))
    return Reverified(appended, duplicates, left)


class Suspended(NamedTuple):
    """A row as `reverify` reads it."""

    id: int
    received_at: datetime
    request_id: str | None
    timestamp: str
    signature: str
    body: bytes


def _delivery(row: Suspended, secrets: Sequence[bytes]) -> Delivery | None:
    """The delivery that a row holds, or None where no secret verifies it or it is no event for the log."""
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
    """Delete rows received before a time, of these ids, or all; answers how many went."""
    rows = await database.fetch(_SQL["purge"], before, None if ids is None else list(ids))
    return int(rows[0][0])
