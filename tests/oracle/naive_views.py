"""The views of the directory, computed from the naive fold's state."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from .naive_declarations import declarations
from .naive_diff import Document, leaves
from .naive_events import Event
from .naive_observations import numbers
from .naive_people import Person, people_of, spelled
from .naive_state import Directory, Group, Key, Row, User, ViewRow
from .naive_trust import (
    acknowledged_drift,
    activity,
    dead_letters,
    dismissed_dead_letters,
    drift,
    freshness,
    unresolved_groups,
    unresolved_users,
)
from .naive_values import PROFILE, moment, text

KEYS = {
    "users": ("account_id", "user_id"),
    "former_users": ("account_id", "user_id"),
    "groups": ("account_id", "group_id"),
    "former_groups": ("account_id", "group_id"),
    "memberships": ("account_id", "group_id", "user_id"),
    "group_admins": ("account_id", "group_id", "user_id"),
    "presence": ("account_id", "user_id"),
    "sign_ins": ("account_id", "user_id", "client_type"),
    "user_settings": ("account_id", "user_id"),
    "group_settings": ("account_id", "group_id"),
    "account_settings": ("account_id",),
    "coverage": ("account_id", "section"),
    "declarations": ("account_id", "kind", "user_id"),
    "user_setting_values": ("account_id", "user_id", "path"),
    "group_setting_values": ("account_id", "group_id", "path"),
    "unresolved_users": ("account_id", "user_id"),
    "unresolved_groups": ("account_id", "group_id"),
    "drift": ("account_id", "entity", "entity_id", "path", "position"),
    "acknowledged_drift": ("account_id", "entity", "entity_id", "path", "position"),
    "dead_letters": ("position", "projection"),
    "dismissed_dead_letters": ("position", "projection"),
    "freshness": ("account_id", "event"),
    "activity": ("account_id", "event", "hour"),
}
"""The columns that identify a row of each view, in the order in which rows are sorted."""


def views(state: Directory) -> dict[str, list[ViewRow]]:
    """Return the rows of every view, sorted by key."""
    memberships = list(_people(state, "members"))
    admins = list(_people(state, "admins"))
    user_settings = list(_user_settings(state))
    group_settings = list(_group_settings(state))
    rows: dict[str, Iterable[ViewRow]] = {
        "users": _users(state, removed=False),
        "former_users": _users(state, removed=True),
        "groups": _groups(state, memberships, admins),
        "former_groups": _former_groups(state),
        "memberships": memberships,
        "group_admins": admins,
        "presence": _presence(state),
        "sign_ins": _sign_ins(state),
        "user_settings": user_settings,
        "group_settings": group_settings,
        "account_settings": _account_settings(state),
        "coverage": _coverage(state),
        "declarations": declarations(state),
        "user_setting_values": _values(user_settings, "user_id"),
        "group_setting_values": _locked_values(group_settings),
        "unresolved_users": unresolved_users(state),
        "unresolved_groups": unresolved_groups(state),
        "drift": drift(state),
        "acknowledged_drift": acknowledged_drift(state),
        "dead_letters": dead_letters(state),
        "dismissed_dead_letters": dismissed_dead_letters(state),
        "freshness": freshness(state),
        "activity": activity(state),
    }
    return {
        view: sorted(rows[view], key=lambda row, key=key: tuple(row[c] or "" for c in key))  # type: ignore[misc]
        for view, key in KEYS.items()
    }


def _last(event: Event) -> ViewRow:
    return {"last_event_at": event.at, "last_position": event.position}


def _email(state: Directory, key: Key, own: str | None) -> str | None:
    """Return the person's current e-mail if `users` has one, else the one in the row."""
    known = None if state.user_is_removed(key) else _profile_of(state, key).get("email")
    return known or own


def _profile_of(state: Directory, key: Key) -> Document:
    return state.users[key].profile if key in state.users else {}


# Users and groups


def _users(state: Directory, *, removed: bool) -> Iterator[ViewRow]:
    for (account, _), user in state.users.items():
        if (user.removed_by is not None) != removed:
            continue
        row = {"account_id": account, "user_id": user.spelling, "status": user.status}
        row |= _profile(user) | _last(user.newest)
        yield row | ({"removed_at": user.removed_by.at} if user.removed_by else {})


def _profile(user: User) -> ViewRow:
    row = {name: user.profile.get(name) for name in PROFILE}
    attributes = [user.attributes[key] for key in sorted(user.attributes)]
    return row | {
        "custom_attributes": attributes or None,
        "profile_settings": user.profile.get("settings"),
        "creation_type": user.creation_type,
        "created_at": _created_at(user),
    }


def _created_at(user: User) -> datetime | None:
    if user.created_by:
        return user.created_by.at
    return None if user.created_as_observed is None else moment(user.created_as_observed)


def _group_row(key: Key, group: Group) -> ViewRow:
    return {
        "account_id": key[0],
        "group_id": key[1],
        "name": group.profile.get("name"),
        "created_at": group.created_by.at if group.created_by else None,
        **_last(group.newest),
    }


