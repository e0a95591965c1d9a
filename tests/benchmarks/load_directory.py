"""A large directory, written directly into the state tables, to measure the views' speed on.

At scale 1 the account has 200,000 users, 5,000 groups, 2 million memberships, 200,000 settings documents,
a presence for each user and three sign-ins for two of them. Group sizes scale with it: 10 groups hold a
tenth of the users each, 490 hold 1,200 each and 4,500 hold 300 each. Special cases are
there in small shares: users who left (2 %), who came back (1 %), who are not known (1 %), memberships by
e-mail only (0.5 %), groups deleted (0.4 %) and groups not known (0.2 %). Everybody's groups were observed.

    python tests/benchmarks/load_directory.py postgresql://... --scale 0.05

The database must be migrated and its state empty; the log stays empty. The same scale gives the same rows.
"""

import argparse
import asyncio
import sys
import time
from typing import Final

import asyncpg

USERS: Final = 200_000
GROUPS: Final = 5_000
MEMBERSHIPS_PER_USER: Final = 10

# The first event, in epoch milliseconds; everything else happens within the 400 days after it.
START_MS: Final = 1_740_000_000_000

# Temporary: dropped when the connection closes. `n` numbers users from 0, `g` groups from 0.
_FUNCTIONS: Final = """
CREATE FUNCTION pg_temp.spread(n bigint, salt text, most int) RETURNS int LANGUAGE sql IMMUTABLE AS
    $$ SELECT (('x' || left(md5(salt || n), 7))::bit(28)::int % most) $$;
CREATE FUNCTION pg_temp.event_ms(n bigint, salt text) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    $$ SELECT {start} + pg_temp.spread(n, salt, 400) * 86400000::bigint + pg_temp.spread(n, salt, 86399) $$;
CREATE FUNCTION pg_temp.event_order(ms bigint, what text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT int8send(ms) || '\\x02'::bytea || sha256(what::bytea) $$;
CREATE FUNCTION pg_temp.user_id(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT translate(left(encode(sha256(('user ' || n)::bytea), 'base64'), 22), '+/', '-_') $$;
CREATE FUNCTION pg_temp.group_id(g bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT translate(left(encode(sha256(('group ' || g)::bytea), 'base64'), 22), '+/', '-_') $$;
CREATE FUNCTION pg_temp.email(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT 'Person.' || n || '@example.com' $$;
CREATE FUNCTION pg_temp.gone(n bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT n % 50 = 7 $$;
CREATE FUNCTION pg_temp.back(n bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT n % 100 = 9 $$;
""".replace("{start}", str(START_MS))

_USERS: Final = """
INSERT INTO state.users (
    account_id, user_key, folded, last_position, user_id, spelled_by_lifecycle, status, pending_order,
    profile, custom_attributes, creation_type, created_ms, removed, removed_ms, cutoff, drift)
SELECT 'account', lower(pg_temp.user_id(n)), pg_temp.event_order(pg_temp.event_ms(n, 'user'), 'user ' || n),
    n + 1, pg_temp.user_id(n), true,
    CASE WHEN pg_temp.gone(n) THEN 'deleted' WHEN n % 40 = 3 THEN 'pending' WHEN n % 30 = 4 THEN 'inactive'
        ELSE 'active' END,
    CASE WHEN n % 40 = 3 AND NOT pg_temp.gone(n) THEN
        pg_temp.event_order(pg_temp.event_ms(n, 'user'), 'user ' || n) END,
    jsonb_build_object(
        'email', pg_temp.email(n), 'first_name', 'Person', 'last_name', 'Number ' || n,
        'display_name', 'Person Number ' || n, 'type', 1 + n % 2, 'role', 'Member',
        'dept', 'Department ' || n % 200, 'company', 'Example', 'language', 'en-US',
        'timezone', 'Europe/Berlin', 'phone_number', '+49 30 ' || n, 'phone_country', 'DE',
        'pic_url', 'https://example.com/pictures/' || n || '.png',
        'pmi', 1000000000 + n, 'use_pmi', n % 3 = 0,
        'vanity_name', 'person-' || n, 'primary_group_id', pg_temp.group_id(n % 10),
        'settings', '{"feature": {"large_meeting": false, "webinar": true}}'::jsonb),
    CASE WHEN n % 5 = 0 THEN jsonb_build_array(
        jsonb_build_object('key', 'cbf_cost', 'name', 'Cost centre', 'value', (n % 300)::text)) ELSE '[]' END,
    'ssoCreate', {start}, pg_temp.gone(n), CASE WHEN pg_temp.gone(n) THEN pg_temp.event_ms(n, 'user') END,
    CASE WHEN pg_temp.gone(n) THEN pg_temp.event_order(pg_temp.event_ms(n, 'user'), 'user ' || n)
        WHEN pg_temp.back(n) THEN pg_temp.event_order({start} + 86400000, 'left ' || n) END,
    CASE WHEN n % 5000 = 11 THEN jsonb_build_array(jsonb_build_object(
        'entity', 'user', 'path', 'dept', 'known', 'Old', 'reported', 'Older', 'event_ms', {start},
        'position', n + 1)) ELSE '[]' END
FROM generate_series(0, {users} - 1) n WHERE n % 100 <> 50
""".replace("{start}", str(START_MS))

