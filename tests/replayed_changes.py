"""What `directory.changes` says was true at a moment, and what the views say: both as values by path."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from projector.database import Database
from tests.directory_rows import Rows
from tests.oracle.naive_diff import leaves
from tests.oracle.naive_values import PROFILE

# account, entity, id in lower case, group, path
Place = tuple[str, str, str, str | None, str]
Values = dict[Place, Any]

OF_USERS = {"user", "user_settings", "personal_note", "membership", "group_admin"}


class Change(NamedTuple):
    """One row. A value that is not there is None; a null that is there is the text "null"."""

    place: Place
    before: str | None
    after: str | None
    at: datetime
    order: str
    position: int


async def changes(database: Database) -> list[Change]:
    """Every row, in event order."""
    records = await database.fetch(
        "SELECT account_id, entity, entity_id, group_id, path, before, after, changed_at, event_order, "
        "position FROM directory.changes ORDER BY event_order"
    )
    return [
        Change(
            (row["account_id"], row["entity"], _key(row["entity"], row["entity_id"]), _group(row), row["path"]),
            row["before"], row["after"], row["changed_at"], row["event_order"], row["position"],
        )
        for row in records
    ]  # fmt: skip


def _key(entity: str, entity_id: str) -> str:
    """Ids of users match whatever their case."""
    return entity_id.lower() if entity in OF_USERS else entity_id


def _group(row: Mapping[str, Any]) -> str | None:
    return row["group_id"] if row["entity"] in {"membership", "group_admin"} else None


def replayed(rows: Iterable[Change], until: datetime) -> Values:
    """The newest value of every path up to a moment, of those that are there."""
    newest = {row.place: row.after for row in rows if row.at <= until}
    return {place: json.loads(value) for place, value in newest.items() if value is not None}


def assert_linked(rows: Iterable[Change]) -> None:
    """Each row's `before` is the `after` of the one before it on its path, and never equals its own."""
    by_place: dict[Place, list[Change]] = defaultdict(list)
    for row in rows:
        assert row.before != row.after
        by_place[row.place].append(row)
    for place, some in by_place.items():
        before = None
        for row in some:
            assert row.before == before, (place, row)
            before = row.after


def values_of(views: Rows) -> Values:
    """What the views show, by the same places."""
    found: Values = {}

    def put(row: Mapping[str, Any], entity: str, entity_id: str, path: str, value: Any) -> None:
        group = row["group_id"] if entity in {"membership", "group_admin"} else None
        found[row["account_id"], entity, _key(entity, entity_id), group, path] = value

    def put_all(row: Mapping[str, Any], entity: str, entity_id: str, document: Any) -> None:
        for path, value in leaves(document or {}):
            put(row, entity, entity_id, ".".join(path), value)

    for row in (*views["users"], *views["former_users"]):
        for name in (*PROFILE, "status", "creation_type", "custom_attributes"):
            if row.get(name) is not None:
                put(row, "user", row["user_id"], name, row[name])
        put_all(row, "user", row["user_id"], {"settings": row["profile_settings"] or {}})
    for status, view in (("active", "groups"), ("removed", "former_groups")):
        for row in views[view]:
            put(row, "group", row["group_id"], "status", status)
            if row["name"] is not None:
                put(row, "group", row["group_id"], "name", row["name"])
    for entity, view in (("membership", "memberships"), ("group_admin", "group_admins")):
        for row in views[view]:
            put(row, entity, row["user_id"], "member", True)
    for row in views["user_settings"]:
        put_all(row, "user_settings", row["user_id"], row["settings"])
    for row in views["group_settings"]:
        put_all(row, "group_settings", row["group_id"], row["settings"])
        put_all(row, "group_locks", row["group_id"], row["locks"])
    for row in views["account_settings"]:
        put_all(row, "account_settings", row["account_id"], row["settings"])
        put_all(row, "account_locks", row["account_id"], row["locks"])
    for row in views["presence"]:
        if row["personal_note"] is not None:
            put(row, "personal_note", row["user_id"], "personal_notes", row["personal_note"])
    return found
