-- name: tables
CREATE TABLE users (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    spelled_by_lifecycle boolean NOT NULL,
    status text NOT NULL,
    pending_order bytea,
    profile jsonb NOT NULL,
    custom_attributes jsonb NOT NULL,
    creation_type text,
    created_ms bigint,
    removed boolean NOT NULL,
    removed_ms bigint,
    cutoff bytea,
    drift jsonb NOT NULL,
    observed_created_ms bigint,
    -- A column of its own, so that joins need not read the profile, and a change of the profile that leaves the
    -- e-mail alone changes no index.
    email text GENERATED ALWAYS AS (profile ->> 'email') STORED,
    -- Whether an event is folded into the row. Unlike the position it rarely changes, so an index can hold it.
    known boolean GENERATED ALWAYS AS (last_position > 0) STORED,
    -- What lists of people are sorted by, and searched in: short enough for an index that has nearly nothing else.
    sort_key text COLLATE "C" GENERATED ALWAYS AS (
        state.capped(state.searchable(coalesce(
            state.name_of(profile), nullif(profile ->> 'email', ''), user_id)), 160)
    ) STORED,
    search text COLLATE "C" GENERATED ALWAYS AS (
        state.capped(state.searchable(
            coalesce(profile ->> 'email', '') || E'\n' || user_key
            || E'\n' || coalesce(left(profile ->> 'display_name', 200), '')
            || CASE WHEN profile ->> 'display_name'
                    = (profile ->> 'first_name') || ' ' || (profile ->> 'last_name') THEN ''
                ELSE E'\n' || coalesce(left(profile ->> 'first_name', 100), '')
                    || ' ' || coalesce(left(profile ->> 'last_name', 100), '') END), 1200)
    ) STORED
) WITH (fillfactor = 85);
ALTER TABLE users ALTER profile SET STATISTICS 0, ALTER custom_attributes SET STATISTICS 0;
CREATE TABLE users_history (
    account_id text NOT NULL,
    user_key text NOT NULL,
    position bigint NOT NULL
);
-- What a user was from the event of `folded` on, until that of `until`.
CREATE TABLE user_versions (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    position bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    status text NOT NULL,
    pending_order bytea,
    profile jsonb NOT NULL,
    custom_attributes jsonb NOT NULL,
    creation_type text,
    created_ms bigint,
    removed boolean NOT NULL,
    removed_ms bigint,
    cutoff bytea,
    observed_created_ms bigint,
    CHECK (folded < until)
) WITH (fillfactor = 85);
ALTER TABLE user_versions ALTER profile SET STATISTICS 0, ALTER custom_attributes SET STATISTICS 0,
    ALTER delta SET STATISTICS 0;
CREATE TABLE removed_emails (
    account_id text NOT NULL,
    email_key text NOT NULL,
    cutoff bytea NOT NULL,
    last_position bigint NOT NULL,
    by text
);
CREATE TABLE removed_email_versions (
    account_id text NOT NULL,
    email_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    position bigint NOT NULL,
    by text,
    CHECK (folded < until)
);

-- name: keys
-- INCLUDE what other views show of a user, so that they need not read the rows, which are wide. An index entry
-- has at most about 2,700 bytes, and this one is the widest: the folds limit ids accordingly.
ALTER TABLE users ADD PRIMARY KEY (account_id, user_key)
    INCLUDE (user_id, email, status, pending_order, removed, cutoff, known);
ALTER TABLE users_history ADD PRIMARY KEY (account_id, user_key, position);
ALTER TABLE removed_emails ADD PRIMARY KEY (account_id, email_key);
ALTER TABLE user_versions ADD PRIMARY KEY (account_id, user_key, folded);
ALTER TABLE removed_email_versions ADD PRIMARY KEY (account_id, email_key, folded);

-- name: indexes
CREATE INDEX users_user_id ON users (user_id);
CREATE INDEX users_email ON users (lower(email));
CREATE INDEX users_drift ON users (user_key, account_id) WHERE drift <> '[]';
CREATE INDEX users_pending ON users (account_id) WHERE status = 'pending';
-- Users whose removal may hide rows of other tables: the counts of groups leave those out.
CREATE INDEX users_ended ON users (account_id, user_key) INCLUDE (cutoff, removed) WHERE cutoff IS NOT NULL;
-- Everybody, in the order of lists, with what lists are searched in and filtered by.
CREATE INDEX users_listed ON users (sort_key, account_id, user_key)
    INCLUDE (search, status, pending_order, removed) WHERE known;
CREATE INDEX user_versions_user_id ON user_versions (user_id);
CREATE INDEX user_versions_email ON user_versions (lower(profile ->> 'email'));
-- Removals by time, and the versions since of those who came back.
CREATE INDEX user_versions_ended ON user_versions (account_id, folded)
    WHERE cutoff IS NOT NULL AND (NOT removed OR cutoff = folded);
CREATE INDEX user_versions_position ON user_versions (position);
CREATE INDEX removed_email_versions_position ON removed_email_versions (position);
