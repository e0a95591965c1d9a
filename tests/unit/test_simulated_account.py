"""The simulated account is deterministic, complete, and consistent with its own history."""

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from projector.simulator.account import ACTIONS, FEWEST_USERS, Account
from projector.simulator.delivery import SimulatedEvent
from projector.simulator.settings_catalogue import (
    GROUP_LOCKS,
    GROUP_SETTINGS,
    PROFILE_SETTINGS,
    USER_SETTINGS,
    Setting,
)
from projector.zoom.catalogue import ALIASES, EVENTS
from tests.naive_directory import NaiveDirectory, leaves
from tests.simulated_truth import truth_of

START = 1_780_000_000_000
DAY = 86_400_000
PAYLOADS = Path(__file__).parent.parent / "payloads"
SECRETS = {"host_key", "pmi_password"}
ROLES = {"member": "memberships", "admin": "group_admins"}


def history(seed: int, count: int, **options: Any) -> list[SimulatedEvent]:
    return list(Account(seed, start_ms=START, **options).events(count))


@pytest.fixture(scope="module")
def long_history() -> list[SimulatedEvent]:
    return history(7, 12_000, users=60)


def test_same_arguments_give_the_same_bytes() -> None:
    first = [event.raw() for event in history(3, 1_000)]
    assert first == [event.raw() for event in history(3, 1_000)]
    assert first != [event.raw() for event in history(4, 1_000)]
    assert len(set(first)) == 1_000


@pytest.mark.parametrize("users", [FEWEST_USERS, 50, 1_000])
@pytest.mark.parametrize("seed", range(8))
def test_two_hundred_events_show_all_kinds(seed: int, users: int) -> None:
    events = history(seed, 200, users=users)
    assert len(events) == 200
    assert {event.name for event in events} == set(EVENTS)


def test_every_old_value_is_what_was_said_before(long_history: list[SimulatedEvent]) -> None:
    directory = NaiveDirectory()
    for event in long_history:
        directory.fold(event)
    assert directory.contradictions == []


def test_a_lost_update_would_be_noticed(long_history: list[SimulatedEvent]) -> None:
    directory = NaiveDirectory()
    for number, event in enumerate(long_history):
        if event.name != "user.settings_updated" or number % 3:
            directory.fold(event)
    assert directory.contradictions


def test_truth_is_what_a_fold_of_the_deliveries_gives() -> None:
    account = Account(11, users=60, start_ms=START)
    directory = NaiveDirectory()
    for event in account.events(8_000):
        directory.fold(event)
    truth = truth_of(account)
    people = truth["users"] | truth["former_users"]
    assert directory.status == {user: person["status"] for user, person in people.items()}
    assert directory.groups == {key: group["name"] for key, group in truth["groups"].items()}
    assert directory.roles == {
        (role, group, user): since["added_at"]
        for role, view in ROLES.items()
        for group, holders in truth[view].items()
        for user, since in holders.items()
    }
    assert directory.signed_in == {
        (user, name): client["signed_in"]
        for user, clients in truth["sign_ins"].items()
        for name, client in clients.items()
    }
    assert directory.attributes == {
        (user, attribute["key"]): attribute
        for user, person in people.items()
        for attribute in person["custom_attributes"] or ()
    }
    assert_same_documents(directory, truth)


def assert_same_documents(directory: NaiveDirectory, truth: dict[str, Any]) -> None:
    known = {
        key: {path: value for path, value in document.items() if SECRETS.isdisjoint(path)}
        for key, document in directory.documents.items()
    }
    for kind, view in (
        ("user.settings_updated", "user_settings"),
        ("group.settings_updated", "group_settings"),
        ("group.lock_settings_updated", "group_locks"),
    ):
        folded = {key: document for (of, key), document in known.items() if of == kind and document}
        assert folded == {key: leaves(document) for key, document in truth[view].items()}
    notes = {key: document["note",] for (of, key), document in known.items() if of == "note"}
    assert notes == truth["personal_notes"]
    profiles = truth["users"] | truth["former_users"]
    assert all(person.keys().isdisjoint(SECRETS) for person in profiles.values())
    for user, person in profiles.items():
        profile = known["profile", user]
        fields = {
            path[0]: value
            for path, value in profile.items()
            if path[0] not in {"id", "settings", "custom_attributes"}
        }
        assert fields == {field: person[field] for field in fields}
        settings = {path[1:]: value for path, value in profile.items() if path[0] == "settings"}
        assert settings == leaves(person["profile_settings"] or {})


