"""The simulated API answers as Zoom documents it: tokens, pages, people, groups, settings, refusals."""

import asyncio
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from projector.config import Plan
from projector.errors import ConfigurationError
from projector.simulator.account import Account
from projector.simulator.api import scopes
from projector.simulator.api.options import (
    ApiOptions,
    Fault,
    Label,
    Rate,
    Refusal,
    RetryAfter,
)
from projector.simulator.api.server import Api, serving_api
from projector.simulator.delivery_log import DeliveryLog
from projector.simulator.people import Person
from projector.simulator.world import OWNER
from tests.simulated_zoom import START, Client, some_account, zoom_api

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def persons(client: Client, status: str) -> list[Person]:
    return client.api._zoom.account.world.register.behind(status, -1, 10_000)


# ---- tokens --------------------------------------------------------------------------------------


async def test_a_token_is_given_for_an_hour_and_names_its_scopes() -> None:
    async with zoom_api(some_account()) as client:
        for told in (await client.token(), await client.token(in_query=True)):
            assert (told.status, told.body["token_type"]) == (200, "bearer")
            assert told.body["expires_in"] == 3599
            assert told.body["scope"].split() == sorted(scopes.SCOPES)
            assert told.body["api_url"] + "/v2" == client.api.url
        assert (await client.get("users")).status == 200  # the first one is valid still
        assert client.api.calls == {"token": 3, "users": 1}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"client_secret": "sesame"}, "invalid_client"),
        ({"account_id": "another"}, "invalid_request"),
    ],
)
async def test_who_is_not_let_in_is_told_why(changes: dict[str, str], error: str) -> None:
    async with zoom_api(some_account()) as client:
        told = await client.token(**changes)
    assert (told.status, told.body["error"]) == (400, error)
    assert told.body["reason"]


async def test_a_deactivated_app_gets_no_token_and_those_it_has_end() -> None:
    async with zoom_api(some_account()) as client:
        client.api.options = ApiOptions(deactivated=True)
        told = await client.token()
        assert (told.status, told.body["error"]) == (400, "unauthorized_client")
        assert (await client.get("users")).code == (401, 124)


async def test_a_token_ends() -> None:
    async with zoom_api(some_account(), access_token_seconds=0.2) as client:
        assert (await client.get("users")).status == 200
        await asyncio.sleep(0.25)
        assert (await client.get("users")).code == (401, 124)
        for wrong in ("", "Bearer x", client.authorization.replace("Bearer", "Basic")):
            client.authorization = wrong
            assert (await client.get("users")).code == (401, 124)


# ---- people --------------------------------------------------------------------------------------


async def test_every_person_is_listed_once_under_their_status() -> None:
    account = some_account(before=200)
    async with zoom_api(account) as client:
        for status in ("active", "inactive", "pending"):
            pages = await client.pages("users", "users", status=status, page_size=7)
            rows = [row for page in pages for row in page]
            assert all(len(page) == 7 for page in pages[:-1])
            assert {row["status"] for row in rows} == {status}
            assert [row["email"] for row in rows] == [p.email for p in persons(client, status)]
            told = await client.read("users", status=status)
            assert (told["total_records"], told["page_size"]) == (len(rows), 30)
        assert {row["email"] for row in await client.rows("users", "users")} == {
            person.email for person in account.world.active
        }


async def test_pending_people_have_an_id_only_where_they_are_read_alone() -> None:
    async with zoom_api(some_account(before=200)) as client:
        rows = await client.rows("users", "users", status="pending")
        assert len(rows) == len(persons(client, "pending")) > 2
        assert all("id" not in row for row in rows)
        for row, person in zip(rows, persons(client, "pending"), strict=True):
            alone = await client.read(f"users/{row['email'].upper()}")
            assert (alone["id"], alone["status"]) == (person.user_id, "pending")
            assert alone["created_at"] > alone["user_created_at"] == row["user_created_at"]
            assert (await client.get(f"users/{alone['id']}/settings")).code == (400, 1120)


