"""Read the event log. Rows are (position, received_us, digest, body, own), as batches decode them.

`own`: the event is a fact of our own and no delivery.
`body` is None where the event was erased or repeats the bytes of an earlier position: it folds as nothing.
Time-outs are in seconds.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from projector.database import Queryable
from projector.statements import queries

_SQL: Final = queries("log")

NO_END: Final = 2**62


class LogEnd(NamedTuple):
    """A position and its event's digest; (0, None) for an empty log."""

    position: int
    digest: bytes | None


class LogRow(NamedTuple):
    """A row of the log. `event_ts`: epoch milliseconds. `body` is None where it is erased."""

    position: int
    event: str
    event_ts: int | None
    received_at: datetime
    source: str
    account_id: str | None
    request_id: str | None
    digest: bytes
    body: bytes | None


@dataclass(frozen=True)
class LockHolder:
    """A database session that holds the append lock now, and for how long, in seconds.

    Of another role's session only `pid` is known, unless this role is a member of `pg_monitor`.
    """

    pid: int
    application: str | None
    state: str | None
    client: str | None
    seconds: float | None


async def read(
    database: Queryable,
    after: int,
    *,
    rows: int,
    size: int,
    until: int = NO_END,
    timeout: float | None = None,
) -> list[asyncpg.Record]:
    """Return the next events after a position and up to `until`, in order.

    At most `rows` rows and `size` bytes of bodies, but always one row.
    """
    return await database.fetch(_SQL["read"], after, rows, until, size, timeout=timeout)


async def read_at(database: Queryable, positions: Sequence[int]) -> list[asyncpg.Record]:
    """Return the events at some positions, in order."""
    return await database.fetch(_SQL["read_positions"], list(positions))


async def read_events(database: Queryable, positions: Sequence[int]) -> list[asyncpg.Record]:
    """Return (position, event, source) of the events at some positions, without their bodies."""
    return await database.fetch(_SQL["read_events"], list(positions))


async def row_at(database: Queryable, position: int) -> LogRow | None:
    """Return the row of the log at a position, or None where there is none."""
    rows = await database.fetch(_SQL["row_at"], position)
    return LogRow(*rows[0]) if rows else None


async def digest_at(
    database: Queryable, position: int, *, timeout: float | None = None
) -> bytes | None:
    """Return the digest of the event at a position, or None where there is none."""
    rows = await database.fetch(_SQL["digest_at"], position, timeout=timeout)
    return rows[0][0] if rows else None


async def end_of(database: Queryable, position: int) -> LogEnd:
    """Return the last event up to a position."""
    rows = await database.fetch(_SQL["end_of"], position)
    return LogEnd(*rows[0]) if rows else LogEnd(0, None)


async def last_received_by(database: Queryable, moment: datetime) -> int:
    """Return the last position of what the log held at a moment: before the first event received later."""
    return int((await database.fetch(_SQL["last_received_by"], moment))[0][0])


async def read_head(database: Queryable, *, timeout: float | None = None) -> int:
    """Return the greatest position, 0 for an empty log."""
    rows = await database.fetch(_SQL["head"], timeout=timeout)
    return int(rows[0][0])


async def read_epoch(
    database: Queryable, *, gone: uuid.UUID | None = None, timeout: float | None = None
) -> uuid.UUID:
    """Return the log's epoch. `gone`: the epoch of a position that the log is found not to have any more."""
    if gone is None:
        rows = await database.fetch(_SQL["epoch"], timeout=timeout)
    else:
        rows = await database.fetch(_SQL["new_epoch"], gone, timeout=timeout)
    return uuid.UUID(str(rows[0][0]))


async def accounts_at_ends(database: Queryable, rows: int) -> set[str]:
    """Return the accounts of the first and of the last `rows` events."""
    return {row[0] for row in await database.fetch(_SQL["accounts_at_ends"], rows)}


async def append_lock_holders(database: Queryable) -> list[LockHolder]:
    """Return the sessions that hold the append lock: none or one, unless they change just now."""
    rows: Sequence[Any] = await database.fetch(_SQL["append_lock_holders"])
    return [LockHolder(*row) for row in rows]


async def forget_digests(database: Queryable, before: datetime, limit: int) -> int:
    """Forget at most `limit` digests that were seen before a time; returns how many."""
    rows = await database.fetch(_SQL["forget_digests"], before, limit)
    return int(rows[0][0])


async def scan(
    database: Queryable,
    after: int,
    until: int,
    *,
    rows: int,
    size: int,
    events: Sequence[str] | None,
    timeout: float | None = None,
) -> list[asyncpg.Record]:
    """Return the last events after a position and up to `until`, backwards, repeated ones like any other.

    At most `rows` rows and `size` bytes of bodies, but always one row; of `events` alone where given.
    """
    return await database.fetch(_SQL["scan"], after, until, rows, size, events, timeout=timeout)


async def repeated(database: Queryable, until: int, *, timeout: float) -> list[int]:
    """Return the positions, in order, whose events repeat the bytes of an earlier one."""
    return [row[0] for row in await database.fetch(_SQL["repeated"], until, timeout=timeout)]


async def sent_at(database: Queryable, times: Sequence[int]) -> list[asyncpg.Record]:
    """Return (event_ts, request_id, digest, body) of the deliveries with these event_ts."""
    return await database.fetch(_SQL["sent_at"], list(times))
