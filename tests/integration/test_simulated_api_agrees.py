"""What the simulated API shows and what the deliveries tell is one truth, people from before or not."""

from typing import Any

import pytest

from projector.simulator.account import Account
from tests.naive_directory import NaiveDirectory, leaves
from tests.simulated_truth import truth_of
from tests.simulated_zoom import START, Client, Json, zoom_api

# Fields of the profile that the API shows as deliveries spell them.
FIELDS = (
    "email", "type", "first_name", "last_name", "display_name", "dept", "company", "language", "timezone",
    "pmi", "use_pmi", "phone_number", "phone_country",
)  # fmt: skip

# Leaves that are not the same on both sides: in deliveries alone, or of another type.
APART = {
    "user_settings": {
        ("schedule_meeting", "jbh_time"), ("schedule_meeting", "mute_upon_entry"),
        ("tsp", "display_toll_free_numbers"), ("tsp", "call_out_countries"),
    },
    "group_settings": {("recording", "auto_recording")},
    "group_locks": {("recording", "ip_address_access_control")},
}  # fmt: skip
EVENTS = {
    "user_settings": "user.settings_updated",
    "group_settings": "group.settings_updated",
    "group_locks": "group.lock_settings_updated",
}
PATHS = {
    "user_settings": "users/{}/settings",
    "group_settings": "groups/{}/settings",
    "group_locks": "groups/{}/lock_settings",
}


async def document(client: Client, view: str, entity: str) -> dict[tuple[str, ...], Any]:
    """The leaves of both parts of a settings document."""
    path = PATHS[view].format(entity)
    found = leaves(await client.read(path))
    return found | leaves(await client.read(path, option="meeting_security"))


async def person(client: Client, row: Json) -> Json:
    return await client.read(f"users/{row['email']}")


@pytest.mark.parametrize("before", [0, 40])
async def test_every_value_of_the_truth_is_what_the_api_shows(before: int) -> None:
    account = Account(5, before=before, start_ms=START)
    for _ in account.events(5_000):
        pass
    truth = truth_of(account)
    async with zoom_api(account) as client:
        people = {
            told["id"]: told for told in [await person(client, r) for r in await client.everybody()]
        }
        assert people.keys() == truth["users"].keys()
        for user, told in people.items():
            known = truth["users"][user]
            assert told["status"] == known["status"]
            assert told["role_name"] in (known.get("role"), "Owner", "Admin", "Member")
            for field in FIELDS:
                assert (told.get(field) or None) == (known.get(field) or None), field
            assert [held | {"value": int(held["value"])} for held in told["custom_attributes"]] == (
                sorted(known["custom_attributes"] or (), key=lambda a: order_of(told, a["key"]))
            )
            assert set(told["group_ids"]) == {
                group for group, members in truth["memberships"].items() if user in members
            }
        assert {g["id"]: g["name"] for g in await client.rows("groups", "groups")} == {
            group: known["name"] for group, known in truth["groups"].items()
        }
        for group in truth["groups"]:
            admins = await client.rows(f"groups/{group}/admins", "admins")
            assert {row["email"] for row in admins} == {
                people[user]["email"] for user in truth["group_admins"].get(group, ())
            }
        for view, apart in APART.items():
            for entity, known in truth[view].items():
                told = await document(client, view, entity)
                for path, value in leaves(known).items():
                    assert path in apart or told[path] == value, path


def order_of(told: Json, key: str) -> int:
    return [held["key"] for held in told["custom_attributes"]].index(key)


async def read_everything(client: Client) -> NaiveDirectory:
    """A directory as the API shows it, with no delivery folded."""
    directory = NaiveDirectory()
    for row in await client.everybody():
        told = await person(client, row)
        user = told["id"]
        directory.documents["profile", user] = {
            (f,): told[f] for f in FIELDS if told.get(f) is not None
        }
        directory.status[user] = told["status"]
        directory.emails[told["email"].lower()] = user
        for held in told["custom_attributes"]:
            directory.attributes[user, held["key"]] = held | {"value": int(held["value"])}
        directory.roles |= {("member", group, user): 0 for group in told["group_ids"]}
        if told["status"] != "pending":
            await remember(client, directory, "user_settings", user)
    for row in await client.rows("groups", "groups"):
        group = row["id"]
        directory.groups[group] = row["name"]
        directory.documents["group", group] = {("id",): group, ("name",): row["name"]}
        for admin in await client.rows(f"groups/{group}/admins", "admins"):
            directory.roles["admin", group, directory.emails[admin["email"].lower()]] = 0
        for view in ("group_settings", "group_locks"):
            await remember(client, directory, view, group)
    return directory


async def remember(client: Client, directory: NaiveDirectory, view: str, entity: str) -> None:
    told = await document(client, view, entity)
    kept = {path: value for path, value in told.items() if not apart(view, path)}
    directory.documents[EVENTS[view], entity] = kept


def apart(view: str, path: tuple[str, ...]) -> bool:
    return any(path[: len(other)] == other for other in APART[view])


@pytest.mark.parametrize("seed", range(3))
async def test_deliveries_on_top_of_what_was_read_contradict_nothing(seed: int) -> None:
    account = Account(seed, before=60, start_ms=START)
    async with zoom_api(account) as client:
        directory = await read_everything(client)
        assert len(directory.status) == 60
        for event in account.events(6_000):
            directory.fold(event)
        assert directory.contradictions == []
        now = await read_everything(client)
    removed = ("deleted", "disassociated")
    assert now.status == {u: s for u, s in directory.status.items() if s not in removed}
    assert now.groups == directory.groups
    assert now.roles.keys() == directory.roles.keys()
    for key, held in now.documents.items():
        for path, value in directory.documents.get(key, {}).items():
            if key[0] in EVENTS.values() and path in held:
                assert held[path] == value, (key, path)
