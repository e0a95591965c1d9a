-- name: tables
CREATE TABLE declared_models (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    model text,
    by text
);
CREATE TABLE declared_rankings (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    groups jsonb,
    by text
);
CREATE TABLE declared_primary_groups (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    group_id text,
    by text
);
-- What was declared from the event of `folded` on, until that of `until`.
CREATE TABLE declared_model_versions (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    last_position bigint NOT NULL,
    model text,
    by text,
    CHECK (folded < until)
);
CREATE TABLE declared_ranking_versions (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    last_position bigint NOT NULL,
    groups jsonb,
    by text,
    CHECK (folded < until)
);
CREATE TABLE declared_primary_group_versions (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    group_id text,
    by text,
    CHECK (folded < until)
);

-- name: keys
ALTER TABLE declared_models ADD PRIMARY KEY (account_id);
ALTER TABLE declared_rankings ADD PRIMARY KEY (account_id);
ALTER TABLE declared_primary_groups ADD PRIMARY KEY (account_id, user_key);
ALTER TABLE declared_model_versions ADD PRIMARY KEY (account_id, folded);
ALTER TABLE declared_ranking_versions ADD PRIMARY KEY (account_id, folded);
ALTER TABLE declared_primary_group_versions ADD PRIMARY KEY (account_id, user_key, folded);

-- name: indexes
