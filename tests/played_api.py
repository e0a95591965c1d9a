"""A server of one test that stands for Zoom's REST API and its token URL."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from projector.config import Plan
from projector.rest.access_token import Credentials
from projector.rest.budget import Budget
from projector.rest.client import RestClient
from projector.rest.session import open_session
from projector.rest.tally import Tally
from tests.turned_clock import TurnedClock

ACCOUNT, CLIENT, SECRET = "account-of-tests", "client-of-tests", "secret-of-tests"
TOKEN = "token-of-tests"
SCOPES = "user:read:list_users:admin group:read:list_groups:admin"

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(status: int, body: Any, **headers: str) -> Behaviour:
    """Answers this, always; `Retry_After` is header Retry-After."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "text/html" if isinstance(body, str) else "application/json"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, content_type=kind, headers=named)

    return answer


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other, the last one from then on."""
    left = list(behaviours)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


async def cut_off(request: web.Request) -> web.StreamResponse:
    """Half a body, and the connection is gone."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"users": [')
    assert request.transport is not None
    request.transport.close()
    return response


async def never(_request: web.Request) -> web.StreamResponse:
    """Takes longer than any test."""
    await asyncio.sleep(60)
    raise AssertionError


@dataclass
class PlayedApi:
    """`answers` answers whoever brings the newest token; `gives` gives tokens, where the test says how."""

    answers: Behaviour = field(default_factory=lambda: says(200, {}))
    gives: Behaviour | None = None
    life: Any = 3600
    asked: list[web.Request] = field(default_factory=list)
    token_requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tokens: int = 0
    base: str = ""

    def revoke(self) -> None:
        """The newest token is good no more."""
        self.tokens += 1

    async def token(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.token_requests.append((request.headers["Authorization"], form))
        await asyncio.sleep(0.01)  # long enough for others to ask too
        if self.gives is not None:
            return await self.gives(request)
        self.tokens += 1
        return web.json_response(
            {
                "access_token": f"{TOKEN}-{self.tokens}",
                "token_type": "bearer",
                "expires_in": self.life,
                "scope": SCOPES,
                "api_url": "https://elsewhere.example",
            }
        )

    async def api(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if request.headers["Authorization"] != f"Bearer {TOKEN}-{self.tokens}":
            return web.json_response(
                {"code": 124, "message": "Access token is expired."}, status=401
            )
        return await self.answers(request)


@dataclass
class Rig:
    """A client of a played API, whose sleeps take no time."""

    api: PlayedApi
    client: RestClient
    time: TurnedClock
    tally: Tally


@asynccontextmanager
async def serving(api: PlayedApi) -> AsyncIterator[PlayedApi]:
    """Serve it on a free port of the loopback."""
    app = web.Application()
    app.router.add_post("/oauth/token", api.token)
    app.router.add_get("/v2/{rest:.*}", api.api)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await runner.cleanup()


@asynccontextmanager
async def asking(
    answers: Behaviour | None = None,
    *,
    plan: Plan = Plan.UNLIMITED,
    share: float = 1,
    seconds: float = 5,
    **about: Any,
) -> AsyncIterator[Rig]:
    """A client and what it asks; `seconds`: how long a request may take, in real time."""
    api = PlayedApi(**({"answers": answers} if answers else {}), **about)
    time, tally = TurnedClock(), Tally()
    async with serving(api), open_session() as session:
        yield Rig(
            api,
            RestClient(
                session,
                Credentials(ACCOUNT, CLIENT, SECRET),
                Budget(plan, share, tally, clock=time.clock),
                tally,
                api_url=f"{api.base}/v2",
                token_url=f"{api.base}/oauth/token",
                clock=time.clock,
                request_seconds=seconds,
            ),
            time,
            tally,
        )
