"""The map of settings and locks: it is Zoom's reference, each setting once; who reads it, and who may not.

`tests/reference/lock_flags.json` holds what the reference names: REST of August 2026, webhooks of March 2026.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from projector.database import Database
from projector.rebuild.replay import Replay, drop_replay, replay
from projector.schema import replayed
from projector.schema.ddl import view_files
from projector.schema.roles import Role
from tests.integration.test_roles import As, as_role, assert_refused
from tests.runtime_rig import append_bodies, no_progress, renamed

__all__ = ["as_role"]

REFERENCE: Final[dict[str, list[str]]] = json.loads(
    (Path(__file__).parent.parent / "reference" / "lock_flags.json").read_text(encoding="utf-8")
)
LOCKED_BY: Final = ("group", "account")
LEVELS: Final = ("user", *LOCKED_BY)
SETTINGS: Final = {level: set(REFERENCE[f"{level}_settings"]) for level in LEVELS}
FLAGS: Final = {level: set(REFERENCE[f"{level}_locks"]) for level in LOCKED_BY}

_COUNTRIES: Final = "meeting_security.approved_or_denied_countries_or_regions"
# Flags whose setting no settings document is documented to hold, and why.
NO_COUNTERPART: Final[dict[str, dict[str, str]]] = {
    level: {
        _COUNTRIES: "only Video SDK accounts have such a setting, of sessions: session_security"
    }
    for level in LOCKED_BY
}

# Settings that levels spell differently.
TWINS: Final = {
    "schedule_meeting.participants_video": ("schedule_meeting.participant_video",) * 2,
    "schedule_meeting.use_pmi_for_scheduled_meetings": (
        "schedule_meeting.use_pmi_for_schedule_meetings",
        "schedule_meeting.use_pmi_for_scheduled_meetings",
    ),
    "in_meeting.record_play_voice": ("in_meeting.record_play_own_voice",) * 2,
}

Row = dict[str, Any]


@pytest.fixture
async def rows(database: Database) -> list[Row]:
    """The map, with its arrays dotted."""
    found = await database.fetch("SELECT * FROM state.setting_map ORDER BY path")
    return [
        {name: ".".join(v) if isinstance(v, list) else v for name, v in row.items()}
        for row in found
    ]


def _stands_over(flag: str, path: str | None) -> bool:
    return path is not None and f"{path}.".startswith(f"{flag}.")


def _extra(row: Row, level: str) -> list[str]:
    return [f for f in (row[f"{level}_flag"], row[f"{level}_flag_2"]) if f is not None]


def _covering(row: Row, level: str) -> set[str]:
    own = {flag for flag in FLAGS[level] if _stands_over(flag, row[f"{level}_path"])}
    return own | set(_extra(row, level))


@pytest.mark.parametrize("level", LEVELS)
def test_each_setting_of_the_reference_is_in_one_row(rows: list[Row], level: str) -> None:
    spelled = Counter(row[f"{level}_path"] for row in rows if row[f"of_{level}"])
    assert spelled == Counter(SETTINGS[level])
    assert all((row[f"{level}_path"] is not None) == row[f"of_{level}"] for row in rows)


def test_a_path_is_the_spelling_of_the_first_level_that_has_it(rows: list[Row]) -> None:
    for row in rows:
        spellings = [row[f"{level}_path"] for level in LEVELS if row[f"of_{level}"]]
        assert row["path"] == spellings[0]
    apart = {
        row["path"]: (row["group_path"], row["account_path"])
        for row in rows
        if {row[f"{level}_path"] for level in LEVELS} - {None, row["path"]}
    }
    assert apart == TWINS


@pytest.mark.parametrize("level", LOCKED_BY)
def test_each_flag_of_the_reference_covers_a_setting_or_is_known_not_to(
    rows: list[Row], level: str
) -> None:
    covering = {flag for row in rows for flag in _covering(row, level)}
    assert FLAGS[level] - covering == set(NO_COUNTERPART[level])
    assert covering <= FLAGS[level], "a flag that the reference does not name"


@pytest.mark.parametrize("level", LOCKED_BY)
def test_extra_flags_are_those_that_paths_do_not_tell(rows: list[Row], level: str) -> None:
    for row in rows:
        extra = _extra(row, level)
        assert len(extra) == len(set(extra))
        assert not [f for f in extra if _stands_over(f, row[f"{level}_path"])], row["path"]
        if not row[f"of_{level}"]:
            assert {f for f in FLAGS[level] if _stands_over(f, row["path"])} <= set(extra)


@pytest.mark.parametrize("level", LOCKED_BY)
def test_lockable_is_what_a_flag_covers_and_not_known_beside_it(
    rows: list[Row], level: str
) -> None:
    covered = {row["path"] for row in rows if _covering(row, level)}
    sections = {path.split(".")[0] for path in covered}
    for row in rows:
        beside = None if row["path"].split(".")[0] in sections else False
        assert row[f"{level}_lockable"] is (True if row["path"] in covered else beside)
    assert {row[f"{level}_lockable"] for row in rows} == {True, False, None}


@pytest.mark.parametrize(
    ("path", "group_flags", "account_flags"),
    [
        ("in_meeting.manual_captioning.manual_captions", ["in_meeting.manual_captions"], None),
        ("in_meeting.manual_captioning.full_transcript", ["in_meeting.full_transcript"], None),
        (
            "in_meeting.manual_captioning.auto_generated_captions",
            ["in_meeting.auto_generated_captions"],
            None,
        ),
        (
            "in_meeting.manual_captioning.save_captions",
            ["in_meeting.save_captions", "in_meeting.save_caption"],
            None,
        ),
        ("in_meeting.waiting_room", ["meeting_security.waiting_room"], None),
        (
            "authentication_options.meeting_authentication.meeting_authentication",
            ["schedule_meeting.meeting_authentication"],
            None,
        ),
        (
            "authentication_options.recording_authentication.authentication_options",
            ["recording.recording_authentication"],
            None,
        ),
        ("recording.auto_delete_cmr", ["recording.auto_delete_cmr"], []),
        ("chat.create_public_channels", [], ["chat.allow_create_channels_and_group_chats"]),
        ("recording.cloud_recording", [], []),
        # Alike in name alone: one is encryption of other makers' devices, one is of team chat.
        ("in_meeting.e2e_encryption", [], []),
        ("chat.chat_etiquette_tool.enable", [], []),
    ],
)
def test_flags_that_stand_elsewhere(
    rows: list[Row], path: str, group_flags: list[str], account_flags: list[str] | None
) -> None:
    (row,) = [row for row in rows if row["path"] == path]
    assert _extra(row, "group") == group_flags
    assert _extra(row, "account") == (group_flags if account_flags is None else account_flags)


BROKEN: Final = [
    "UPDATE state.setting_map SET path = 'x' WHERE path = 'recording.cloud_recording'",
    "UPDATE state.setting_map SET of_group = NOT of_group WHERE path = 'recording.cloud_recording'",
    "UPDATE state.setting_map SET user_path = '{x}' WHERE path = 'recording.cloud_recording'",
    "UPDATE state.setting_map SET group_flag = NULL WHERE group_flag_2 IS NOT NULL",
    "UPDATE state.setting_map SET group_lockable = false WHERE group_flag IS NOT NULL",
    "UPDATE state.setting_map SET account_lockable = false WHERE account_flag IS NOT NULL",
]


@pytest.mark.parametrize("statement", BROKEN)
async def test_a_row_that_contradicts_itself_is_refused(database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await database.fetch(statement)


@pytest.mark.parametrize("level", LOCKED_BY)
async def test_a_spelling_stands_once(database: Database, level: str) -> None:
    with pytest.raises(asyncpg.UniqueViolationError, match=f"{level}_path"):
        await database.fetch(
            f"UPDATE state.setting_map SET {level}_path = '{{recording,cloud_recording}}' "
            "WHERE path = 'schedule_meeting.participants_video'"
        )


# ---- rights -------------------------------------------------------------------------------------------

RIGHTS: Final = """
SELECT c.relowner::regrole::text, array_agg(a.grantee::regrole || ' ' || a.privilege_type)
FROM pg_class c, aclexplode(c.relacl) a
WHERE c.oid = 'state.setting_map'::regclass AND a.grantee <> c.relowner GROUP BY c.relowner
"""


@pytest.mark.versions
async def test_readers_may_read_it_and_only_its_owner_write(database: Database) -> None:
    rows = await database.fetch(RIGHTS)
    assert [tuple(row) for row in rows] == [("projector_projector", ["directory_reader SELECT"])]


@pytest.mark.parametrize("role", [Role.READER, Role.INGRESS])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM state.setting_map",
        "UPDATE state.setting_map SET group_lockable = true",
        "INSERT INTO state.setting_map SELECT * FROM state.setting_map",
        "DELETE FROM state.setting_map",
        "TRUNCATE state.setting_map",
    ],
)
async def test_others_neither_name_nor_change_it(as_role: As, role: Role, statement: str) -> None:
    await assert_refused(await as_role(role), statement)


# As views and functions of `directory` are: the one reads as its owner, the other as its caller.
OVER_THE_MAP: Final = """
CREATE VIEW directory.mapped AS SELECT path FROM state.setting_map;
GRANT SELECT ON directory.mapped TO directory_reader;
CREATE FUNCTION directory.mapped_at() RETURNS SETOF text LANGUAGE sql STABLE
BEGIN ATOMIC SELECT path FROM state.setting_map; END;
GRANT EXECUTE ON FUNCTION directory.mapped_at TO directory_reader;
"""


@pytest.mark.versions
async def test_views_and_functions_read_it_for_readers(database: Database, as_role: As) -> None:
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL ROLE projector_projector")
        await connection.execute(OVER_THE_MAP)
    await assert_read(database, await as_role(Role.READER), "directory")


@pytest.mark.versions
async def test_a_replay_reads_the_one_map(
    database: Database, as_role: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replayed, "view_files", lambda: [*view_files(), OVER_THE_MAP])
    operator = await as_role(Role.OPERATOR)
    await append_bodies(operator, [renamed(1)])
    await replay(operator, Replay("as_then", 1), no_progress, processes=1)
    assert await database.fetchval("SELECT to_regclass('as_then_state.setting_map')") is None
    await assert_read(database, await as_role(Role.READER), "as_then")
    await drop_replay(operator, "as_then")
    assert await database.fetchval("SELECT count(*) FROM state.setting_map")


async def assert_read(database: Database, reader: Database, schema: str) -> None:
    paths = await database.fetch("SELECT path FROM state.setting_map ORDER BY path")
    assert paths
    assert await reader.fetch(f"SELECT path FROM {schema}.mapped ORDER BY path") == paths
    told = await reader.fetch(f"SELECT p FROM {schema}.mapped_at() AS p ORDER BY p")
    assert [row[0] for row in told] == [row[0] for row in paths]
