"""The directory as the contract describes it: one event at a time, plain dictionaries.

Events are applied in event order, so "a removal ends what is older" is deletion, and "the newest
wins" is assignment. Slow and simple on purpose.
"""

import math
from collections.abc import Sequence
from typing import Any

from .naive_acts import acted
from .naive_declarations import declared
from .naive_diff import Document, disagreements, merge, merge_attributes
from .naive_events import (
    ACCEPTANCES,
    ACTS,
    CREATIONS,
    DECLARATIONS,
    DELIVERIES,
    OWNERS,
    Delivery,
    Event,
    in_event_order,
)
from .naive_observations import entries_seen, groups_seen, record, settings_seen, user_seen
from .naive_state import Directory, Drift, Group, Key, Row, User
from .naive_values import PROFILE, as_object, identifier, text
from .naive_views import views

__all__ = ["Delivery", "fold"]


def fold(
    deliveries: Sequence[Delivery], until_ms: float = math.inf
) -> dict[str, list[dict[str, Any]]]:
    """Return every view's rows for a log: any order, any duplicates, the same directory.

    Times are aware datetimes, documents plain JSON values; rows are sorted by their key. `until_ms`:
    only of the events up to that time, in epoch milliseconds.
    """
    state = Directory()
    for event in in_event_order(deliveries):
        if event.order[0] <= until_ms:
            apply(state, event)
    return views(state)


def apply(state: Directory, event: Event) -> None:
    """Apply one event that is newer than everything applied before."""
    if event.account is not None and event.name in DELIVERIES:
        state.heard.append(event)
    if event.name in ACTS or event.name in DECLARATIONS:
        if not (acted if event.name in ACTS else declared)(state, event):
            _add_dead_letter(state, event)
        return
    if event.account is None or event.subject is None:
        _add_dead_letter(state, event)
        return
    if event.name.startswith("rest."):
        _observe(state, event, event.account, event.subject)
    elif event.name.startswith("user."):
        _apply_to_user(state, event, (event.account, event.subject.lower()))
    else:
        _apply_to_group(state, event, (event.account, event.subject))


def _apply_to_user(state: Directory, event: Event, key: Key) -> None:
    match event.name:
        case "user.presence_status_updated":
            _presence(state, event, key)
        case "user.personal_notes_updated":
            _note(state, event, key)
        case "user.signed_in" | "user.signed_out":
            _sign_in(state, event, key)
        case "user.settings_updated":
            _settings(state, event, key, "user_settings")
        case _:
            _user(state, event, key)


def _apply_to_group(state: Directory, event: Event, key: Key) -> None:
    match event.name:
        case "group.settings_updated":
            _settings(state, event, key, "group_settings")
        case "group.lock_settings_updated":
            _settings(state, event, key, "group_locks")
        case "group.member_added" | "group.member_deleted":
            _entries(state, event, key, "members")
        case "group.admin_added" | "group.admin_deleted":
            _entries(state, event, key, "admins")
        case _:
            _group(state, event, key)


def _observe(state: Directory, event: Event, account: str, subject: str) -> None:
    person, entity = (account, subject.lower()), (account, subject)
    match event.name:
        case "rest.user_observed":
            user_seen(state, event, person)
            if not groups_seen(state, event, person):
                state.dead_letters[event.position, "memberships"] = event
        case "rest.user_gone":
            _user_gone(state, event, person)
        case "rest.group_observed":
            _group(state, event, entity)
        case "rest.group_gone":
            _group_gone(state, event, entity)
        case "rest.group_members_observed" | "rest.group_admins_observed":
            if not entries_seen(state, event, entity, event.name.split("_")[1]):
                _add_dead_letter(state, event)
        case "rest.section_read":
            record(state, event, entity)
        case _:
            if not settings_seen(state, event, person, entity):
                _add_dead_letter(state, event)


def _user_gone(state: Directory, event: Event, key: Key) -> None:
    """End all that is known; how the life ended is known only where an event said it."""
    user = state.users.setdefault(key, User(event))
    user.newest = event
    _forget_user(state, event, key)
    if not user.spelled_by_lifecycle:
        user.spelling = event.subject or ""
    if not user.removed_by:
        user.status, user.removed_by = "gone", event


