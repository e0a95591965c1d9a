"""The routes of an ingress replica, and the parts that serve them."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import hdrs, web

from projector.config import Settings
from projector.exposition import CONTENT_TYPE
from projector.ingress.authentication import authenticator
from projector.ingress.clients import trusted_networks
from projector.ingress.connection import Lane, Turns, Upstream
from projector.ingress.fast_path import FastPath
from projector.ingress.group_commit import GroupCommit
from projector.ingress.limits import BodyReader
from projector.ingress.losses import Losses
from projector.ingress.metrics import Metrics
from projector.ingress.problems import Problem, not_ready, respond
from projector.ingress.quarantine import QuarantineWriter
from projector.ingress.readiness import Bounded, Readiness
from projector.ingress.refusals import Refusals
from projector.ingress.request_log import RequestLog
from projector.ingress.webhooks import PATH, Webhooks
from projector.schema.migrations import check_schema


@dataclass(frozen=True, slots=True)
class Replica:
    """The parts of one ingress replica. Its lanes connect on first use."""

    webhooks: Webhooks
    fast_path: FastPath
    commit: GroupCommit
    quarantine: QuarantineWriter
    refusals: Refusals
    readiness: Readiness
    metrics: Metrics
    lanes: tuple[Lane, ...]

    def start_draining(self) -> None:
        """Make /readyz answer 503, and every answer close its connection."""
        self.readiness.draining = True
        self.webhooks.draining = True

    def start_closing(self) -> None:
        """Take no more deliveries."""
        self.webhooks.closing = True

    def drop_connections(self) -> None:
        """Close every connection to the database at once."""
        for lane in self.lanes:
            lane.drop()


def make_replica(
    settings: Settings,
    database_url: str,
    metrics: Metrics | None = None,
    why: Callable[[], str | None] | None = None,
) -> Replica:
    """Create the parts of a replica, without connecting. Raises ConfigurationError.

    `metrics`: those to count in, where /metrics shows others too; `why`: see Readiness.
    """
    metrics = metrics or Metrics()
    upstream = Upstream(database_url)
    lanes = tuple(Lane(upstream) for _ in range(4))
    first, second, probing, suspects = lanes
    commit = GroupCommit((first, second), bound=settings.append_queue, metrics=metrics)
    refused_ones = Turns(suspects)
    refusals = Refusals(refused_ones)
    quarantine = QuarantineWriter(refused_ones, settings, metrics, refusals)
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
        refusals,
        metrics,
        RequestLog(metrics, trusted_networks(settings.trusted_proxies)),
    )

    def leave() -> None:
        first.leave()
        second.leave()

    probe = Bounded(probing)
    losses = Losses(probe, commit.acknowledged, leave, metrics)
    readiness = Readiness(probe, check_schema, losses, metrics, why)
    return Replica(
        webhooks, FastPath(webhooks), commit, quarantine, refusals, readiness, metrics, lanes
    )


def make_server(replica: Replica) -> web.Server:
    """The server of a replica's routes.

    Not a web.Application: its routing takes as long as checking a delivery's signature.
    """
    deliveries, others = replica.webhooks.take, _others(replica)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if hdrs.EXPECT in request.headers:
            await _expect(request)
        path = request.path
        if path == PATH:
            return await deliveries(request, None)
        base, _, event = path.rpartition("/")
        if base == PATH and event:
            return await deliveries(request, event)
        return others(request)

    return web.Server(answer)


def _others(replica: Replica) -> Callable[[web.BaseRequest], web.Response]:
    """Return the handler of every route but the webhooks'."""

    def readyz() -> web.Response:
        reason = replica.readiness.reason
        return web.Response(text="ready\n") if reason is None else not_ready(reason)

    def metrics() -> web.Response:
        headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE}
        return web.Response(body=replica.metrics.exposition(), headers=headers)

    routes: dict[str, Callable[[], web.Response]] = {
        "/livez": lambda: web.Response(text="alive\n"),
        "/readyz": readyz,
        "/metrics": metrics,
    }

    def answer(request: web.BaseRequest) -> web.Response:
        route = routes.get(request.path)
        if route is None:
            return respond(Problem.NOT_FOUND)
        if request.method not in ("GET", "HEAD"):
            response = respond(Problem.NOT_ALLOWED)
            response.headers[hdrs.ALLOW] = "GET, HEAD"
            return response
        return route()

    return answer


async def _expect(request: web.BaseRequest) -> None:
    """Send 100 Continue to a sender that asks for it; ignore any other expectation."""
    if request.headers[hdrs.EXPECT].lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
