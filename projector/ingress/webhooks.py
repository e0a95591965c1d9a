"""The webhook routes on the plain path: read a request's body, judge it, carry out the decision."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Final, cast

import structlog
from aiohttp import web

from projector.errors import AppendRefused
from projector.ingress.acknowledgement import WholeAnswer, acknowledgement, busy
from projector.ingress.authentication import Authenticator
from projector.ingress.exchange import Exchange, begin_exchange
from projector.ingress.group_commit import GroupCommit
from projector.ingress.judge import Append, Decision, Judged, Refuse, Validate, judge
from projector.ingress.limits import ANSWER_SECONDS, BODY_SECONDS, BodyReader, Refused
from projector.ingress.metrics import Metrics
from projector.ingress.problems import Problem, respond
from projector.ingress.protocol import PlainProtocol
from projector.ingress.quarantine import QuarantineWriter
from projector.ingress.refusals import VALIDATION, Refusals
from projector.ingress.request_log import RequestLog
from projector.log.append import Appended
from projector.zoom.catalogue import URL_VALIDATION
from projector.zoom.delivery import Delivery, head_of
from projector.zoom.signature import Refusal

PATH: Final = "/webhooks/zoom"
LARGEST_VALIDATION: Final = 4096

_logger = structlog.get_logger()


@dataclass(slots=True)
class Webhooks:
    """Takes deliveries. `draining`: answers close their connections; `closing`: takes no more."""

    authenticator: Authenticator
    bodies: BodyReader
    commit: GroupCommit
    quarantine: QuarantineWriter
    refusals: Refusals
    metrics: Metrics
    log: RequestLog
    draining: bool = False
    closing: bool = False
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    async def take(self, request: web.BaseRequest, named: str | None) -> web.StreamResponse:
        """Answer a request to a webhook route; `named` is the event in its path.

        Never raises, and never answers 500.
        """
        connection = cast(PlainProtocol, request.protocol)
        judged, connection.judged = connection.judged, None
        exchange = self._begin(request, named) if judged is None else judged.exchange
        try:
            response = await self._answer(request, exchange, judged)
        except Refused as refused:
            if refused.problem is Problem.TOO_LARGE:
                self.refusals.note(refused.problem.slug)
            response = _refuse(exchange, refused.problem)
            response.force_close()  # the body may not have been read
        except Exception:  # whatever the error, Zoom must retry
            _logger.exception("unexpected", request_id=exchange.request_id)
            response = _refuse(exchange, Problem.UNEXPECTED)
        if self.draining:
            response.force_close()
        self.log.note(exchange, response.status)
        return response

    def judge(self, exchange: Exchange) -> Decision:
        """Decide on a request whose body has been read."""
        return judge(exchange, self.authenticator)

    def acknowledged(self, exchange: Exchange, appended: Appended) -> None:
        """Note a delivery's position in the log."""
        exchange.position = appended.position
        if appended.duplicate:
            exchange.outcome = "duplicate"
            self.metrics.duplicates.inc()
        else:
            exchange.outcome = "appended"

    def _begin(self, request: web.BaseRequest, named: str | None) -> Exchange:
        return begin_exchange(request.headers, request.remote, named, self.loop.time())

    async def _answer(
        self, request: web.BaseRequest, exchange: Exchange, judged: Judged | None
    ) -> web.StreamResponse:
        if judged is not None:
            return await self._carry_out(judged.decision, exchange)
        if request.method != "POST":
            response = _refuse(exchange, Problem.NOT_ALLOWED)
            response.headers["Allow"] = "POST"
            return response
        if self.closing:
            raise Refused(Problem.DRAINING)
        exchange.body = await self.bodies.read(request, exchange.started + BODY_SECONDS)
        return await self._carry_out(self.judge(exchange), exchange)

    async def _carry_out(self, decision: Decision, exchange: Exchange) -> web.StreamResponse:
        match decision:
            case Append(delivery):
                return await self._append(exchange, delivery)
            case Validate(answer):
                exchange.outcome = "validated"
                self.metrics.validated()
                return web.Response(body=answer, headers={"Content-Type": "application/json"})
            case Refuse(Problem.UNSIGNED, why, keep):
                validation = keep is not None and self._offer_unverified(exchange, keep)
                self.refusals.note(VALIDATION if validation else why)
                return _refuse(exchange, Problem.UNSIGNED)
            case Refuse(problem, why, keep):
                self.refusals.note(why)
                if exchange.event == URL_VALIDATION:
                    self.metrics.validations_failed.inc()
                elif keep is not None and not await self._is_kept(exchange, keep):
                    return _refuse(exchange, Problem.BUSY)
                return _refuse(exchange, problem)

    async def _append(self, exchange: Exchange, delivery: Delivery) -> web.StreamResponse:
        try:
            appended = await self.commit.submit(delivery, exchange.started + ANSWER_SECONDS)
        except AppendRefused:
            exchange.outcome = Problem.BUSY.slug
            return WholeAnswer(Problem.BUSY.status, busy)
        self.acknowledged(exchange, appended)
        return WholeAnswer(HTTPStatus.OK.value, partial(acknowledgement, exchange.body, appended))

    def _offer_unverified(self, exchange: Exchange, reason: str) -> bool:
        """Offer to the quarantine what may be genuine, without waiting for the outcome.

        Returns whether it is a URL validation, which is not kept.
        """
        signed = reason == Refusal.STALE
        validation = _may_validate(exchange.body)
        event = None
        if validation or self.quarantine.admits(signed=signed):
            event = _event_of(exchange.body)
        if event == URL_VALIDATION:
            self.metrics.validations_failed.inc()
            return True
        if event is not None and (not validation or self.quarantine.admits(signed=signed)):
            exchange.event = event
            self.quarantine.offer(exchange.suspect(reason, signed=signed))
        return False

    async def _is_kept(self, exchange: Exchange, reason: str) -> bool:
        """Put a signed but malformed delivery into the quarantine, if it has room.

        False if it cannot be written: the answer is then 503, as the sender never repeats after a 4xx.
        """
        if not self.quarantine.admits(signed=True):
            return True
        kept = self.quarantine.offer(exchange.suspect(reason, signed=True))
        try:
            async with asyncio.timeout_at(exchange.started + ANSWER_SECONDS):
                await asyncio.shield(kept)
        except (AppendRefused, TimeoutError):
            return False
        return True


def _refuse(exchange: Exchange, problem: Problem) -> web.Response:
    exchange.outcome = problem.slug
    return respond(problem)


def _may_validate(body: bytes) -> bool:
    """Whether a body may be a URL validation, which is short, and is worth decoding."""
    return len(body) <= LARGEST_VALIDATION and URL_VALIDATION.encode() in body


def _event_of(body: bytes) -> str | None:
    try:
        return head_of(body).event
    except ValueError:
        return None
