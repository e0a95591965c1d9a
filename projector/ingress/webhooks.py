"""The webhook routes: from a request's bytes to Zoom's answer.

Zoom sends again what is answered 503, and never what is answered 4xx. So a 4xx says that the
delivery is wrong, and whatever is wrong on our side is a 503.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import msgspec
import structlog
from aiohttp import web

from projector.bodies import decode_json
from projector.errors import AppendRefused
from projector.event_names import ALIASES, URL_VALIDATION
from projector.events import digest_of
from projector.ingress.acknowledgement import Acknowledgement
from projector.ingress.authentication import Authenticator, Verdict
from projector.ingress.clients import Network, client_of
from projector.ingress.group_commit import GroupCommit
from projector.ingress.limits import ANSWER_SECONDS, BODY_SECONDS, BodyReader, Refused
from projector.ingress.metrics import Metrics, event_label
from projector.ingress.problems import Problem, respond
from projector.ingress.quarantine import QuarantineWriter
from projector.log import Appended, Head, delivery_of, head_of
from projector.quarantine import Suspect
from projector.signature import Refusal, encrypted_token

LARGEST_VALIDATION: Final = 4096

_PLAIN_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_PLAIN_NAME: Final = re.compile(r"[a-z0-9_.]{1,64}")


def _bound_logger() -> Any:
    """A logger that is bound already: the lazy one binds itself anew for every line."""
    return structlog.get_logger().bind()


@dataclass(slots=True)
class Exchange:
    """One request on its way to its answer, as far as it has come.

    `named` is the event that the path names. `started` is in the event loop's time, which deadlines
    are in; `clock` counts finer.
    """

    request: web.BaseRequest
    named: str | None
    started: float
    clock: float
    received_at: datetime
    request_id: str
    body: bytes = b""
    event: str | None = None
    verified_by: str | None = None
    outcome: str = ""
    position: int | None = None


@dataclass(slots=True)
class Webhooks:
    """Takes deliveries. `closing` tells that the replica takes no more of them."""

    authenticator: Authenticator
    bodies: BodyReader
    commit: GroupCommit
    quarantine: QuarantineWriter
    metrics: Metrics
    trusted: tuple[Network, ...] = ()
    draining: bool = False
    closing: bool = False
    logger: Any = field(default_factory=_bound_logger)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    answered: list[tuple[Exchange, int, float]] = field(default_factory=list)

    async def take(self, request: web.BaseRequest, named: str | None) -> web.StreamResponse:
        """Answer a request to a webhook route; `named` is the event in its path.

        Raises nothing, and answers no 500.
        """
        given = request.headers.get("x-zm-request-id", "")
        exchange = Exchange(
            request,
            named,
            self.loop.time(),
            time.perf_counter(),
            datetime.now(UTC),
            given if _PLAIN_ID.fullmatch(given) else uuid4().hex,
        )
        try:
            response = await self._answer(exchange)
        except Refused as refused:
            response = _refuse(exchange, refused.problem)
            response.force_close()  # the body may not have been read
        except Exception:  # Zoom shall try again, whatever it is
            self.logger.exception("unexpected", request_id=exchange.request_id)
            response = _refuse(exchange, Problem.UNEXPECTED)
        if self.draining:
            response.force_close()
        # After the answer, and after those of its whole batch: counting and logging between two answers
        # keeps the second one waiting.
        if not self.answered:
            self.loop.call_soon(self._tell_all)
        self.answered.append((exchange, response.status, time.perf_counter() - exchange.clock))
        return response

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        request = exchange.request
        if request.method != "POST":
            response = _refuse(exchange, Problem.NOT_ALLOWED)
            response.headers["Allow"] = "POST"
            return response
        if self.closing:
            raise Refused(Problem.DRAINING)
        body = exchange.body = await self.bodies.read(request, exchange.started + BODY_SECONDS)
        headers = request.headers
        timestamp, signature = headers.get("x-zm-request-timestamp"), headers.get("x-zm-signature")
        verdict = self.authenticator.check(timestamp, signature, body, time.time())
        if verdict.refusal is not None:
            return self._unauthorised(exchange, verdict)
        exchange.verified_by = verdict.verified_by
        if not is_plain_json(request):
            return await self._malformed(exchange, Problem.NOT_JSON)
        return await self._receive(exchange)

    async def _receive(self, exchange: Exchange) -> web.StreamResponse:
        """Take an authenticated body."""
        try:
            head = head_of(exchange.body)
        except ValueError:
            return await self._malformed(exchange, Problem.NOT_AN_EVENT)
        exchange.event = head.event
        if exchange.event == URL_VALIDATION:
            return self._validate(exchange)
        if not _agrees(exchange.named, exchange.event):
            return await self._malformed(exchange, Problem.OTHER_EVENT)
        return await self._append(exchange, head)

    async def _append(self, exchange: Exchange, head: Head) -> web.StreamResponse:
        delivery = delivery_of(
            exchange.body,
            head,
            received_at=exchange.received_at,
            request_id=exchange.request.headers.get("x-zm-request-id"),
            verified_by=exchange.verified_by,
        )
        try:
            appended = await self.commit.submit(delivery, exchange.started + ANSWER_SECONDS)
        except AppendRefused:
            return _refuse(exchange, Problem.BUSY)
        return self._acknowledge(exchange, appended)

    def _acknowledge(self, exchange: Exchange, appended: Appended) -> web.StreamResponse:
        exchange.position = appended.position
        if appended.duplicate:
            exchange.outcome = "duplicate"
            self.metrics.duplicates.inc()
        else:
            exchange.outcome = "appended"
            self.metrics.appended()
        return Acknowledgement(exchange.body, appended)

    def _validate(self, exchange: Exchange) -> web.Response:
        """Answer a URL validation with the secret that signed it; the database is not asked."""
        if exchange.verified_by is None:
            # Signing what an unsigned request hands in would sign anything for anybody.
            self.metrics.validations_failed.inc()
            return _refuse(exchange, Problem.NO_SECRET)
        payload = decode_json(exchange.body).get("payload")
        plain = payload.get("plainToken") if isinstance(payload, dict) else None
        try:
            if not isinstance(plain, str):
                raise ValueError("no plain token")  # noqa: TRY004, TRY301
            secret = self.authenticator.secret(exchange.verified_by)
            encrypted = encrypted_token(secret, plain)
        except ValueError:
            self.metrics.validations_failed.inc()
            return _refuse(exchange, Problem.NO_TOKEN)
        exchange.outcome = "validated"
        self.metrics.validated()
        answer = msgspec.json.encode({"plainToken": plain, "encryptedToken": encrypted})
        return web.Response(body=answer, headers={"Content-Type": "application/json"})

    def _unauthorised(self, exchange: Exchange, verdict: Verdict) -> web.Response:
        """Answer 401 at once; what may be genuine is offered to the quarantine."""
        refusal = verdict.refusal
        decoded = None
        if refusal in (Refusal.WRONG, Refusal.STALE):
            signed = refusal is Refusal.STALE
            validation = _may_validate(exchange.body)
            if validation or self.quarantine.admits(signed=signed):
                decoded = _event_of(exchange.body)
            if decoded == URL_VALIDATION:
                self.metrics.validations_failed.inc()
            elif decoded is not None and (not validation or self.quarantine.admits(signed=signed)):
                exchange.event = decoded
                self.quarantine.offer(_suspect(exchange, str(refusal), signed=signed))
        return _refuse(exchange, Problem.UNSIGNED)

    async def _malformed(self, exchange: Exchange, problem: Problem) -> web.Response:
        """Answer a delivery that is malformed; a signed one must be in the quarantine first.

        Where that cannot be written, the answer is 503: the sender never repeats a 4xx.
        """
        if exchange.verified_by is not None and self.quarantine.admits(signed=True):
            held = self.quarantine.offer(_suspect(exchange, problem.slug, signed=True))
            try:
                async with asyncio.timeout_at(exchange.started + ANSWER_SECONDS):
                    await asyncio.shield(held)
            except (AppendRefused, TimeoutError):
                return _refuse(exchange, Problem.BUSY)
        return _refuse(exchange, problem)

    def _tell_all(self) -> None:
        answered, self.answered = self.answered, []
        for exchange, status, seconds in answered:
            self._tell(exchange, status, seconds)

    def _tell(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Count the request and write its one line."""
        self.metrics.delivery(exchange.event, exchange.outcome)
        if exchange.position is not None:
            self.metrics.acknowledge_seconds.observe(seconds)
        self.logger.info(
            "request",
            request_id=exchange.request_id,
            delivery=event_label(exchange.event),
            outcome=exchange.outcome,
            status=status,
            seconds=round(seconds, 6),
            position=exchange.position,
            client=client_of(exchange.request, self.trusted),
        )


