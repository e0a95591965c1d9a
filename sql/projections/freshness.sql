-- name: tables
CREATE TABLE freshness (
    account_id text NOT NULL,
    event text NOT NULL,
    last_event_ms bigint NOT NULL,
    last_received_us bigint NOT NULL,
    events bigint NOT NULL,
    first_received_us bigint NOT NULL
) WITH (fillfactor = 50);

-- `hour`: whole hours since 1970, UTC. Rows of past hours never change, hence no fillfactor.
CREATE TABLE activity (
    account_id text NOT NULL,
    event text NOT NULL,
    hour bigint NOT NULL,
    events bigint NOT NULL
);

-- name: keys
ALTER TABLE freshness ADD PRIMARY KEY (account_id, event);
ALTER TABLE activity ADD PRIMARY KEY (account_id, event, hour);

-- name: indexes
-- The last weeks of an account's event, of which its rhythm is made; the time as the view `activity` shows it.
CREATE INDEX activity_at ON activity (account_id, event, to_timestamp(hour * 3600.0::float8));
