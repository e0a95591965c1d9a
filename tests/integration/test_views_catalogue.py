"""The names and columns of the views, and that they are stable."""

from typing import Final

import asyncpg
import pytest

from projector.database import Database
from projector.schema.ddl import view_files
from projector.schema.migrate import create_views
from tests.directory_rows import HISTORIC

ALWAYS: Final = "last_event_at timestamptz, last_position int8"
USER: Final = (
    "account_id text, user_id text, email text, first_name text, last_name text, display_name text, "
    "type int4, status text, role text, dept text, company text, language text, timezone text, "
    "phone_number text, phone_country text, pic_url text, pmi int8, use_pmi bool, vanity_name text, "
    "primary_group_id text, custom_attributes jsonb, profile_settings jsonb, creation_type text, "
    "created_at timestamptz"
)
IN_GROUP: Final = (
    "account_id text, group_id text, user_id text, email text, group_name text, user_status text, "
    f"added_at timestamptz, added_by text, {ALWAYS}"
)
CHANGED: Final = f"changed_at timestamptz, changed_by text, {ALWAYS}"

# A change here affects everybody who queries the directory: only add columns, and at the end.
CATALOGUE: Final = {
    "users": f"{USER}, {ALWAYS}",
    "former_users": f"{USER}, removed_at timestamptz, {ALWAYS}",
    "people": (
        "account_id text, user_id text, name text, email text, status text, removed bool, search text, "
        "sort_key text, user_key text"
    ),
    "groups": (
        "account_id text, group_id text, name text, created_at timestamptz, member_count int8, "
        f"admin_count int8, {ALWAYS}"
    ),
    "all_groups": (
        "account_id text, group_id text, name text, created_at timestamptz, removed_at timestamptz, "
        "sort_key text, last_event_at timestamptz, last_position int8, removed bool"
    ),
    "former_groups": (
        "account_id text, group_id text, name text, created_at timestamptz, "
        f"removed_at timestamptz, {ALWAYS}"
    ),
    "memberships": IN_GROUP,
    "group_admins": IN_GROUP,
    "effective_user_settings": (
        "account_id text, user_id text, path text, value jsonb, source text, source_group_id text, "
        "locked_by text, confidence text, why text"
    ),
    "lock_violations": (
        "account_id text, user_id text, path text, own_value jsonb, locked_value jsonb, locked_by text, "
        "source_group_id text, confidence text"
    ),
    "departed_group_admins": (
        "account_id text, group_id text, user_id text, email text, group_name text, "
        "user_status text, removed_at timestamptz, added_at timestamptz, added_by text"
    ),
    "presence": (
        "account_id text, user_id text, email text, presence_status text, app_type text, "
        "app_presence_status text, changed_at timestamptz, personal_note text, "
        f"personal_note_changed_at timestamptz, {ALWAYS}"
    ),
    "sign_ins": (
        "account_id text, user_id text, client_type text, email text, signed_in bool, "
        f"login_type int4, version text, changed_at timestamptz, {ALWAYS}"
    ),
    "user_settings": f"account_id text, user_id text, settings jsonb, {CHANGED}",
    "group_settings": f"account_id text, group_id text, settings jsonb, locks jsonb, {CHANGED}",
    "account_settings": (
        "account_id text, settings jsonb, locks jsonb, changed_at timestamptz, "
        "last_event_at timestamptz, last_position int8"
    ),
    "declarations": (
        "account_id text, kind text, user_id text, value jsonb, declared_at timestamptz, "
        f"declared_by text, {ALWAYS}"
    ),
    "user_setting_values": "account_id text, user_id text, path text, value jsonb",
    "group_setting_values": "account_id text, group_id text, path text, value jsonb, locked bool",
    "unresolved_users": "account_id text, user_id text, email text, seen_in _text",
    "unresolved_groups": "account_id text, group_id text, seen_in _text",
    "drift": (
        "account_id text, entity text, entity_id text, path text, known jsonb, reported jsonb, "
        "event_at timestamptz, position int8"
    ),
    "dead_letters": (
        "position int8, projection text, event text, error text, failed_at timestamptz"
    ),
    "acknowledged_drift": (
        "account_id text, entity text, entity_id text, path text, known jsonb, reported jsonb, "
        "event_at timestamptz, position int8, acknowledged_at timestamptz, acknowledged_by text, reason text"
    ),
    "dismissed_dead_letters": (
        "position int8, projection text, event text, error text, failed_at timestamptz, "
        "dismissed_at timestamptz, dismissed_by text, reason text"
    ),
    "freshness": (
        "account_id text, event text, last_event_at timestamptz, last_received_at timestamptz, "
        "events int8"
    ),
    "activity": "account_id text, event text, hour timestamptz, events int8",
    "coverage": (
        "account_id text, section text, complete_at timestamptz, read int8, repaired int8, "
        "unreadable text, new int8, gone int8, last_event_at timestamptz, last_position int8"
    ),
    "observation": "account_id text, since timestamptz",
    "changes": (
        "account_id text, entity text, entity_id text, group_id text, user_id text, path text, "
        "before jsonb, after jsonb, changed_at timestamptz, changed_by text, event text, "
        "position int8, source text, event_order text"
    ),
    "corrections": (
        "account_id text, entity text, entity_id text, group_id text, user_id text, path text, "
        "believed jsonb, after jsonb, changed_at timestamptz, changed_by text, event text, "
        "known_since int8, received_at timestamptz, source text"
    ),
    "quarantine": (
        "id int8, received_at timestamptz, reason text, event text, signed bool, size int4"
    ),
    "refusals": (
        "hour timestamptz, reason text, refused int8, first_at timestamptz, last_at timestamptz"
    ),
    "sign_in_changes": (
        "account_id text, user_id text, client_type text, signed_in bool, changed_at timestamptz, "
        "event text, position int8, source text, event_order text"
    ),
    "projection_status": (
        "projection text, position int8, head int8, lag_events int8, lag_seconds float8, state text, "
        "owned bool, moved_at timestamptz, error text, rebuild_position int8"
    ),
}


