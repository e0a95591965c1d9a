"""The webhook routes: from a request's bytes to Zoom's answer.

Zoom sends again what is answered 503, and never what is answered 4xx. So a 4xx says that the
delivery is wrong, and whatever is wrong on our side is a 503.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

import msgspec
import structlog
from aiohttp import HttpVersion11, web
from aiohttp.http_parser import RawRequestMessage
from multidict import CIMultiDictProxy

from projector.bodies import decode_json
from projector.errors import AppendRefused
from projector.event_names import ALIASES, URL_VALIDATION
from projector.ingress.acknowledgement import Acknowledgement, acknowledgement, refusal
from projector.ingress.authentication import Authenticator, Verdict
from projector.ingress.clients import Network, client_of
from projector.ingress.exchange import PLAIN_ID, PLAIN_NAME, Exchange
from projector.ingress.group_commit import GroupCommit
from projector.ingress.limits import ANSWER_SECONDS, BODY_SECONDS, BodyReader, Refused
from projector.ingress.metrics import Metrics, event_label
from projector.ingress.problems import Problem, respond
from projector.ingress.protocol import IngressProtocol
from projector.ingress.quarantine import QuarantineWriter
from projector.log import Appended, Head, head_of
from projector.signature import Refusal, encrypted_token
from projector.telemetry import info_lines

PATH: Final = "/webhooks/zoom"
LARGEST_VALIDATION: Final = 4096


def _bound_logger() -> Any:
    """A logger that is bound already: the lazy one binds itself anew for every line."""
    return structlog.get_logger().bind()


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
    say: Callable[[dict[str, Any]], None] = field(default_factory=info_lines)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    answered: list[tuple[Exchange, int, float]] = field(default_factory=list)

    async def take(self, request: web.BaseRequest, named: str | None) -> web.StreamResponse:
        """Answer a request to a webhook route; `named` is the event in its path.

        Raises nothing, and answers no 500.
        """
        exchange = self._open(request.headers, request.remote, named)
        try:
            response = await self._answer(exchange, request)
        except Refused as refused:
            response = _refuse(exchange, refused.problem)
            response.force_close()  # the body may not have been read
        except Exception:  # Zoom shall try again, whatever it is
            self.logger.exception("unexpected", request_id=exchange.request_id)
            response = _refuse(exchange, Problem.UNEXPECTED)
        if self.draining:
            response.force_close()
        self.close(exchange, response.status)
        return response

    def take_whole(
        self, message: RawRequestMessage, body: bytes, connection: IngressProtocol
    ) -> bool:
        """Take a signed event that has come whole; whatever else it is, `take` judges it.

        Raises nothing.
        """
        path = message.path
        if (
            (path != PATH and not path.startswith(PATH + "/"))
            or message.method != "POST"
            or message.version != HttpVersion11
            or message.should_close
            or message.upgrade
            or self.closing
            or len(body) > self.bodies.limit
            or "Expect" in message.headers
        ):
            return False
        named = path[len(PATH) + 1 :] or None
        if named is not None and not PLAIN_NAME.fullmatch(named):
            return False
        exchange = self._open(message.headers, connection.remote, named)
        exchange.body = body
        try:
            if self._verdict(exchange).refusal is not None or not is_plain_json(exchange.headers):
                return False
            head = head_of(body)
            exchange.event = event = head.event
            if event == URL_VALIDATION or not _agrees(named, event):
                return False
            answer = WholeAnswer(self, exchange, connection)
            self.commit.put(exchange.delivery(head), exchange.started + ANSWER_SECONDS, answer)
        except Exception:  # noqa: BLE001  `take` meets the same, and answers
            return False
        return True

    def _open(
        self, headers: CIMultiDictProxy[str], remote: str | None, named: str | None
    ) -> Exchange:
        given = headers.get("x-zm-request-id")
        return Exchange(
            headers,
            remote,
            named,
            self.loop.time(),
            time.perf_counter(),
            datetime.now(UTC),
            given if given is not None and PLAIN_ID.fullmatch(given) else uuid4().hex,
            given,
        )

    def close(self, exchange: Exchange, status: int) -> None:
        """Note an answer, to be counted and logged after all those of its batch.

        Counting and logging between two answers would keep the second one waiting.
        """
        if not self.answered:
            self.loop.call_soon(self._tell_all)
        self.answered.append((exchange, status, time.perf_counter() - exchange.clock))

    def _verdict(self, exchange: Exchange) -> Verdict:
        headers = exchange.headers
        verdict = self.authenticator.check(
            headers.get("x-zm-request-timestamp"),
            headers.get("x-zm-signature"),
            exchange.body,
            time.time(),
        )
        exchange.verified_by = verdict.verified_by
        return verdict

    async def _answer(self, exchange: Exchange, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "POST":
            response = _refuse(exchange, Problem.NOT_ALLOWED)
            response.headers["Allow"] = "POST"
            return response
        if self.closing:
            raise Refused(Problem.DRAINING)
        exchange.body = await self.bodies.read(request, exchange.started + BODY_SECONDS)
        verdict = self._verdict(exchange)
        if verdict.refusal is not None:
            return self._unauthorised(exchange, verdict)
        if not is_plain_json(request.headers):
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
        deadline = exchange.started + ANSWER_SECONDS
        try:
            appended = await self.commit.submit(exchange.delivery(head), deadline)
        except AppendRefused:
            return _refuse(exchange, Problem.BUSY)
        self.acknowledge(exchange, appended)
        return Acknowledgement(exchange.body, appended)

    def acknowledge(self, exchange: Exchange, appended: Appended) -> None:
        """Note where a delivery stands in the log."""
        exchange.position = appended.position
        if appended.duplicate:
            exchange.outcome = "duplicate"
            self.metrics.duplicates.inc()
        else:
            exchange.outcome = "appended"
            self.metrics.appended()

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
                self.quarantine.offer(exchange.suspect(str(refusal), signed=signed))
        return _refuse(exchange, Problem.UNSIGNED)

    async def _malformed(self, exchange: Exchange, problem: Problem) -> web.Response:
        """Answer a delivery that is malformed; a signed one must be in the quarantine first.

        Where that cannot be written, the answer is 503: the sender never repeats a 4xx.
        """
        if exchange.verified_by is not None and self.quarantine.admits(signed=True):
            held = self.quarantine.offer(exchange.suspect(problem.slug, signed=True))
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
        self.say(
            {
                "request_id": exchange.request_id,
                "delivery": event_label(exchange.event),
                "outcome": exchange.outcome,
                "status": status,
                "seconds": round(seconds, 6),
                "position": exchange.position,
                "client": client_of(exchange.remote, exchange.headers, self.trusted),
                "event": "request",
            }
        )


class WholeAnswer:
    """Answers a delivery that came whole; what the group commit tells."""

    __slots__ = ("_connection", "_done", "_exchange", "_webhooks")

    def __init__(self, webhooks: Webhooks, exchange: Exchange, connection: IngressProtocol) -> None:
        self._webhooks = webhooks
        self._exchange = exchange
        self._connection = connection
        self._done = False

    def done(self) -> bool:
        """Whether it is answered."""
        return self._done

    def set_result(self, appended: Appended, /) -> None:
        """Answer 200."""
        self._done = True
        webhooks, exchange = self._webhooks, self._exchange
        webhooks.acknowledge(exchange, appended)
        last = webhooks.draining
        self._connection.answer(acknowledgement(exchange.body, appended, last=last), last=last)
        webhooks.close(exchange, HTTPStatus.OK)

    def set_exception(self, _refused: AppendRefused, /) -> None:
        """Answer 503."""
        self._done = True
        webhooks, problem = self._webhooks, Problem.BUSY
        self._exchange.outcome = problem.slug
        last = webhooks.draining
        self._connection.answer(refusal(problem, last=last), last=last)
        webhooks.close(self._exchange, problem.status)


def _refuse(exchange: Exchange, problem: Problem) -> web.Response:
    exchange.outcome = problem.slug
    return respond(problem)


def is_plain_json(headers: CIMultiDictProxy[str]) -> bool:
    """Whether the headers say JSON as such, neither compressed nor otherwise encoded."""
    if headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return False
    given = headers.get("Content-Type", "")
    return given == "application/json" or _says_json(given)


@lru_cache(maxsize=64)
def _says_json(content_type: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
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