def test_event_times_increase_strictly_and_end_with_the_span() -> None:
    times = [
        event.body["event_ts"] for event in Account(5, start_ms=START).events(3_000, span_ms=DAY)
    ]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert times[0] > START
    assert START + DAY - 1_000 <= times[-1] <= START + DAY


def test_a_span_of_a_millisecond_an_event_is_the_least() -> None:
    account = Account(5, start_ms=START)
    assert [event.body["event_ts"] for event in account.events(300, span_ms=300)] == list(
        range(START + 1, START + 301)
    )
    with pytest.raises(ValueError, match="millisecond"):
        Account(5, start_ms=START).events(300, span_ms=299)


def test_presence_carries_the_lower_cased_id(long_history: list[SimulatedEvent]) -> None:
    ids = [event.body["payload"]["object"]["id"] for event in long_history]
    presence = [
        user
        for user, event in zip(ids, long_history, strict=True)
        if event.name == "user.presence_status_updated"
    ]
    spelled = {user for user in ids if user != user.lower()}
    assert presence
    assert all(user == user.lower() for user in presence)
    assert set(presence) <= {user.lower() for user in spelled}


def test_the_odd_forms_of_live_traffic_occur(long_history: list[SimulatedEvent]) -> None:
    bodies = [event.body for event in long_history]
    payloads = [body["payload"] for body in bodies]
    entries = [e for p in payloads for e in p["object"].get("members", ())]
    assert {event.name for event in long_history} == set(EVENTS)
    assert {body["event"] for body in bodies} == set(EVENTS) | set(ALIASES)
    assert {p.get("operation") for p in payloads} >= {
        "change_password",
        "sign_out_from_all_devices",
    }
    assert {type(p["object"].get("login_type")) for p in payloads} >= {int, str}
    assert any("date-time" in p["object"] for p in payloads)
    assert any("id" not in entry for entry in entries)
    assert any("email" not in entry for entry in entries)
    assert min(len(p["object"].get("members", "x")) for p in payloads) >= 1
    assert max(len(p["object"].get("members", "")) for p in payloads) == 5
    assert any(not event.raw().isascii() for event in long_history)


def test_a_blank_placeholder_comes_just_before_a_deletion(
    long_history: list[SimulatedEvent],
) -> None:
    following = pairwise(long_history)
    pairs = [
        (event, after)
        for event, after in following
        if event.body["payload"].get("old_object", {}).get("id") == ""
    ]
    assert pairs
    for event, after in pairs:
        assert after.name == "user.deleted"
        assert after.body["event_ts"] - event.body["event_ts"] == 32
        assert after.body["payload"]["object"]["id"] == event.body["payload"]["object"]["id"]
        assert set(event.body["payload"]["old_object"].values()) == {""}


def test_people_return_under_the_same_id_after_leaving(long_history: list[SimulatedEvent]) -> None:
    gone: set[str] = set()
    returned = 0
    for event in long_history:
        user = event.body["payload"]["object"]["id"]
        if event.name == "user.disassociated":
            gone.add(user)
        elif event.name == "user.created" and user in gone:
            gone.remove(user)
            returned += 1
    assert returned


def test_secrets_are_delivered_and_listed() -> None:
    account = Account(2, start_ms=START)
    text = b"\n".join(event.raw() for event in account.events(2_000)).decode()
    assert account.secrets
    assert all(secret in text for secret in account.secrets)
    assert "host_key" in text
    assert "pmi_password" in text
    truth = json.dumps(truth_of(account))
    assert not any(secret in truth for secret in account.secrets)


def test_the_mixture_is_that_of_an_ordinary_day() -> None:
    events = history(1, 20_000, users=40)
    counts = Counter(event.name for event in events)
    assert 0.50 < counts["user.presence_status_updated"] / len(events) < 0.60
    assert 0.08 < counts["user.updated"] / len(events) < 0.13
    members = counts["group.member_added"] + counts["group.member_deleted"]
    assert 0.08 < members / len(events) < 0.13
    assert sum(action.weight for action in ACTIONS) == 1_000


