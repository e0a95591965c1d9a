"""The lease of a run: one run an account at a time, whoever starts it.

A row with a heartbeat, and nothing of a session: a pooler may stand between, and a killed run is taken over
once its heartbeat is old.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

import structlog

from projector.database import TROUBLE, Database
from projector.database_reasons import reason_of
from projector.errors import ProjectorError
from projector.process import unique_name
from projector.statements import queries
from projector.tasks import end

T = TypeVar("T")

TTL: Final = timedelta(seconds=30)
BEAT_SECONDS: Final = 5.0

_SQL: Final = queries("observations")
_log = structlog.get_logger()


class RunRefused(ProjectorError):
    """Another run reads the same account."""


class RunLost(ProjectorError):
    """Another run took the account over: this one was silent for too long."""


async def as_only_run(
    database: Database,
    account: str,
    work: Callable[[], Coroutine[Any, Any, T]],
    *,
    ttl: timedelta = TTL,
) -> T:
    """Do the work as the account's only run; returns what it returns.

    Raises RunRefused where another run is alive, RunLost where one took over in the meantime.
    """
    owner = unique_name()
    await _take(database, account, owner, ttl)
    beating = asyncio.create_task(_beat(database, account, owner, ttl))
    working = asyncio.create_task(work())
    try:
        await asyncio.wait((working, beating), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await beating
        return await working
    finally:
        await end(working)
        await end(beating)
        await _give_back(database, account, owner)


async def _take(database: Database, account: str, owner: str, ttl: timedelta) -> None:
    if await database.fetch(_SQL["take_lease"], account, owner, ttl):
        return
    rows = await database.fetch(_SQL["lease_holder"], account)
    since = f" since {rows[0]['taken_at']:%F %T %Z}" if rows else ""
    raise RunRefused(
        f"another run reads this account{since}; wait until it is done, or end it and run this again "
        f"after {ttl.total_seconds():.0f} s"
    )


async def _beat(database: Database, account: str, owner: str, ttl: timedelta) -> None:
    """Renew the lease; returns never. Raises RunLost once it is another's, or may be."""
    loop = asyncio.get_running_loop()
    renewed = loop.time()
    while loop.time() - renewed < ttl.total_seconds():
        await asyncio.sleep(min(BEAT_SECONDS, ttl.total_seconds() / 4))
        try:
            rows = await database.fetch(_SQL["beat_lease"], account, owner, timeout=5)
        except TROUBLE as error:
            _log.warning("run_not_renewed", reason=reason_of(error).what)
            continue
        if not rows:
            break
        renewed = loop.time()
    raise RunLost(
        "this run was cut off from the database for too long, and another may have taken over; run it "
        "again: it goes on where it was"
    )


async def _give_back(database: Database, account: str, owner: str) -> None:
    try:
        await database.fetch(_SQL["give_lease_back"], account, owner, timeout=5)
    except TROUBLE as error:
        _log.warning("run_not_released", reason=reason_of(error).what)
