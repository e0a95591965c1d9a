"""The state of a simulated account, as the directory should show it."""

from collections.abc import Callable, Iterable
from typing import Any

from projector.simulator.account import Account
from projector.simulator.delivery import Json
from projector.simulator.people import Group, Person, Since
from projector.simulator.pool import Pool
from projector.simulator.settings_diff import Leaves, nested

SECRET_KEYS = frozenset({"host_key", "pmi_password"})


def truth_of(account: Account) -> Json:
    """Return an account's state by view, keyed by ids as Zoom spells them.

    The state is after the deliveries taken so far. `users` and `former_users` hold profiles (without
    fields that were never set), status, creation_type, custom_attributes, profile_settings,
    created_at and removed_at; `memberships` and `group_admins` map group to user to added_at and
    added_by; `presence`, `personal_notes`, `sign_ins` (by client), `user_settings`,
    `group_settings` and `group_locks` hold who has one. Times are epoch milliseconds; secrets are
    left out, as in the directory.
    """
    world = account._world
    people = [*world.active, *world.pending, *world.inactive]
    return {
        "users": {person.user_id: _user(person) for person in people},
        "former_users": {
            person.user_id: {**_user(person), "removed_at": person.removed_ms}
            for person in (*world.disassociated, *world.deleted)
        },
        "groups": {group.group_id: _group(group) for group in world.groups},
        "former_groups": {
            group.group_id: {**_group(group), "removed_at": group.removed_ms}
            for group in world.former_groups
        },
        "memberships": _people(world.groups, lambda group: group.members, _membership),
        "group_admins": _people(world.groups, lambda group: group.admins, _admin_role),
        "presence": {p.user_id: p.presence for p in people if p.presence is not None},
        "personal_notes": {p.user_id: p.note for p in people if p.note is not None},
        "sign_ins": {p.user_id: _clients(p) for p in people if p.clients},
        "user_settings": _documents((p.user_id, p.settings) for p in people),
        "group_settings": _documents((g.group_id, g.settings) for g in world.groups),
        "group_locks": _documents((g.group_id, g.locks) for g in world.groups),
    }


def _user(person: Person) -> Json:
    attributes = [person.attributes[key] for key in sorted(person.attributes)]
    return {
        **person.profile,
        "status": person.status,
        "creation_type": person.creation_type,
        "created_at": person.created_ms,
        "custom_attributes": attributes or None,
        "profile_settings": _document(person.licences) or None,
    }


def _group(group: Group) -> Json:
    return {"name": group.name, "created_at": group.created_ms}


def _membership(person: Person, group: Group) -> Since:
    return person.memberships[group]


def _admin_role(person: Person, group: Group) -> Since:
    return person.admin_roles[group]


def _people(
    groups: Iterable[Group],
    people: Callable[[Group], Pool[Person]],
    since: Callable[[Person, Group], Since],
) -> Json:
    return {
        group.group_id: {
            person.user_id: {
                "added_at": since(person, group).at_ms,
                "added_by": since(person, group).by,
            }
            for person in people(group)
        }
        for group in groups
        if people(group)
    }


def _clients(person: Person) -> Json:
    return {
        name: {
            "signed_in": client.signed_in,
            "login_type": client.login_type,
            "version": client.version,
            "changed_at": client.changed_ms,
        }
        for name, client in person.clients.items()
    }


def _documents(leaves: Iterable[tuple[str, Leaves]]) -> Json:
    documents = ((key, _document(value)) for key, value in leaves)
    return {key: document for key, document in documents if document}


def _document(leaves: Leaves) -> Any:
    return nested(item for item in leaves.items() if SECRET_KEYS.isdisjoint(item[0]))
