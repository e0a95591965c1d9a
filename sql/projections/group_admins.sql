-- name: tables
CREATE TABLE group_admins (
    account_id text NOT NULL,
    group_id text NOT NULL,
    person_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text,
    email text,
    email_order bytea NOT NULL,
    added boolean NOT NULL,
    by text,
    -- Of `folded`: look-ups show it row by row.
    happened_at timestamptz GENERATED ALWAYS AS (state.time_of(folded)) STORED
) WITH (fillfactor = 85);

-- name: keys
-- The group last: so it serves to find a person's groups, too.
ALTER TABLE group_admins ADD PRIMARY KEY (account_id, person_key, group_id);

-- name: indexes
CREATE INDEX group_admins_user_id ON group_admins (user_id);
-- Who is listed in a group, to read and to count without touching rows.
CREATE INDEX group_admins_listed ON group_admins (group_id, account_id) WHERE added AND user_id IS NOT NULL;
CREATE INDEX group_admins_by_email ON group_admins (group_id, account_id, person_key) WHERE user_id IS NULL;
-- Who has an e-mail in a group: a hash of both, for the index to be small. Not partial: the planner would then
-- not know how few rows an e-mail has.
CREATE INDEX group_admins_email ON group_admins (hashtextextended(lower(email), hashtextextended(group_id, 0)));
