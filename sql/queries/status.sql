-- name: projections
SELECT s.projection, s.position, s.head, s.lag_events, s.lag_seconds, s.state, c.owner, c.version,
       c.error
FROM directory.projection_status s JOIN state.checkpoints c USING (projection)
ORDER BY s.projection

-- name: standing
SELECT (SELECT count(*) FROM directory.dead_letters) AS dead_letters,
       (SELECT count(*) FROM directory.drift) AS drift

-- name: freshness
SELECT account_id, max(last_received_at) AS last_received_at, sum(events)::bigint AS events
FROM directory.freshness WHERE events > 0 GROUP BY account_id ORDER BY account_id

-- name: accounts
SELECT DISTINCT account_id FROM state.freshness

-- name: behind
SELECT projection, position FROM state.checkpoints WHERE position < $1 ORDER BY position
