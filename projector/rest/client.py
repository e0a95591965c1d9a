"""Zoom's REST API for one account: paced, retried, and never answered by half."""

import asyncio
from typing import Final

import aiohttp
from yarl import URL

from projector.rest.access_token import AccessToken, Credentials, TokenSource
from projector.rest.answers import Answer
from projector.rest.budget import Budget
from projector.rest.clock import REAL, Clock
from projector.rest.endpoints import Endpoint
from projector.rest.failures import Unreadable, failure, is_unauthorized
from projector.rest.paging import TOKEN, Listing
from projector.rest.patience import Patience
from projector.rest.tally import Tally
from projector.rest.transport import REQUEST_SECONDS, NoAnswer, Reply, Transport

MOST_IN_FLIGHT: Final = 16


class RestClient:
    """Asks for one account; any number of calls may be under way at once."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credentials: Credentials,
        budget: Budget,
        tally: Tally,
        *,
        api_url: str,
        token_url: str,
        clock: Clock = REAL,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self.account_id = credentials.account_id
        self._clock = clock
        self._transport = Transport(session, self._clock, seconds=request_seconds)
        self._tokens = TokenSource(self._transport, credentials, token_url)
        self._budget = budget
        self._tally = tally
        self._api_url = api_url.rstrip("/")
        self._in_flight = asyncio.Semaphore(MOST_IN_FLIGHT)

    async def scopes(self) -> frozenset[str]:
        """The scopes that Zoom says the app has; empty where it names none. Raises as `get` does."""
        return (await self._tokens.current()).scopes

    def listing(self, endpoint: Endpoint, /, *ids: str, **parameters: str) -> Listing:
        """All pages of a listing, to be iterated over; see Listing for what it proves."""
        return Listing(self.get, endpoint, ids, parameters)

    async def get(self, endpoint: Endpoint, /, *ids: str, **parameters: str) -> Answer:
        """Ask once and get a JSON object, after whatever waiting and retrying that takes.

        Raises Unreadable, NotThere, PageTokenRefused, CredentialsRefused, AppDeactivated, WrongAccount
        or RestUnavailable; each says what to do.
        """
        url = self._url(endpoint, ids)
        patience = Patience(self._clock, endpoint.name)
        renewed = False
        while True:
            await self._tokens.current()  # first, so that no turn passes while one is asked for
            await self._budget.admit(endpoint.label)
            token = await self._tokens.current()
            try:
                reply = await self._send(endpoint, url, parameters, token)
            except NoAnswer as trouble:
                await patience.wait(trouble)
                continue
            if reply.too_many:
                self._tally.rate_limited += 1
                self._budget.refused(endpoint.label, reply.told_to_wait)
                patience.refused()
                continue
            self._budget.accepted(endpoint.label)
            if reply.is_success(endpoint.rows):
                return Answer(reply.body, reply.as_of_ms)
            code = reply.code(endpoint.rows)
            if renewed or not is_unauthorized(reply.status, code):
                raise failure(
                    endpoint, reply.status, code,
                    with_token=TOKEN in parameters, as_of_ms=reply.as_of_ms,
                )  # fmt: skip
            self._tokens.refused(token)
            renewed = True

    def _url(self, endpoint: Endpoint, ids: tuple[str, ...]) -> URL:
        try:
            return URL(self._api_url + endpoint.filled(ids), encoded=True)
        except ValueError:
            raise Unreadable(
                f"Zoom cannot be asked for {endpoint.name} by an id that is blank or all dots; see which "
                "event in the log brought it"
            ) from None

    async def _send(
        self, endpoint: Endpoint, url: URL, parameters: dict[str, str], token: AccessToken
    ) -> Reply:
        async with self._in_flight:
            self._tally.calls[endpoint.label] += 1
            return await self._transport.send(
                "GET", url, {"Authorization": f"Bearer {token.text}"}, query=parameters
            )
