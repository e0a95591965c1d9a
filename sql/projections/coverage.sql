-- name: tables
CREATE TABLE coverage (
    account_id text NOT NULL,
    section text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    complete_order bytea NOT NULL,
    read bigint,
    new bigint,
    repaired bigint,
    gone bigint,
    unreadable text
) WITH (fillfactor = 50);

-- name: keys
ALTER TABLE coverage ADD PRIMARY KEY (account_id, section);

-- name: indexes
