"""Zoom's request signature and its URL validation.

A signature is `v0=` + lower-case hex HMAC-SHA256(secret, `v0:{timestamp}:{raw body}`), the timestamp in
seconds. Outside this module a secret is named by its fingerprint.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

TOLERANCE_SECONDS: Final = 300

_WELL_FORMED: Final = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP_DIGITS: Final = 15


class Refusal(StrEnum):
    """Why a signature is refused."""

    MISSING = "missing"
    MALFORMED = "malformed"
    WRONG = "wrong"
    STALE = "stale"
    """Made with one of the secrets, but the timestamp is too far from now."""


@lru_cache(maxsize=64)
def fingerprint(secret: bytes) -> str:
    """Twelve hex digits that identify a secret without revealing it."""
    return hashlib.sha256(b"fingerprint:" + secret).hexdigest()[:12]


def sign(secret: bytes, timestamp: int | str, body: bytes) -> str:
    """The value of `x-zm-signature` for a body; `timestamp` in seconds, as its header spells it."""
    return (
        "v0=" + hmac.digest(secret, b"v0:%b:%b" % (str(timestamp).encode(), body), "sha256").hex()
    )


def encrypted_token(secret: bytes, plain: str) -> str:
    """The `encryptedToken` of a URL validation: lower-case hex HMAC-SHA256 of the plain token.

    Raises UnicodeEncodeError for a token with a lone surrogate.
    """
    return hmac.digest(secret, plain.encode(), "sha256").hex()


def headers_refused(timestamp: str | None, signature: str | None) -> Refusal | None:
    """Why the two headers cannot be checked: MISSING or MALFORMED; None where they can."""
    if not timestamp or not signature:
        return Refusal.MISSING
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _TIMESTAMP_DIGITS):
        return Refusal.MALFORMED
    return None if _WELL_FORMED.fullmatch(signature) else Refusal.MALFORMED


def signer(secrets: Sequence[bytes], timestamp: str, signature: str, body: bytes) -> bytes | None:
    """The secret that signed the body, whatever the age of the timestamp; None where none did.

    Both headers must be well formed. Every secret is tried, so that the time taken does not reveal which
    one it was.
    """
    message = b"v0:%b:%b" % (timestamp.encode(), body)
    given = bytes.fromhex(signature[3:])
    found = None
    for secret in secrets:
        if hmac.compare_digest(hmac.digest(secret, message, "sha256"), given):
            found = secret
    return found


def verify(
    secrets: Sequence[bytes],
    timestamp: str | None,
    signature: str | None,
    body: bytes,
    now: float,
) -> str | Refusal:
    """The fingerprint of the secret that signed this request, or why it is refused.

    `now` is in epoch seconds. STALE implies that the signature itself is right.
    """
    refused = headers_refused(timestamp, signature)
    if refused is not None or timestamp is None or signature is None:
        return refused or Refusal.MISSING
    secret = signer(secrets, timestamp, signature, body)
    if secret is None:
        return Refusal.WRONG
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return Refusal.STALE
    return fingerprint(secret)
