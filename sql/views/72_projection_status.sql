-- How far projections are.

CREATE OR REPLACE VIEW directory.projection_status AS
SELECT
    c.projection,
    c.position,
    h.head,
    greatest(h.head - c.position, 0) AS lag_events,
    coalesce(greatest(extract(epoch FROM clock_timestamp() - w.received_at), 0), 0)::float8
        AS lag_seconds,
    CASE
        WHEN c.position > h.head THEN 'beyond head'
        WHEN c.wanted > c.version AND NOT o.alive THEN 'stale'
        WHEN b.projection IS NOT NULL THEN 'rebuilding'
        WHEN NOT o.alive THEN 'idle'
        WHEN c.error IS NOT NULL THEN 'waiting'
        ELSE 'live'
    END AS state,
    o.alive AS owned,
    c.moved_at,
    c.error,
    b.position AS rebuild_position
FROM state.checkpoints c
CROSS JOIN (SELECT coalesce(max(e.position), 0) AS head FROM log.events e) h
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM state.replicas r
        WHERE r.replica = c.owner
          AND r.heartbeat_at BETWEEN clock_timestamp() - interval '10 seconds'
                                 AND clock_timestamp() + interval '10 seconds'
    ) AS alive
) o
LEFT JOIN state.rebuilds b
    ON b.projection = c.projection
    AND b.heartbeat_at BETWEEN clock_timestamp() - interval '10 seconds'
                           AND clock_timestamp() + interval '10 seconds'
LEFT JOIN LATERAL (
    SELECT e.received_at FROM log.events e
    WHERE e.position > c.position ORDER BY e.position LIMIT 1
) w ON true;

COMMENT ON VIEW directory.projection_status IS
    'How far each projection has folded the log: one row a projection. The views that it feeds show the directory as of its position.';
COMMENT ON COLUMN directory.projection_status.projection IS 'Name of the projection.';
COMMENT ON COLUMN directory.projection_status.position IS 'Position in the log up to which it has folded.';
COMMENT ON COLUMN directory.projection_status.head IS 'Greatest position of the log.';
COMMENT ON COLUMN directory.projection_status.lag_events IS 'Events that it has still to fold.';
COMMENT ON COLUMN directory.projection_status.lag_seconds IS 'Seconds since the receipt of the oldest of them; 0 where there is none.';
COMMENT ON COLUMN directory.projection_status.state IS 'live; waiting: after an error, to be tried again; idle: no replica has its lease; rebuilding: live, and being rebuilt beside; stale: a newer release rebuilds it and no replica of the older release keeps it up to date; beyond head: the log lacks events that it has folded, as after restoring a backup.';
COMMENT ON COLUMN directory.projection_status.owned IS 'Whether a live replica has its lease.';
COMMENT ON COLUMN directory.projection_status.moved_at IS 'When its position last moved, by the server''s clock.';
COMMENT ON COLUMN directory.projection_status.error IS 'What it waits for, or null.';
COMMENT ON COLUMN directory.projection_status.rebuild_position IS 'How far a rebuild is that runs now; null where none does.';

GRANT SELECT ON directory.projection_status TO directory_reader;
