"""The API's HTTP server."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import formatdate
from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import web

from projector.errors import ConfigurationError
from projector.simulator.account import Account
from projector.simulator.api.endpoints import ENDPOINTS
from projector.simulator.api.oauth import AccessTokens, AppCredentials
from projector.simulator.api.options import ApiOptions, Fault
from projector.simulator.api.pages import PageTokens
from projector.simulator.api.problems import (
    Problem,
    problem,
    refused,
    unauthorized,
    unknown_endpoint,
)
from projector.simulator.api.rates import Rates
from projector.simulator.api.zoom import Call, Endpoint, Zoom
from projector.simulator.delivery_log import DeliveryLog

BASE: Final = "/v2"
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105  a path
HOST: Final = "127.0.0.1"

_encode = msgspec.json.Encoder().encode


class Api:
    """Zoom's REST API for one account.

    `options` may be replaced at any time; `calls` counts the calls by the name of their endpoint, and `token`
    those for a token. `url` and `token_url` are set once it is served.
    """

    def __init__(
        self, account: Account, deliveries: DeliveryLog, options: ApiOptions | None = None
    ) -> None:
        credentials = AppCredentials.of(account.account_id)
        self._zoom = Zoom(account, credentials, deliveries, options or ApiOptions(), PageTokens())
        self._tokens = AccessTokens(credentials)
        self._rates = Rates(lambda: account.now_ms)
        self.calls: Counter[str] = Counter()
        self.url = self.token_url = ""

    @property
    def credentials(self) -> AppCredentials:
        """What a client needs to be let in."""
        return self._zoom.credentials

    @property
    def options(self) -> ApiOptions:
        """How it behaves."""
        return self._zoom.options

    @options.setter
    def options(self, options: ApiOptions) -> None:
        self._zoom.options = options

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application()
        app.router.add_post(TOKEN_PATH, self._token)
        for endpoint in ENDPOINTS:
            app.router.add_get(BASE + endpoint.path, partial(self._serve, endpoint))
        app.router.add_route("*", "/{path:.*}", self._unknown)
        return app

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form: dict[str, Any] = {**request.query, **await request.post()}
        await asyncio.sleep(self.options.latency)
        self.calls["token"] += 1
        try:
            authorization = request.headers.get("Authorization", "")
            answer = self._tokens.issue(authorization, form, self.options)
        except Problem as refusal:
            return self._problem(refusal)
        return self._answer(200, answer | {"api_url": self.url.removesuffix(BASE)})

    async def _unknown(self, _request: web.Request) -> web.StreamResponse:
        return self._problem(unknown_endpoint())

    async def _serve(self, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(self.options.latency)
        self.calls[endpoint.name] += 1
        number = self.calls.total() - self.calls["token"]
        fault = self.options.faults.get(number, self.options.always)
        if fault is Fault.HANG_UP:
            return _hung_up(request)
        if fault is Fault.HTML:
            return web.Response(text="<html><body>Sign in</body></html>", content_type="text/html")
        # From here to the answer nothing is awaited: what it says and its date are of one instant.
        try:
            answer = self._answer(200, self._read(endpoint, request, fault))
        except Problem as refusal:
            return self._problem(refusal)
        return await _cut(request, answer) if fault is Fault.CUT else answer

    def _read(self, endpoint: Endpoint, request: web.Request, fault: Fault | None) -> Any:
        """What the path shows; raises Problem."""
        options, parameters = self.options, request.query
        self._tokens.check(request.headers.get("Authorization", ""), options)
        if fault is Fault.EXPIRED:
            raise unauthorized("Access token is expired.")
        if fault is Fault.ERROR:
            raise problem(500, 500, "Internal server error.")
        if fault is Fault.BUSY:
            raise self._rates.busy(endpoint.label, options)
        self._rates.take(endpoint.label, options)
        if endpoint.scope in options.refused:
            raise refused(options.refused[endpoint.scope], endpoint.scope)
        call = Call(request.path, request.match_info.get("who", ""), parameters)
        asked = self._zoom.pages.asked(request.path, parameters, endpoint.largest, options)
        return endpoint.read(self._zoom, call, asked)

    def _problem(self, refusal: Problem) -> web.Response:
        return self._answer(refusal.status, refusal.body, refusal.headers)

    def _answer(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> web.Response:
        now = formatdate(self._zoom.account.now_ms // 1000, usegmt=True)
        return web.Response(
            status=status,
            body=_encode(body),
            content_type="application/json",
            headers={"Date": now, **(headers or {})},
        )

    def served_at(self, port: int, webhook: str) -> None:
        """Note where it is served, and which address the webhooks go to."""
        self.url = f"http://{HOST}:{port}{BASE}"
        self.token_url = f"http://{HOST}:{port}{TOKEN_PATH}"
        self._zoom.endpoint = webhook


def _hung_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _cut(request: web.Request, answer: web.Response) -> web.StreamResponse:
    """Send half of an answer, and hang up."""
    whole = answer.body
    assert isinstance(whole, bytes)  # noqa: S101  as `_answer` makes them
    half = web.StreamResponse(headers={**answer.headers, "Content-Length": str(len(whole))})
    await half.prepare(request)
    await half.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.close()  # sends what was written, and no more
    return half


@asynccontextmanager
async def serving_api(api: Api, port: int = 0, *, webhook: str = "") -> AsyncIterator[Api]:
    """Serve the API on 127.0.0.1 until the block ends; port 0: any free one.

    `webhook`: the address of the deliveries, which the delivery log names. Raises ConfigurationError where
    the port is taken.
    """
    runner = web.AppRunner(api.application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(
            f"the API cannot listen on port {port} ({type(error).__name__}); give another one with "
            "--api-port"
        ) from None
    api.served_at(runner.addresses[0][1], webhook)
    try:
        yield api
    finally:
        await runner.cleanup()
