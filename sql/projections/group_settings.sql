-- name: tables
CREATE TABLE group_settings (
    account_id text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    settings jsonb NOT NULL,
    locks jsonb NOT NULL,
    changed_order bytea,
    changed_by text,
    removed boolean NOT NULL,
    drift jsonb NOT NULL
) WITH (fillfactor = 85);
ALTER TABLE group_settings ALTER settings SET STATISTICS 0, ALTER locks SET STATISTICS 0;
CREATE TABLE group_settings_history (
    account_id text NOT NULL,
    group_id text NOT NULL,
    position bigint NOT NULL
);

-- name: keys
ALTER TABLE group_settings ADD PRIMARY KEY (account_id, group_id);
ALTER TABLE group_settings_history ADD PRIMARY KEY (account_id, group_id, position);

-- name: indexes
CREATE INDEX group_settings_group_id ON group_settings (group_id);
CREATE INDEX group_settings_drift ON group_settings (account_id) WHERE drift <> '[]';
