"""The answers to a delivery that was to be appended: 200 with its own bytes, or 503."""

import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Final

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from projector.ingress.problems import RETRY_AFTER_SECONDS, Problem
from projector.log.append import Appended

_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Event-Position: %d\r\n%b%b"
    b"Content-Length: %d\r\nDate: %b\r\n\r\n"
)
_REFUSAL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
    b"Retry-After: %d\r\n%bContent-Length: %d\r\nDate: %b\r\n\r\n%b"
)
_DUPLICATE: Final = b"X-Event-Duplicate: true\r\n"
_CLOSE: Final = b"Connection: close\r\n"


def acknowledgement(body: bytes, appended: Appended, last: bool) -> bytes:
    """The whole answer; `last`: the connection closes after it."""
    position, duplicate = appended
    head = _HEAD % (
        position,
        _DUPLICATE if duplicate else b"",
        _CLOSE if last else b"",
        len(body),
        _date(int(time.time())),
    )
    return head + body


def busy(last: bool) -> bytes:
    """The whole answer to a delivery that could not be appended in time."""
    body = Problem.BUSY.body
    close = _CLOSE if last else b""
    return _REFUSAL % (RETRY_AFTER_SECONDS, close, len(body), _date(int(time.time())), body)


class WholeAnswer(web.StreamResponse):
    """One of these answers as an aiohttp response, byte for byte; `make` is called with `last`."""

    def __init__(self, status: int, make: Callable[[bool], bytes]) -> None:
        super().__init__(status=status)
        self._make = make
        self._closing = False

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may carry another request."""
        return not self._closing

    def force_close(self) -> None:
        """Close the connection after this answer."""
        self._closing = True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Write the whole answer; aiohttp calls this, then `write_eof`."""
        if not request.keep_alive or request.version != HttpVersion11:
            self._closing = True
        writer = request.writer
        await writer.write(self._make(self._closing))
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


@lru_cache(maxsize=1)
def _date(seconds: int) -> bytes:
    """A time in epoch seconds as an HTTP date."""
    return formatdate(seconds, usegmt=True).encode()
