-- name: hold_leases
SELECT projection, version, at_position, epoch, held FROM state.hold_leases($1, $2, $3, $4)

-- name: release_leases
SELECT state.release_leases($1)

-- name: note_error
UPDATE state.checkpoints SET error = $2, error_at = clock_timestamp()
WHERE projection = $1 AND epoch = $3

-- name: checkpoint
SELECT position, digest, epoch, version FROM state.checkpoints WHERE projection = $1

-- name: fence_checkpoint
-- Locks a projection and fences off whoever folds it: rows that were loaded before are written no more.
UPDATE state.checkpoints SET epoch = epoch + 1 WHERE projection = $1
RETURNING position, digest, epoch

-- name: move_checkpoint
-- $1 projection, $2 from position, $3 epoch, $4 to position, $5 its event's digest.
-- One round trip of every batch: the rows of the batch hang on the row that this returns. A batch that was read
-- before a failover may be of a log that is no more, while checkpoint and lease are as they were.
UPDATE state.checkpoints
SET position = $4, digest = $5, moved_at = clock_timestamp(), error = NULL, error_at = NULL
WHERE projection = $1 AND position = $2 AND epoch = $3
  AND EXISTS (SELECT FROM log.events WHERE position = $4 AND digest = $5)
RETURNING 1

-- name: move_rebuild
-- The same for the shadow of a rebuild.
UPDATE state.rebuilds
SET position = $4, digest = $5, heartbeat_at = clock_timestamp()
WHERE projection = $1 AND position = $2 AND epoch = $3
  AND EXISTS (SELECT FROM log.events WHERE position = $4 AND digest = $5)
RETURNING 1

-- name: place_rebuild
-- Where a shadow stands after its bulk was filled.
UPDATE state.rebuilds SET position = $3, digest = $4, heartbeat_at = clock_timestamp()
WHERE projection = $1 AND owner = $2

-- name: claim_rebuild
INSERT INTO state.rebuilds AS r (projection, owner) VALUES ($1, $2)
ON CONFLICT (projection) DO UPDATE
SET owner = $2, heartbeat_at = clock_timestamp(), position = 0, digest = NULL, epoch = r.epoch + 1
WHERE r.heartbeat_at NOT BETWEEN clock_timestamp() - $3::interval AND clock_timestamp() + $3::interval
RETURNING epoch

-- name: beat_rebuilds
UPDATE state.rebuilds SET heartbeat_at = clock_timestamp() WHERE owner = $1

-- name: give_up_rebuild
DELETE FROM state.rebuilds WHERE projection = $1 AND owner = $2

-- name: abandoned_rebuilds
SELECT projection FROM state.rebuilds
WHERE heartbeat_at NOT BETWEEN clock_timestamp() - $1::interval AND clock_timestamp() + $1::interval

-- name: take_lease
-- A rebuild takes a projection over for its swap: whoever folds it now is fenced off.
WITH replica AS (
    INSERT INTO state.replicas (replica, projects) VALUES ($2, false)
    ON CONFLICT (replica) DO UPDATE SET heartbeat_at = clock_timestamp()
)
UPDATE state.checkpoints SET owner = $2, epoch = epoch + 1 WHERE projection = $1
RETURNING position, epoch

-- name: give_lease_back
WITH freed AS (
    UPDATE state.checkpoints SET owner = NULL, epoch = epoch + 1
    WHERE projection = $1 AND owner = $2
), gone AS (
    DELETE FROM state.replicas WHERE replica = $2
)
SELECT pg_notify('projector_lease', '')

-- name: earlier_readers
SELECT projector.earlier_readers()

-- name: act_as_projector
-- Until the transaction ends: what it makes belongs to every projector, whoever makes it.
SET LOCAL ROLE projector_projector

-- name: act_as_oneself
RESET ROLE

-- name: reads_no_view
-- It reads no view, so no swap need wait for it (earlier_readers).
SET LOCAL application_name = 'projector fold'

-- name: still_open
SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}') FROM pg_locks
WHERE virtualtransaction = ANY ($1::text[])

-- name: version
SELECT version FROM state.checkpoints WHERE projection = $1

-- name: swap_checkpoint
UPDATE state.checkpoints
SET position = $3, digest = $4, version = $5, owner = NULL, epoch = epoch + 1,
    moved_at = clock_timestamp(), error = NULL, error_at = NULL
WHERE projection = $1 AND epoch = $2
RETURNING 1

-- name: dead_letters
-- Those that nobody dismissed, or where $1 those that somebody did, or both where it is null; at positions $2 alone, or all where null.
SELECT position, projection, event, error, failed_at, digest,
       state.time_of(dismissed) AS dismissed_at, dismissed_by, reason
FROM state.judged_dead_letters
WHERE ($2::bigint[] IS NULL OR position = ANY ($2)) AND ($1::boolean IS NULL OR (dismissed IS NOT NULL) = $1)
ORDER BY position, projection

