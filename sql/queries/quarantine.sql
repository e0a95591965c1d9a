-- name: keep
SELECT log.keep($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: list
-- The newest $1 rows, without their bodies.
SELECT id, received_at, reason, event, signed, request_id, size
FROM log.quarantine ORDER BY id DESC LIMIT $1

-- name: one
SELECT id, received_at, reason, event, signed, request_id, size, body FROM log.quarantine WHERE id = $1

-- name: present
-- Which of the rows $1 are there.
SELECT id FROM log.quarantine WHERE id = ANY ($1::bigint[])

-- name: totals
SELECT count(*), coalesce(sum(size), 0)::bigint, count(*) FILTER (WHERE signed)
FROM log.quarantine

-- name: read
-- At most $2 rows after id $1.
SELECT id, received_at, request_id, timestamp_header, signature_header, body
FROM log.quarantine WHERE id > $1 ORDER BY id LIMIT $2

-- name: release
DELETE FROM log.quarantine WHERE id = ANY ($1::bigint[])

-- name: purge
-- $1: only rows received before this time, or null; $2: only rows of these ids, or null.
WITH gone AS (
    DELETE FROM log.quarantine
    WHERE received_at < coalesce($1::timestamptz, 'infinity')
      AND ($2::bigint[] IS NULL OR id = ANY ($2::bigint[]))
    RETURNING 1
)
SELECT count(*) FROM gone
