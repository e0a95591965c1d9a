"""Keys of one-time addresses: anybody who has the console's secret makes one; the console takes each once.

A key is a number that is never used again, the second in which it ends, and a MAC over both: 38 letters.
"""

import base64
import binascii
import hmac
import secrets
import struct
import time
from collections.abc import Callable
from typing import Final

from projector.console.access.visitor import NotEntered

KEY_SECONDS: Final = 600
SECRET_BYTES: Final = 32

_FORM: Final = struct.Struct(">8sI16s")
_SIGNED: Final = struct.calcsize(">8sI")


def make_key(secret: bytes, now: float | None = None) -> str:
    """Return a key that is good once, until KEY_SECONDS after `now` in epoch seconds; default: now."""
    end = int(time.time() if now is None else now) + KEY_SECONDS
    signed = struct.pack(">8sI", secrets.token_bytes(8), end)
    return base64.urlsafe_b64encode(signed + _mac(secret, signed)).decode().rstrip("=")


class OneTimeKeys:
    """Takes the keys of one secret."""

    def __init__(self, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        """`clock`: epoch seconds, as whoever makes keys has them."""
        self._secret = secret
        self._clock = clock
        self._used: dict[bytes, int] = {}

    def take(self, key: str) -> None:
        """Use a key up. Raises NotEntered for one that is none of ours, too old, or used."""
        now = self._clock()
        signed, end = self._read(key)
        if end < now:
            raise NotEntered("this address was good for ten minutes, which are over")
        self._used = {used: ends for used, ends in self._used.items() if ends >= now}
        if signed in self._used:
            raise NotEntered("this address was used already, and is good once")
        self._used[signed] = end

    def _read(self, key: str) -> tuple[bytes, int]:
        try:
            raw = base64.b64decode(key + "=" * (-len(key) % 4), b"-_", validate=True)
            number, end, mac = _FORM.unpack(raw)
        except (ValueError, binascii.Error, struct.error):
            raise NotEntered(_NOT_OURS) from None
        signed = raw[:_SIGNED]
        if not hmac.compare_digest(mac, _mac(self._secret, signed)):
            raise NotEntered(_NOT_OURS)
        return number, end


_NOT_OURS: Final = "this address is none of this console, or of one before it was restarted"


def _mac(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(secret, b"one-time address\0" + signed, "sha256")[:16]