_GROUPS: Final = """
INSERT INTO state.groups
SELECT 'account', pg_temp.group_id(g), pg_temp.event_order({start} + g, 'group ' || g), g + 1,
    jsonb_build_object('name', 'Group ' || g), {start} + g, g % 250 = 13,
    CASE WHEN g % 250 = 13 THEN {start} + 35000000000 END,
    CASE WHEN g % 250 = 13 THEN pg_temp.event_order({start} + 35000000000, 'group ' || g) END, '[]'
FROM generate_series(0, {groups} - 1) g WHERE g % 500 <> 14
""".replace("{start}", str(START_MS))

# Person n's k-th group: one of the largest, two of the large, and seven of the other groups.
_MEMBERSHIPS: Final = """
INSERT INTO state.memberships (
    account_id, group_id, person_key, folded, last_position, user_id, email, email_order, added, by,
    told, told_added, absent, in_set)
SELECT 'account', pg_temp.group_id(g), CASE WHEN named THEN lower(pg_temp.user_id(n))
        ELSE 'email:' || lower(pg_temp.email(n)) END,
    pg_temp.event_order(pg_temp.event_ms(n, 'k' || k), n || ' in ' || g), n * 10 + k + 1,
    CASE WHEN named THEN pg_temp.user_id(n) END, pg_temp.email(n),
    pg_temp.event_order(pg_temp.event_ms(n, 'k' || k), n || ' in ' || g), (n + k) % 33 <> 0,
    'admin@example.com',
    pg_temp.event_order(pg_temp.event_ms(n, 'k' || k), n || ' in ' || g), (n + k) % 33 <> 0, '',
    n % 200 <> 33 AND k % 4 <> 0
FROM (
    SELECT n, k, (n * 10 + k) % 200 <> 31 AS named,
        CASE WHEN k = 0 THEN n % {large} WHEN k < 3 THEN {large} + (n * 7 + k * 13) % {middle}
            ELSE {large} + {middle} + (n * 31 + k * 59) % {small} END AS g
    FROM generate_series(0, {users}::bigint - 1) n CROSS JOIN generate_series(0, 9) k
) x
ORDER BY 2, 3
ON CONFLICT DO NOTHING
"""

# Everybody's groups were observed, mostly before their memberships began; a few in the middle of them.
_OBSERVED_GROUPS: Final = """
INSERT INTO state.observed_groups
SELECT 'account', lower(pg_temp.user_id(n)), m.mark, n + 1, m.mark, '[]', '{{}}', '[]'
FROM generate_series(0, {users} - 1) n
CROSS JOIN LATERAL (
    SELECT pg_temp.event_order(
        {start} - 1 + CASE WHEN n % 200 = 33 THEN 17280000000 ELSE 0 END, 'o' || n) AS mark
) m
""".replace("{start}", str(START_MS)).replace("{{}}", "{}")

_ADMINS: Final = """
INSERT INTO state.group_admins (
    account_id, group_id, person_key, folded, last_position, user_id, email, email_order, added, by,
    told, told_added, absent, in_set)
SELECT 'account', pg_temp.group_id(g), lower(pg_temp.user_id(n)),
    pg_temp.event_order(pg_temp.event_ms(n, 'a' || g), n || ' leads ' || g), g + 1, pg_temp.user_id(n),
    pg_temp.email(n), pg_temp.event_order(pg_temp.event_ms(n, 'a' || g), n || ' leads ' || g), true,
    'admin@example.com', pg_temp.event_order(pg_temp.event_ms(n, 'a' || g), n || ' leads ' || g), true, '',
    false
FROM (SELECT g, (g * 17 + k * 5) % {users} AS n
      FROM generate_series(0, {groups}::bigint - 1) g CROSS JOIN generate_series(0, 1) k
      WHERE g % 20 <> 0) x
ON CONFLICT DO NOTHING
"""

_PRESENCE: Final = """
INSERT INTO state.presence
SELECT 'account', lower(pg_temp.user_id(n)), pg_temp.event_order(pg_temp.event_ms(n, 'p'), 'p' || n), n + 1,
    lower(pg_temp.user_id(n)), pg_temp.email(n), pg_temp.event_order(pg_temp.event_ms(n, 'p'), 'p' || n),
    (ARRAY['Available', 'Away', 'In_Meeting', 'Do_Not_Disturb', 'Offline'])[1 + n % 5],
    (ARRAY['desktop', 'mobile'])[1 + n % 2], 'Available'
FROM generate_series(0, {users} - 1) n
"""

