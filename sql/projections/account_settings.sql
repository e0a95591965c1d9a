-- name: tables
CREATE TABLE account_settings (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    settings jsonb NOT NULL,
    locks jsonb NOT NULL,
    changed_order bytea
) WITH (fillfactor = 85);
CREATE TABLE account_settings_history (
    account_id text NOT NULL,
    position bigint NOT NULL
);

-- name: keys
ALTER TABLE account_settings ADD PRIMARY KEY (account_id);
ALTER TABLE account_settings_history ADD PRIMARY KEY (account_id, position);

-- name: indexes