# Functions: arguments and result. X_at(t) has the columns of view X.
FUNCTIONS: Final = {
    ("searched", "words text", "text"),
    (
        "drift_page",
        (
            "after_key text, after_account text, after_entity text, after_path text, "
            "after_position bigint, most integer"
        ),
        (
            "TABLE(account_id text, entity text, entity_id text, path text, known jsonb, reported jsonb, "
            'event_at timestamp with time zone, "position" bigint, entity_key text)'
        ),
    ),
    (
        "unresolved_users_page",
        "after_account text, after_key text, most integer",
        "TABLE(account_id text, user_id text, email text, seen_in text[], person_key text)",
    ),
    *(
        (f"{view}_at", "t timestamp with time zone", f"SETOF directory.{view}")
        for view in ("effective_user_settings", "lock_violations")
    ),
    ("all_groups_at", "t timestamp with time zone", "SETOF directory.all_groups"),
    ("spellings", "account text, user_key text", "SETOF text"),
    ("mentioned", "words text", "TABLE(account_id text, user_id text)"),
    ("mentioned_with", "email text", "TABLE(account_id text, user_id text)"),
    *(
        (
            f"timeline_of_{name}",
            f"account text, {argument} text, before_order text, before_place text, most integer",
            "SETOF state.timeline",
        )
        for name, argument in (("person", "person"), ("group", '"group"'))
    ),
    ("changes_between", "after bigint, up_to bigint", "SETOF directory.changes"),
    ("corrections_between", "after bigint, up_to bigint", "SETOF directory.corrections"),
    (
        "people_page",
        (
            "words text, of_status text, after_sort text, after_account text, after_key text, "
            "most integer"
        ),
        "SETOF directory.people",
    ),
    *(
        (
            f"{view}_page",
            'account text, "group" text, after text, most integer',
            f"SETOF state.{view}_shown",
        )
        for view in ("memberships", "group_admins")
    ),
    *(
        (
            f"{view}_page_at",
            't timestamp with time zone, account text, "group" text, after text, most integer',
            f"SETOF state.{view}_shown",
        )
        for view in ("memberships", "group_admins")
    ),
    *((f"{view}_at", "t timestamp with time zone", f"SETOF directory.{view}") for view in HISTORIC),
}


async def test_names_types_and_order_of_columns_are_the_contracts(database: Database) -> None:
    rows = await database.fetch(
        """
        SELECT c.relname, string_agg(a.attname || ' ' || t.typname, ', ' ORDER BY a.attnum)
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        JOIN pg_type t ON t.oid = a.atttypid
        WHERE c.relnamespace = 'directory'::regnamespace
        GROUP BY c.relname
        """
    )
    assert {row[0]: row[1] for row in rows} == CATALOGUE


async def test_directory_holds_views_and_functions_that_say_what_they_are(
    database: Database,
) -> None:
    rows = await database.fetch(
        """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'directory'::regnamespace AND relkind <> 'v'
        """
    )
    assert rows == []
    functions = await database.fetch(
        """
        SELECT proname, pg_get_function_identity_arguments(oid), pg_get_function_result(oid),
               obj_description(oid, 'pg_proc')
        FROM pg_proc WHERE pronamespace = 'directory'::regnamespace
        """
    )
    assert {tuple(row)[:3] for row in functions} == FUNCTIONS
    assert all(row[3] for row in functions)


@pytest.mark.parametrize("schema", ["directory", "log"])
async def test_every_view_and_every_column_says_what_it_means(
    database: Database, schema: str
) -> None:
    rows = await database.fetch(
        """
        SELECT c.relname || coalesce('.' || a.attname, '') AS what,
               coalesce(col_description(c.oid, a.attnum), obj_description(c.oid)) AS comment
        FROM pg_class c
        LEFT JOIN LATERAL (
            SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
            UNION ALL SELECT NULL, 0
        ) a ON true
        WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'v'
        """,
        schema,
    )
    assert rows
    assert [row["what"] for row in rows if len(row["comment"] or "") < 8] == []


async def test_what_others_built_on_views_survives_their_creation(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            """
            CREATE VIEW public.licensed AS SELECT user_id FROM directory.users WHERE type = 2;
            COMMENT ON VIEW public.licensed IS 'theirs';
            CREATE ROLE views_test_analyst;
            GRANT SELECT ON public.licensed, directory.users TO views_test_analyst;
            """
        )
        before = await _built(connection)
        await create_views(connection)
        assert await _built(connection) == before
        await connection.execute("DROP OWNED BY views_test_analyst; DROP ROLE views_test_analyst")


async def _built(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    return await connection.fetch(
        """
        SELECT oid, relname, relacl::text, obj_description(oid) FROM pg_class
        WHERE relnamespace = 'directory'::regnamespace OR relname = 'licensed' ORDER BY relname
        """
    )


def test_views_are_replaced_and_never_dropped() -> None:
    statements = "\n".join(view_files()).upper()
    assert "DROP " not in statements
    assert "CREATE VIEW" not in statements