def _group_gone(state: Directory, event: Event, key: Key) -> None:
    group = state.groups.setdefault(key, Group(event))
    group.newest = event
    _forget_group(state, key)
    group.removed_by = group.removed_by or event


def _add_dead_letter(state: Directory, event: Event) -> None:
    state.dead_letters[event.position, OWNERS[event.name]] = event


def _note_drift(
    state: Directory,
    event: Event,
    entity: str,
    owner: Key,
    sides: tuple[Document, Document, Document],
) -> None:
    for path, known, reported in disagreements(*sides):
        state.drift.append(Drift(event, entity, owner, path, known, reported))


# Users


def _user(state: Directory, event: Event, key: Key) -> None:
    user = state.users.setdefault(key, User(event))
    user.newest = event
    removal = event.name in {"user.disassociated", "user.deleted"}
    if removal:
        _forget_user(state, event, key)
    if event.name in CREATIONS | ACCEPTANCES and user.removed_by:
        state.users[key] = user = User(event)
    _spell(user, event)
    new, old = _profile_side(event.object), _profile_side(event.old_object)
    if not removal and not user.removed_by:
        _note_drift(state, event, "user", key, (user.profile, old, new))
    user.profile = merge(user.profile, new, old)
    if event.object.get("settings") is not None and not isinstance(event.object["settings"], dict):
        user.profile.pop("settings", None)
    user.attributes = merge_attributes(
        user.attributes,
        event.object.get("custom_attributes"),
        event.old_object.get("custom_attributes"),
    )
    _set_status(user, event)
    if event.payload.get("operation") == "sign_out_from_all_devices":
        _sign_out_everywhere(state, event, key)


def _spell(user: User, event: Event) -> None:
    lifecycle = event.name != "user.updated"
    if lifecycle or not user.spelled_by_lifecycle:
        user.spelling = event.subject or ""
    user.spelled_by_lifecycle = user.spelled_by_lifecycle or lifecycle


def _profile_side(side: Document) -> Document:
    """Read one side of a profile diff as typed columns; settings only if an object."""
    values = {name: read(side[name]) for name, read in PROFILE.items() if name in side}
    if isinstance(side.get("settings"), dict):
        values["settings"] = side["settings"]
    return values


def _set_status(user: User, event: Event) -> None:
    match event.name:
        case "user.created":
            user.created_by = user.created_by or event
            if "creation_type" in event.payload:
                user.creation_type = text(event.payload["creation_type"])
            pending = event.payload.get("creation_type") == "create"
            user.status = "pending" if pending else "active"
        case "user.invitation_accepted" | "user.activated":
            user.status = "active"
        case "user.deactivated" if not user.removed_by:
            user.status = "inactive"
        case "user.disassociated" | "user.deleted":
            user.status = event.name.removeprefix("user.")
            user.removed_by = event


def _forget_user(state: Directory, event: Event, key: Key) -> None:
    """Delete everything known of a person except the profile."""
    account, person = key
    state.presence.pop(key, None)
    state.sign_ins.pop(key, None)
    state.user_settings.pop(key, None)
    of_users = {"user", "user_settings", "personal_note"}
    state.drift = [d for d in state.drift if not (d.entity in of_users and d.owner == key)]
    email = identifier(event.object.get("email"))
    ended = {person} | ({f"email:{email.lower()}"} if email else set())
    for lists in state.entries.values():
        for group, people in lists.items():
            if group[0] == account:
                for one in ended:
                    people.pop(one, None)


# What a person does


def _presence(state: Directory, event: Event, key: Key) -> None:
    row = state.presence.setdefault(key, Row(event))
    row.name_person(event, event.subject or "", identifier(event.object.get("email")))
    app = as_object(event.object.get("app"))
    row.values |= {
        "presence_status": text(event.object.get("presence_status")),
        "app_type": text(app.get("type")),
        "app_presence_status": text(app.get("presence_status")),
        "changed_at": event.at,
    }


