"""Sessions: a signed cookie, and a row in memory, without which it is worth nothing."""

import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

SESSION_SECONDS: Final = 12 * 3600
MOST_SESSIONS: Final = 1000


class Sessions:
    """The sessions of one process; they end with it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._ends: dict[str, float] = {}

    def begin(self) -> str:
        """Begin a session; returns the value of its cookie. Of very many the oldest ends."""
        now = self._clock()
        self._ends = {name: end for name, end in self._ends.items() if end > now}
        if len(self._ends) >= MOST_SESSIONS:
            del self._ends[next(iter(self._ends))]
        name = secrets.token_urlsafe(16)
        self._ends[name] = now + SESSION_SECONDS
        return f"{name}.{self._mac(name)}"

    def known(self, cookie: str | None) -> str | None:
        """Return the session of a cookie, or None: it is none of ours, was left, or is over."""
        name, _, mac = (cookie or "").partition(".")
        if not hmac.compare_digest(_bytes(mac), _bytes(self._mac(name))):
            return None
        return name if self._ends.get(name, 0.0) > self._clock() else None

    def end(self, name: str) -> None:
        """End a session, for every copy of its cookie."""
        self._ends.pop(name, None)

    def _mac(self, name: str) -> str:
        return hmac.digest(self._key, _bytes(name), "sha256").hex()


def _bytes(text: str) -> bytes:
    """A cookie may hold anything, also what is no UTF-8."""
    return text.encode("utf-8", "replace")