async def test_custom_attributes_are_listed_where_they_are_asked_for() -> None:
    account = some_account()
    async with zoom_api(account) as client:
        assert not any("custom_attributes" in row for row in await client.everybody())
        rows = await client.everybody(include_fields="custom_attributes")
        alone = [await client.read(f"users/{row['email']}") for row in rows]
    told = [row["custom_attributes"] for row in rows]
    assert told == [row["custom_attributes"] for row in alone]
    assert {type(a["value"]) for held in told for a in held} == {str}
    assert sum(map(len, told)) == sum(len(p.attributes) for p in account.world.active) + sum(
        len(p.attributes) for p in account.world.inactive
    )


async def test_the_owner_is_me_and_names_the_account() -> None:
    account = some_account()
    async with zoom_api(account) as client:
        me = await client.read("users/me")
        roles = (await client.read("roles"))["roles"]
        client.api.options = ApiOptions(shown_account="another")
        assert (await client.read("users/me"))["account_id"] == "another"
    assert (me["email"], me["role_name"], me["role_id"]) == (OWNER, "Owner", "0")
    assert me["account_id"] == account.account_id
    assert account.account_id.startswith("simulated-")
    totals = {role["name"]: role["total_members"] for role in roles}
    assert totals == {"Owner": 1, "Admin": 2, "Member": 57, "Help desk": 0, "Auditor": 0}


async def test_who_left_is_not_there() -> None:
    account = some_account(events=3_000)
    former = [*account.world.deleted, *account.world.disassociated]
    async with zoom_api(account) as client:
        rows = await client.everybody()
        for person in former:
            assert (await client.get(f"users/{person.user_id}")).code == (404, 1001)
            assert (await client.get(f"users/{person.user_id}/settings")).code == (404, 1001)
        assert (await client.get("users/nobody")).code == (404, 1001)
    assert len(former) > 5
    assert {row.get("id") for row in rows}.isdisjoint({person.user_id for person in former})


async def test_an_address_finds_the_person_who_has_it_now() -> None:
    account = some_account(events=4_000)
    async with zoom_api(account) as client:
        for person in account.world.active:
            assert (await client.read(f"users/{person.email}"))["id"] == person.user_id


# ---- pages ---------------------------------------------------------------------------------------


async def test_a_page_token_is_of_one_listing_and_its_parameters_and_ends() -> None:
    async with zoom_api(some_account(), page_token_seconds=0.3) as client:
        token = (await client.read("users", page_size=5))["next_page_token"]
        assert len((await client.read("users", page_size=5, next_page_token=token))["users"]) == 5
        for other in ({"page_size": 6}, {"page_size": 5, "status": "active"}):
            assert (await client.get("users", next_page_token=token, **other)).code == (400, 300)
        assert (await client.get("groups", page_size=5, next_page_token=token)).code == (400, 300)
        await asyncio.sleep(0.35)
        assert (await client.get("users", page_size=5, next_page_token=token)).code == (400, 300)
        for size in ("0", "x", "-1"):
            assert (await client.get("users", page_size=size)).code == (400, 300)
        assert (await client.get("users", status="gone")).code == (400, 300)


async def test_pages_are_cut_to_the_largest() -> None:
    async with zoom_api(some_account(before=2_500)) as client:
        first, *_ = await client.pages("users", "users", page_size=9_000)
        assert len(first) == 2000
        client.api.options = ApiOptions(largest_page=100)
        pages = await client.pages("users", "users", page_size=2000)
        assert {len(page) for page in pages[:-1]} == {100}
        assert len({row["id"] for page in pages for row in page}) == len(persons(client, "active"))


async def test_whoever_leaves_while_pages_are_read_hides_nobody_else() -> None:
    account = some_account(before=300)
    async with zoom_api(account) as client:
        first = await client.read("users", page_size=50)
        leaving = persons(client, "active")[10]
        account.world.enter(leaving, "disassociated")
        token, rows = first["next_page_token"], first["users"]
        while token:
            told = await client.read("users", page_size=50, next_page_token=token)
            token = told["next_page_token"]
            rows += told["users"]
        known = {person.user_id for person in persons(client, "active")}
    assert {row["id"] for row in rows} == known | {leaving.user_id}


