"""Sends HTTP requests as Zoom does: newly signed, without redirects, with a deadline."""

import hmac
import json
import time
from typing import Final, NamedTuple

import aiohttp
from yarl import URL

from projector.errors import ProjectorError
from projector.zoom.signature import encrypted_token, sign

DEADLINE_SECONDS: Final = 3.0
USER_AGENT: Final = "Zoom Marketplace/1.0a"
CONTENT_TYPE: Final = "application/json; charset=utf-8"
RETRIED_FROM: Final = 500
_REDIRECTS: Final = 300

# Bytes read of an answer to a URL validation, which has a few hundred.
_LARGEST_ANSWER: Final = 65_536


class UrlNotValidated(ProjectorError):
    """The URL failed Zoom's validation, so Zoom would send it nothing."""


class Outgoing(NamedTuple):
    """One delivery; retries have the same body and ids. `copy`: the body was sent before."""

    body: bytes
    request_id: str
    tracking_id: str
    copy: bool = False
    attempts: int = 0


class Answer(NamedTuple):
    """The outcome of one attempt; `status` None: no answer, in time or at all."""

    seconds: float
    status: int | None = None
    timed_out: bool = False
    position: int | None = None
    duplicate: bool = False

    @property
    def acknowledged(self) -> bool:
        """Whether Zoom considers it delivered."""
        return self.status is not None and self.status < _REDIRECTS

    @property
    def retryable(self) -> bool:
        """Whether Zoom sends it again."""
        return self.status is None or self.status >= RETRIED_FROM

    @property
    def label(self) -> str:
        """The status, or why there is none."""
        if self.status is not None:
            return str(self.status)
        return "time-out" if self.timed_out else "no connection"


class Sender:
    """Sends to one URL, in one session, with one secret token."""

    def __init__(self, session: aiohttp.ClientSession, url: URL, secret: bytes) -> None:
        self._session = session
        self._url = url
        self._secret = secret

    def headers(self, outgoing: Outgoing) -> dict[str, str]:
        """The headers of an attempt that is made now."""
        timestamp = str(int(time.time()))
        return {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": USER_AGENT,
            "x-zm-request-timestamp": timestamp,
            "x-zm-signature": sign(self._secret, timestamp, outgoing.body),
            "x-zm-request-id": outgoing.request_id,
            "x-zm-trackingid": outgoing.tracking_id,
        }

    async def send(self, outgoing: Outgoing, headers: dict[str, str]) -> Answer:
        """Make one attempt. A time-out or a connection error is returned as an answer too."""
        started = time.monotonic()
        try:
            async with self._post(outgoing.body, headers) as response:
                while await response.content.readany():
                    pass  # reads it all, so that the connection can be reused
                position = response.headers.get("X-Event-Position", "")
                return Answer(
                    time.monotonic() - started,
                    response.status,
                    position=int(position) if position.isdecimal() else None,
                    duplicate=response.headers.get("X-Event-Duplicate") == "true",
                )
        except TimeoutError:
            return Answer(time.monotonic() - started, timed_out=True)
        except (aiohttp.ClientError, OSError):
            return Answer(time.monotonic() - started)

    async def validate_url(self, plain: str, request_id: str) -> None:
        """Ask the URL to prove that it knows the secret; raises UrlNotValidated if it does not."""
        body = json.dumps(
            {
                "payload": {"plainToken": plain},
                "event_ts": time.time_ns() // 1_000_000,
                "event": "endpoint.url_validation",
            }
        ).encode()
        where = f"{self._url.origin()}{self._url.path}"
        try:
            headers = self.headers(Outgoing(body, request_id, "validation"))
            async with self._post(body, headers) as response:
                answer = await _read_start(response)
        except TimeoutError:
            raise UrlNotValidated(
                f"{where} did not answer the URL validation in time; check that this is its "
                "address and that the ingress is alive (its /livez)"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise UrlNotValidated(
                f"nothing can be delivered to {where} ({type(error).__name__}); start the ingress "
                "with `projector up` or `projector serve`, or give the URL where it listens"
            ) from None
        if not self._proves(plain, response.status, answer):
            raise UrlNotValidated(f"{where} {_complaint(response.status)}")

    def _post(
        self, body: bytes, headers: dict[str, str]
    ) -> "aiohttp.client._RequestContextManager":
        return self._session.post(self._url, data=body, allow_redirects=False, headers=headers)

    def _proves(self, plain: str, status: int, answer: bytes) -> bool:
        try:
            told = json.loads(answer)
        except (ValueError, RecursionError):
            return False
        if status not in (200, 204) or not isinstance(told, dict):
            return False
        given = str(told.get("encryptedToken")).encode("utf-8", "replace")
        expected = encrypted_token(self._secret, plain).encode()
        return told.get("plainToken") == plain and hmac.compare_digest(given, expected)


def _complaint(status: int) -> str:
    if status == 401:  # noqa: PLR2004
        return (
            "refuses the URL validation (401): it does not know this secret token, or the clocks "
            "differ; use a token from its PROJECTOR_ZOOM_SECRET_TOKENS"
        )
    if status == 200:  # noqa: PLR2004
        return (
            "answers the URL validation with a token that this secret did not make; check that "
            "it is the projector's webhook address and that both sides have the same secret token"
        )
    return (
        f"answers the URL validation with status {status} but Zoom requires 200; check that it is "
        "the projector's webhook address, such as http://127.0.0.1:8080/webhooks/zoom"
    )


async def _read_start(response: aiohttp.ClientResponse) -> bytes:
    """The start of the answer's body, up to about _LARGEST_ANSWER bytes."""
    body = b""
    while len(body) < _LARGEST_ANSWER and (piece := await response.content.readany()):
        body += piece
    return body


def open_session(connections: int, deadline: float) -> aiohttp.ClientSession:
    """A session of at most `connections`, which gives each request `deadline` seconds."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections),
        timeout=aiohttp.ClientTimeout(total=deadline),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
