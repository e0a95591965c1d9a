"""`serve` and `project`: one replica each; any number of them may run."""

import asyncio

import structlog
import typer

from projector.cli.running import database_url, run, start, until_stopped
from projector.collector import spare_collector
from projector.config import Settings
from projector.database import Database, open_database
from projector.errors import DatabaseUnavailable
from projector.ingress.server import serve as serve_ingress
from projector.migrations import check_schema
from projector.runtime.health import keep_gauges, serve_health
from projector.runtime.housekeeping import keep_house
from projector.runtime.replica import Replica

RETRY_SECONDS = 2.0
ATTEMPTS = 30

_logger = structlog.get_logger()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(project)


def serve() -> None:
    """Serve one ingress replica: take deliveries and append them to the log."""
    settings = start()
    run(serve_ingress(settings, database_url(settings)))


def project() -> None:
    """Run one projector replica: fold the log into the directory."""
    settings = start()
    url = database_url(settings)

    async def work() -> None:
        await project_until_cancelled(settings, url)

    run(until_stopped(work))


async def project_until_cancelled(settings: Settings, url: str) -> None:
    """Fold until cancelled; the database may come and go, also at the start."""
    database = await _open_patiently(url)
    spare_collector()
    try:
        await check_schema(database)
        replica = Replica(database, batch_events=settings.batch_events)
        health = None
        if settings.health_port is not None:
            health = await serve_health(replica, settings.health_host, settings.health_port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(replica.run())
                tasks.create_task(keep_gauges(database, replica))
                tasks.create_task(keep_house(database, settings.duplicate_days))
        finally:
            if health is not None:
                await health.cleanup()
    finally:
        await database.close()


async def _open_patiently(url: str) -> Database:
    """Open the database; a replica that starts before its database waits a minute for it."""
    for _ in range(ATTEMPTS):
        try:
            return await open_database(url, size=16, by_key=True)
        except DatabaseUnavailable as error:
            _logger.warning("waiting_for_database", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)
    return await open_database(url, size=16, by_key=True)
