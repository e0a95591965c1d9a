"""The gauges of a projecting process, as its metrics show them."""

import asyncio

import structlog

from projector.database import TROUBLE, Database
from projector.live.replica import Replica
from projector.state.status import read_status

REFRESH_SECONDS = 5.0

_log = structlog.get_logger()


async def refresh_gauges(database: Database, replica: Replica) -> None:
    """Read the gauges from the database every few seconds, until cancelled."""
    metrics = replica.metrics
    while True:
        try:
            status = await read_status(database)
            for projection in status.projections:
                metrics.lag_events.labels(projection.projection).set(projection.lag_events)
                metrics.lag_seconds.labels(projection.projection).set(projection.lag_seconds)
            metrics.standing.labels("dead_letters").set(status.dead_letters)
            metrics.standing.labels("drift").set(status.drift)
            metrics.standing.labels("quarantine").set(status.quarantine)
            for name, seconds in replica.waiting_seconds().items():
                metrics.stuck_seconds.labels(name).set(seconds)
        except TROUBLE as error:
            _log.debug("gauges_not_read", error=type(error).__name__)
        await asyncio.sleep(REFRESH_SECONDS)
