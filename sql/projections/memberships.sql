-- name: tables
CREATE TABLE memberships (
    account_id text NOT NULL,
    group_id text NOT NULL,
    person_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text,
    email text,
    email_order bytea NOT NULL,
    added boolean NOT NULL,
    by text
) WITH (fillfactor = 85);

-- name: keys
ALTER TABLE memberships ADD PRIMARY KEY (account_id, group_id, person_key);

-- name: indexes
CREATE INDEX memberships_person ON memberships (account_id, person_key);
CREATE INDEX memberships_user_id ON memberships (user_id);
-- Who is listed in a group, to read and to count without touching rows.
CREATE INDEX memberships_listed ON memberships (group_id, account_id) WHERE added AND user_id IS NOT NULL;
CREATE INDEX memberships_by_email ON memberships (group_id, account_id, person_key) WHERE user_id IS NULL;
-- Without the group: a person's rows share one e-mail, and equal keys are stored once. Not partial: the planner
-- would then not know how few rows an e-mail has.
CREATE INDEX memberships_email ON memberships (account_id, lower(email));
