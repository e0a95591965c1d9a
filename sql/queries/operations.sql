-- What `check` and the metrics read. Times are epoch seconds of the server's clock. No statement reads a delivery, and
-- none scans the log.

-- name: now
SELECT extract(epoch FROM clock_timestamp())::float8

-- name: projections
SELECT s.projection, s.position, s.head, s.lag_events, s.lag_seconds, s.state, s.error, c.owner,
       extract(epoch FROM clock_timestamp() - s.moved_at)::float8 AS unmoved_seconds, s.owned, s.rebuild_position
FROM directory.projection_status s JOIN state.checkpoints c USING (projection)
ORDER BY s.projection

-- name: dead_letters
SELECT projection, count(*) AS count, extract(epoch FROM min(failed_at))::float8 AS since
FROM directory.dead_letters GROUP BY projection ORDER BY projection

-- name: drift
SELECT entity, count(*) AS count, extract(epoch FROM min(event_at))::float8 AS since
FROM directory.drift GROUP BY entity ORDER BY entity

-- name: quarantine
SELECT reason, signed, count(*) AS rows, sum(size)::bigint AS bytes,
       extract(epoch FROM min(received_at))::float8 AS since
FROM directory.quarantine GROUP BY reason, signed ORDER BY reason, signed

-- name: refusals
-- Of the hours whose last refusal is at most $1 seconds old.
SELECT reason, sum(refused)::bigint AS refused, extract(epoch FROM min(first_at))::float8 AS first_at,
       extract(epoch FROM max(last_at))::float8 AS last_at
FROM directory.refusals
WHERE last_at >= clock_timestamp() - make_interval(secs => $1)
GROUP BY reason ORDER BY reason

-- name: heard
-- Every event of every account, also those that never came; since when the account is observed.
SELECT f.account_id, f.event, f.events, extract(epoch FROM f.last_received_at)::float8 AS last,
       extract(epoch FROM o.since)::float8 AS since
FROM directory.freshness f LEFT JOIN directory.observation o USING (account_id)
ORDER BY f.account_id, f.event

-- name: activity_shown
SELECT to_regclass('directory.activity') IS NOT NULL

-- name: activity
-- Of the four weeks before each event last came, and of the hours at their edges.
SELECT f.account_id, f.event, (extract(epoch FROM a.hour) / 3600)::bigint AS hour, a.events
FROM directory.freshness f
JOIN directory.activity a ON a.account_id = f.account_id AND a.event = f.event
     AND a.hour > f.last_received_at - interval '28 days 2 hours'
WHERE f.events > 0

-- name: coverage
SELECT account_id, section, extract(epoch FROM complete_at)::float8 AS complete_at, unreadable
FROM directory.coverage ORDER BY account_id, section

-- name: reconcile_running
SELECT EXISTS (SELECT FROM observations.leases l WHERE l.heartbeat_at
               BETWEEN clock_timestamp() - interval '30 seconds' AND clock_timestamp() + interval '30 seconds')

-- name: epoch
SELECT number, epoch, extract(epoch FROM begun_at)::float8 AS begun_at
FROM log.epochs ORDER BY number DESC LIMIT 1

-- name: losses
SELECT epoch, lost, extract(epoch FROM noticed_at)::float8 AS noticed_at,
       extract(epoch FROM first_received_at)::float8 AS first_received_at,
       extract(epoch FROM last_received_at)::float8 AS last_received_at
FROM log.losses ORDER BY noticed_at

-- name: sizes
SELECT coalesce(sum(pg_total_relation_size(oid)) FILTER (WHERE relnamespace = 'log'::regnamespace), 0)::bigint
           AS log,
       coalesce(sum(pg_total_relation_size(oid)) FILTER (WHERE relnamespace = 'state'::regnamespace), 0)::bigint
           AS state
FROM pg_class
WHERE relnamespace IN ('log'::regnamespace, 'state'::regnamespace) AND relkind = 'r'

-- name: folder
-- Where the server keeps its data, if this role may know; and whether we came through a socket of this machine.
SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END
           AS folder,
       inet_server_addr() IS NULL AS local

-- name: default_tablespace
SET LOCAL temp_tablespaces = ''

-- name: extend
-- Makes the server extend a file by a page. The transaction is rolled back, and nothing stays.
CREATE TEMPORARY TABLE room_for_a_page AS SELECT repeat('x', 1000) AS filling FROM generate_series(1, 8)
