"""Tokens of a Server-to-Server OAuth app: asked for when needed, renewed before their hour is over."""

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from yarl import URL

from projector.errors import ProjectorError
from projector.rest.answers import token_answer, whole_number
from projector.rest.failures import (
    MARKETPLACE,
    AppDeactivated,
    CredentialsRefused,
    RestUnavailable,
    WrongAccount,
)
from projector.rest.patience import Patience
from projector.rest.transport import NoAnswer, Reply, Transport

# Of a token's life, after which it is renewed: after 55 minutes of its hour.
_USED: Final = 55 / 60
# Seconds. Of a token that lives shorter the API itself says when it is over.
_SHORTEST: Final = 60.0
# Seconds between two attempts where Zoom limits these too and does not say for how long.
_PAUSE: Final = 5.0

_DEACTIVATED: Final = frozenset({4717, 4735, 4738, 4741})
_NO_CLIENT: Final = frozenset({4702, 4704, 4706})
_NO_GRANT: Final = frozenset({4705})
_NO_SCOPES: Final = frozenset({4711})


@dataclass(frozen=True)
class Credentials:
    """What the app's page "App Credentials" shows; its repr shows the account alone."""

    account_id: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.client_id}:{self.client_secret}".encode()
        return f"Basic {b64encode(pair).decode()}"


class AccessToken(NamedTuple):
    """A token; `scopes` is empty where the answer named none, `renew_at` is a monotonic time."""

    text: str
    scopes: frozenset[str]
    renew_at: float

    def __repr__(self) -> str:
        return "AccessToken(…)"


class TokenSource:
    """The token of the moment, asked for once however many calls wait for it."""

    def __init__(self, transport: Transport, credentials: Credentials, token_url: str) -> None:
        self._transport = transport
        self._credentials = credentials
        self._url = URL(token_url)
        self._token: AccessToken | None = None
        self._outcome: AccessToken | ProjectorError | None = None
        self._asked = 0
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> AccessToken:
        """A token that is good for some minutes more.

        Raises CredentialsRefused, AppDeactivated, WrongAccount or RestUnavailable.
        """
        if self._token is not None and self._transport.clock.monotonic() < self._token.renew_at:
            return self._token
        asked = self._asked
        async with self._one_at_a_time:
            if self._outcome is None or self._asked == asked:
                self._outcome = await self._try()
                self._asked += 1  # not if the caller was cancelled: then the next one asks
        # Whoever waited shares a failure too, in place of asking in vain again.
        if isinstance(self._outcome, ProjectorError):
            raise self._outcome
        return self._outcome

    def refused(self, token: AccessToken) -> None:
        """The API did not take this token: the next call asks for another, unless one has already."""
        if self._token is token:
            self._token = None

    async def _try(self) -> AccessToken | ProjectorError:
        try:
            self._token = await self._ask()
        except ProjectorError as failure:
            return failure
        return self._token

    async def _ask(self) -> AccessToken:
        patience = Patience(self._transport.clock, "a token")
        while True:
            started = self._transport.clock.monotonic()
            try:
                reply = await self._post()
            except NoAnswer as trouble:
                await patience.wait(trouble)
                continue
            if reply.too_many:
                patience.refused()
                await self._transport.clock.sleep(reply.told_to_wait or _PAUSE)
                continue
            if not reply.is_success():
                raise _refusal(reply)
            return _token(reply, started)

    async def _post(self) -> Reply:
        who = self._credentials
        return await self._transport.send(
            "POST",
            self._url,
            {"Authorization": who.basic},
            form={"grant_type": "account_credentials", "account_id": who.account_id},
        )


def _token(reply: Reply, started: float) -> AccessToken:
    answer = token_answer(reply.body)
    if answer is None:
        raise RestUnavailable(
            "PROJECTOR_ZOOM_TOKEN_URL answers without a token; check that it is Zoom's "
            "https://zoom.us/oauth/token, and run this again"
        )
    life = max(answer.expires_in, _SHORTEST)
    scopes = frozenset(answer.scope.replace(",", " ").split())
    return AccessToken(answer.access_token, scopes, started + life * _USED)


def _refusal(reply: Reply) -> ProjectorError:
    """What a refusal of a token means: by its code, or by OAuth's word for it."""
    code, word = _code(reply.body), str(reply.body.get("error"))
    if code in _DEACTIVATED:
        return AppDeactivated(
            f"the Zoom app of PROJECTOR_ZOOM_CLIENT_ID is deactivated (code {code}); activate it at "
            f"{MARKETPLACE}, or have an administrator of the account allow it"
        )
    if code in _NO_SCOPES:
        return CredentialsRefused(
            'Zoom gives the app no token, because it has no scopes; add them on its page "Scopes" at '
            f"{MARKETPLACE} and activate it"
        )
    if code in _NO_GRANT or word in {"unsupported_grant_type", "unauthorized_client"}:
        return CredentialsRefused(
            "the Zoom app of PROJECTOR_ZOOM_CLIENT_ID may not have such tokens; check at "
            f"{MARKETPLACE} that it is of type Server-to-Server OAuth, and activated"
        )
    if code in _NO_CLIENT or word == "invalid_client" or reply.status in (401, 403):
        return CredentialsRefused(
            "Zoom does not know this client id and secret; copy both from the app's page "
            f'"App Credentials" at {MARKETPLACE} to PROJECTOR_ZOOM_CLIENT_ID and '
            "PROJECTOR_ZOOM_CLIENT_SECRET"
        )
    return WrongAccount(
        f"Zoom gives this app no token for the account (HTTP {reply.status}); copy the account id from "
        f'the app\'s page "App Credentials" at {MARKETPLACE} to PROJECTOR_ZOOM_ACCOUNT_ID, and check '
        "that the app is activated"
    )


def _code(body: dict[str, Any]) -> int | None:
    """The code of a refusal, under whichever name."""
    return next(
        (
            number
            for name in ("code", "errorCode", "error_code")
            if (number := whole_number(body.get(name))) is not None
        ),
        None,
    )
