"""The health port of a projecting process: /livez and /metrics."""

import asyncio

import structlog
from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from projector.database import TROUBLE, Database
from projector.errors import ProjectorError
from projector.live.replica import Replica
from projector.state.status import read_status

REFRESH_SECONDS = 5.0

_log = structlog.get_logger()


def make_health_app(replica: Replica) -> web.Application:
    """Return the application with both routes."""

    async def livez(_request: web.Request) -> web.Response:
        stuck = replica.stuck()
        if stuck:
            return web.json_response({"status": "stuck", "projections": stuck}, status=503)
        return web.json_response({"status": "alive"})

    async def metrics(_request: web.Request) -> web.Response:
        body = generate_latest(replica.metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/metrics", metrics)])
    return app


async def serve_health(replica: Replica, host: str, port: int) -> web.AppRunner:
    """Start to listen; the caller calls the runner's cleanup(). Raises ProjectorError for a port in use."""
    runner = web.AppRunner(make_health_app(replica), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise ProjectorError(
            f"port {port} of {host} cannot be listened on; stop the process that uses it or set "
            "PROJECTOR_HEALTH_PORT"
        ) from None
    return runner


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
