"""A large account whose settings are known at every level: its tables, filled as folds would.

Everybody is in one group, and every second person in another one. The documents of the account and of the
groups are whole; one person in five has a whole one, as `reconcile` reads it, and the others have the five
leaves that deliveries told. One lock in ten is set.
"""

import json
from typing import Any, Final

import asyncpg

ACCOUNT: Final = "BenchAccount_0123456789"
LEVELS: Final = ("user", "group", "account")
FEW: Final = (
    "recording.cloud_recording", "in_meeting.chat", "in_meeting.file_transfer",
    "schedule_meeting.host_video", "feature.meeting_capacity",
)  # fmt: skip

_ORDER: Final = "int8send(1780000000000) || '\\x02' || sha256(int8send({n}))"
_USERS: Final = f"""
    INSERT INTO state.users (account_id, user_key, folded, last_position, user_id, spelled_by_lifecycle,
        status, profile, custom_attributes, removed, drift)
    SELECT $1, 'person_' || n, {_ORDER.format(n="n")}, n, 'Person_' || n, true, 'active',
        jsonb_build_object('email', 'person.' || n || '@example.com'), '[]', false, '[]'
    FROM generate_series(1, $2::int) n
"""
_USER_SETTINGS: Final = f"""
    INSERT INTO state.user_settings (account_id, user_key, folded, last_position, user_id, settings,
        changed_order, removed, drift)
    SELECT $1, 'person_' || n, {_ORDER.format(n="n")}, n, 'Person_' || n,
        d.document || jsonb_build_object('recording', d.document -> 'recording'
            || jsonb_build_object('cloud_recording', n % 3 = 0)),
        {_ORDER.format(n="n")}, false, '[]'
    FROM generate_series(1, $2::int) n
    CROSS JOIN LATERAL (SELECT CASE WHEN n % 5 = 0 THEN $3::jsonb ELSE $4::jsonb END AS document) d
"""
_GROUP_SETTINGS: Final = f"""
    INSERT INTO state.group_settings (account_id, group_id, folded, last_position, settings, locks,
        changed_order, removed, drift)
    SELECT $1, 'group_' || n, {_ORDER.format(n="n")}, n,
        $3::jsonb || jsonb_build_object('recording', $3::jsonb -> 'recording'
            || jsonb_build_object('cloud_recording', n % 2 = 0)),
        $4::jsonb || jsonb_build_object('recording', $4::jsonb -> 'recording'
            || jsonb_build_object('cloud_recording', n % 4 = 0)),
        {_ORDER.format(n="n")}, false, '[]'
    FROM generate_series(1, $2::int) n
"""
_GROUPS: Final = f"""
    INSERT INTO state.groups (account_id, group_id, folded, last_position, profile, removed, drift)
    SELECT $1, 'group_' || n, {_ORDER.format(n="n")}, n, jsonb_build_object('name', 'Group ' || n), false,
        '[]'
    FROM generate_series(1, $2::int) n
"""
_MEMBERSHIPS: Final = f"""
    INSERT INTO state.memberships (account_id, person_key, group_id, folded, last_position, user_id, added,
        email_order, told, told_added, absent, in_set)
    SELECT $1, 'person_' || n, 'group_' || 1 + (n * (1 + second) + second * 7) % $3::int,
        {_ORDER.format(n="n")}, n, 'Person_' || n, true, '', {_ORDER.format(n="n")}, true, '', false
    FROM generate_series(1, $2::int) n, generate_series(0, 1) second
    WHERE second = 0 OR n % 2 = 0
    ON CONFLICT DO NOTHING
"""
_PATHS: Final = """
    INSERT INTO state.{level}_setting_paths SELECT $1, array_to_string({level}_path, '.'), 0
    FROM state.setting_map WHERE of_{level}
"""


async def fill(url: str, *, users: int, groups: int) -> None:
    """Fill the tables of a migrated, empty database."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT * FROM state.setting_map")
        own, of_group, of_account = (_document(rows, f"{level}_path") for level in LEVELS)
        few = _nested({tuple(path.split(".")): True for path in FEW})
        await connection.execute("SET work_mem = '256MB'")
        await connection.execute(_USERS, ACCOUNT, users, timeout=3600)
        await connection.execute(
            _USER_SETTINGS, ACCOUNT, users, json.dumps(own), json.dumps(few), timeout=3600
        )
        locks = _locks(rows, "group"), _locks(rows, "account")
        await connection.execute(
            _GROUP_SETTINGS, ACCOUNT, groups, json.dumps(of_group), json.dumps(locks[0])
        )
        await connection.execute(_GROUPS, ACCOUNT, groups)
        await connection.execute(_MEMBERSHIPS, ACCOUNT, users, groups, timeout=3600)
        await connection.execute(
            "INSERT INTO state.account_settings VALUES ($1, '\\x01', 1, $2, $3, '\\x01')",
            ACCOUNT, json.dumps(of_account), json.dumps(locks[1]),
        )  # fmt: skip
        for level in LEVELS:
            await connection.execute(_PATHS.format(level=level), ACCOUNT)
        await connection.execute(
            "INSERT INTO state.declared_models VALUES ($1, '\\x01', 1, 'legacy', NULL)", ACCOUNT
        )
        await connection.execute("VACUUM ANALYZE", timeout=3600)
    finally:
        await connection.close()


def _document(rows: list[asyncpg.Record], column: str) -> dict[str, Any]:
    """A whole document of a level: every leaf of the map."""
    return _nested({tuple(row[column]): True for row in rows if row[column]})


def _locks(rows: list[asyncpg.Record], level: str) -> dict[str, Any]:
    """The locks of whatever a level can lock; one in ten is set."""
    flags = sorted(
        {
            tuple(row[f"{level}_path"])
            for row in rows
            if row[f"{level}_path"] and row[f"{level}_lockable"]
        }
    )
    return _nested({flag: number % 10 == 0 for number, flag in enumerate(flags)})


def _nested(leaves: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path, value in leaves.items():
        at = document
        for key in path[:-1]:
            at = at.setdefault(key, {})
        at[path[-1]] = value
    return document
