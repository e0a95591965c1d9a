"""How things stand: the head, every projection, what could not be folded, and what is waited for."""

import asyncio
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from projector.database import Database
from projector.statements import queries

_SQL: Final = queries("status")
_LOG_SQL: Final = queries("log")

WAIT_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True)
class ProjectionStatus:
    """One projection: lag in events and in seconds, by the age of the oldest event not folded."""

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
    """When anything of an account was last received, and how many of its events are counted."""

    account_id: str
    last_received_at: datetime
    events: int


@dataclass(frozen=True)
class LockHolder:
    """A database session that holds the append lock just now, and for how long, in seconds.

    Of another role's session only `pid` is known where this role is no `pg_monitor`.
    """

    pid: int
    application: str | None
    state: str | None
    client: str | None
    seconds: float | None


@dataclass(frozen=True)
class Status:
    """Everything that `projector status` shows. `read_at` is by this process' own clock, in seconds."""

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
    """Read how things stand; rates are those since `before` was read."""
    rows = await database.fetch(_SQL["projections"])
    read_at = time.monotonic()
    standing = (await database.fetch(_SQL["standing"]))[0]
    fresh = await database.fetch(_SQL["freshness"])
    holders = await database.fetch(_LOG_SQL["append_lock_holders"])
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
        quarantine=standing["quarantine"],
        freshness=[Freshness(**dict(row)) for row in fresh],
        append_lock=[LockHolder(*row) for row in holders],
    )


async def wait_for(database: Database, position: int | None, timeout: float | None) -> list[str]:
    """Wait until every projection has folded up to a position; answers who has not in time.

    `position` None: the head at the call. `timeout` in seconds; None: for as long as it takes.
    """
    target = await database.fetchval(_LOG_SQL["head"]) if position is None else position
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        behind = [row["projection"] for row in await database.fetch(_SQL["behind"], target)]
        if not behind or (deadline is not None and time.monotonic() >= deadline):
            return behind
        await asyncio.sleep(WAIT_POLL_SECONDS)
