"""Runs that read groups, settings and deliveries."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from projector.database import Database
from projector.errors import ConfigurationError
from projector.observations.outcome import Section
from projector.zoom.signature import fingerprint, sign
from tests.played_api import ACCOUNT
from tests.runtime_rig import replica
from tests.zoom_rest_rig import ZoomAccount, deliver, rows, run_of, told

GROUPS, USERS, SETTINGS, DELIVERIES = (
    Section.GROUPS, Section.USERS, Section.SETTINGS, Section.DELIVERIES,
)  # fmt: skip
ADMINS = "SELECT group_id, user_id, email FROM directory.group_admins ORDER BY 1, 2"
LEAVES = "SELECT path, value FROM directory.user_setting_values WHERE user_id = $1 ORDER BY 1"


@pytest.fixture
async def folded(database: Database) -> AsyncIterator[Database]:
    async with replica(database):
        yield database


@pytest.fixture
def zoom() -> ZoomAccount:
    found = ZoomAccount()
    found.has("Ada", group_ids=["g1"])
    found.has_group("g1", admins=["ada@example.com"])
    found.has_group("g2", admins=["new@example.com"])
    return found


async def test_groups_and_admins(folded: Database, zoom: ZoomAccount) -> None:
    outcome = (await run_of(folded, zoom, GROUPS, USERS))[GROUPS]
    assert (outcome.read, outcome.new) == (2, 2)
    named = "SELECT group_id, name FROM directory.groups ORDER BY 1"
    assert await rows(folded, named) == [("g1", "group g1"), ("g2", "group g2")]
    assert await rows(folded, ADMINS) == [
        ("g1", "Ada", "ada@example.com"), ("g2", "email:new@example.com", "new@example.com"),
    ]  # fmt: skip
    again = (await run_of(folded, zoom, GROUPS))[GROUPS]
    assert (again.new, again.repaired, again.gone) == (0, 0, 0)
    zoom.groups["g1"] |= {"name": "renamed", "admins": []}
    del zoom.groups["g2"]
    zoom.has_group("g3")
    outcome = (await run_of(folded, zoom, GROUPS))[GROUPS]
    assert (outcome.new, outcome.gone, outcome.complete) == (1, 1, True)
    assert await rows(folded, named) == [("g1", "renamed"), ("g3", "group g3")]
    assert await rows(folded, "SELECT group_id FROM directory.former_groups") == [("g2",)]
    assert await rows(folded, ADMINS) == []


async def test_an_admin_whose_email_changed_stays_one(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, GROUPS, USERS)
    zoom.users["Ada"]["email"] = "countess@example.com"
    zoom.groups["g1"]["admins"] = ["Countess@example.com"]
    outcome = (await run_of(folded, zoom, GROUPS, USERS))[GROUPS]
    assert outcome.repaired == 0
    assert ("g1", "Ada", "countess@example.com") in await rows(folded, ADMINS)


async def test_an_admin_by_email_ends_too(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, GROUPS, USERS)
    zoom.groups["g2"]["admins"] = ["ada@example.com"]
    assert (await run_of(folded, zoom, GROUPS))[GROUPS].repaired == 1
    assert await rows(folded, ADMINS) == [
        ("g1", "Ada", "ada@example.com"), ("g2", "Ada", "ada@example.com"),
    ]  # fmt: skip
    added = {"id": "g2", "admins": [{"id": "Nil"}]}
    await deliver(folded, [told(zoom, "group.admin_added", added, ago=-1)])
    zoom.unreadable = {"/users/Nil": (400, 4711)}
    zoom.groups["g2"]["admins"] = ["ada@example.com", "nil@example.com"]
    assert (await run_of(folded, zoom, GROUPS))[GROUPS].repaired == 1
    assert len(await rows(folded, ADMINS)) == 4


async def test_a_lying_list_of_admins_ends_none(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, GROUPS, USERS)
    zoom.groups["g1"]["admins"] = []
    zoom.lies = {"admins": 1}
    await run_of(folded, zoom, GROUPS)
    assert ("g1", "Ada", "ada@example.com") in await rows(folded, ADMINS)


async def test_a_list_of_no_groups_ends_none(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, GROUPS)
    zoom.groups.clear()
    outcome = (await run_of(folded, zoom, GROUPS, max_removals=1.0))[GROUPS]
    assert (outcome.gone, outcome.complete) == (0, False)


async def test_settings_leaf_by_leaf(folded: Database, zoom: ZoomAccount) -> None:
    zoom.settings = {
        "Ada": {
            "in_meeting": {"chat": True, "host_key": "1"},
            "schedule_meeting": {"pstn_password_protected": True},
            "meeting_security": {"waiting_room": True},
        },
        "g1": {"recording": {"cloud_recording": True, "auto_recording": "none"}},
        ACCOUNT: {"security": {"sign_again": 5}},
    }
    zoom.locks = {"g1": {"in_meeting": {"chat": True}}, ACCOUNT: {"chat": {"enable": True}}}
    zoom.users["Ada"] |= {"company": "Acme", "language": "en-US"}
    await run_of(folded, zoom, GROUPS, USERS)
    outcome = (await run_of(folded, zoom, SETTINGS))[SETTINGS]
    assert (outcome.read, outcome.new, outcome.complete) == (4, 3, True)
    assert await rows(folded, LEAVES, "Ada") == [
        ("in_meeting.chat", "true"), ("meeting_security.waiting_room", "true"),
    ]  # fmt: skip
    of_groups = "SELECT group_id, settings::text, locks::text FROM directory.group_settings"
    assert await rows(folded, of_groups) == [
        ("g1", '{"recording": {"cloud_recording": true}}', '{"in_meeting": {"chat": true}}')
    ]
    of_account = "SELECT account_id, settings::text, locks::text FROM directory.account_settings"
    assert await rows(folded, of_account) == [
        (ACCOUNT, '{"security": {"sign_again": 5}}', '{"chat": {"enable": true}}')
    ]
    assert await rows(folded, "SELECT company, language FROM directory.users") == [
        ("Acme", "en-US")
    ]
    bodies = await rows(folded, "SELECT convert_from(body, 'UTF8') FROM log.events")
    assert not [body for (body,) in bodies if "host_key" in body]

    head = len(bodies)
    again = (await run_of(folded, zoom, SETTINGS))[SETTINGS]
    assert (again.read, again.new, again.repaired) == (4, 0, 0)
    assert len(await rows(folded, "SELECT FROM log.events")) == head + 1

    zoom.settings["Ada"]["in_meeting"]["chat"] = False
    assert (await run_of(folded, zoom, SETTINGS))[SETTINGS].repaired == 1
    ((body,),) = await rows(
        folded,
        "SELECT convert_from(body, 'UTF8') FROM log.events "
        "WHERE event = 'rest.user_settings_observed' ORDER BY position DESC LIMIT 1",
    )
    assert json.loads(body)["payload"]["object"] == {
        "id": "Ada", "settings": {"in_meeting": {"chat": False}},
    }  # fmt: skip


async def test_drift_of_settings_ends(folded: Database, zoom: ZoomAccount) -> None:
    zoom.settings = {"Ada": {"in_meeting": {"chat": True}}}
    await run_of(folded, zoom, USERS, SETTINGS)
    drifting = told(
        zoom, "user.settings_updated",
        {"id": "Ada", "settings": {"in_meeting": {"chat": "later"}}}, ago=-1,
        old_object={"id": "Ada", "settings": {"in_meeting": {"chat": False}}},
    )  # fmt: skip
    await deliver(folded, [drifting])
    assert len(await rows(folded, "SELECT FROM directory.drift")) == 1
    zoom.settings["Ada"]["in_meeting"]["chat"] = "later"
    assert (await run_of(folded, zoom, SETTINGS))[SETTINGS].repaired == 1
    assert await rows(folded, "SELECT FROM directory.drift") == []
    assert (await run_of(folded, zoom, SETTINGS))[SETTINGS].repaired == 0


async def test_parts_of_the_settings_that_cannot_be_read(
    folded: Database, zoom: ZoomAccount
) -> None:
    zoom.settings = {"Ada": {"in_meeting": {"chat": True}}}
    await run_of(folded, zoom, GROUPS, USERS)
    zoom.unreadable = {"/accounts/me/lock_settings": (400, 4711)}
    outcome = (await run_of(folded, zoom, SETTINGS))[SETTINGS]
    assert outcome.complete
    assert "account:read:lock_settings:master" in str(outcome.why)
    assert outcome.new == 1
    zoom.unreadable = {"/users/.*/settings": (400, 4711), "/groups/.*/settings": (200, 200)}
    zoom.locks = {"g1": {"in_meeting": {"chat": True}}}
    outcome = (await run_of(folded, zoom, SETTINGS))[SETTINGS]
    assert not outcome.complete
    assert "user:read:settings:admin" in str(outcome.why)
    assert outcome.new == 1
    assert zoom.asked.count("/users/Ada/settings") == 5


def failed(zoom: ZoomAccount, number: int, *, secret: bytes = b"s") -> dict[str, Any]:
    """A row of the delivery log: somebody changed their name, and the delivery failed."""
    body = told(
        zoom, "user.updated", {"id": "Ada", "display_name": f"name {number}"}, ago=100 - number
    )
    headers = {
        "x-zm-request-timestamp": "5",
        "x-zm-signature": sign(secret, 5, body),
        "x-zm-request-id": f"r{number}",
    }
    return {
        "event": "user.updated",
        "request_body": body.decode(),
        "request_headers": json.dumps(headers),
        "date_time": f"{datetime.fromtimestamp(zoom.now - 50, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "request_id": f"r{number}",
        "retry_num": 0,
    }


async def test_failed_deliveries_are_recovered_once(folded: Database, zoom: ZoomAccount) -> None:
    first, second = failed(zoom, 1), failed(zoom, 2, secret=b"unknown")
    zoom.webhook_logs = [
        first, {**first, "retry_num": 1}, second,
        {**first, "event": "endpoint.url_validation", "request_body": "{}"},
        {**first, "request_body": "<html>"},
    ]  # fmt: skip
    options: dict[str, Any] = {"app_id": "app", "secrets": (b"s",)}
    outcome = (await run_of(folded, zoom, DELIVERIES, **options))[DELIVERIES]
    assert (outcome.read, outcome.new, outcome.complete) == (4, 2, True)
    assert "1 failed" in outcome.unreadable["bodies"]
    found = await rows(
        folded,
        "SELECT source, verified_by, request_id, convert_from(body, 'UTF8') FROM log.events "
        "WHERE source = 'recovered' ORDER BY position",
    )
    assert found == [
        ("recovered", fingerprint(b"s"), "r1", first["request_body"]),
        ("recovered", None, "r2", second["request_body"]),
    ]
    assert await rows(folded, "SELECT display_name FROM directory.users") == [("name 2",)]
    assert (await run_of(folded, zoom, DELIVERIES, **options))[DELIVERIES].new == 0


async def test_deliveries_need_an_app(folded: Database, zoom: ZoomAccount) -> None:
    with pytest.raises(ConfigurationError, match="PROJECTOR_ZOOM_APP_ID"):
        await run_of(folded, zoom, DELIVERIES)
    zoom.unreadable = {"/marketplace/.*": (400, 4711)}
    outcomes = await run_of(folded, zoom, DELIVERIES, USERS, app_id="app")
    assert not outcomes[DELIVERIES].complete
    assert "marketplace_app:read:admin" in str(outcomes[DELIVERIES].why)
    assert outcomes[USERS].complete
