"""The rows of the views, in the oracle's format."""

import json
from datetime import datetime
from typing import Any

from projector.database import Database
from tests.oracle.naive_fold import Delivery
from tests.oracle.naive_views import KEYS

Rows = dict[str, list[dict[str, Any]]]

# Neither is part of what the fold decides.
_LEFT_OUT = {"failed_at", "error"}


async def shown(database: Database) -> Rows:
    """Every view's rows, sorted by key, documents as Python values."""
    return {view: await _rows(database, view) for view in KEYS}


HISTORIC = (
    "users", "former_users", "groups", "former_groups", "memberships", "group_admins",
    "user_settings", "group_settings", "account_settings", "declarations",
)  # fmt: skip


async def shown_at(database: Database, moment: datetime | None) -> Rows:
    """The rows of every X_at(moment), or of X_at('infinity'), in the same form."""
    return {view: await _rows(database, view, moment) for view in HISTORIC}


async def shown_in(database: Database, schema: str) -> Rows:
    """The rows of the views of a replay, in the same form."""
    return {view: await _rows(database, view, schema=schema) for view in KEYS}


async def _rows(
    database: Database, view: str, *moments: datetime | None, schema: str = "directory"
) -> list[dict[str, Any]]:
    types = {
        row["name"]: row["type"]
        for row in await database.fetch(
            "SELECT attname AS name, atttypid::regtype::text AS type FROM pg_attribute "
            "WHERE attrelid = $1::text::regclass AND attnum > 0",
            f"{schema}.{view}",
        )
    }
    rows = [
        {
            name: json.loads(value) if types[name] == "jsonb" and value is not None else value
            for name, value in record.items()
            if name not in _LEFT_OUT
        }
        for record in await database.fetch(_query(schema, view, *moments))
    ]
    return sorted(rows, key=lambda row: tuple(row[column] or "" for column in KEYS[view]))


def _query(schema: str, view: str, *moments: datetime | None) -> str:
    if not moments:
        return f"SELECT * FROM {schema}.{view}"
    moment = "infinity" if moments[0] is None else moments[0].isoformat()
    return f"SELECT * FROM {schema}.{view}_at('{moment}')"


async def deliveries(database: Database) -> list[Delivery]:
    """The log, as the oracle's input."""
    rows = await database.fetch(
        "SELECT position, received_at, body, source FROM log.events ORDER BY position"
    )
    return [Delivery(*row) for row in rows]


def without_positions(rows: Rows) -> Rows:
    """The rows without what depends on the order of arrival."""
    arrival = {"last_position", "position", "last_received_at"}
    return {
        view: sorted(
            ({k: v for k, v in row.items() if k not in arrival} for row in some),
            key=lambda row: repr(sorted(row.items())),
        )
        for view, some in rows.items()
    }
