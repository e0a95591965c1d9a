"""A simulated Zoom loses deliveries and knows people from before: a run makes the directory what it has."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from projector.config import Plan, Settings
from projector.database import Database
from projector.log.append import append
from projector.observations.forecast import forecast
from projector.observations.outcome import Outcome, Section
from projector.observations.reading import Options
from projector.observations.run import reconcile
from projector.rest.session import open_client
from projector.simulator.account import Account
from projector.simulator.api.options import Refusal
from projector.simulator.api.server import Api
from projector.zoom.catalogue import EVENTS as EVENTS_OF_ZOOM
from projector.zoom.delivery import delivery_of, head_of
from tests.directory_rows import Rows, shown
from tests.integration.test_simulated_api_agrees import apart
from tests.naive_directory import leaves
from tests.runtime_rig import assert_oracle_agrees, assert_verified, replica, until_folded
from tests.simulated_truth import truth_of
from tests.simulated_zoom import START, Json, zoom_api

EVENTS = 700

# Told by deliveries alone, or spelled otherwise by the API.
NOT_READ = {
    "pic_url", "vanity_name", "primary_group_id", "creation_type", "created_at", "profile_settings", "role",
}  # fmt: skip
RECEIVED = datetime.fromtimestamp(START / 1000 + 40 * 86_400, UTC)


def settings_of(api: Api) -> Settings:
    own = api.credentials
    return Settings(
        zoom_account_id=own.account_id,
        zoom_client_id=own.client_id,
        zoom_client_secret=own.client_secret,
        zoom_plan=Plan.UNLIMITED,
        zoom_api_url=api.url,
        zoom_token_url=api.token_url,
    )


async def run_on(database: Database, api: Api) -> dict[Section, Outcome]:
    sections = [Section.GROUPS, Section.USERS, Section.SETTINGS]
    options = Options(recheck_seconds=0, max_removals=1)
    async with open_client(settings_of(api)) as client:
        outcomes = await reconcile(client, database, sections, options, lambda *_: None)
    await until_folded(database)
    return {outcome.section: outcome for outcome in outcomes}


async def deliver(database: Database, bodies: list[bytes]) -> None:
    told = [delivery_of(body, head_of(body), received_at=RECEIVED) for body in bodies]
    for start in range(0, len(told), 50):
        await append(database, told[start : start + 50])
    await until_folded(database)


def assert_is(rows: Rows, truth: Json) -> None:
    """Assert that the views show what is true."""
    users = {row["user_id"]: row for row in rows["users"]}
    assert users.keys() == truth["users"].keys()
    for user, known in truth["users"].items():
        for field in known.keys() - NOT_READ - {"custom_attributes"}:
            assert (users[user][field] or None) == (known[field] or None), (user, field)
        held = {held["key"]: str(held["value"]) for held in users[user]["custom_attributes"] or ()}
        told = {held["key"]: str(held["value"]) for held in known["custom_attributes"] or ()}
        assert told.items() <= held.items(), user
    assert {row["group_id"]: row["name"] for row in rows["groups"]} == {
        group: known["name"] for group, known in truth["groups"].items()
    }
    # No listing tells the groups of people who are invited: those stay as deliveries told them.
    pending = {user for user, known in truth["users"].items() if known["status"] == "pending"}
    for view in ("memberships", "group_admins"):
        assert {
            (row["group_id"], row["user_id"]) for row in rows[view] if row["user_id"] not in pending
        } == {
            (group, user)
            for group, people in truth[view].items()
            for user in people
            if user not in pending
        }, view
    assert_settings("user_settings", rows["user_settings"], "user_id", "settings", truth)
    assert_settings("group_settings", rows["group_settings"], "group_id", "settings", truth)
    assert_settings("group_locks", rows["group_settings"], "group_id", "locks", truth)


def assert_settings(view: str, rows: list[Json], key: str, column: str, truth: Json) -> None:
    """All but the leaves that the API lacks, or that are of another type there."""
    held = {row[key]: leaves(row[column] or {}) for row in rows}
    for owner, known in truth[view].items():
        for path, value in leaves(known).items():
            if not apart(view, path):
                assert held[owner][path] == value, (owner, path)


def found(outcomes: dict[Section, Outcome]) -> list[Any]:
    return [(one.complete, one.new, one.repaired, one.gone) for one in outcomes.values()]


@pytest.mark.parametrize("seed", range(5))
async def test_the_directory_is_what_zoom_has(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    account = Account(seed, before=25, start_ms=START)
    bodies = [event.raw() for event in account.events(EVENTS)]
    lost = set(chance.sample(range(EVENTS), EVENTS // 3))
    came = [body for number, body in enumerate(bodies) if number not in lost]
    late = [bodies[number] for number in lost if chance.random() < 0.4]
    chance.shuffle(came)
    truth = truth_of(account)
    async with replica(database), zoom_api(account) as client:
        await deliver(database, came)
        first = found(await run_on(database, client.api))
        assert all(complete for complete, *_ in first)
        rows = await shown(database)
        assert_is(rows, truth)
        assert [row for row in rows["drift"] if row["entity"] != "personal_note"] == []
        assert {row["user_id"].partition(":")[0] for row in rows["unresolved_users"]} <= {"email"}
        assert rows["unresolved_groups"] == []
        assert found(await run_on(database, client.api)) == [(True, 0, 0, 0)] * 3
        await deliver(database, late)
        await run_on(database, client.api)
        assert_is(await shown(database), truth)
        assert found(await run_on(database, client.api)) == [(True, 0, 0, 0)] * 3
    await assert_oracle_agrees(database)
    await assert_verified(database)


async def test_what_is_missing_is_foretold(database: Database) -> None:
    account = Account(1, before=25, start_ms=START)
    bodies = [event.raw() for event in account.events(60) if event.name != "group.created"]
    refused = {"group:read:list_groups:admin": Refusal.GRANULAR}
    async with (
        replica(database),
        zoom_api(account, refused=refused) as client,
        open_client(settings_of(client.api)) as asked,
    ):
        nothing = await forecast(asked, database)
        await deliver(database, bodies)
        later = await forecast(asked, database)
    assert nothing.missing_scopes == later.missing_scopes == ["group:read:list_groups:admin"]
    assert nothing.never_received == list(EVENTS_OF_ZOOM)
    assert "group.created" in later.never_received
    assert "user.presence_status_updated" not in later.never_received