def _note(state: Directory, event: Event, key: Key) -> None:
    row = state.presence.setdefault(key, Row(event))
    row.name_person(event, event.subject or "", identifier(event.object.get("email")))
    known, new, old = (
        {"personal_notes": text(side["personal_notes"])} if "personal_notes" in side else {}
        for side in (row.values, event.object, event.old_object)
    )
    if not state.user_is_removed(key):
        _note_drift(state, event, "personal_note", key, (known, old, new))
    row.values.pop("personal_notes", None)
    row.values |= new | {"personal_note_changed_at": event.at}


def _sign_in(state: Directory, event: Event, key: Key) -> None:
    named = event.object.get("client_type")
    client = named if isinstance(named, str) and named else "unknown"
    row = state.sign_ins.setdefault(key, {}).setdefault(client, Row(event))
    row.name_person(event, event.subject or "", identifier(event.object.get("email")))
    signed_in = event.name == "user.signed_in"
    row.values = {
        "signed_in": signed_in,
        "login_type": PROFILE["type"](event.object.get("login_type")),
        "version": text(event.object.get("version")),
        "changed_at": event.at,
    }
    user = state.users.get(key)
    if signed_in and user and user.status == "pending":
        user.status = "active"


def _sign_out_everywhere(state: Directory, event: Event, key: Key) -> None:
    for row in state.sign_ins.get(key, {}).values():
        row.newest = event
        row.values |= {"signed_in": False, "changed_at": event.at}


# Settings and locks


def _settings(state: Directory, event: Event, key: Key, entity: str) -> None:
    given = event.object.get("settings")
    if given is not None and not isinstance(given, dict):
        _add_dead_letter(state, event)
        return
    of_user, column = entity == "user_settings", "locks" if entity == "group_locks" else "settings"
    rows = state.user_settings if of_user else state.group_settings
    row = rows.setdefault(key, Row(event))
    row.newest, row.spelling = event, event.subject or ""
    known = row.values.get(column, {})
    new, old = as_object(given), as_object(event.old_object.get("settings"))
    if not (state.user_is_removed(key) if of_user else state.group_is_removed(key)):
        _note_drift(state, event, entity, key, (known, old, new))
    row.values[column] = merge(known, new, old)


# Groups


def _group(state: Directory, event: Event, key: Key) -> None:
    group = state.groups.setdefault(key, Group(event))
    group.newest = event
    seen = event.name == "rest.group_observed"
    if (seen or event.name == "group.created") and group.removed_by:
        state.groups[key] = group = Group(event)
    if event.name == "group.deleted":
        _forget_group(state, key)
    new, old = (
        {"name": text(side["name"])} if "name" in side else {}
        for side in (event.object, event.old_object)
    )
    if event.name != "group.deleted" and not group.removed_by:
        _note_drift(state, event, "group", key, (group.profile, old, new))
    group.profile = merge(group.profile, new, old)
    if seen and new:
        state.drift = [d for d in state.drift if not (d.entity == "group" and d.owner == key)]
    if event.name == "group.created":
        group.created_by = group.created_by or event
    if event.name == "group.deleted":
        group.removed_by = event


def _forget_group(state: Directory, key: Key) -> None:
    """Delete everything known of a group except its name."""
    state.group_settings.pop(key, None)
    of_groups = {"group", "group_settings", "group_locks"}
    state.drift = [d for d in state.drift if not (d.entity in of_groups and d.owner == key)]
    for lists in state.entries.values():
        lists.pop(key, None)


def _entries(state: Directory, event: Event, group: Key, column: str) -> None:
    listed = event.object.get(column)
    if listed is None:
        return
    if not isinstance(listed, list):
        _add_dead_letter(state, event)
        return
    for entry in map(as_object, listed):
        spelling, email = identifier(entry.get("id")), identifier(entry.get("email"))
        if spelling is None and email is None:
            _add_dead_letter(state, event)
            continue
        person = spelling.lower() if spelling else f"email:{(email or '').lower()}"
        row = state.entries[column].setdefault(group, {}).setdefault(person, Row(event))
        row.name_person(event, spelling or "", email)
        added = event.name.endswith("_added")
        row.values = {"added": added, "told": event if added else None}
