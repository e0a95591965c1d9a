"""The protocol of a connection: aiohttp's, with a short way for what nearly every request is."""

from typing import Any, Final, Protocol

import structlog
from aiohttp import StreamReader, web
from aiohttp.http_parser import RawRequestMessage

from projector.ingress.problems import Problem, respond

IDLE_SECONDS: Final = 30.0

_logger = structlog.get_logger()


class Desk(Protocol):
    """Where whole requests are handed in."""

    def take_whole(
        self, message: RawRequestMessage, body: bytes, connection: "IngressProtocol"
    ) -> bool:
        """Take a request, to be answered by `connection.answer`; False: it goes aiohttp's way."""


class IngressProtocol(web.RequestHandler):
    """aiohttp's protocol, but what it says of bad HTTP repeats no input, in answers or in logs.

    A request that has come whole while nothing else is under way on its connection is offered to the
    desk at once. aiohttp's own way to a handler takes a task, a request, a writer and three turns of the
    event loop: a third of a delivery's time. Whatever the desk does not take goes that way.
    """

    __slots__ = ("_answering", "_desk", "_remote")

    def __init__(self, manager: web.Server, desk: Desk, **options: Any) -> None:
        super().__init__(manager, **options)
        self._desk = desk
        self._answering = False
        self._remote: str | None = None

    @property
    def remote(self) -> str | None:
        """The peer's address."""
        if self._remote is None and isinstance(self.peername, tuple):
            self._remote = str(self.peername[0])
        return self._remote

    def data_received(self, data: bytes) -> None:
        """Parse; offer a whole request to the desk, or wake aiohttp's task."""
        waiter, self._waiter = self._waiter, None  # aiohttp queues what it parses, and wakes nobody
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
        """Offer the one request in the queue to the desk, if all of it is here."""
        if len(self._messages) != 1 or self._paused or self._reading_paused:
            return False
        message, payload = self._messages[0]
        if type(message) is not RawRequestMessage or type(payload) is not StreamReader:
            return False
        pieces = payload._buffer  # noqa: SLF001  left as it is, should aiohttp come to read it
        if len(pieces) != 1 or not payload.is_eof() or payload.exception() is not None:
            return False
        self._next_keepalive_close_time = self._loop.time() + IDLE_SECONDS
        if not self._desk.take_whole(message, pieces[0], self):
            return False
        self._answering = self._request_in_progress = True
        self._messages.popleft()
        if self._parser is not None:
            self._parser.message_consumed()
        return True

    def answer(self, answer: bytes, *, last: bool) -> None:
        """Answer what the desk took, if anybody still listens; `last`: close the connection."""
        self._answering = self._request_in_progress = False
        if self._handler_waiter is not None:  # `shutdown` waits for this answer
            self._handler_waiter.set_result(None)
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(answer)
        if last or self._close:
            self.force_close()
            return
        self._next_keepalive_close_time = self._loop.time() + IDLE_SECONDS
        if self._messages:
            self._go_on()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading, where reading was paused.

        aiohttp asks for it after every body, and would parse nothing once more each time.
        """
        if self._reading_paused:
            super().resume_reading(resume_parser)

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
        _logger.log(20 if bad else 40, "request refused", outcome=problem.slug, error=_name(exc))
        response = respond(problem)
        response.force_close()
        return response

    def log_exception(self, *_args: Any, **details: Any) -> None:
        """Log that something failed, without the exception's text."""
        _logger.error("connection failed", error=_name(details.get("exc_info")))


def _name(error: object) -> str:
    return type(error).__name__