def _refuse(exchange: Exchange, problem: Problem) -> web.Response:
    exchange.outcome = problem.slug
    return respond(problem)


def is_plain_json(request: web.BaseRequest) -> bool:
    """Whether the headers say JSON as such, neither compressed nor otherwise encoded."""
    headers = request.headers
    if headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return False
    media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return media == "application/json" or (
        media.startswith("application/") and media.endswith("+json")
    )


def _agrees(named: str | None, event: str) -> bool:
    return named is None or ALIASES.get(named, named) == ALIASES.get(event, event)


def _may_validate(body: bytes) -> bool:
    """Whether a body is worth decoding to see if it is a URL validation, which are short."""
    return len(body) <= LARGEST_VALIDATION and URL_VALIDATION.encode() in body


def _event_of(body: bytes) -> str | None:
    try:
        return head_of(body).event
    except ValueError:
        return None


def _suspect(exchange: Exchange, reason: str, *, signed: bool) -> Suspect:
    headers = exchange.request.headers
    request_id = headers.get("x-zm-request-id", "")
    event = exchange.event
    return Suspect(
        exchange.received_at,
        reason,
        event if event is not None and _PLAIN_NAME.fullmatch(event) else None,
        signed,
        request_id if _PLAIN_ID.fullmatch(request_id) else None,
        headers["x-zm-request-timestamp"],
        headers["x-zm-signature"],
        digest_of(exchange.body),
        exchange.body,
    )
