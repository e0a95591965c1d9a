-- name: append
-- Arrays of texts come in PostgreSQL's own text form.
SELECT at_position, duplicate FROM log.append($1, $2::text::text[], $3, $4::text::text[],
    $5::text::text[], $6, $7, $8::text::text[], $9)

-- name: append_webhooks
-- The same for an ingress, which may append nothing else.
SELECT at_position, duplicate FROM log.append_webhooks($1, $2::text::text[], $3, $4::text::text[],
    $5::text::text[], $6, $7::text::text[], $8)

-- name: append_nothing
SELECT count(*) FROM log.append_webhooks('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')

-- name: head
SELECT coalesce(max(position), 0) FROM log.events

-- name: read
SELECT at_position, received_us, digest, body, own FROM log.read($1, $2, $3, $4)

-- name: scan
-- Backwards: the last events after position $1 up to $2, at most $3 rows and $4 bytes of bodies, but one row
-- always; $5 of these events alone, as the log names them, or all where null. A repeated event (below) comes
-- like any other: one look at all of the log costs less than a look-up for every row of it.
SELECT r.position, log.microseconds(r.received_at), r.digest, r.body, log.is_own(r.source)
FROM (
    SELECT e.position, e.received_at, e.digest, e.source, e.body,
           sum(coalesce(octet_length(e.body), 0)) OVER (ORDER BY e.position DESC ROWS UNBOUNDED PRECEDING)
               AS bytes,
           row_number() OVER (ORDER BY e.position DESC) AS number
    FROM (
        SELECT position, received_at, digest, source, body FROM log.events
        WHERE position > $1 AND position <= $2 AND ($5::text[] IS NULL OR event = ANY ($5))
        ORDER BY position DESC LIMIT $3
    ) e
) r
WHERE r.bytes <= $4 OR r.number = 1
ORDER BY r.position DESC

-- name: repeated
-- Positions up to $1 of events whose bytes stand at an earlier position: they count for nothing.
SELECT e.position
FROM (
    SELECT event_ts, digest FROM log.events
    WHERE event_ts IS NOT NULL GROUP BY event_ts, digest HAVING count(*) > 1
) r
JOIN log.events e USING (event_ts, digest)
WHERE e.position <= $1 AND EXISTS (
    SELECT FROM log.events earlier
    WHERE earlier.event_ts = e.event_ts AND earlier.digest = e.digest AND earlier.position < e.position
      AND log.is_own(earlier.source) = log.is_own(e.source)
)
ORDER BY e.position

-- name: accounts_at_ends
-- The accounts of the first and of the last $1 events.
SELECT DISTINCT account_id
FROM ((SELECT account_id FROM log.events ORDER BY position LIMIT $1)
      UNION ALL (SELECT account_id FROM log.events ORDER BY position DESC LIMIT $1)) e
WHERE account_id IS NOT NULL

-- name: end_of
-- The last event up to a position.
SELECT position, digest FROM log.events WHERE position <= $1 ORDER BY position DESC LIMIT 1

-- name: last_received_by
-- The last position before the first event that was received after $1.
SELECT coalesce(
    (SELECT position - 1 FROM log.events WHERE received_at > $1 ORDER BY position LIMIT 1),
    (SELECT max(position) FROM log.events), 0)

-- name: read_positions
SELECT e.position, log.microseconds(e.received_at), e.digest, e.body, log.is_own(e.source)
FROM log.events e
WHERE e.position = ANY ($1::bigint[])
ORDER BY e.position

-- name: read_events
SELECT position, replace(event, '.members_deleted', '.member_deleted') AS event, source
FROM log.events WHERE position = ANY ($1::bigint[])

-- name: row_at
SELECT position, event, event_ts, received_at, source, account_id, request_id, digest, body FROM log.events
WHERE position = $1

-- name: digest_at
SELECT digest FROM log.events WHERE position = $1

-- name: append_lock_holders
-- The session may be idle: in a transaction, or with a session-level lock. Of another role's session only the
-- pid is visible to whoever is no member of pg_monitor.
SELECT a.pid, a.application_name, a.state, a.client_addr::text AS client,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change))::float8 AS seconds
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.classid = 7017 AND l.objid = 1 AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.granted

-- name: forget_digests
SELECT log.forget_digests($1, $2)

-- name: seal
SELECT at_position, new_chain FROM log.seal($1)

-- name: seals
-- The next $2 after position $1.
SELECT position, chain, rows FROM log.seals WHERE position > $1 ORDER BY position LIMIT $2

-- name: chained
SELECT chain, rows FROM log.chained($1, $2, $3)

-- name: missing
-- The first $3 stretches of positions after $1 up to $2 that have no row.
SELECT g.position + 1, g.next - 1
FROM (
    SELECT p.position, lead(p.position, 1, $2::bigint + 1) OVER (ORDER BY p.position) AS next
    FROM (SELECT $1::bigint AS position
          UNION ALL SELECT position FROM log.events WHERE position > $1 AND position <= $2) p
) g
WHERE g.next > g.position + 1
ORDER BY g.position LIMIT $3

-- name: bodies_unlike_digests
-- The first $3 positions after $1 up to $2 whose body is not the one that its digest tells.
SELECT position FROM log.events
WHERE position > $1 AND position <= $2 AND sha256(body) <> digest
ORDER BY position LIMIT $3

-- name: before_the_first
-- The first $1 rows at no position of the log.
SELECT position FROM log.events WHERE position < 1 ORDER BY position LIMIT $1
-- name: count_refusals
SELECT log.count_refusals($1, $2, $3, $4)

-- name: forget_refusals
SELECT log.forget_refusals($1)

-- name: export
-- The events after position $1 up to $3: at most $2 rows and $4 bytes of bodies, but always one row.
-- `repeated`: the same bytes are at an earlier position too.
SELECT r.position, r.received_at, r.request_id, r.source, r.body,
       EXISTS (
           SELECT FROM log.events earlier
           WHERE earlier.event_ts = r.event_ts AND earlier.digest = r.digest
             AND earlier.position < r.position
             AND log.is_own(earlier.source) = log.is_own(r.source)
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
-- Which of these (event_ts $1, digest $2, whether it is a fact of our own $3) are in the log, also where
-- log.digests has forgotten them: their places in the arrays, from 1.
SELECT u.ord
FROM unnest($1::bigint[], $2::bytea[], $3::boolean[]) WITH ORDINALITY AS u (event_ts, digest, own, ord)
WHERE EXISTS (
    SELECT FROM log.events e
    WHERE e.event_ts = u.event_ts AND e.digest = u.digest AND log.is_own(e.source) = u.own
)

-- name: sent_at
-- The deliveries of these event times, as far as they are not erased.
SELECT e.event_ts, e.request_id, e.digest, e.body FROM log.events e
WHERE e.event_ts = ANY ($1::bigint[]) AND NOT log.is_own(e.source)

-- name: epoch
SELECT log.epoch()

-- name: new_epoch
-- Unless $1 is in force no more.
SELECT log.epoch($1)

-- name: epoch_after
SELECT log.epoch_after($1, $2, $3)

-- name: note_losses
SELECT place, news FROM log.note_losses($1, $2, $3, $4)
