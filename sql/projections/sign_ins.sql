-- name: tables
CREATE TABLE sign_ins (
    account_id text NOT NULL,
    user_key text NOT NULL,
    client_type text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    email text,
    email_order bytea NOT NULL,
    signed_in boolean NOT NULL,
    signed_in_order bytea NOT NULL,
    login_type bigint,
    version text
) WITH (fillfactor = 85);
CREATE TABLE sign_out_marks (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL
);
CREATE TABLE sign_in_moments (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    position bigint NOT NULL,
    signed_in boolean NOT NULL
);

-- name: keys
ALTER TABLE sign_ins ADD PRIMARY KEY (account_id, user_key, client_type);
ALTER TABLE sign_out_marks ADD PRIMARY KEY (account_id, user_key);
ALTER TABLE sign_in_moments ADD PRIMARY KEY (account_id, user_key, folded);

-- name: indexes
CREATE INDEX sign_ins_user_id ON sign_ins (user_id);
CREATE INDEX sign_in_moments_position ON sign_in_moments (position);
