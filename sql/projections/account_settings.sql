-- name: tables
CREATE TABLE account_settings (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    settings jsonb NOT NULL,
    locks jsonb NOT NULL,
    changed_order bytea,
    -- Computed when a row is written, because whoever asks for one setting of everybody needs them of every row.
    flags_set jsonb NOT NULL GENERATED ALWAYS AS (state.flags_of(locks, true)) STORED,
    flags_open jsonb NOT NULL GENERATED ALWAYS AS (state.flags_of(locks, false)) STORED
) WITH (fillfactor = 85);
CREATE TABLE account_settings_history (
    account_id text NOT NULL,
    position bigint NOT NULL
);
-- What they were from the event of `folded` on, until that of `until`: the changes of that event, and now and then
-- the whole.
CREATE TABLE account_settings_versions (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    position bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    locks_delta jsonb NOT NULL,
    settings jsonb,
    locks jsonb,
    last_position bigint NOT NULL,
    changed_order bytea,
    CHECK (folded < until)
) WITH (fillfactor = 85);
ALTER TABLE account_settings_versions ALTER delta SET STATISTICS 0, ALTER settings SET STATISTICS 0, ALTER locks_delta SET STATISTICS 0, ALTER locks SET STATISTICS 0;

-- Every path that an event ever named.
CREATE TABLE account_setting_paths (
    account_id text NOT NULL,
    path text NOT NULL,
    first_ms bigint NOT NULL
);

-- name: keys
ALTER TABLE account_settings ADD PRIMARY KEY (account_id);
ALTER TABLE account_settings_history ADD PRIMARY KEY (account_id, position);
ALTER TABLE account_settings_versions ADD PRIMARY KEY (account_id, folded);
ALTER TABLE account_setting_paths ADD PRIMARY KEY (account_id, path);

-- name: indexes
CREATE INDEX account_settings_versions_position ON account_settings_versions (position);