async def test_listings_may_lie_and_tokens_repeat_and_people_move() -> None:
    async with zoom_api(some_account()) as client:
        there = len(persons(client, "active"))
        client.api.options = ApiOptions(more_than_there_are=3)
        assert (await client.read("users"))["total_records"] == there + 3
        client.api.options = ApiOptions(same_token=True)
        first = (await client.read("users", page_size=5))["next_page_token"]
        again = await client.read("users", page_size=5, next_page_token=first)
        assert again["next_page_token"] == first
        client.api.options = ApiOptions(moving=4)
        rows = await client.everybody()
        assert (await client.read("users"))["total_records"] == there - 4
        hidden = {p.user_id for p in persons(client, "active")} - {row.get("id") for row in rows}
        assert len(hidden) == 4
        for user_id in hidden:
            assert (await client.read(f"users/{user_id}"))["status"] == "active"


# ---- groups and settings -------------------------------------------------------------------------


async def test_groups_their_members_and_administrators() -> None:
    account = some_account(before=200)
    world = account.world
    async with zoom_api(account) as client:
        groups = await client.rows("groups", "groups", page_size=2)
        assert {group["id"]: group["name"] for group in groups} == {
            group.group_id: group.name for group in world.groups
        }
        for group in world.groups:
            path = f"groups/{group.group_id}"
            alone = await client.read(path)
            assert alone["total_members"] == len(group.members) > 0
            assert alone in groups
            members = await client.rows(f"{path}/members", "members", page_size=9)
            assert sorted(row["id"] for row in members) == sorted(p.user_id for p in group.members)
            admins = await client.rows(f"{path}/admins", "admins")
            assert {row["email"] for row in admins} == {p.email for p in group.admins} != set()
            assert all(row.keys() == {"email", "name"} for row in admins)
        for more in ("", "/members", "/admins", "/settings", "/lock_settings"):
            assert (await client.get(f"groups/none{more}")).code == (404, 4130)


async def test_settings_come_in_parts() -> None:
    account = some_account()
    group = account.world.groups.newest().group_id
    async with zoom_api(account) as client:
        for path in ("users/me/settings", f"groups/{group}/settings", "accounts/me/settings"):
            rest = await client.read(path)
            assert {"in_meeting", "recording", "schedule_meeting"} <= rest.keys()
            assert {"meeting_security", "security"}.isdisjoint(rest)
            security = await client.read(path, option="meeting_security")
            assert security.keys() == {"meeting_security"}
            for kind in ("meeting_authentication", "recording_authentication"):
                assert (await client.read(path, option=kind))[kind] is False
            assert (await client.get(path, option="x")).code == (400, 300)
        assert (await client.read("accounts/me/settings", option="security")).keys() == {"security"}
        for path in (f"groups/{group}/lock_settings", "accounts/me/lock_settings"):
            assert "meeting_security" not in await client.read(path)
            locks = await client.read(path, option="meeting_security")
            assert {type(lock) for lock in locks["meeting_security"].values()} == {bool}
        own = await client.read(f"accounts/{account.account_id}/settings")
        assert own == await client.read("accounts/me/settings")
        assert (await client.get("accounts/another/settings")).code == (404, 2001)


async def test_no_secret_is_ever_shown() -> None:
    account = some_account(events=6_000)
    async with zoom_api(account) as client:
        rows = await client.everybody(include_fields="host_key")
        told = [str(rows)]
        for person in account.world.active:
            path = f"users/{person.user_id}"
            told += [(await client.get(path)).text.decode()]
            told += [(await client.get(f"{path}/settings")).text.decode()]
    assert len(account.secrets) > 20
    whole = "".join(told)
    assert not any(secret in whole for secret in account.secrets)
    assert "host_key" not in whole


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "code"),
    [(Refusal.GRANULAR, (400, 4711)), (Refusal.CLASSIC, (400, 4700)),
     (Refusal.FORBIDDEN, (403, 403)), (Refusal.PAID_ONLY, (200, 200))],
)  # fmt: skip
async def test_a_section_that_may_not_be_read(how: Refusal, code: tuple[int, int]) -> None:
    async with zoom_api(some_account(), refused={scopes.LIST_GROUPS: how}) as client:
        told = await client.get("groups")
        granted = (await client.token()).body["scope"].split()
        assert (await client.get("users")).status == 200
    assert told.code == code
    lacking = how in (Refusal.GRANULAR, Refusal.CLASSIC)
    assert (scopes.LIST_GROUPS in told.body["message"]) is lacking
    assert (scopes.LIST_GROUPS in granted) is not lacking


def test_a_scope_that_is_none_cannot_be_refused() -> None:
    with pytest.raises(ConfigurationError, match="user:read:list_users:admin"):
        ApiOptions(refused={"users": Refusal.GRANULAR})


