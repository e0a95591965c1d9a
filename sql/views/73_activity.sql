-- needs: freshness 2
-- How busy an account is, and when.

CREATE OR REPLACE VIEW directory.activity AS
SELECT a.account_id, a.event, to_timestamp(a.hour * 3600.0::float8) AS hour, a.events
FROM state.activity a;

COMMENT ON VIEW directory.activity IS
    'Deliveries counted by the hour of their receipt: one row for each account, event and hour in which some came. What an account''s silence means shows against it.';
COMMENT ON COLUMN directory.activity.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.activity.event IS 'Name of the event.';
COMMENT ON COLUMN directory.activity.hour IS 'Beginning of the hour of receipt, UTC.';
COMMENT ON COLUMN directory.activity.events IS 'Number of distinct events received within that hour.';

GRANT SELECT ON directory.activity TO directory_reader;
