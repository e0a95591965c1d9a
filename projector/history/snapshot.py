"""Snapshots: the values of the whole directory, with the cursor from which the feed goes on."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final

from projector.database import Database
from projector.folding.documents import Document
from projector.history.cursor import Cursor
from projector.history.feed import cursor_at, cursor_at_start, folded_up_to
from projector.history.lines import Line, Subject
from projector.projections import PROJECTIONS
from projector.projections.user_profile import PROFILE
from projector.state.versions import check_versions
from projector.statements import queries

_SQL: Final = queries("history")

ROWS_AT_ONCE: Final = 500

Values = dict[str, Any]
Row = Any  # a record: values by the names of columns

_USER: Final = (*(name for name in PROFILE if name != "settings"), "status", "creation_type")


def _leaves(document: Document, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _of_document(column: str) -> Callable[[Row], Values]:
    return lambda row: dict(_leaves(json.loads(row[column] or "{}")))


def _of_user(row: Row) -> Values:
    values = {name: row[name] for name in _USER if row[name] is not None}
    if row["custom_attributes"] is not None:
        values["custom_attributes"] = json.loads(row["custom_attributes"])
    return values | dict(_leaves(json.loads(row["profile_settings"] or "{}"), "settings."))


def _of_group(status: str) -> Callable[[Row], Values]:
    def values(row: Row) -> Values:
        named = {} if row["name"] is None else {"name": row["name"]}
        return {"status": status} | named

    return values


def _user(row: Row) -> tuple[str, str | None, str | None]:
    return row["user_id"], None, row["user_id"]


def _group(row: Row) -> tuple[str, str | None, str | None]:
    return row["group_id"], row["group_id"], None


def _in_group(row: Row) -> tuple[str, str | None, str | None]:
    return row["user_id"], row["group_id"], row["user_id"]


def _account(row: Row) -> tuple[str, str | None, str | None]:
    return row["account_id"], None, None


# By statement: for each kind of entity, (entity id, group, user) of a row, and its values by path.
_ROWS: Final[Mapping[str, dict[str, tuple[Callable[[Row], Any], Callable[[Row], Values]]]]] = {
    "snapshot_users": {"user": (_user, _of_user)},
    "snapshot_former_users": {"user": (_user, _of_user)},
    "snapshot_groups": {"group": (_group, _of_group("active"))},
    "snapshot_former_groups": {"group": (_group, _of_group("removed"))},
    "snapshot_memberships": {"membership": (_in_group, lambda _: {"member": True})},
    "snapshot_group_admins": {"group_admin": (_in_group, lambda _: {"member": True})},
    "snapshot_user_settings": {"user_settings": (_user, _of_document("settings"))},
    "snapshot_group_settings": {
        "group_settings": (_group, _of_document("settings")),
        "group_locks": (_group, _of_document("locks")),
    },
    "snapshot_account_settings": {
        "account_settings": (_account, _of_document("settings")),
        "account_locks": (_account, _of_document("locks")),
    },
    "snapshot_notes": {
        "personal_note": (_user, lambda row: {"personal_notes": row["personal_note"]})
    },
}


async def snapshot(database: Database) -> AsyncIterator[Cursor | Line]:
    """Yield the cursor, then a line for every entity that has values. Raises SchemaMismatch.

    All is read in one snapshot of the database, so an interrupted one is begun anew.
    """
    await cursor_at_start(database)  # a new place begins its epoch before the snapshot is taken
    async with database.transaction(isolation="repeatable_read") as connection:
        await check_versions(connection, PROJECTIONS)
        cursor = await cursor_at(connection, await folded_up_to(connection))
        yield cursor
        for statement, kinds in _ROWS.items():
            async for row in connection.cursor(_SQL[statement], prefetch=ROWS_AT_ONCE):
                for entity, (place, values_of) in kinds.items():
                    values = values_of(row)
                    if values:
                        subject = Subject(row["account_id"], entity, *place(row))
                        yield Line("restated", subject, cursor.position, values=values)
