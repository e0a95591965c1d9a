"""The status: the head, every projection, what could not be folded, and who holds the append lock."""

import asyncio
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from projector.database import Database
from projector.log.quarantine import totals
from projector.log.read import LockHolder, accounts_at_ends, append_lock_holders, read_head
from projector.statements import queries

_SQL: Final = queries("status")

WAIT_POLL_SECONDS: Final = 0.02

# How much of either end of the log is asked for accounts that nothing has folded yet.
UNFOLDED_ROWS: Final = 10_000


@dataclass(frozen=True)
class ProjectionStatus:
    """One projection; `lag_seconds` is the age of the oldest event not yet folded."""

    projection: str
    position: int
    head: int
    lag_events: int
    lag_seconds: float
    state: str
    owner: str | None
    version: int
    error: str | None
    events_per_second: float | None = None


@dataclass(frozen=True)
class Freshness:
    """When the last event of an account was received, and how many events were folded."""

    account_id: str
    last_received_at: datetime
    events: int


@dataclass(frozen=True)
class Status:
    """Everything that `projector status` shows; `read_at` is time.monotonic(), in seconds."""

    read_at: float
    head: int
    projections: list[ProjectionStatus]
    dead_letters: int
    drift: int
    quarantine: int
    freshness: list[Freshness]
    append_lock: list[LockHolder]

    def as_json(self) -> dict[str, Any]:
        """The status as JSON values."""
        document = asdict(self)
        del document["read_at"]
        for entry in document["freshness"]:
            entry["last_received_at"] = entry["last_received_at"].isoformat()
        return document


async def read_status(database: Database, before: Status | None = None) -> Status:
    """Read the status; rates are averages since `before` was read."""
    rows = await database.fetch(_SQL["projections"])
    read_at = time.monotonic()
    standing = (await database.fetch(_SQL["standing"]))[0]
    fresh = await database.fetch(_SQL["freshness"])
    quarantined = await totals(database)
    holders = await append_lock_holders(database)
    earlier = {p.projection: p.position for p in before.projections} if before else {}
    projections = [
        ProjectionStatus(
            **dict(row),
            events_per_second=(row["position"] - earlier[row["projection"]])
            / (read_at - before.read_at)
            if before and row["projection"] in earlier
            else None,
        )
        for row in rows
    ]
    return Status(
        read_at=read_at,
        head=max((p.head for p in projections), default=0),
        projections=projections,
        dead_letters=standing["dead_letters"],
        drift=standing["drift"],
        quarantine=quarantined.rows,
        freshness=[Freshness(**dict(row)) for row in fresh],
        append_lock=holders,
    )


async def accounts(database: Database) -> set[str]:
    """Return the accounts that the log holds: those folded, and those of the log's first and last events.

    An account that only unfolded events far from both ends name is missed: a look at every row takes minutes.
    """
    folded = {row["account_id"] for row in await database.fetch(_SQL["accounts"])}
    return folded | await accounts_at_ends(database, UNFOLDED_ROWS)


async def wait_for(database: Database, position: int | None, timeout: float | None) -> list[str]:
    """Wait until every projection is at a position; returns those still behind at the time-out.

    `position` None: the head at the call. `timeout` in seconds; None: no limit.
    """
    target = await read_head(database) if position is None else position
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        behind = [row["projection"] for row in await database.fetch(_SQL["behind"], target)]
        if not behind or (deadline is not None and time.monotonic() >= deadline):
            return behind
        await asyncio.sleep(WAIT_POLL_SECONDS)
