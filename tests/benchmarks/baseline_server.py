"""The ingress's baselines: `python -m tests.benchmarks.baseline_server bare|naive`.

bare    read, check the signature, hash, decode, answer: no database
naive   the same, and one INSERT per request through a pool of ten connections

Simple programs. The event loop and the decoder are the product's; nothing is logged. The database's
URL is in DATABASE_URL. Prints its port once it listens.
"""

import asyncio
import hashlib
import hmac
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import asyncpg
import msgspec
import uvloop
from aiohttp import web

from tests.benchmarks.requests import PATH, SECRET

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]

TABLE: Final = """
CREATE TABLE deliveries (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    event text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    body jsonb NOT NULL
)
"""
INSERT: Final = """
INSERT INTO deliveries (event, digest, body) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING
"""


async def checked(request: web.Request) -> tuple[bytes, dict[str, Any], bytes]:
    """The body, its decoded document and its digest; raises 401 for a wrong signature."""
    body = await request.read()
    message = b"v0:" + request.headers["x-zm-request-timestamp"].encode() + b":" + body
    expected = "v0=" + hmac.digest(SECRET.encode(), message, "sha256").hex()
    if not hmac.compare_digest(expected, request.headers["x-zm-signature"]):
        raise web.HTTPUnauthorized
    return body, msgspec.json.decode(body), hashlib.sha256(body).digest()


async def bare(request: web.Request) -> web.Response:
    await checked(request)
    return web.Response()


def naive(pool: "asyncpg.Pool[asyncpg.Record]") -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body, decoded, digest = await checked(request)
        async with pool.acquire() as connection:
            await connection.execute(INSERT, decoded["event"], digest, body.decode())
        return web.Response()

    return handle


async def main(kind: str) -> None:
    app = web.Application()
    if kind == "bare":
        app.router.add_post(PATH, bare)
    else:
        pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10)
        await pool.execute(TABLE)
        app.router.add_post(PATH, naive(pool))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