def test_too_small_an_account_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        Account(1, users=FEWEST_USERS - 1, start_ms=START)


def test_people_who_were_there_before_take_part_and_nothing_introduces_them() -> None:
    account = Account(4, before=40, start_ms=START)
    founders = {person.user_id for person in account.world.active}
    pending = {person.user_id for person in account.world.pending}
    assert account.world.inactive
    assert pending
    assert all(group.members and group.admins for group in account.world.groups)
    people = (*account.world.active, *account.world.inactive)
    assert any(person.settings for person in people)
    assert all(person.created_ms < START for person in people)
    events = list(account.events(4_000))
    assert {event.name for event in events} == set(EVENTS)
    told: dict[str, str] = {}
    for event in events:
        for user in (founders | pending) & set(re.findall(r'"id":"([^"]+)"', event.raw().decode())):
            told.setdefault(user, event.name)
    assert len(told) > 35
    # Only who was removed and came back, or is invited again, is created.
    assert sum(first == "user.created" for first in told.values()) <= len(pending)
    assert sum(user in told for user in pending) == len(pending)


def test_the_same_people_were_there_before_and_no_others_without() -> None:
    one, two = (history(4, 500, before=30) for _ in range(2))
    assert [event.raw() for event in one] == [event.raw() for event in two]
    assert [event.raw() for event in history(4, 500)] == [
        event.raw() for event in history(4, 500, before=0)
    ]


@pytest.mark.parametrize("before", [1, 3, 6, 60])
@pytest.mark.parametrize("users", [FEWEST_USERS, 50])
def test_any_number_of_people_may_have_been_there_before(before: int, users: int) -> None:
    events = history(2, 300, before=before, users=users)
    assert len(events) == 300
    assert {event.name for event in events} == set(EVENTS)


def test_a_history_is_told_once() -> None:
    account = Account(1, start_ms=START)
    account.events(20)
    with pytest.raises(RuntimeError, match="already"):
        account.events(20)


@pytest.mark.parametrize(
    "catalogue", [USER_SETTINGS, GROUP_SETTINGS, GROUP_LOCKS, PROFILE_SETTINGS]
)
def test_no_setting_is_listed_twice_or_lies_under_another(catalogue: tuple[Setting, ...]) -> None:
    paths = [setting.path for setting in catalogue]
    assert len(set(paths)) == len(paths)
    assert not any(path[:length] in paths for path in paths for length in range(1, len(path)))
    assert all(len(setting.values) >= 2 for setting in catalogue)


def test_addresses_are_ascii_and_never_repeat() -> None:
    account = Account(9, users=3_000, start_ms=START)
    created = [
        event.body["payload"]["object"]
        for event in account.events(9_000)
        if event.name == "user.created"
    ]
    owners: dict[str, str] = {}
    freed = {person["email"] for person in truth_of(account)["former_users"].values()}
    for person in created:
        assert person["email"].isascii()
        assert owners.setdefault(person["email"], person["id"]) == person["id"] or (
            person["email"] in freed
        )


@pytest.mark.parametrize("event", EVENTS)
def test_a_payload_file_exists_for_each_event(event: str) -> None:
    body = json.loads((PAYLOADS / f"{event}.json").read_text(encoding="utf-8"))
    assert ALIASES.get(body["event"], body["event"]) == event
    assert body["payload"]["account_id"]
    assert body["payload"]["object"]["id"]


def test_the_payload_files_are_one_story() -> None:
    lines = (PAYLOADS / "all.ndjson").read_text(encoding="utf-8").splitlines()
    story = [json.loads(line) for line in lines]
    times = [body["event_ts"] for body in story]
    assert times == sorted(set(times))
    assert len({body["payload"]["account_id"] for body in story}) == 1
    singles = [json.loads(path.read_text(encoding="utf-8")) for path in PAYLOADS.glob("*.json")]
    assert sorted(singles, key=lambda body: int(body["event_ts"])) == story
