"""Access tokens of a Server-to-Server OAuth app."""

import base64
import binascii
import hmac
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from projector.simulator.api.options import ApiOptions
from projector.simulator.api.problems import Problem, unauthorized


@dataclass(frozen=True, repr=False)
class AppCredentials:
    """What an app of the simulated account needs; worth nothing anywhere else."""

    account_id: str
    client_id: str
    client_secret: str
    app_id: str

    @classmethod
    def of(cls, account_id: str) -> Self:
        """The credentials of an account's app: the same account has the same ones."""
        rng = random.Random(f"app of {account_id}")

        def drawn(size: int) -> str:
            return base64.urlsafe_b64encode(rng.randbytes(size)).decode().rstrip("=")

        return cls(account_id, drawn(16), drawn(24), drawn(16))


class AccessTokens:
    """The tokens given out; several are valid at once."""

    def __init__(self, credentials: AppCredentials) -> None:
        """Give tokens to whoever shows these credentials."""
        self._credentials = credentials
        self._valid_until: dict[str, float] = {}

    def issue(
        self, authorization: str, form: Mapping[str, str], options: ApiOptions
    ) -> dict[str, Any]:
        """Return the answer to a token request; raises Problem where it gets none."""
        if form.get("grant_type") != "account_credentials":
            raise _no_token("unsupported grant type", "unsupported_grant_type")
        if not self._knows(authorization):
            raise _no_token("Invalid client_id or client_secret", "invalid_client")
        if form.get("account_id") != self._credentials.account_id:
            raise _no_token("Bad Request", "invalid_request")
        if options.deactivated:
            raise _no_token("The app has been disabled or deactivated", "unauthorized_client")
        token = secrets.token_urlsafe(32)
        self._valid_until[token] = time.monotonic() + options.access_token_seconds
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": int(options.access_token_seconds),
            "scope": " ".join(options.granted),
        }

    def check(self, authorization: str, options: ApiOptions) -> None:
        """Raise Problem unless the header carries a valid token."""
        kind, _, token = authorization.partition(" ")
        until = self._valid_until.get(token)
        if kind.lower() != "bearer" or until is None or options.deactivated:
            raise unauthorized("Invalid access token.")
        if time.monotonic() >= until:
            raise unauthorized("Access token is expired.")

    def _knows(self, authorization: str) -> bool:
        kind, _, encoded = authorization.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return False
        known = f"{self._credentials.client_id}:{self._credentials.client_secret}".encode()
        return kind.lower() == "basic" and hmac.compare_digest(given, known)


def _no_token(reason: str, error: str) -> Problem:
    return Problem(400, {"reason": reason, "error": error})
