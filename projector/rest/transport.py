"""One HTTP request: a JSON object with its time, or the reason why there is none."""

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import aiohttp
import structlog
from yarl import URL

from projector.rest.answers import error_code
from projector.rest.clock import Clock
from projector.rest.failures import TOO_MANY
from projector.rest.proxies import proxy_for
from projector.rest.rate_limits import http_date, told_to_wait
from projector.zoom.bodies import decode_json

REQUEST_SECONDS: Final = 30.0
LARGEST_ANSWER: Final = 64 * 1024 * 1024  # bytes, decompressed
_SERVER_ERROR: Final = 500
_REDIRECTS: Final = range(300, 400)
_SUCCESSES: Final = range(200, 300)

_logger = structlog.get_logger()


class NoAnswer(Exception):
    """An attempt brought nothing usable; says why, after "Zoom's REST API …". `seconds`: what it took."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Reply(NamedTuple):
    """A JSON object; `sent_utc` and `date` in epoch seconds, by our clock and by the answer's Date."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]
    sent_utc: float
    seconds: float
    date: float | None

    def code(self, rows: str | None = None) -> int | None:
        """Zoom's code where this is an error; of listings, `rows` is the key of the rows."""
        return error_code(self.body, rows)

    def is_success(self, rows: str | None = None) -> bool:
        """Whether this is what was asked for."""
        return self.status in _SUCCESSES and self.code(rows) is None

    @property
    def too_many(self) -> bool:
        """Whether a rate limit refused it."""
        return TOO_MANY in (self.status, self.code())

    @property
    def told_to_wait(self) -> float | None:
        """Seconds, where a rate limit refused it and says."""
        now = self.sent_utc if self.date is None else self.date
        return told_to_wait(self.headers, str(self.body.get("message", "")), now)

    @property
    def as_of_ms(self) -> int:
        """When the request was sent, in epoch milliseconds by the server's clock, or a bit before.

        Date is cut to the second, and `seconds` holds the way there and back: both err to the early side.
        """
        if self.date is None:
            return math.floor(self.sent_utc * 1000)
        return math.floor((self.date - self.seconds) * 1000)


class Transport:
    """Sends requests in one session; follows no redirect, so nothing goes where it was not sent."""

    def __init__(
        self, session: aiohttp.ClientSession, clock: Clock, *, seconds: float = REQUEST_SECONDS
    ) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._told_of_no_date = False
        self.clock = clock

    async def send(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Make one attempt. Raises NoAnswer for all but a JSON object and for errors of the server's own."""
        started, sent_utc = self.clock.monotonic(), self.clock.utc()
        try:
            async with self._session.request(
                method, url, headers=headers, params=query, data=form,
                allow_redirects=False, timeout=self._timeout, proxy=proxy_for(url.origin()),
            ) as response:  # fmt: skip
                seconds = self.clock.monotonic() - started
                body = await _read(response)
        except (TimeoutError, aiohttp.ClientError, OSError, _TooLarge) as error:
            raise NoAnswer(_reason(error), self.clock.monotonic() - started) from None
        found = _usable(response.status, body)
        if isinstance(found, str):
            raise NoAnswer(found, self.clock.monotonic() - started)
        date = self._date(response)
        return Reply(response.status, response.headers, found, sent_utc, seconds, date)

    def _date(self, response: aiohttp.ClientResponse) -> float | None:
        date = http_date(response.headers.get("Date", ""))
        if date is None and not self._told_of_no_date:
            self._told_of_no_date = True
            _logger.warning("no_date_header")
        return date


class _TooLarge(Exception):
    """More bytes than are taken."""


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise _TooLarge
    return bytes(body)


def _reason(error: Exception) -> str:
    if isinstance(error, _TooLarge):
        return f"answers with more than {LARGEST_ANSWER // 1024 // 1024} MiB"
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "breaks its answers off"
    return f"cannot be reached ({type(error).__name__})"


def _usable(status: int, body: bytes) -> dict[str, Any] | str:
    """The JSON object of an answer, or why there is none to use."""
    if status >= _SERVER_ERROR:
        return f"has an error of its own (HTTP {status})"
    if status in _REDIRECTS:
        return f"redirects elsewhere (HTTP {status}), as a portal or proxy before it might"
    try:
        found = decode_json(body)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    if status == TOO_MANY:
        return {}  # said by something in front of Zoom, and no less true
    if body.lstrip()[:1] in (b"{", b"["):
        return f"answers with less than a JSON object (HTTP {status})"
    return f"answers without JSON (HTTP {status}), as a portal or proxy before it might"
