"""The baselines of folding: four tables, filled by one upsert per event or by set-based SQL.

They hold less than the product's: only newest values, without drift, lives, late events, or any
other projection.
"""

from typing import Final

TABLES: Final = """
CREATE SCHEMA baseline;
CREATE TABLE baseline.presence (
    user_id text PRIMARY KEY, position bigint NOT NULL, status text, email text);
CREATE TABLE baseline.users (
    user_id text PRIMARY KEY, position bigint NOT NULL, event text NOT NULL,
    profile jsonb NOT NULL);
CREATE TABLE baseline.memberships (
    group_id text, user_id text, position bigint NOT NULL, added boolean NOT NULL, email text,
    PRIMARY KEY (group_id, user_id));
CREATE TABLE baseline.sign_ins (
    user_id text, client_type text, position bigint NOT NULL, signed_in boolean NOT NULL,
    version text,
    PRIMARY KEY (user_id, client_type));
"""

EMPTY: Final = "TRUNCATE baseline.presence, baseline.users, baseline.memberships, baseline.sign_ins"

PRESENCE: Final = "user.presence_status_updated"
USERS: Final = ("user.updated", "user.created", "user.activated", "user.deactivated")
MEMBERS: Final = ("group.member_added", "group.member_deleted")
SIGNS: Final = ("user.signed_in", "user.signed_out")

UPSERT_PRESENCE: Final = """
INSERT INTO baseline.presence AS t VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO UPDATE
SET position = excluded.position, status = excluded.status, email = excluded.email
WHERE t.position < excluded.position
"""
UPSERT_USER: Final = """
INSERT INTO baseline.users AS t VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO UPDATE
SET position = excluded.position, event = excluded.event, profile = t.profile || excluded.profile
WHERE t.position < excluded.position
"""
UPSERT_MEMBER: Final = """
INSERT INTO baseline.memberships AS t VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (group_id, user_id) DO UPDATE
SET position = excluded.position, added = excluded.added, email = excluded.email
WHERE t.position < excluded.position
"""
UPSERT_SIGN_IN: Final = """
INSERT INTO baseline.sign_ins AS t VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id, client_type) DO UPDATE
SET position = excluded.position, signed_in = excluded.signed_in, version = excluded.version
WHERE t.position < excluded.position
"""

# The copy is made before anything is measured.
COPY_LOG: Final = """
CREATE TABLE baseline.events AS
SELECT position, event, convert_from(body, 'UTF8')::jsonb AS body FROM log.events ORDER BY position
"""

SET_BASED: Final = (
    """
INSERT INTO baseline.presence
SELECT DISTINCT ON (body->'payload'->'object'->>'id')
    body->'payload'->'object'->>'id', position, body->'payload'->'object'->>'presence_status',
    body->'payload'->'object'->>'email'
FROM baseline.events WHERE event = 'user.presence_status_updated'
ORDER BY body->'payload'->'object'->>'id', position DESC
""",
    """
INSERT INTO baseline.users
SELECT DISTINCT ON (body->'payload'->'object'->>'id')
    body->'payload'->'object'->>'id', position, event, body->'payload'->'object'
FROM baseline.events
WHERE event IN ('user.updated', 'user.created', 'user.activated', 'user.deactivated')
ORDER BY body->'payload'->'object'->>'id', position DESC
""",
    """
INSERT INTO baseline.memberships
SELECT DISTINCT ON (body->'payload'->'object'->>'id', member->>'id')
    body->'payload'->'object'->>'id', member->>'id', position, event = 'group.member_added',
    member->>'email'
FROM baseline.events, jsonb_array_elements(body->'payload'->'object'->'members') member
WHERE event IN ('group.member_added', 'group.member_deleted')
ORDER BY body->'payload'->'object'->>'id', member->>'id', position DESC
""",
    """
INSERT INTO baseline.sign_ins
SELECT DISTINCT ON (body->'payload'->'object'->>'id', body->'payload'->'object'->>'client_type')
    body->'payload'->'object'->>'id', body->'payload'->'object'->>'client_type', position,
    event = 'user.signed_in', body->'payload'->'object'->>'version'
FROM baseline.events WHERE event IN ('user.signed_in', 'user.signed_out')
ORDER BY body->'payload'->'object'->>'id', body->'payload'->'object'->>'client_type', position DESC
""",
)
