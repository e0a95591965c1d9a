"""People as the API shows them: the rows of listings, the single reading, and their roles."""

import time
from collections.abc import Iterator
from typing import Any, Final

from projector.simulator.delivery import Json
from projector.simulator.names import DOMAIN
from projector.simulator.people import Group, Person
from projector.simulator.world import World

OWNER: Final = "Owner"
_ADMIN: Final = "Admin"
_MEMBER: Final = "Member"

# Zoom's own roles have short ids.
ROLES: Final = {
    OWNER: "0",
    _ADMIN: "1",
    _MEMBER: "2",
    "Help desk": "RQ3hF1n2sTxm9uYb7kLdWzA",
    "Auditor": "R8vTg5JcQ2iNpX0eMhKoUyE",
}

# Fields of the profile that the API shows under the same name; the second kind in a single reading alone.
_LISTED: Final = ("first_name", "last_name", "display_name", "pmi", "timezone")
_SINGLE: Final = ("company", "language", "phone_country", "phone_number", "pic_url")


def role_of(world: World, person: Person) -> str:
    """The name of a person's role."""
    told = person.profile.get("role")
    if told:
        return str(told)
    if person in world.operators:
        return OWNER if person is world.operators[0] else _ADMIN
    return _MEMBER


def row_of(world: World, person: Person, *, attributes: bool) -> Json:
    """A person's row in a listing, where pending people have no id; `attributes`: with the custom ones."""
    row = _common(world, person)
    if person.status != "pending":
        row["id"] = person.user_id
    if attributes:
        row["custom_attributes"] = _attributes(person)
    return row


def single_of(world: World, person: Person, now_ms: int) -> Json:
    """A person as read alone; `now_ms` is what Zoom calls the creation of a pending one."""
    profile, role = person.profile, role_of(world, person)
    row = _common(world, person) | {
        "id": person.user_id,
        "account_id": world.account_id,
        "role_name": role,
        "use_pmi": profile.get("use_pmi", False),
        "job_title": "",
        "location": "",
        "custom_attributes": _attributes(person),
        "jid": f"{person.user_id.lower()}@xmpp.{DOMAIN}",
    }
    row.update((key, profile[key]) for key in _SINGLE if key in profile)
    if person.status == "pending":
        row["created_at"] = _moment(now_ms)
    if profile.get("vanity_name"):
        row["vanity_url"] = f"https://{DOMAIN}/my/{profile['vanity_name']}"
    if profile.get("phone_number"):
        row["phone_numbers"] = [
            {
                "country": profile["phone_country"],
                "number": profile["phone_number"],
                "label": "",
                "verified": True,
            }
        ]
    return row


def member_of(person: Person) -> Json:
    """A person's row among the members of a group."""
    profile = person.profile
    return {
        "id": person.user_id,
        "email": person.email,
        "first_name": profile["first_name"],
        "last_name": profile["last_name"],
        "type": profile["type"],
    }


def admin_of(person: Person) -> Json:
    """A person's row among the administrators of a group, who have no id there."""
    return {"email": person.email, "name": person.profile["display_name"]}


def group_row(group: Group) -> Json:
    """A group, as listed and as read alone."""
    return {
        "id": group.group_id,
        "name": group.name,
        "total_members": len(group.members),
    }


def roles(world: World) -> Iterator[Json]:
    """The roles of the account and how many people have each."""
    totals = dict.fromkeys(ROLES, 0)
    for pool in (world.active, world.inactive, world.pending):
        for person in pool:
            totals[role_of(world, person)] += 1
    for name, role_id in ROLES.items():
        yield {
            "id": role_id,
            "name": name,
            "description": f"{name} of the account",
            "type": "common",
            "total_members": totals[name],
        }


def _common(world: World, person: Person) -> Json:
    profile = person.profile
    created = _moment(person.created_ms)
    row: dict[str, Any] = {
        "email": person.email,
        "type": profile["type"],
        "status": person.status,
        "role_id": ROLES[role_of(world, person)],
        "dept": profile.get("dept", ""),
        "verified": 0 if person.status == "pending" else 1,
        "created_at": created,
        "user_created_at": created,
        "group_ids": [group.group_id for group in person.memberships],
        "im_group_ids": [],
    }
    row.update((key, profile[key]) for key in _LISTED if key in profile)
    if person.clients:
        newest = max(person.clients.values(), key=lambda client: client.changed_ms)
        row.update(last_login_time=_moment(newest.changed_ms), last_client_version=newest.version)
    return row


def _attributes(person: Person) -> list[Json]:
    """The custom attributes, whose values are texts here and numbers in deliveries."""
    return [held | {"value": str(held["value"])} for held in person.attributes.values()]


def _moment(at_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms // 1000))
