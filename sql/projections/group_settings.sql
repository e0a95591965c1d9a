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
    drift jsonb NOT NULL,
    -- Computed when a row is written, because whoever asks for one setting of everybody needs them of every row.
    flags_set jsonb NOT NULL GENERATED ALWAYS AS (state.flags_of(locks, true)) STORED,
    flags_open jsonb NOT NULL GENERATED ALWAYS AS (state.flags_of(locks, false)) STORED
) WITH (fillfactor = 85);
ALTER TABLE group_settings ALTER settings SET STATISTICS 0, ALTER locks SET STATISTICS 0,
    ALTER flags_set SET STATISTICS 0, ALTER flags_open SET STATISTICS 0;
CREATE TABLE group_settings_history (
    account_id text NOT NULL,
    group_id text NOT NULL,
    position bigint NOT NULL
);
-- What they were from the event of `folded` on, until that of `until`: the changes of that event, and now and then
-- the whole.
CREATE TABLE group_settings_versions (
    account_id text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    position bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    locks_delta jsonb NOT NULL,
    shown jsonb,
    locks_shown jsonb,
    settings jsonb,
    locks jsonb,
    last_position bigint NOT NULL,
    changed_order bytea,
    changed_by text,
    removed boolean NOT NULL,
    CHECK (folded < until)
) WITH (fillfactor = 85);
ALTER TABLE group_settings_versions ALTER delta SET STATISTICS 0, ALTER settings SET STATISTICS 0, ALTER locks_delta SET STATISTICS 0, ALTER locks SET STATISTICS 0;

-- Every path that an event ever named.
CREATE TABLE group_setting_paths (
    account_id text NOT NULL,
    path text NOT NULL,
    first_ms bigint NOT NULL
);

-- name: keys
ALTER TABLE group_settings ADD PRIMARY KEY (account_id, group_id);
ALTER TABLE group_settings_history ADD PRIMARY KEY (account_id, group_id, position);
ALTER TABLE group_settings_versions ADD PRIMARY KEY (account_id, group_id, folded);
ALTER TABLE group_setting_paths ADD PRIMARY KEY (account_id, path);

-- name: indexes
CREATE INDEX group_settings_group_id ON group_settings (group_id);
CREATE INDEX group_settings_drift ON group_settings (group_id, account_id) WHERE drift <> '[]';
CREATE INDEX group_settings_versions_group_id ON group_settings_versions (group_id);
CREATE INDEX group_settings_versions_position ON group_settings_versions (position);
