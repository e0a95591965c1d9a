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
-- What a group was from the event of `folded` on, until that of `until`.
CREATE TABLE group_versions (
    account_id text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    position bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    last_position bigint NOT NULL,
    profile jsonb NOT NULL,
    created_ms bigint,
    removed boolean NOT NULL,
    removed_ms bigint,
    cutoff bytea,
    CHECK (folded < until)
) WITH (fillfactor = 85);

-- name: keys
ALTER TABLE groups ADD PRIMARY KEY (account_id, group_id);
ALTER TABLE groups_history ADD PRIMARY KEY (account_id, group_id, position);
ALTER TABLE group_versions ADD PRIMARY KEY (account_id, group_id, folded);

-- name: indexes
CREATE INDEX group_versions_group_id ON group_versions (group_id);
CREATE INDEX groups_group_id ON groups (group_id);
CREATE INDEX groups_drift ON groups (group_id, account_id) WHERE drift <> '[]';
CREATE INDEX group_versions_position ON group_versions (position);
