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

from projector.database import UNAVAILABLE, Connection, Database
from projector.errors import DatabaseUnavailable, RebuildRefused
from projector.folding.tables import Projection
from projector.runtime.tasks import end
from projector.statements import queries

_SQL: Final = queries("state")

TTL: Final = timedelta(seconds=15)
BEAT_SECONDS: Final = 3.0

_log = structlog.get_logger()


class Claim:
    """The right to fill and swap the shadows of some projections; `epochs` fence their positions."""

    def __init__(self) -> None:
        self.token = uuid.uuid4().hex[:8]
        self.owner = f"rebuild:{socket.gethostname()}:{os.getpid()}:{self.token}"
        self.epochs: dict[str, int] = {}

    def schema_of(self, projection: Projection) -> str:
        """The schema of a projection's shadow: no other claim's, also not of one that was paused."""
        return f"rebuild_{projection.name}_{self.token}"


@asynccontextmanager
async def claimed(database: Database, projections: Sequence[Projection]) -> AsyncIterator[Claim]:
    """Claim the rebuild of some projections; on the way out nothing of it is left behind.

    Raises RebuildRefused where another one is under way for any of them, and DatabaseUnavailable where
    the database goes away meanwhile.
    """
    claim = Claim()
    try:
        for projection in projections:
            await _take(database, projection, claim)
        beat = asyncio.create_task(_beat(database, claim.owner))
        try:
            yield claim
        finally:
            await end(beat)
    except UNAVAILABLE as error:
        raise DatabaseUnavailable(
            f"the database went away ({type(error).__name__}); the live rows are whole: run this again"
        ) from error
    finally:
        await _give_up(database, projections, claim)


async def _take(database: Database, projection: Projection, claim: Claim) -> None:
    """Claim one projection, and drop what killed rebuilds of it left."""
    async with database.transaction() as connection:
        epoch = await connection.fetchval(_SQL["claim_rebuild"], projection.name, claim.owner, TTL)
        if epoch is None:
            raise RebuildRefused(
                f"{projection.name} is being rebuilt or verified already; wait until that is done "
                "(`projector status` shows it) and run this again"
            )
        await drop_shadows(connection, projection.name)
    claim.epochs[projection.name] = epoch


async def drop_shadows(connection: Connection, projection: str) -> None:
    """Drop the shadows of a projection, whosever they are."""
    for row in await connection.fetch(_SQL["shadow_schemas"], projection):
        await connection.execute(f"DROP SCHEMA {row[0]} CASCADE")


async def _beat(database: Database, owner: str) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            await database.fetch(_SQL["beat_rebuilds"], owner, timeout=5)
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            _log.warning("rebuild_not_renewed", error=type(error).__name__)


async def _give_up(database: Database, projections: Sequence[Projection], claim: Claim) -> None:
    for projection in projections:
        if projection.name not in claim.epochs:
            continue
        schema = claim.schema_of(projection)
        try:
            async with database.transaction() as connection:
                await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
                await connection.execute(_SQL["give_up_rebuild"], projection.name, claim.owner)
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            # The next rebuild drops it, or housekeeping does.
            _log.warning("shadow_left_behind", schema=schema, error=type(error).__name__)
