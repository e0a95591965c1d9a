"""The protocol of a connection: aiohttp's, with a fast path for ordinary deliveries.

Only the fast path uses aiohttp's private attributes. At import it is tried on a protocol of the installed
aiohttp: if anything is missing or not as expected, aiohttp serves every request its own way.
"""

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final, TypeAlias

import structlog
from aiohttp import StreamReader, web

from projector.ingress.judge import Judged
from projector.ingress.problems import Problem, respond

IDLE_SECONDS: Final = 30.0

# The attributes of aiohttp's protocol that the fast path uses, and their initial values.
_PRIVATE: Final[dict[str, Any]] = {
    "_close": False,  # close the connection after the current answer
    "_handler_waiter": None,  # `shutdown` awaits this future while a request is in progress
    "_next_keepalive_close_time": 0.0,  # when an idle connection is closed, in seconds of the loop's clock
    "_paused": False,  # the sender does not read its answers
    "_reading_paused": False,  # more of a body has arrived than its reader takes
    "_request_in_progress": False,  # whether `shutdown` has to wait
    "_waiter": None,  # what aiohttp's task waits for while it has nothing to do
}
_OF_MESSAGE: Final = ("headers", "method", "path", "should_close", "upgrade", "version")

_logger = structlog.get_logger()


class PlainProtocol(web.RequestHandler):
    """aiohttp's protocol, except that answers and logs about bad HTTP repeat no input."""

    __slots__ = ("judged",)

    def __init__(self, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self.judged: Judged | None = None  # the next request, if the fast path has judged it

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  it quotes the input
    ) -> web.StreamResponse:
        """Answer what aiohttp could not parse, or what a handler failed to answer."""
        if request.writer.output_size > 0:
            raise ConnectionError("part of another answer is sent already")
        bad = status == Problem.BAD_HTTP.status
        problem = Problem.BAD_HTTP if bad else Problem.UNEXPECTED
        level = logging.INFO if bad else logging.ERROR
        _logger.log(level, "request refused", outcome=problem.slug, error=type(exc).__name__)
        response = respond(problem)
        response.force_close()
        return response

    def log_exception(self, *_args: Any, **details: Any) -> None:
        """Log that something failed, without the exception's text."""
        _logger.error("connection failed", error=type(details.get("exc_info")).__name__)


class FastProtocol(PlainProtocol):
    """Offers a request that arrived whole to the fast path, if no other is in progress.

    aiohttp's own way to a handler takes a task, a request, a writer and three turns of the event loop:
    a third of a delivery's time. Requests that the fast path does not take go that way.
    """

    __slots__ = ("_answering", "_now", "_take", "remote")

    def __init__(self, manager: web.Server, take: "TakeWhole", **options: Any) -> None:
        super().__init__(manager, **options)
        self._take = take
        self._now: Callable[[], float] = options["loop"].time
        self._answering = False
        self.remote: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the peer's address."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.remote = str(peer[0]) if isinstance(peer, tuple) else None

    def data_received(self, data: bytes) -> None:
        """Parse; offer a whole request to the fast path, or wake aiohttp's task."""
        waiter, self._waiter = (
            self._waiter,
            None,
        )  # aiohttp then queues what it parses without waking its task
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        if self._messages and not self._answering:
            self._go_on()

    def _go_on(self) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():  # aiohttp's task is at work
            return
        if not self._offer():
            waiter.set_result(None)

    def _offer(self) -> bool:
        """Offer the only request in the queue, if all of it has arrived."""
        if len(self._messages) != 1 or self._paused or self._reading_paused:
            return False
        message, payload = self._messages[0]
        if type(payload) is not StreamReader:
            return False
        pieces = payload._buffer  # noqa: SLF001  only looked at: aiohttp may still read it
        if len(pieces) != 1 or not payload.is_eof() or payload.exception() is not None:
            return False
        now = self._now()
        self._next_keepalive_close_time = now + IDLE_SECONDS
        if not self._take(message, pieces[0], now, self):
            return False
        self._answering = self._request_in_progress = True
        self._messages.popleft()
        if self._parser is not None:
            self._parser.message_consumed()
        return True

    def answer(self, answer: bytes, *, last: bool) -> None:
        """Answer the request that the fast path took, if the connection is open; `last`: close it."""
        self._answering = self._request_in_progress = False
        if self._handler_waiter is not None:  # `shutdown` waits for this answer
            self._handler_waiter.set_result(None)
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(answer)
        if last or self._close:
            self.force_close()
        elif self._messages:
            self._go_on()


# Takes a request, its body, and their time of arrival in seconds of the loop's clock, to be answered by
# `FastProtocol.answer`. False: the request goes aiohttp's way. The request is aiohttp's own,
# whose class has no stable public name.
TakeWhole: TypeAlias = Callable[[Any, bytes, float, FastProtocol], bool]


def _lacking() -> list[str]:
    """What the fast path needs and the installed aiohttp lacks, found by trying a new protocol."""
    stub: Any = SimpleNamespace(request_handler=None, request_factory=None)
    try:
        built: Any = web.RequestHandler(stub, loop=stub, auto_decompress=False)
        lacking = [name for name, new in _PRIVATE.items() if getattr(built, name, ...) != new]
        built.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        message, payload = built._messages.popleft()  # noqa: SLF001
        built._parser.message_consumed()  # noqa: SLF001
        lacking += [name for name in _OF_MESSAGE if not hasattr(message, name)]
        whole = type(payload) is StreamReader and payload.is_eof() and payload.exception() is None
        if not whole or list(payload._buffer) != [b"{}"]:  # noqa: SLF001
            lacking.append("StreamReader")
    except Exception as error:  # noqa: BLE001  any aiohttp can serve without the fast path
        return [str(error) or type(error).__name__]
    return lacking


LACKING: Final = _lacking()
