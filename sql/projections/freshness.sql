-- name: tables
CREATE TABLE freshness (
    account_id text NOT NULL,
    event text NOT NULL,
    last_event_ms bigint NOT NULL,
    last_received_us bigint NOT NULL,
    events bigint NOT NULL,
    first_received_us bigint NOT NULL
) WITH (fillfactor = 50);

-- name: keys
ALTER TABLE freshness ADD PRIMARY KEY (account_id, event);

-- name: indexes
