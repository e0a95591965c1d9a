"""Serves the simulated API in the test's process, and asks it as a client of Zoom's does."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from projector.simulator.account import Account
from projector.simulator.api.options import ApiOptions
from projector.simulator.api.server import Api, serving_api
from projector.simulator.delivery_log import DeliveryLog

START = 1_780_000_000_000

Json = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """An answer of the API."""

    status: int
    headers: "aiohttp.typedefs.LooseHeaders"
    text: bytes

    @property
    def body(self) -> Json:
        document: Json = json.loads(self.text)
        return document

    @property
    def code(self) -> tuple[int, int]:
        """Status and Zoom's code."""
        return self.status, self.body["code"]


class Client:
    """Asks the API; `authorization` is the header of every call."""

    def __init__(self, api: Api, session: aiohttp.ClientSession) -> None:
        self.api = api
        self.session = session
        self.authorization = ""

    async def token(self, *, in_query: bool = False, **changes: str) -> Told:
        """Ask for a token; `changes` to the form and, as `client_secret`, to the credentials."""
        own = self.api.credentials
        secret = changes.pop("client_secret", own.client_secret)
        basic = base64.b64encode(f"{own.client_id}:{secret}".encode()).decode()
        form = {"grant_type": "account_credentials", "account_id": own.account_id} | changes
        given: Json = {"params": form} if in_query else {"data": form}
        headers = {"Authorization": f"Basic {basic}"}
        async with self.session.post(self.api.token_url, headers=headers, **given) as answer:
            return Told(answer.status, answer.headers, await answer.read())

    async def sign_in(self) -> None:
        told = await self.token()
        self.authorization = f"Bearer {told.body['access_token']}"

    async def get(self, path: str, **parameters: Any) -> Told:
        url = f"{self.api.url}/{path}"
        headers = {"Authorization": self.authorization}
        async with self.session.get(url, params=parameters, headers=headers) as answer:
            return Told(answer.status, answer.headers, await answer.read())

    async def read(self, path: str, **parameters: Any) -> Json:
        """What a path shows; asserts that it does."""
        told = await self.get(path, **parameters)
        assert told.status == 200, told.text
        return told.body

    async def pages(self, path: str, key: str, **parameters: Any) -> list[list[Json]]:
        """The rows of every page of a listing."""
        found: list[list[Json]] = []
        token = ""
        while True:
            told = await self.read(
                path, **parameters, **({"next_page_token": token} if token else {})
            )
            found.append(told[key])
            token = told["next_page_token"]
            if not token:
                return found

    async def rows(self, path: str, key: str, **parameters: Any) -> list[Json]:
        """The rows of a listing."""
        return [row for page in await self.pages(path, key, **parameters) for row in page]

    async def everybody(self, **parameters: Any) -> list[Json]:
        """The rows of all three listings of people."""
        return [
            row
            for status in ("active", "inactive", "pending")
            for row in await self.rows("users", "users", status=status, **parameters)
        ]


def some_account(seed: int = 3, *, before: int = 60, events: int = 0, **options: Any) -> Account:
    """An account with people who were there before, and perhaps a history."""
    account = Account(seed, before=before, start_ms=START, **options)
    for _ in account.events(events):
        pass
    return account


@asynccontextmanager
async def zoom_api(
    account: Account, deliveries: DeliveryLog | None = None, **options: Any
) -> AsyncIterator[Client]:
    """A client, signed in, of the served API."""
    log = DeliveryLog(lambda: account.now_ms) if deliveries is None else deliveries
    api = Api(account, log, ApiOptions(**options))
    async with serving_api(api), aiohttp.ClientSession() as session:
        client = Client(api, session)
        if not api.options.deactivated:
            await client.sign_in()
        yield client
