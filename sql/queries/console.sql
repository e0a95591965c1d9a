-- name: as_reader
-- For one transaction: behind a pooler nothing may outlive it.
SET LOCAL ROLE directory_reader

-- name: projections
SELECT projection, position, head, lag_events, lag_seconds, state
FROM directory.projection_status ORDER BY projection
