-- name: take_migration_lock
SELECT pg_advisory_xact_lock(7017, 2)

-- name: limit_lock_waits
-- A migration gives up soon and tries again: replicas at work queue behind it for as long as it waits.
SET LOCAL lock_timeout = '2s'

-- name: create_ledger
CREATE SCHEMA IF NOT EXISTS projector;
CREATE TABLE IF NOT EXISTS projector.migrations (
    number int PRIMARY KEY, name text NOT NULL, serves int NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp());

-- name: applied
-- The newest migration, and the oldest code that the schema still serves.
SELECT coalesce(max(number), 0), coalesce(max(serves), 0) FROM projector.migrations

-- name: record_migration
INSERT INTO projector.migrations (number, name, serves) VALUES ($1, $2, $3)

-- name: create_in
-- Unqualified names mean this schema until the transaction ends or this is called again.
SELECT set_config('search_path', $1, true)

-- name: stored_versions
SELECT projection, version FROM state.checkpoints

-- name: register_projection
INSERT INTO state.checkpoints (projection, version) VALUES ($1, $2)

-- name: reader_rights
-- The login; whether there is a directory here; and whether of the projector's schemas it may use that alone.
SELECT current_user::text AS login,
       EXISTS (SELECT FROM pg_namespace WHERE nspname = 'directory') AS has_directory,
       EXISTS (
           SELECT FROM pg_namespace
           WHERE nspname = 'directory' AND has_schema_privilege(oid, 'USAGE')
       ) AND NOT EXISTS (
           SELECT FROM pg_namespace
           WHERE nspname IN ('log', 'state', 'observations', 'projector')
             AND has_schema_privilege(oid, 'USAGE')
       ) AS only_reads

-- name: become_reader
SET LOCAL ROLE directory_reader
