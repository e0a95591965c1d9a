-- name: tables
CREATE TABLE user_settings (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    settings jsonb NOT NULL,
    changed_order bytea,
    changed_by text,
    removed boolean NOT NULL,
    drift jsonb NOT NULL
) WITH (fillfactor = 85);
-- Documents are never compared: statistics of them take most of an ANALYZE and tell the planner nothing.
ALTER TABLE user_settings ALTER settings SET STATISTICS 0;
CREATE TABLE user_settings_history (
    account_id text NOT NULL,
    user_key text NOT NULL,
    position bigint NOT NULL
);
-- What they were from the event of `folded` on, until that of `until`: the changes of that event, and now and then
-- the whole.
CREATE TABLE user_settings_versions (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    position bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    shown jsonb,
    settings jsonb,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    changed_order bytea,
    changed_by text,
    removed boolean NOT NULL,
    CHECK (folded < until)
) WITH (fillfactor = 85);
ALTER TABLE user_settings_versions ALTER delta SET STATISTICS 0, ALTER shown SET STATISTICS 0, ALTER settings SET STATISTICS 0;

-- Every path that an event ever named.
CREATE TABLE user_setting_paths (
    account_id text NOT NULL,
    path text NOT NULL,
    first_ms bigint NOT NULL
);

-- name: keys
ALTER TABLE user_settings ADD PRIMARY KEY (account_id, user_key);
ALTER TABLE user_settings_history ADD PRIMARY KEY (account_id, user_key, position);
ALTER TABLE user_settings_versions ADD PRIMARY KEY (account_id, user_key, folded);
ALTER TABLE user_setting_paths ADD PRIMARY KEY (account_id, path);

-- name: indexes
CREATE INDEX user_settings_user_id ON user_settings (user_id);
CREATE INDEX user_settings_drift ON user_settings (user_key, account_id) WHERE drift <> '[]';
CREATE INDEX user_settings_versions_user_id ON user_settings_versions (user_id);
CREATE INDEX user_settings_versions_position ON user_settings_versions (position);
