-- name: tables
CREATE TABLE presence (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    email text,
    email_order bytea NOT NULL,
    presence_status text,
    app_type text,
    app_presence_status text
) WITH (fillfactor = 70);
CREATE TABLE notes (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    email text,
    email_order bytea NOT NULL,
    note text,
    known boolean NOT NULL,
    note_order bytea,
    removed boolean NOT NULL,
    drift jsonb NOT NULL
) WITH (fillfactor = 85);
CREATE TABLE notes_history (
    account_id text NOT NULL,
    user_key text NOT NULL,
    position bigint NOT NULL
);
CREATE TABLE note_versions (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    position bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    user_id text NOT NULL,
    CHECK (folded < until)
) WITH (fillfactor = 85);
ALTER TABLE note_versions ALTER delta SET STATISTICS 0;

-- name: keys
ALTER TABLE presence ADD PRIMARY KEY (account_id, user_key);
ALTER TABLE notes ADD PRIMARY KEY (account_id, user_key);
ALTER TABLE note_versions ADD PRIMARY KEY (account_id, user_key, folded);
ALTER TABLE notes_history ADD PRIMARY KEY (account_id, user_key, position);

-- name: indexes
CREATE INDEX presence_user_id ON presence (user_id);
CREATE INDEX notes_user_id ON notes (user_id);
CREATE INDEX notes_drift ON notes (user_key, account_id) WHERE drift <> '[]';
CREATE INDEX note_versions_position ON note_versions (position);
