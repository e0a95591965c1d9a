"""`serve` and `project`: one replica each; any number of them may run."""

import asyncio
from contextlib import suppress
from pathlib import Path

import structlog
import typer
from prometheus_client import CollectorRegistry

from projector.cli.running import database_url, start
from projector.config import Settings
from projector.database import UNAVAILABLE, Database, open_database, retrying
from projector.database_reasons import reason_of
from projector.errors import DatabaseUnavailable
from projector.exposition import new_registry
from projector.health_port import serve_health
from projector.ingress.server import serve as serve_ingress
from projector.live.housekeeping import run_housekeeping
from projector.live.metrics import RuntimeMetrics
from projector.live.replica import Replica
from projector.operations.gauges import DatabaseGauges
from projector.operations.measures import Measures
from projector.process import STOP_SIGNALS, Signalled, cancel_on, relax_gc, run
from projector.schema.migrations import check_schema
from projector.telemetry import Recurring

RETRY_SECONDS = 2.0
ATTEMPTS = 31

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

    with suppress(Signalled):
        run(cancel_on(STOP_SIGNALS, project_until_cancelled(settings, url)))


async def project_until_cancelled(
    settings: Settings,
    url: str,
    registry: CollectorRegistry | None = None,
    own_folder: Path | None = None,
) -> None:
    """Fold until cancelled; waits whenever the database is away, also at the start.

    `registry`: where the metrics go, and what the health port shows. `own_folder`: of the embedded server's
    data.
    """
    registry = registry or new_registry()
    measures = Measures(settings.quarantine_rows, own_folder)
    gauges = DatabaseGauges(registry, measures)
    database = await _open_patiently(url)
    relax_gc()
    try:
        replica = Replica(
            database, batch_events=settings.batch_events, metrics=RuntimeMetrics(registry)
        )
        measures.replica = replica.name
        health = None
        if settings.health_port is not None:
            health = await serve_health(
                registry, settings.health_host, settings.health_port, replica.stuck
            )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(replica.run())
                tasks.create_task(gauges.run(database))
                tasks.create_task(run_housekeeping(database, settings.duplicate_days))
        finally:
            if health is not None:
                await health.cleanup()
    finally:
        await database.close()


async def _open_patiently(url: str) -> Database:
    """Open and check the database; a replica that starts before its database waits a minute for it."""
    trouble = Recurring(_logger, "waiting_for_database")

    async def attempt() -> Database:
        database = await open_database(url, size=16, by_key=True)
        try:
            await check_schema(database)
        except BaseException:
            database.terminate()
            raise
        return database

    def failed(error: BaseException) -> None:
        reason = reason_of(error)
        trouble(reason.word, reason=reason.sentence)

    return await retrying(
        attempt,
        on=(DatabaseUnavailable, *UNAVAILABLE),
        times=ATTEMPTS,
        pause=lambda _: RETRY_SECONDS,
        failed=failed,
    )
