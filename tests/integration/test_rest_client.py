"""Calls to Zoom's REST API over real HTTP: what is retried, what it means, and what time it was."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from structlog.testing import capture_logs

from projector.config import Plan, Settings
from projector.errors import ConfigurationError, ProjectorError
from projector.rest import transport
from projector.rest.client import MOST_IN_FLIGHT
from projector.rest.clock import REAL
from projector.rest.endpoints import GROUPS, USER, USERS, Label
from projector.rest.failures import NotThere, RestUnavailable, Unreadable
from projector.rest.patience import MOST_ATTEMPTS, MOST_REFUSALS
from projector.rest.proxies import proxy_for
from projector.rest.session import USER_AGENT, open_client
from tests.played_api import (
    ACCOUNT,
    CLIENT,
    SECRET,
    TOKEN,
    Behaviour,
    PlayedApi,
    asking,
    cut_off,
    in_turn,
    never,
    says,
    serving,
)

USER_BODY = {"id": "u/1+", "email": "a@b.example", "unheard_of": {"big": 2**80}}
PORTAL = "<html>Please log in</html>"
TROUBLE = {
    "HTML": says(200, PORTAL),
    "HTML of a refusal": says(403, PORTAL),
    "HTML of an unauthorized": says(401, PORTAL),
    "a redirect": says(302, {}, Location="http://127.0.0.1:9/"),
    "an error of the server's": says(502, {"code": 124}),
    "a list": says(200, [1]),
    "nothing": says(200, ""),
    "half an object": says(200, '{"id": "u'),
    "a body cut off": cut_off,
}


async def test_a_success_is_the_document_with_what_is_unknown() -> None:
    async with asking(says(200, USER_BODY)) as rig:
        answer = await rig.client.get(USER, "u/1+", login_type="100")
        assert answer.body == USER_BODY
        [request] = rig.api.asked
        assert request.raw_path == "/v2/users/u%2F1%2B?login_type=100"
        assert request.headers["User-Agent"] == USER_AGENT
        assert rig.tally.calls == {Label.LIGHT: 1}
        assert rig.client.account_id == ACCOUNT


@pytest.mark.parametrize("kind", TROUBLE)
async def test_a_passing_trouble_is_waited_out(kind: str) -> None:
    async with asking(in_turn(TROUBLE[kind], TROUBLE[kind], says(200, USER_BODY))) as rig:
        assert (await rig.client.get(USER, "u")).body == USER_BODY
        assert rig.tally.calls[Label.LIGHT] == 3
        first, second = rig.time.slept
        assert 0.5 <= first <= 1 <= second <= 2


@pytest.mark.parametrize("kind", TROUBLE)
async def test_a_lasting_trouble_is_no_answer_at_all(kind: str) -> None:
    async with asking(TROUBLE[kind]) as rig:
        with pytest.raises(RestUnavailable, match="run this again"):
            await rig.client.get(USERS)
        assert len(rig.api.asked) == MOST_ATTEMPTS
        assert rig.api.tokens == 1


async def test_an_answer_that_does_not_come_in_time_is_given_up() -> None:
    async with asking(never, seconds=0.05) as rig:
        with pytest.raises(RestUnavailable, match="does not answer in time"):
            await rig.client.get(USERS)


async def test_nobody_there_is_said_with_what_to_do() -> None:
    async with serving(PlayedApi()) as gone:
        pass
    settings = configured(gone)
    async with open_client(
        settings, clock=REAL._replace(sleep=lambda _: asyncio.sleep(0))
    ) as client:
        with pytest.raises(RestUnavailable, match=r"cannot be reached.*check the network"):
            await client.get(USERS)


async def test_a_body_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)
    async with asking(says(200, {"id": "x" * 2000})) as rig:
        with pytest.raises(RestUnavailable, match="answers with more than"):
            await rig.client.get(USER, "u")


async def test_time_spent_ends_the_attempts_too() -> None:
    async with asking(says(503, "")) as rig:

        async def slow(request: web.Request) -> web.StreamResponse:
            rig.time.seconds += 70
            return await says(503, "")(request)

        rig.api.answers = slow
        with pytest.raises(RestUnavailable, match="asked 2 times"):
            await rig.client.get(USERS)


@pytest.mark.parametrize("status", [200, 400])
async def test_a_refusal_under_http_200_is_no_empty_listing(status: int) -> None:
    async with asking(says(status, {"code": 200, "message": "Only for paid accounts."})) as rig:
        with pytest.raises(Unreadable, match="plan"):
            await rig.client.get(GROUPS)
        with pytest.raises(Unreadable, match="plan"):
            [page async for page in rig.client.listing(GROUPS)]
        assert rig.time.slept == []


async def test_a_missing_scope_is_named_and_zoom_is_not_quoted() -> None:
    body = {
        "code": 4711,
        "message": "Invalid access token, does not contain scopes:[one:of:zooms].",
    }
    async with asking(says(400, body)) as rig:
        with pytest.raises(Unreadable) as told:
            await rig.client.get(USERS)
    assert told.value.scope == "user:read:list_users:admin"
    assert "user:read:list_users:admin (classic: user:read:admin)" in str(told.value)
    assert "one:of:zooms" not in str(told.value)


async def test_somebody_who_is_not_there() -> None:
    async with asking(says(404, {"code": 1001, "message": "User does not exist: u."})) as rig:
        with pytest.raises(NotThere) as told:
            await rig.client.get(USER, "u")
    assert told.value.code == 1001


async def test_an_id_that_would_be_another_path_is_not_asked_for() -> None:
    async with asking() as rig:
        for bad in ("", ".."):
            with pytest.raises(Unreadable, match="an id that is blank or all dots"):
                await rig.client.get(USER, bad)
        assert rig.api.asked == []


@pytest.mark.parametrize(
    ("headers", "message", "least", "most"),
    [
        ({"Retry_After": "7"}, "", 7, 7),
        ({"Retry_After": "{zoom:%Y-%m-%dT%H:%M:%SZ}"}, "", 89, 90),
        ({"Retry_After": "{http}"}, "", 89, 90),
        ({}, "per-second rate limit", 1, 2),
        ({"X_RateLimit_Type": "Daily-limit"}, "", 43_201, 43_201),
        ({}, "maximum daily rate limit for this API", 43_201, 43_201),
    ],
)
async def test_each_form_of_429_is_waited_for_by_zooms_clock(
    headers: dict[str, str], message: str, least: float, most: float
) -> None:
    zoom_says = datetime(2031, 5, 5, 12, tzinfo=UTC)  # another day than it is here
    until = zoom_says + timedelta(seconds=90)
    told = {
        name: text.format(zoom=until, http=format_datetime(until, usegmt=True))
        for name, text in headers.items()
    }
    refusal = says(
        429, {"code": 429, "message": message}, Date=format_datetime(zoom_says, usegmt=True), **told
    )
    async with asking(in_turn(refusal, says(200, USER_BODY))) as rig:
        assert (await rig.client.get(USER, "u")).body == USER_BODY
        assert least <= sum(rig.time.slept) <= most
        assert rig.tally.rate_limited == 1
        assert rig.tally.seconds_waited == sum(rig.time.slept)


@pytest.mark.parametrize(
    "refusal", [says(429, "<html>slow down</html>"), says(200, {"code": 429, "message": ""})]
)
async def test_a_429_is_one_whoever_says_it(refusal: Behaviour) -> None:
    async with asking(in_turn(refusal, says(200, USER_BODY))) as rig:
        assert (await rig.client.get(USER, "u")).body == USER_BODY
        assert rig.tally.rate_limited == 1


async def test_a_rate_that_is_never_free_is_given_up_in_the_end() -> None:
    async with asking(says(429, {"code": 429})) as rig:
        with pytest.raises(RestUnavailable, match="too many requests"):
            await rig.client.get(USERS)
        assert rig.tally.rate_limited == MOST_REFUSALS
        assert rig.time.seconds > 20 * 60


async def test_many_calls_at_once_are_paced_and_few_are_in_flight() -> None:
    under_way, most = 0, 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return await says(200, USER_BODY)(request)

    async with asking(answer) as rig:
        await asyncio.gather(*[rig.client.get(USER, f"u{number}") for number in range(50)])
        assert most == MOST_IN_FLIGHT
        assert rig.api.tokens == 1
    async with asking(answer, plan=Plan.PRO, share=0.5) as rig:
        await asyncio.gather(*[rig.client.get(USER, f"u{number}") for number in range(31)])
        assert rig.time.seconds == pytest.approx(2)


@pytest.mark.parametrize("hours", [-1, 0, 1])
async def test_an_answer_is_of_the_moment_it_was_asked_for_by_zooms_clock(hours: int) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.3)
        date = datetime.now(UTC) + timedelta(hours=hours)
        return await says(200, USER_BODY, Date=format_datetime(date, usegmt=True))(request)

    async with serving(PlayedApi(answer)) as api, open_client(configured(api)) as client:
        await client.scopes()
        before = time.time()
        as_of = (await client.get(USER, "u")).as_of_ms / 1000 - hours * 3600
    assert before - 1.5 < as_of <= before + 0.05  # Date is cut to the second


async def test_without_a_date_our_clock_serves_and_that_is_said_once() -> None:
    async with asking(says(200, USER_BODY, Date="yesterday")) as rig:
        with capture_logs() as lines:
            first = await rig.client.get(USER, "u")
            await rig.client.get(USER, "u")
        assert first.as_of_ms == int(rig.time.utc * 1000)
    assert [line["event"] for line in lines] == ["no_date_header"]


@pytest.mark.parametrize(
    "answers",
    [says(200, PORTAL), says(400, {"code": 4711, "message": f"{TOKEN}-1 {SECRET}"}),
     says(401, {"code": 124, "message": TOKEN}), says(404, {"code": 1001, "message": "u-of-tests"}),
     says(429, {"message": SECRET}), cut_off],
)  # fmt: skip
async def test_no_line_and_no_error_tells_a_secret(answers: Behaviour) -> None:
    async with asking(answers) as rig:
        with capture_logs() as lines, pytest.raises(ProjectorError) as told:
            await rig.client.get(USER, "u-of-tests")
        shown = f"{lines} {told.value} {told.value!r} {vars(rig.client)}"
    for secret in (TOKEN, SECRET, CLIENT, "u-of-tests", "Bearer"):
        assert secret not in shown
    assert told.value.__cause__ is None


def configured(api: PlayedApi, **others: Any) -> Settings:
    known: dict[str, Any] = {
        "zoom_account_id": ACCOUNT,
        "zoom_client_id": SecretStr(CLIENT),
        "zoom_client_secret": SecretStr(f"{SECRET}\n"),
        "zoom_plan": Plan.UNLIMITED,
        "zoom_api_url": f"{api.base}/v2/",
        "zoom_token_url": f"{api.base}/oauth/token",
    }
    return Settings(**known | others)


async def test_the_settings_open_a_client() -> None:
    async with serving(PlayedApi(says(200, USER_BODY))) as api:
        async with open_client(configured(api)) as client:
            assert (await client.get(USER, "u")).body == USER_BODY
        assert api.asked[0].path == "/v2/users/u"


async def test_a_proxy_that_the_environment_names_is_used_but_not_for_the_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy_for.cache_clear()
    async with serving(PlayedApi(says(200, USER_BODY))) as api:
        monkeypatch.setenv("http_proxy", api.base)
        monkeypatch.setenv("no_proxy", "")
        elsewhere = {
            "zoom_api_url": "http://z.invalid/v2",
            "zoom_token_url": "http://z.invalid/oauth/token",
        }
        async with open_client(configured(api, **elsewhere)) as client:
            assert (await client.get(USER, "u")).body == USER_BODY
        assert api.asked[0].raw_path == "http://z.invalid/v2/users/u"
        async with open_client(configured(api)) as client:
            await client.get(USER, "u")
        assert api.asked[1].raw_path == "/v2/users/u"
    proxy_for.cache_clear()


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({"zoom_client_id": None}, ["PROJECTOR_ZOOM_CLIENT_ID"]),
        ({"zoom_client_secret": SecretStr(" ")}, ["PROJECTOR_ZOOM_CLIENT_SECRET"]),
        ({"zoom_account_id": "", "zoom_client_secret": None},
         ["PROJECTOR_ZOOM_ACCOUNT_ID", "PROJECTOR_ZOOM_CLIENT_SECRET"]),
    ],
)  # fmt: skip
async def test_what_is_not_set_is_named(missing: dict[str, Any], named: list[str]) -> None:
    settings = configured(PlayedApi(base="http://127.0.0.1"), **missing)
    with pytest.raises(ConfigurationError, match="App Credentials") as told:
        async with open_client(settings):
            pass
    assert str(told.value).startswith(" and ".join(named) + " must be set")
