-- name: tables
CREATE TABLE groups (
    account_id text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    profile jsonb NOT NULL,
    created_ms bigint,
    removed boolean NOT NULL,
    removed_ms bigint,
    cutoff bytea,
    drift jsonb NOT NULL
) WITH (fillfactor = 85);
CREATE TABLE groups_history (
    account_id text NOT NULL,
    group_id text NOT NULL,
    position bigint NOT NULL
);

-- name: keys
ALTER TABLE groups ADD PRIMARY KEY (account_id, group_id);
ALTER TABLE groups_history ADD PRIMARY KEY (account_id, group_id, position);

-- name: indexes
CREATE INDEX groups_group_id ON groups (group_id);
CREATE INDEX groups_drift ON groups (account_id) WHERE drift <> '[]';
