"""Serves a replica in the test's process, and sends to it as Zoom does."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from pydantic import SecretStr

from projector.config import Settings
from projector.ingress.server import serve
from projector.zoom.signature import sign

SECRET = b"the secret of these tests"
OTHER_SECRET = b"another secret"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def settings_for_tests(**changes: Any) -> Settings:
    """Settings of a replica on a free port that does not drain."""
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "zoom_secret_tokens": SecretStr(SECRET.decode()),
        "drain_seconds": 0,
    }
    return Settings(**(values | changes))


def event_body(event: str = "user.presence_status_updated", **extra: Any) -> bytes:
    """A unique delivery."""
    return json.dumps(
        {
            "event": event,
            "event_ts": time.time_ns() // 1_000_000,
            "payload": {"account_id": "AccountOfTests", "object": {"id": uuid.uuid4().hex}},
            **extra,
        }
    ).encode()


def signed(body: bytes, secret: bytes = SECRET, *, age: int = 0, **headers: str) -> dict[str, str]:
    """The headers of a signed delivery; underscores in names become dashes. `age` in seconds."""
    timestamp = str(int(time.time()) - age)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "x-zm-request-timestamp": timestamp,
        "x-zm-signature": sign(secret, timestamp, body),
        "x-zm-request-id": uuid.uuid4().hex,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }


@dataclass(frozen=True)
class Answer:
    """An answer, and after how many seconds it came."""

    status: int
    headers: "aiohttp.typedefs.LooseHeaders"
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Sender:
    """Sends requests to one replica."""

    port: int
    session: aiohttp.ClientSession

    async def request(self, method: str, path: str, **options: Any) -> Answer:
        started = time.monotonic()
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, url, **options) as response:
            body = await response.read()
        return Answer(response.status, response.headers, body, time.monotonic() - started)

    async def post(
        self,
        body: bytes,
        headers: dict[str, str] | None = None,
        path: str = "/webhooks/zoom",
    ) -> Answer:
        given = signed(body) if headers is None else headers
        return await self.request("POST", path, data=body, headers=given)

    async def get(self, path: str) -> Answer:
        return await self.request("GET", path)

    async def metric(self, line: str) -> float:
        """The value of a sample, named as in the exposition; 0 if it is missing."""
        for sample in (await self.get("/metrics")).body.decode().splitlines():
            name, _, value = sample.rpartition(" ")
            if name == line:
                return float(value)
        return 0.0

    async def until_ready(self) -> None:
        for _ in range(200):
            if (await self.get("/readyz")).status == 200:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the replica never became ready")


@asynccontextmanager
async def serving(
    database_url: str, *, serve: Callable[..., Any] = serve, **changes: Any
) -> AsyncIterator[Sender]:
    """A serving replica and a sender to it; `serve` may come from a new import."""
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        serve(settings_for_tests(**changes), database_url, ready=port.set_result, stop=stop)
    )
    await asyncio.wait({task, port}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield Sender(await port, session)
    stop.set()
    await task
