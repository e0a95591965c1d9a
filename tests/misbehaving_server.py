"""A webhook receiver that records requests, and misbehaves as a test demands."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from projector.zoom.signature import Refusal, encrypted_token, verify

SECRET = "the secret of these tests"

Behaviour = Callable[["Received"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    """One request; `attempt` counts the requests with its body, from 1."""

    body: bytes
    headers: dict[str, str]
    attempt: int
    at: float
    request: web.Request

    @property
    def event_ts(self) -> int:
        return int(json.loads(self.body)["event_ts"])


async def acknowledge(received: Received) -> web.StreamResponse:
    headers = {"X-Event-Duplicate": "true"} if received.attempt > 1 else {}
    return web.Response(body=received.body, headers=headers)


@dataclass
class Receiver:
    """Checks signatures, answers URL validations, and leaves the rest to `behave`."""

    behave: Behaviour = acknowledge
    validate: Callable[[str], web.StreamResponse] | None = None
    received: list[Received] = field(default_factory=list)
    validations: int = 0
    under_way: int = 0
    most_under_way: int = 0
    attempts: Counter[bytes] = field(default_factory=Counter)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        timestamp, signature = headers["x-zm-request-timestamp"], headers["x-zm-signature"]
        verdict = verify([SECRET.encode()], timestamp, signature, body, time.time())
        if isinstance(verdict, Refusal):
            return web.Response(status=401)
        document: dict[str, Any] = json.loads(body)
        if document["event"] == "endpoint.url_validation":
            self.validations += 1
            return self._validated(document["payload"]["plainToken"])
        self.attempts[body] += 1
        received = Received(body, headers, self.attempts[body], time.monotonic(), request)
        self.received.append(received)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self.behave(received)
        finally:
            self.under_way -= 1

    def _validated(self, plain: str) -> web.StreamResponse:
        if self.validate is not None:
            return self.validate(plain)
        encrypted = encrypted_token(SECRET.encode(), plain)
        return web.json_response({"plainToken": plain, "encryptedToken": encrypted})

    @property
    def bodies(self) -> list[bytes]:
        return [received.body for received in self.received]


@asynccontextmanager
async def receiving(
    behave: Behaviour = acknowledge, validate: Callable[[str], web.StreamResponse] | None = None
) -> AsyncIterator[Receiver]:
    receiver = Receiver(behave, validate)
    app = web.Application()
    app.router.add_post("/webhooks/zoom", receiver.handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/zoom"
    yield receiver
    await asyncio.wait_for(runner.cleanup(), 5)