_NOTES: Final = """
INSERT INTO state.notes
SELECT 'account', lower(pg_temp.user_id(n)), pg_temp.event_order(pg_temp.event_ms(n, 'n'), 'n' || n), n + 1,
    pg_temp.user_id(n), NULL, '', CASE WHEN n % 10 = 0 THEN 'Back at ' || n % 24 END, n % 10 = 0,
    CASE WHEN n % 10 = 0 THEN pg_temp.event_order(pg_temp.event_ms(n, 'n'), 'n' || n) END,
    pg_temp.gone(n), '[]'
FROM generate_series(0, {users} - 1) n
"""

_SIGN_INS: Final = """
INSERT INTO state.sign_ins
SELECT 'account', lower(pg_temp.user_id(n)), (ARRAY['win', 'mac', 'iphone', 'android'])[1 + (n + k) % 4],
    pg_temp.event_order(pg_temp.event_ms(n, 's' || k), 's' || n), n + 1, pg_temp.user_id(n), pg_temp.email(n),
    pg_temp.event_order(pg_temp.event_ms(n, 's' || k), 's' || n), n % 3 <> 0,
    CASE WHEN n % 3 <> 0 THEN pg_temp.event_order(pg_temp.event_ms(n, 's' || k), 's' || n) ELSE '' END,
    CASE WHEN n % 20 = 0 THEN 100 ELSE 101 END, '6.' || n % 7 || '.0'
FROM generate_series(0, {users} - 1) n CROSS JOIN generate_series(0, 1) k WHERE k = 0 OR n % 2 = 0
"""

_SETTINGS: Final = """
INSERT INTO state.user_settings
SELECT 'account', lower(pg_temp.user_id(n)), pg_temp.event_order(pg_temp.event_ms(n, 'c'), 'c' || n), n + 1,
    pg_temp.user_id(n), (
        SELECT jsonb_object_agg('section_' || s, (
            SELECT jsonb_object_agg('setting_' || k, to_jsonb((n + s + k) % 2 = 0))
            FROM generate_series(1, 8) k))
        FROM generate_series(1, 5) s),
    pg_temp.event_order(pg_temp.event_ms(n, 'c'), 'c' || n), pg_temp.email(n), pg_temp.gone(n), '[]'
FROM generate_series(0, {users} - 1) n
"""

_GROUP_SETTINGS: Final = """
INSERT INTO state.group_settings
SELECT 'account', pg_temp.group_id(g), pg_temp.event_order({start} + g, 'settings ' || g), g + 1,
    jsonb_build_object('in_meeting', jsonb_build_object('chat', g % 2 = 0, 'polling', true)),
    jsonb_build_object('in_meeting', jsonb_build_object('chat', g % 3 = 0)),
    pg_temp.event_order({start} + g, 'settings ' || g), 'admin@example.com', g % 250 = 13, '[]'
FROM generate_series(0, {groups} - 1) g
""".replace("{start}", str(START_MS))

STATEMENTS: Final = {
    "users": _USERS,
    "groups": _GROUPS,
    "memberships": _MEMBERSHIPS,
    "observed_groups": _OBSERVED_GROUPS,
    "group_admins": _ADMINS,
    "presence": _PRESENCE,
    "notes": _NOTES,
    "sign_ins": _SIGN_INS,
    "user_settings": _SETTINGS,
    "group_settings": _GROUP_SETTINGS,
}


async def load(connection: asyncpg.Connection, scale: float = 1.0) -> dict[str, int]:
    """Fill the state tables and vacuum them; returns the number of rows of each.

    The scale applies to users and groups; a user has ten memberships at every scale. At least a hundred
    groups must remain.
    """
    sizes = {
        "users": round(USERS * scale),
        "groups": round(GROUPS * scale),
        "large": max(2, round(10 * scale)),
        "middle": round(490 * scale),
    }
    sizes["small"] = sizes["groups"] - sizes["large"] - sizes["middle"]
    if sizes["groups"] < 100:
        raise ValueError("a scale of at least 0.02")
    rows = {}
    await connection.execute(_FUNCTIONS)
    for table, statement in STATEMENTS.items():
        done = await connection.execute(_sized(statement, sizes), timeout=600)
        rows[table] = int(done.rpartition(" ")[2])
        await connection.execute(f"VACUUM ANALYZE state.{table}", timeout=600)
    return rows


def _sized(statement: str, sizes: dict[str, int]) -> str:
    for name, size in sizes.items():
        statement = statement.replace(f"{{{name}}}", str(size))
    return statement


async def _main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("dsn", help="of a migrated database without state")
    parser.add_argument("--scale", type=float, default=1.0, help="1 by default; at least 0.02")
    arguments = parser.parse_args()
    connection = await asyncpg.connect(arguments.dsn)
    try:
        start = time.monotonic()
        for table, count in (await load(connection, arguments.scale)).items():
            sys.stdout.write(f"{table:16}{count:>12,}\n")
        sys.stdout.write(f"{time.monotonic() - start:.0f} s\n")
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(_main())
