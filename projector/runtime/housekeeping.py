"""Housekeeping: forget old digests, and clear away what a killed rebuild left behind."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from projector.database import UNAVAILABLE, Database
from projector.rebuild.claim import drop_shadows
from projector.statements import queries

_SQL: Final = queries("state")
_LOG_SQL: Final = queries("log")

EVERY_SECONDS: Final = 600.0
FORGOTTEN_AT_ONCE: Final = 5000
ABANDONED: Final = timedelta(minutes=10)

_log = structlog.get_logger()


async def keep_house(database: Database, duplicate_days: float) -> None:
    """Tidy up every ten minutes, until cancelled. Any number of replicas may do so at once."""
    while True:
        try:
            forgotten = await forget_digests(database, duplicate_days)
            if forgotten:
                _log.info("digests_forgotten", count=forgotten)
            await drop_abandoned_rebuilds(database)
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            _log.warning("housekeeping_failed", error=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def forget_digests(database: Database, duplicate_days: float) -> int:
    """Forget what was seen longer ago than that, in short transactions; answers how many."""
    before = datetime.now(UTC) - timedelta(days=duplicate_days)
    total = 0
    while count := await database.fetchval(_LOG_SQL["forget_digests"], before, FORGOTTEN_AT_ONCE):
        total += count
        await asyncio.sleep(0.05)
    return total


async def drop_abandoned_rebuilds(database: Database) -> None:
    """Drop the shadow of a rebuild whose process was killed."""
    for row in await database.fetch(_SQL["abandoned_rebuilds"], ABANDONED):
        async with database.transaction() as connection:
            gone = await connection.fetchval(
                _SQL["forget_abandoned_rebuild"], row["projection"], ABANDONED
            )
            if gone is not None:
                await drop_shadows(connection, row["projection"])
                _log.info("abandoned_rebuild_dropped", projection=row["projection"])
