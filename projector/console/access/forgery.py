"""That a POST comes from a page of ours: by what the browser says, and by a token of that page."""

import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from projector.console.access.visitor import NotLetIn

# A token changes only so often, so that a page that has not changed is the same text.
STEP_SECONDS: Final = 3600
STEPS: Final = 3


class Tokens:
    """Tokens of one process, each bound to a session or a user, for two to three hours."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def of(self, subject: str) -> str:
        """Return the token of now."""
        return self._made(subject, self._step())

    def check(self, subject: str, token: str) -> None:
        """Raise NotLetIn for a token that is another's, too old, or none."""
        now = self._step()
        fit = [
            hmac.compare_digest(
                token.encode("utf-8", "replace"), self._made(subject, step).encode()
            )
            for step in range(now, now - STEPS, -1)
        ]
        if not any(fit):
            raise NotLetIn(
                "token",
                "this form is too old, or not yours; go back, load the page again, and repeat it",
            )

    def _step(self) -> int:
        return int(self._clock() // STEP_SECONDS)

    def _made(self, subject: str, step: int) -> str:
        signed = f"form\0{step}\0{subject}".encode("utf-8", "replace")
        return hmac.digest(self._key, signed, "sha256").hex()[:32]


def check_origin(request: web.Request) -> None:
    """Raise NotLetIn for a POST that no page of ours sent, or of which the browser does not say so."""
    origins = request.headers.getall("Origin", [])
    sites = request.headers.getall("Sec-Fetch-Site", [])
    ours = [urlsplit(origin).netloc.lower() == request.host.lower() for origin in origins]
    same = [site == "same-origin" for site in sites]
    if not (ours or same) or not all((*ours, *same)):
        raise NotLetIn(
            "origin",
            "this did not come from a page of this console; open the page here and repeat it. A proxy in "
            "between must pass on the headers Host and Origin as the browser sent them",
        )
