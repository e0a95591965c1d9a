"""The claim on a rebuild: one at a time for each projection, alive while it beats."""

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from projector.database import UNAVAILABLE, Database
from projector.errors import RebuildRefused
from projector.folding.tables import Projection
from projector.rebuild.shadow import schema_of
from projector.statements import queries

_SQL: Final = queries("state")

TTL: Final = timedelta(seconds=15)
BEAT_SECONDS: Final = 3.0

_log = structlog.get_logger()


class Claim:
    """The right to fill and swap the shadows of some projections; `epochs` fence their positions."""

    def __init__(self, owner: str, epochs: dict[str, int]) -> None:
        self.owner = owner
        self.epochs = epochs


@asynccontextmanager
async def claimed(database: Database, projections: Sequence[Projection]) -> AsyncIterator[Claim]:
    """Claim the rebuild of some projections; on the way out nothing of it is left behind.

    Raises RebuildRefused where another one is under way for any of them.
    """
    owner = f"rebuild:{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    claim = Claim(owner, {})
    try:
        for projection in projections:
            epoch = await database.fetchval(_SQL["claim_rebuild"], projection.name, owner, TTL)
            if epoch is None:
                raise RebuildRefused(
                    f"{projection.name} is being rebuilt or verified already; wait until that is done "
                    "(`projector status` shows it) and run this again"
                )
            claim.epochs[projection.name] = epoch
        beat = asyncio.create_task(_beat(database, owner))
        try:
            yield claim
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
    finally:
        await _give_up(database, projections, claim)


async def _beat(database: Database, owner: str) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            await database.fetch(_SQL["beat_rebuilds"], owner, timeout=5)
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            _log.warning("rebuild_not_renewed", error=type(error).__name__)


async def _give_up(database: Database, projections: Sequence[Projection], claim: Claim) -> None:
    for projection in projections:
        if projection.name in claim.epochs:
            async with database.transaction() as connection:
                await connection.execute(f"DROP SCHEMA IF EXISTS {schema_of(projection)} CASCADE")
                await connection.execute(_SQL["give_up_rebuild"], projection.name, claim.owner)
