-- name: append
SELECT at_position, duplicate FROM log.append($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: head
SELECT coalesce(max(position), 0) FROM log.events

-- name: read
SELECT at_position, received_us, digest, body FROM log.read($1, $2, $3, $4)

-- name: read_events
SELECT at_position, received_us, digest, body FROM log.read($1, $2, $3, $4, $5)

-- name: end_of
-- The last event up to a position.
SELECT position, digest FROM log.events WHERE position <= $1 ORDER BY position DESC LIMIT 1

-- name: read_positions
SELECT e.position, log.microseconds(e.received_at), e.digest, e.body
FROM log.events e
WHERE e.position = ANY ($1::bigint[])
ORDER BY e.position

-- name: digest_at
SELECT digest FROM log.events WHERE position = $1

-- name: append_lock_holders
-- A lock that outlives its transaction is held by a session that may be idle. Other roles' sessions tell
-- their number alone to who is no monitor.
SELECT a.pid, a.application_name, a.state, a.client_addr::text AS client,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change))::float8 AS seconds
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.classid = 7017 AND l.objid = 1 AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.granted

-- name: forget_digests
SELECT log.forget_digests($1, $2)

-- name: export
-- $1 after this position, $2 at most so many rows, $3 up to this position, $4 at most so many bytes of
-- bodies, but one row always. `repeated`: the same bytes stand at an earlier position.
SELECT r.position, r.received_at, r.request_id, r.source, r.body,
       EXISTS (
           SELECT FROM log.events earlier
           WHERE earlier.event_ts = r.event_ts AND earlier.digest = r.digest
             AND earlier.position < r.position
       ) AS repeated
FROM (
    SELECT e.position, e.received_at, e.request_id, e.source, e.digest, e.event_ts, e.body,
           sum(octet_length(e.body)) OVER (ORDER BY e.position ROWS UNBOUNDED PRECEDING) AS bytes,
           row_number() OVER (ORDER BY e.position) AS number
    FROM log.events e
    WHERE e.position > $1 AND e.position <= $3
    ORDER BY e.position
    LIMIT $2
) r
WHERE r.bytes <= $4 OR r.number = 1 OR r.bytes IS NULL
ORDER BY r.position

-- name: present
-- Which of these (event_ts $1, digest $2) stand in the log, however long ago they were forgotten: their
-- places in the arrays, from 1.
SELECT u.ord
FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS u (event_ts, digest, ord)
WHERE EXISTS (
    SELECT FROM log.events e WHERE e.event_ts = u.event_ts AND e.digest = u.digest
)