-- name: drift
-- What nobody acknowledged, or where $1 what somebody did; of entity $2, id $3, path $4 and account $5, each where
-- not null.
SELECT account_id, entity, entity_id, path, known, reported, state.at(event_ms) AS event_at, position, digest,
       state.time_of(acknowledged) AS acknowledged_at, acknowledged_by, reason
FROM state.judged_drift
WHERE ($1::boolean IS NULL OR (acknowledged IS NOT NULL) = $1)
  AND ($2::text IS NULL OR entity = $2)
  AND ($3::text IS NULL OR entity_id = $3
       OR (entity IN ('user', 'user_settings', 'personal_note') AND entity_key = lower($3)))
  AND ($4::text IS NULL OR path = $4) AND ($5::text IS NULL OR account_id = $5)
ORDER BY account_id, entity, entity_id, path, position

-- name: declared_model
-- What stood declared of account $1 once the events up to moment $2, or all where null,
-- were folded; one row or none. $3 is not asked.
SELECT '' AS user_key, to_jsonb(d.model)::text AS value, d.folded, d.until
FROM state.past_declared_models d
WHERE d.account_id = $1 AND d.folded < coalesce(state.bound($2), '\xff') AND d.until >= coalesce(state.bound($2), '\xff') AND $3::text[] IS NOT NULL

-- name: declared_ranking
SELECT '' AS user_key, d.groups::text AS value, d.folded, d.until
FROM state.past_declared_rankings d
WHERE d.account_id = $1 AND d.folded < coalesce(state.bound($2), '\xff') AND d.until >= coalesce(state.bound($2), '\xff') AND $3::text[] IS NOT NULL

-- name: declared_primary_group
-- The same of the people whose keys are $3.
SELECT d.user_key, to_jsonb(d.group_id)::text AS value, d.folded, d.until
FROM unnest($3::text[]) AS k (user_key)
CROSS JOIN LATERAL (
    SELECT * FROM state.past_declared_primary_groups d
    WHERE d.account_id = $1 AND d.user_key = k.user_key
      AND d.folded < coalesce(state.bound($2), '\xff') AND d.until >= coalesce(state.bound($2), '\xff') OFFSET 0
) d

-- name: unfolded_declaration
-- The newest declaration in the log that is not folded yet; null where there is none.
SELECT max(e.position)
FROM log.events e
WHERE e.source = 'declared'
  AND e.position > (SELECT c.position FROM state.checkpoints c WHERE c.projection = 'declarations')

-- name: groups_of
-- The groups that the view of groups has of account $1.
SELECT g.group_id, g.name FROM state.known_groups g WHERE g.account_id = $1 AND NOT g.removed

-- name: people_by_id
-- People of account $1 whose keys are $2, with their primary group where events tell it.
SELECT u.user_key AS asked, u.user_key, u.user_id, nullif(u.profile ->> 'primary_group_id', '') AS primary_group_id
FROM unnest($2::text[]) AS k (asked)
CROSS JOIN LATERAL (
    SELECT * FROM state.users u
    WHERE u.account_id = $1 AND u.user_key = k.asked AND u.known AND NOT u.removed OFFSET 0
) u

-- name: people_by_email
-- The same by e-mail in lower case: one person or several each. The account is compared outside: inside, without
-- statistics, the planner would read all of it for each e-mail (20,000 took 27 s).
SELECT k.asked, u.user_key, u.user_id, nullif(u.profile ->> 'primary_group_id', '') AS primary_group_id
FROM unnest($2::text[]) AS k (asked)
CROSS JOIN LATERAL (
    SELECT * FROM state.users u WHERE lower(u.email) = k.asked OFFSET 0
) u
WHERE u.account_id = $1 AND u.known AND NOT u.removed

-- name: forget_dead_letters
DELETE FROM state.dead_letters WHERE projection = $1 AND position = ANY ($2::bigint[])

-- name: forget_abandoned_rebuild
DELETE FROM state.rebuilds
WHERE projection = $1
  AND heartbeat_at NOT BETWEEN clock_timestamp() - $2::interval AND clock_timestamp() + $2::interval
RETURNING projection

-- name: shadow_schemas
-- Every schema that a rebuild or verification of a projection made for itself.
SELECT nspname FROM pg_namespace
WHERE nspname ~ ('^rebuild_' || $1 || '_[0-9a-f]{8}(_retired)?$')

-- name: replay_schemas
SELECT nspname FROM pg_namespace
WHERE nspname = $1 AND obj_description(oid, 'pg_namespace') = $2

-- name: views_on
-- $1 names of tables. The views that read them, as they stand.
SELECT DISTINCT format('%I.%I', v.relnamespace::regnamespace, v.relname) AS view,
       pg_get_viewdef(v.oid) AS definition
FROM unnest($1::text[]) AS t (name)
JOIN pg_depend d ON d.refobjid = to_regclass(t.name)
JOIN pg_rewrite r ON r.oid = d.objid
JOIN pg_class v ON v.oid = r.ev_class
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND v.relkind = 'v'
ORDER BY view
