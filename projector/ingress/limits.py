"""Limits on what a sender may use: bytes, time, connections."""

import asyncio
from typing import Any, Final, cast

import aiohttp
import structlog
from aiohttp import web

from projector.ingress.metrics import Metrics
from projector.ingress.problems import RETRY_AFTER_SECONDS, Problem
from projector.ingress.protocol import IDLE_SECONDS, LACKING, FastProtocol, PlainProtocol, TakeWhole

# Zoom waits 3 s. From the arrival of its headers a delivery is answered within 2.5 s; the deadlines
# leave room for the sweep that enforces them and for a busy event loop.
ANSWER_SECONDS: Final = 2.2
BODY_SECONDS: Final = 2.0

HEADER_BYTES: Final = 8190
HEADERS: Final = 100
LINGER_SECONDS: Final = 1.0

# Bytes of bodies that arrive in pieces, over all connections.
PARTIAL_BYTES: Final = 64 * 1024 * 1024

_TURNED_AWAY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
    b"Retry-After: %d\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
    % (RETRY_AFTER_SECONDS, len(Problem.BUSY.body), Problem.BUSY.body)
)

_logger = structlog.get_logger()


class Refused(Exception):
    """The request is answered with this problem, and its connection is closed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.slug)
        self.problem = problem


class BodyReader:
    """Reads bodies within limits on size and time for each, and on memory for all together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._partial = 0

    async def read(self, request: web.BaseRequest, deadline: float) -> bytes:
        """The body as sent; `deadline` is in seconds of the event loop's clock.

        Raises Refused: too large, too slow, too much in memory, or no valid HTTP.
        """
        declared = request.content_length
        if declared is not None and declared > self.limit:
            raise Refused(Problem.TOO_LARGE)
        content = request.content
        if content.is_eof() and content.exception() is None:
            body = content.read_nowait(
                -1
            )  # arrived with the headers, as nearly every delivery does
            if len(body) > self.limit:
                raise Refused(Problem.TOO_LARGE)
            return body
        try:
            async with asyncio.timeout_at(deadline):
                return await self._read_pieces(request)
        except TimeoutError:
            raise Refused(Problem.SLOW) from None
        except (web.RequestPayloadError, ConnectionError):
            raise Refused(Problem.BAD_HTTP) from None

    async def _read_pieces(self, request: web.BaseRequest) -> bytes:
        body = bytearray()
        try:
            while piece := await request.content.readany():
                self._partial += len(piece)
                body += piece
                if len(body) > self.limit:
                    raise Refused(Problem.TOO_LARGE)
                if self._partial > PARTIAL_BYTES:
                    raise Refused(Problem.BUSY)
        finally:
            self._partial -= len(body)
        return bytes(body)


class TurnAway(asyncio.Protocol):
    """Answers 503 to a connection over the limit, and closes it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer before anything is read."""
        writing = cast(asyncio.WriteTransport, transport)
        writing.write(_TURNED_AWAY)
        writing.close()


class Gate:
    """Creates the protocol of each new connection, up to a limit on open connections."""

    def __init__(
        self, server: web.Server, take_whole: TakeWhole, limit: int, metrics: Metrics
    ) -> None:
        if LACKING:
            _logger.warning("no fast path", aiohttp=aiohttp.__version__, lacks=LACKING)
        self._server = server
        self._take_whole = take_whole
        self._limit = limit
        self._metrics = metrics

    def __call__(self) -> asyncio.Protocol:
        """Serve the connection, or turn it away."""
        if len(self._server.connections) >= self._limit:
            self._metrics.connections_refused.inc()
            return TurnAway()
        options: dict[str, Any] = {
            "loop": asyncio.get_running_loop(),
            "access_log": None,  # no access log
            "keepalive_timeout": IDLE_SECONDS,
            "lingering_time": LINGER_SECONDS,
            "max_line_size": HEADER_BYTES,
            "max_field_size": HEADER_BYTES,
            "max_headers": HEADERS,
            "auto_decompress": False,
        }
        if LACKING:
            return PlainProtocol(self._server, **options)
        return FastProtocol(self._server, self._take_whole, **options)
