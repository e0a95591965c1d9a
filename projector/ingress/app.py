"""The routes of an ingress replica, and the parts that answer them."""

from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from projector.config import Settings
from projector.ingress.authentication import authenticator
from projector.ingress.clients import trusted_networks
from projector.ingress.connection import Lane, Upstream
from projector.ingress.group_commit import GroupCommit
from projector.ingress.limits import BodyReader
from projector.ingress.metrics import Metrics
from projector.ingress.problems import Problem, not_ready, respond
from projector.ingress.quarantine import QuarantineWriter
from projector.ingress.readiness import Readiness
from projector.ingress.webhooks import Webhooks
from projector.migrations import check_schema

WEBHOOKS: Final = "/webhooks/zoom"


@dataclass(frozen=True, slots=True)
class Replica:
    """The parts of one ingress replica. Its lanes connect when they are first needed."""

    webhooks: Webhooks
    commit: GroupCommit
    quarantine: QuarantineWriter
    readiness: Readiness
    metrics: Metrics
    lanes: tuple[Lane, ...]

    def start_draining(self) -> None:
        """From now on /readyz says no, and every answer closes its connection."""
        self.readiness.draining = True
        self.webhooks.draining = True

    def start_closing(self) -> None:
        """From now on no delivery is taken any more."""
        self.webhooks.closing = True

    def drop_connections(self) -> None:
        """Close every connection to the database at once."""
        for lane in self.lanes:
            lane.drop()


REPLICA: Final = web.AppKey("replica", Replica)


def make_replica(settings: Settings, database_url: str) -> Replica:
    """Wire the parts of a replica; nothing connects yet. Raises ConfigurationError."""
    metrics = Metrics()
    upstream = Upstream(database_url)
    lanes = tuple(Lane(upstream) for _ in range(4))
    first, second, probing, suspects = lanes
    commit = GroupCommit((first, second), bound=settings.append_queue, metrics=metrics)
    quarantine = QuarantineWriter(suspects, settings, metrics)
    metrics.gauge(
        "projector_append_queue_deliveries",
        "Deliveries that wait for an append to begin.",
        lambda: commit.depth,
    )
    webhooks = Webhooks(
        authenticator(settings),
        BodyReader(settings.max_body_bytes),
        commit,
        quarantine,
        metrics,
        trusted_networks(settings.trusted_proxies),
    )
    readiness = Readiness(probing, check_schema, metrics)
    return Replica(webhooks, commit, quarantine, readiness, metrics, lanes)


def make_app(replica: Replica) -> web.Application:
    """The application that serves a replica's routes."""
    app = web.Application()
    app[REPLICA] = replica
    router = app.router
    for path in (WEBHOOKS, WEBHOOKS + "/{event}"):
        router.add_route("*", path, replica.webhooks.take, expect_handler=_expect)
    for path, handler in (("/livez", _livez), ("/readyz", _readyz), ("/metrics", _metrics)):
        router.add_get(path, handler, expect_handler=_expect)
        router.add_route("*", path, _not_allowed, expect_handler=_expect)
    router.add_route("*", "/{rest:.*}", _not_found, expect_handler=_expect)
    return app


async def _livez(_request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def _readyz(request: web.Request) -> web.Response:
    reason = request.app[REPLICA].readiness.reason
    return web.Response(text="ready\n") if reason is None else not_ready(reason)


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(
        body=request.app[REPLICA].metrics.exposition(),
        headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
    )


async def _not_allowed(_request: web.Request) -> web.Response:
    response = respond(Problem.NOT_ALLOWED)
    response.headers["Allow"] = "GET, HEAD"
    return response


async def _not_found(_request: web.Request) -> web.Response:
    return respond(Problem.NOT_FOUND)


async def _expect(request: web.Request) -> None:
    """Ask for the body that a sender holds back; any other expectation is ignored."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
