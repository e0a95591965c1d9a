"""Serve one ingress replica: listen, run, and stop without losing a delivery."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import structlog
from aiohttp import web

from projector.config import Settings
from projector.ingress.app import Replica, make_replica, make_server
from projector.ingress.limits import ANSWER_SECONDS, Gate
from projector.ingress.metrics import Metrics
from projector.listening import cannot_listen
from projector.process import relax_gc, signal_handlers

BACKLOG = 1024
FLUSH_SECONDS = 2.0

_logger = structlog.get_logger()


async def serve(
    settings: Settings,
    database_url: str,
    *,
    ready: Callable[[int], None] | None = None,
    stop: asyncio.Event | None = None,
    metrics: Metrics | None = None,
    why: Callable[[], str | None] | None = None,
) -> None:
    """Serve until `stop` is set, or without it until SIGTERM or SIGINT; then drain and return.

    The database need not be reachable yet. `ready` is called with the port once connections are
    accepted; `metrics` are those to count in; `why`: see Readiness. Raises ConfigurationError for settings
    that would let anybody deliver, and ProjectorError if it cannot listen on the address.
    """
    replica = make_replica(settings, database_url, metrics, why)
    stopping, hurry = stop or asyncio.Event(), asyncio.Event()
    relax_gc()
    runner = web.ServerRunner(make_server(replica), shutdown_timeout=ANSWER_SECONDS + 1)
    with _signals(stopping, hurry) if stop is None else nullcontext():
        await runner.setup()
        try:
            await _run(replica, runner, settings, ready, stopping, hurry)
        finally:
            await runner.cleanup()
            replica.drop_connections()


async def _run(
    replica: Replica,
    runner: web.ServerRunner,
    settings: Settings,
    ready: Callable[[int], None] | None,
    stopping: asyncio.Event,
    hurry: asyncio.Event,
) -> None:
    assert runner.server is not None  # noqa: S101  set up by the caller
    gate = Gate(runner.server, replica.fast_path.take, settings.max_connections, replica.metrics)
    listener = await _listen(gate, settings.host, settings.port)
    port = int(listener.sockets[0].getsockname()[1])
    _logger.info("listening", host=settings.host, port=port)
    async with asyncio.TaskGroup() as group:
        parts = (replica.commit, replica.quarantine, replica.refusals, replica.readiness)
        running = [group.create_task(part.run()) for part in parts]
        if ready is not None:
            ready(port)
        await stopping.wait()
        await _drain(replica, settings.drain_seconds, hurry)
        listener.close()
        replica.start_closing()
        await runner.cleanup()
        await replica.quarantine.drain(FLUSH_SECONDS)
        await replica.refusals.write()
        for task in running:
            task.cancel()
    _logger.info("stopped")


async def _drain(replica: Replica, seconds: float, hurry: asyncio.Event) -> None:
    """Report not ready, and keep serving for `seconds`, until load balancers have noticed."""
    replica.start_draining()
    _logger.info("draining", seconds=seconds)
    try:
        async with asyncio.timeout(seconds):
            await hurry.wait()
    except TimeoutError:
        return


async def _listen(gate: Gate, host: str, port: int) -> asyncio.Server:
    try:
        return await asyncio.get_running_loop().create_server(gate, host, port, backlog=BACKLOG)
    except OSError as error:
        raise cannot_listen(error, host, port) from None


def _signals(stopping: asyncio.Event, hurry: asyncio.Event) -> AbstractContextManager[None]:
    """SIGTERM drains; SIGINT, or a second SIGTERM, stops without the drain period."""

    def terminate() -> None:
        if stopping.is_set():
            hurry.set()
        stopping.set()

    def interrupt() -> None:
        hurry.set()
        stopping.set()

    return signal_handlers({signal.SIGTERM: terminate, signal.SIGINT: interrupt})