def _groups(
    state: Directory, memberships: list[ViewRow], admins: list[ViewRow]
) -> Iterator[ViewRow]:
    for key, group in state.groups.items():
        if not group.removed_by:
            yield _group_row(key, group) | {
                "member_count": sum(_group_key(row) == key for row in memberships),
                "admin_count": sum(_group_key(row) == key for row in admins),
            }


def _group_key(row: ViewRow) -> Key:
    return row["account_id"], row["group_id"]


def _former_groups(state: Directory) -> Iterator[ViewRow]:
    for key, group in state.groups.items():
        if group.removed_by:
            yield _group_row(key, group) | {"removed_at": group.removed_by.at}


# People in groups


def _people(state: Directory, column: str) -> Iterator[ViewRow]:
    for group in state.entries[column]:
        for person in people_of(state, column, group):
            if person.added and not state.group_is_removed(group):
                yield from _person_row(state, group, person)


def _person_row(state: Directory, group: Key, person: Person) -> Iterator[ViewRow]:
    account, group_id = group
    key = (account, person.key)
    if state.user_is_removed(key):
        return
    yield {
        "account_id": account,
        "group_id": group_id,
        "user_id": spelled(state, key, person.spelling),
        "email": _email(state, key, person.email),
        "group_name": state.groups[group].profile.get("name") if group in state.groups else None,
        "user_status": state.users[key].status if key in state.users else None,
        "added_at": person.told.at if person.told else None,
        "added_by": person.told.operator if person.told else None,
        **_last(person.newest),
    }


# What a person does


def _of_user(state: Directory, key: Key, row: Row) -> ViewRow:
    return {
        "account_id": key[0],
        "user_id": spelled(state, key, row.spelling),
        **_last(row.newest),
    }


def _presence(state: Directory) -> Iterator[ViewRow]:
    columns = ("presence_status", "app_type", "app_presence_status", "changed_at")
    for key, row in state.presence.items():
        if not state.user_is_removed(key):
            yield {
                **_of_user(state, key, row),
                "email": _email(state, key, row.email),
                **{column: row.values.get(column) for column in columns},
                "personal_note": row.values.get("personal_notes"),
                "personal_note_changed_at": row.values.get("personal_note_changed_at"),
            }


def _sign_ins(state: Directory) -> Iterator[ViewRow]:
    for key, clients in state.sign_ins.items():
        if not state.user_is_removed(key):
            for client, row in clients.items():
                yield {
                    **_of_user(state, key, row),
                    "client_type": client,
                    "email": _email(state, key, row.email),
                    **row.values,
                }


# Settings


def _changed(row: Row) -> ViewRow:
    return {"changed_at": row.newest.at, "changed_by": row.newest.operator}


def _user_settings(state: Directory) -> Iterator[ViewRow]:
    for key, row in state.user_settings.items():
        if not state.user_is_removed(key):
            settings = row.values.get("settings") or None
            yield {**_of_user(state, key, row), "settings": settings, **_changed(row)}


def _group_settings(state: Directory) -> Iterator[ViewRow]:
    for key, row in state.group_settings.items():
        if not state.group_is_removed(key):
            yield {
                "account_id": key[0],
                "group_id": key[1],
                "settings": row.values.get("settings") or None,
                "locks": row.values.get("locks") or None,
                **_changed(row),
                **_last(row.newest),
            }


def _account_settings(state: Directory) -> Iterator[ViewRow]:
    for account, row in state.account_settings.items():
        yield {
            "account_id": account,
            "settings": row.values.get("settings") or None,
            "locks": row.values.get("locks") or None,
            "changed_at": row.newest.at,
            **_last(row.newest),
        }


def _coverage(state: Directory) -> Iterator[ViewRow]:
    for (account, section), (newest, complete) in state.coverage.items():
        yield {
            "account_id": account,
            "section": section,
            "complete_at": complete.at if complete else None,
            "unreadable": text(newest.object.get("unreadable")) or None,
            **numbers(newest.object),
            **_last(newest),
        }


def _values(rows: list[ViewRow], entity_id: str) -> Iterator[ViewRow]:
    for row in rows:
        for path, value in leaves(row["settings"] or {}):
            owner = {"account_id": row["account_id"], entity_id: row[entity_id]}
            yield {**owner, "path": ".".join(path), "value": value}


def _locked_values(rows: list[ViewRow]) -> Iterator[ViewRow]:
    for row in rows:
        for path, value in leaves(row["settings"] or {}):
            yield {
                "account_id": row["account_id"],
                "group_id": row["group_id"],
                "path": ".".join(path),
                "value": value,
                "locked": _locked(row["locks"] or {}, path),
            }


def _locked(locks: Document, path: tuple[str, ...]) -> bool | None:
    """Return the lock of a path: that of the leaf at the path or above it."""
    at: Any = locks
    for step in path:
        if not isinstance(at, dict) or step not in at:
            break
        at = at[step]
    if isinstance(at, str):
        return {"true": True, "false": False}.get(at.lower())
    return at if isinstance(at, bool) else None
