"""The health port of a process that serves nothing else: /livez and /metrics."""

from collections.abc import Callable, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry

from projector.errors import ProjectorError
from projector.exposition import CONTENT_TYPE, exposition

Stuck = Callable[[], Sequence[str]]


def make_health_app(registry: CollectorRegistry, stuck: Stuck = tuple) -> web.Application:
    """Return the application with both routes. `stuck`: the projections that do not move; then 503."""

    async def livez(_request: web.Request) -> web.Response:
        if projections := stuck():
            body = {"status": "stuck", "projections": list(projections)}
            return web.json_response(body, status=503)
        return web.json_response({"status": "alive"})

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=exposition(registry), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/metrics", metrics)])
    return app


async def serve_health(
    registry: CollectorRegistry, host: str, port: int, stuck: Stuck = tuple
) -> web.AppRunner:
    """Start to listen; the caller calls the runner's cleanup(). Raises ProjectorError for a port in use."""
    runner = web.AppRunner(make_health_app(registry, stuck), access_log=None)
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
