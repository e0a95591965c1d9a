"""The claim on a rebuild: at most one for each projection, valid while it is renewed."""

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import structlog

from projector.database import TROUBLE, UNAVAILABLE, Database
from projector.database_reasons import reason_of, went_away
from projector.errors import RebuildRefused
from projector.folding.tables import Projection
from projector.state.rebuilds import claim_rebuild, give_up_rebuild, renew_rebuilds
from projector.state.shadow import drop_shadows
from projector.state.shadow_sql import drop_schema
from projector.tasks import end, to_its_end

TTL: Final = timedelta(seconds=15)
# A replica that stops waits so long for the end of its rebuild.
GIVE_UP_SECONDS: Final = 10.0
RENEW_SECONDS: Final = 3.0

_log = structlog.get_logger()


class Claim:
    """The right to fill and swap the shadows of some projections; `epochs` fence their positions."""

    def __init__(self) -> None:
        self.token = uuid.uuid4().hex[:8]
        self.owner = f"rebuild:{socket.gethostname()}:{os.getpid()}:{self.token}"
        self.epochs: dict[str, int] = {}

    def schema_of(self, projection: Projection) -> str:
        """The schema of a projection's shadow; unique to this claim, so a paused one cannot write to it."""
        return f"rebuild_{projection.name}_{self.token}"


@asynccontextmanager
async def claimed(database: Database, projections: Sequence[Projection]) -> AsyncIterator[Claim]:
    """Claim the rebuild of some projections; on exit, drop its shadows and release the claims.

    Raises RebuildRefused if any of them is being rebuilt, DatabaseUnavailable if the database is lost.
    """
    claim = Claim()
    try:
        for projection in projections:
            await _take(database, projection, claim)
        renewing = asyncio.create_task(_renew(database, claim.owner))
        try:
            yield claim
        finally:
            await end(renewing)
    except UNAVAILABLE as error:
        raise went_away(error, "the live rows are whole: run this again") from error
    finally:
        await to_its_end(_give_up(database, projections, claim), GIVE_UP_SECONDS)


async def _take(database: Database, projection: Projection, claim: Claim) -> None:
    """Claim one projection, and drop the shadows that killed rebuilds of it left."""
    async with database.transaction() as connection:
        epoch = await claim_rebuild(connection, projection.name, claim.owner, TTL)
        if epoch is None:
            raise RebuildRefused(
                f"{projection.name} is being rebuilt or verified already; wait until that is done "
                "(`projector status` shows it) and run this again"
            )
        await drop_shadows(connection, projection.name)
    claim.epochs[projection.name] = epoch


async def _renew(database: Database, owner: str) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await renew_rebuilds(database, owner, timeout=5)
        except TROUBLE as error:
            _log.warning("rebuild_not_renewed", reason=reason_of(error).what)


async def _give_up(database: Database, projections: Sequence[Projection], claim: Claim) -> None:
    for projection in projections:
        if projection.name not in claim.epochs:
            continue
        schema = claim.schema_of(projection)
        try:
            async with database.transaction() as connection:
                await connection.execute(drop_schema(schema))
                await give_up_rebuild(connection, projection.name, claim.owner)
        except TROUBLE as error:
            # The next rebuild drops it, or housekeeping does.
            _log.warning("shadow_left_behind", schema=schema, reason=reason_of(error).what)