async def test_an_unknown_path_is_not_recognized() -> None:
    async with zoom_api(some_account()) as client:
        assert (await client.get("nothing")).code == (400, 2300)


async def test_each_label_has_its_rate() -> None:
    rates = {Label.LIGHT: Rate(1), Label.MEDIUM: Rate(3)}
    async with zoom_api(some_account(), rates=rates) as client:
        told = [await client.get("users") for _ in range(8)]
        refused = [answer for answer in told if answer.status == 429]
        assert 2 <= len(refused) <= 5
        assert (await client.get("users/me")).status == 200
    headers: Any = refused[0].headers
    assert refused[0].code == (429, 429)
    assert (headers["X-RateLimit-Category"], headers["X-RateLimit-Type"]) == ("Medium", "QPS")
    again = datetime.fromisoformat(headers["Retry-After"])
    assert (again - parsedate_to_datetime(headers["Date"])).total_seconds() == 1


async def test_a_day_has_its_limit_until_midnight() -> None:
    async with zoom_api(some_account(), rates={Label.MEDIUM: Rate(99, a_day=2)}) as client:
        told = [await client.get("users") for _ in range(3)]
    headers: Any = told[2].headers
    assert [answer.status for answer in told] == [200, 200, 429]
    assert headers["X-RateLimit-Type"] == "Daily-limit"
    assert headers["Retry-After"] == "2026-05-29T00:00:00Z"
    assert parsedate_to_datetime(headers["Date"]).date().isoformat() == "2026-05-28"


@pytest.mark.parametrize("style", RetryAfter)
async def test_a_429_says_in_several_ways_when_to_ask_again(style: RetryAfter) -> None:
    async with zoom_api(
        some_account(), plan=Plan.PRO, retry_after=style, always=Fault.BUSY
    ) as client:
        told = await client.get("users")
    headers: Any = told.headers
    assert told.code == (429, 429)
    if style == "none":
        assert not any(name.startswith(("X-RateLimit", "Retry")) for name in headers)
    elif style == "seconds":
        assert headers["Retry-After"] == "1"
    elif style == "date":
        assert parsedate_to_datetime(headers["Retry-After"]) > parsedate_to_datetime(
            headers["Date"]
        )
    else:
        assert RFC3339.fullmatch(headers["Retry-After"])


async def test_what_else_may_come_in_place_of_an_answer() -> None:
    faults = {2: Fault.HTML, 3: Fault.ERROR, 4: Fault.EXPIRED, 5: Fault.CUT}
    # aiohttp asks a second time where a connection that it used before was closed.
    faults |= {6: Fault.HANG_UP, 7: Fault.HANG_UP}
    async with zoom_api(some_account(), faults=faults, latency=0.01) as client:
        assert (await client.get("users")).status == 200
        html = await client.get("users")
        assert (html.status, html.text[:6]) == (200, b"<html>")
        assert (await client.get("users")).status == 500
        assert (await client.get("users")).code == (401, 124)
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.get("users")
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.get("users")
        assert (await client.get("users")).status == 200


# ---- time ----------------------------------------------------------------------------------------


def date_of(told: Any) -> int:
    return int(parsedate_to_datetime(told.headers["Date"]).timestamp())


async def test_the_date_is_that_of_the_history_and_then_goes_on() -> None:
    account = Account(3, before=60, start_ms=START)
    async with zoom_api(account) as client:
        assert date_of(await client.get("users")) == START // 1000
        seen = 0
        for event in account.events(400, span_ms=20 * 86_400_000):
            seen = event.body["event_ts"]
            if seen % 10 == 0:
                assert date_of(await client.get("users/me")) == seen // 1000
        account.end_history()
        after = date_of(await client.get("users"))
        assert seen // 1000 <= after <= START // 1000 + 20 * 86_400 + 5
        await asyncio.sleep(1.1)
        assert date_of(await client.get("users")) > after


async def test_a_port_that_is_taken_is_one_sentence() -> None:
    account = some_account()
    log = DeliveryLog(lambda: account.now_ms)
    async with serving_api(Api(account, log)) as api:
        port = int(api.url.split(":")[2].split("/")[0])
        with pytest.raises(ConfigurationError, match="--api-port"):
            async with serving_api(Api(account, log), port):
                pass
