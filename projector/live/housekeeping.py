"""Housekeeping: forget old digests and counts of refusals, drop what a killed rebuild left, seal the log."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from projector.database import TROUBLE, Database
from projector.database_reasons import reason_of
from projector.log.read import forget_digests, read_head
from projector.log.refusals import forget_refusals
from projector.log.seals import seal_block
from projector.state.rebuilds import abandoned_rebuilds, forget_abandoned_rebuild
from projector.state.shadow import drop_shadows

EVERY_SECONDS: Final = 600.0
FORGOTTEN_AT_ONCE: Final = 5000
ABANDONED: Final = timedelta(minutes=10)
REFUSALS_KEPT: Final = timedelta(days=90)

_log = structlog.get_logger()


async def run_housekeeping(database: Database, duplicate_days: float) -> None:
    """Clean up every ten minutes, until cancelled. Any number of replicas may do so at once.

    What was in the log the last time is sealed: a failover that loses rows then rarely loses sealed ones.
    """
    settled = 0
    while True:
        try:
            await seal_log(database, settled)
            settled = await read_head(database)
            forgotten = await forget_old_digests(database, duplicate_days)
            if forgotten:
                _log.info("digests_forgotten", count=forgotten)
            await forget_refusals(database, datetime.now(UTC) - REFUSALS_KEPT)
            await drop_abandoned_rebuilds(database)
        except TROUBLE as error:
            _log.warning("housekeeping_failed", reason=reason_of(error).what)
        await asyncio.sleep(EVERY_SECONDS)


async def forget_old_digests(database: Database, duplicate_days: float) -> int:
    """Forget digests seen longer ago than that, in short transactions; returns how many."""
    before = datetime.now(UTC) - timedelta(days=duplicate_days)
    total = 0
    while count := await forget_digests(database, before, FORGOTTEN_AT_ONCE):
        total += count
        await asyncio.sleep(0.05)
    return total


async def seal_log(database: Database, until: int) -> None:
    """Seal what the log holds up to a position, block by block.

    The last seal, which covers all before, is logged. A copy of that line outside the database is what nobody
    there can forge.
    """
    last = None
    while (seal := await seal_block(database, until)) is not None:
        last = seal
        await asyncio.sleep(0.05)
    if last is not None:
        _log.info("log_sealed", position=last.position, chain=last.chain.hex())


async def drop_abandoned_rebuilds(database: Database) -> None:
    """Drop the shadow tables of rebuilds whose process was killed."""
    for projection in await abandoned_rebuilds(database, ABANDONED):
        async with database.transaction() as connection:
            if await forget_abandoned_rebuild(connection, projection, ABANDONED):
                await drop_shadows(connection, projection)
                _log.info("abandoned_rebuild_dropped", projection=projection)
