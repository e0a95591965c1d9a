"""What `directory.changes` says was true at a moment, and what the views say: both as values by path."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
            _place(row, row["entity"], row["entity_id"], row["path"]), row["before"], row["after"],
            row["changed_at"], row["event_order"], row["position"],
        )
        for row in records
    ]  # fmt: skip


def _key(entity: str, entity_id: str) -> str:
    """Ids of users match whatever their case."""
    return entity_id.lower() if entity in OF_USERS else entity_id


def place_of(line: Mapping[str, Any]) -> tuple[str, str, str, str | None]:
    """The place of an entity, without a path."""
    return _place(line, line["entity"], line["entity_id"], "")[:4]


def _place(row: Mapping[str, Any], entity: str, entity_id: str, path: str) -> Place:
    group = row["group_id"] if entity in {"membership", "group_admin"} else None
    return row["account_id"], entity, _key(entity, entity_id), group, path


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


# entity, view, column of its id, document
DOCUMENTS = (
    ("user_settings", "user_settings", "user_id", "settings"),
    ("group_settings", "group_settings", "group_id", "settings"),
    ("group_locks", "group_settings", "group_id", "locks"),
    ("account_settings", "account_settings", "account_id", "settings"),
    ("account_locks", "account_settings", "account_id", "locks"),
)
LISTS = (("membership", "memberships"), ("group_admin", "group_admins"))
GROUPS = (("active", "groups"), ("removed", "former_groups"))


def values_of(views: Rows) -> Values:
    """What the views show, by the same places. A null in a column is nothing, in a document it is a value."""
    columns = (*_users(views), *_groups(views), *_notes(views))
    return {place: value for place, value in columns if value is not None} | dict(_leaves(views))


def _users(views: Rows) -> Iterator[tuple[Place, Any]]:
    for row in (*views["users"], *views["former_users"]):
        for name in (*PROFILE, "status", "creation_type", "custom_attributes"):
            yield _place(row, "user", row["user_id"], name), row.get(name)


def _groups(views: Rows) -> Iterator[tuple[Place, Any]]:
    for status, view in GROUPS:
        for row in views[view]:
            yield _place(row, "group", row["group_id"], "status"), status
            yield _place(row, "group", row["group_id"], "name"), row["name"]
    for entity, view in LISTS:
        for row in views[view]:
            yield _place(row, entity, row["user_id"], "member"), True


def _notes(views: Rows) -> Iterator[tuple[Place, Any]]:
    for row in views["presence"]:
        yield _place(row, "personal_note", row["user_id"], "personal_notes"), row["personal_note"]


def _leaves(views: Rows) -> Iterator[tuple[Place, Any]]:
    for row in (*views["users"], *views["former_users"]):
        for path, value in leaves({"settings": row["profile_settings"] or {}}):
            yield _place(row, "user", row["user_id"], ".".join(path)), value
    for entity, view, entity_id, document in DOCUMENTS:
        for row in views[view]:
            for path, value in leaves(row[document] or {}):
                yield _place(row, entity, row[entity_id], ".".join(path)), value
