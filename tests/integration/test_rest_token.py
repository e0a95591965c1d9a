"""Tokens: one for all, renewed in time and once on 401; and why there is none, as a sentence."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from projector.errors import ProjectorError
from projector.rest.access_token import Credentials
from projector.rest.endpoints import USER
from projector.rest.failures import (
    AppDeactivated,
    CredentialsRefused,
    RestUnavailable,
    WrongAccount,
)
from projector.rest.patience import MOST_ATTEMPTS
from tests.played_api import (
    ACCOUNT,
    CLIENT,
    SCOPES,
    SECRET,
    TOKEN,
    Behaviour,
    asking,
    cut_off,
    in_turn,
    says,
)


async def test_a_token_is_asked_for_in_a_form_with_basic_authorization() -> None:
    async with asking() as rig:
        assert await rig.client.scopes() == frozenset(SCOPES.split())
        assert rig.api.token_requests == [
            (
                f"Basic {b64encode(f'{CLIENT}:{SECRET}'.encode()).decode()}",
                {"grant_type": "account_credentials", "account_id": ACCOUNT},
            )
        ]


async def test_calls_that_start_together_share_one_token() -> None:
    async with asking() as rig:
        await asyncio.gather(*[rig.client.get(USER, f"u{number}") for number in range(30)])
        assert rig.api.tokens == 1


async def test_a_cancelled_call_does_not_keep_the_token_from_the_others() -> None:
    async with asking() as rig:
        calls = [asyncio.create_task(rig.client.get(USER, f"u{number}")) for number in range(5)]
        while not rig.api.token_requests:
            await asyncio.sleep(0.001)
        calls[0].cancel()
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert [answer for answer in done[1:] if isinstance(answer, BaseException)] == []


@pytest.mark.parametrize(("life", "renewed_after"), [(3600, 3300), ("1200", 1100), (None, 3300)])
async def test_a_token_is_renewed_before_its_end(life: Any, renewed_after: float) -> None:
    async with asking(life=life) as rig:
        await rig.client.get(USER, "u")
        rig.time.seconds += renewed_after - 1
        await rig.client.get(USER, "u")
        assert rig.api.tokens == 1
        rig.time.seconds += 1
        await asyncio.gather(*[rig.client.get(USER, f"u{number}") for number in range(10)])
        assert rig.api.tokens == 2


async def test_a_token_without_life_is_not_asked_for_without_end() -> None:
    async with asking(life=0) as rig:
        await rig.client.get(USER, "u")
        await rig.client.get(USER, "u")
        assert rig.api.tokens == 1


async def test_a_refused_token_is_renewed_once_for_all() -> None:
    async with asking() as rig:
        await rig.client.get(USER, "u")
        rig.api.revoke()
        before = len(rig.api.token_requests)
        await asyncio.gather(*[rig.client.get(USER, f"u{number}") for number in range(10)])
        assert len(rig.api.token_requests) == before + 1


@pytest.mark.parametrize(
    "refusal", [says(401, {"code": 124}), says(400, {"code": 124}), says(401, {})]
)
async def test_a_new_token_that_is_refused_too_is_the_end(refusal: Behaviour) -> None:
    async with asking(refusal) as rig:
        with pytest.raises(CredentialsRefused, match="has just issued"):
            await rig.client.get(USER, "u")
        assert rig.api.tokens == 2


REFUSALS = [
    (400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"},
     CredentialsRefused, "does not know this client id and secret"),
    (401, {"error": "whatever"}, CredentialsRefused, "does not know this client id and secret"),
    (400, {"code": 4702}, CredentialsRefused, "does not know this client id and secret"),
    (400, {"error": "unsupported_grant_type"}, CredentialsRefused, "Server-to-Server"),
    (400, {"error": "unauthorized_client"}, CredentialsRefused, "Server-to-Server"),
    (400, {"code": 4705}, CredentialsRefused, "Server-to-Server"),
    (400, {"errorCode": "4711"}, CredentialsRefused, "no scopes"),
    (400, {"code": 4717}, AppDeactivated, "activate it"),
    (400, {"error": "invalid_client", "code": 4735}, AppDeactivated, "activate it"),
    (401, {"errorCode": 4738}, AppDeactivated, "activate it"),
    (400, {"error_code": "4741"}, AppDeactivated, "activate it"),
    (400, {"reason": "Bad Request", "error": "invalid_request"}, WrongAccount, "ACCOUNT_ID"),
    (400, {"error": ["odd"]}, WrongAccount, "ACCOUNT_ID"),
    (404, {"code": 2001}, WrongAccount, "ACCOUNT_ID"),
    (200, {"code": 4700}, WrongAccount, "ACCOUNT_ID"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "says_so"), REFUSALS)
async def test_a_refusal_says_what_is_wrong_to_all_who_wait_and_is_not_repeated(
    status: int, body: dict[str, Any], kind: type[ProjectorError], says_so: str
) -> None:
    told_also = body | {"message": f"{SECRET} {CLIENT} {ACCOUNT}"}
    async with asking(gives=says(status, told_also)) as rig:
        with capture_logs() as lines:
            calls = [rig.client.get(USER, f"u{number}") for number in range(20)]
            failures = await asyncio.gather(*calls, return_exceptions=True)
        assert len(rig.api.token_requests) == 1
        for failure in failures:
            assert type(failure) is kind
            assert says_so in str(failure)
        shown = f"{lines} {failures}"
        assert not any(secret in shown for secret in (SECRET, CLIENT, ACCOUNT))
        rig.api.gives = None  # mended meanwhile: the next call finds out
        assert (await rig.client.get(USER, "u")).body == {}


@pytest.mark.parametrize(
    "trouble", [says(502, ""), says(200, "<html>"), cut_off, says(302, {}, Location="http://x/")]
)
async def test_a_token_url_that_fails_for_a_while_is_asked_again(trouble: Behaviour) -> None:
    async with asking(gives=in_turn(trouble, says(429, {}), given)) as rig:
        rig.api.tokens = 1
        assert (await rig.client.get(USER, "u")).body == {}
        assert len(rig.api.token_requests) == 3


async def given(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"access_token": f"{TOKEN}-1"})


async def test_a_token_url_that_fails_for_good_is_asked_for_nobody_else_who_waits() -> None:
    async with asking(gives=says(503, "")) as rig:
        calls = [rig.client.get(USER, f"u{number}") for number in range(20)]
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(failure) for failure in failures} == {RestUnavailable}
        assert len(rig.api.token_requests) == MOST_ATTEMPTS
        assert rig.api.asked == []


@pytest.mark.parametrize("body", [{}, {"access_token": "a\nb"}, {"access_token": 7}])
async def test_an_answer_without_a_token_names_the_setting(body: dict[str, Any]) -> None:
    async with asking(gives=says(200, body)) as rig:
        with pytest.raises(RestUnavailable, match="PROJECTOR_ZOOM_TOKEN_URL"):
            await rig.client.scopes()


async def test_credentials_and_tokens_show_nothing() -> None:
    async with asking() as rig:
        token = await rig.client._tokens.current()
        shown = f"{Credentials(ACCOUNT, CLIENT, SECRET)} {token!r} {token} {[token]}"
    assert not any(secret in shown for secret in (CLIENT, SECRET, TOKEN))
