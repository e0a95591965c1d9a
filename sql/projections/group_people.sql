-- for each list of: memberships, group_admins
-- name: tables
CREATE TABLE {list} (
    account_id text NOT NULL,
    person_key text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text,
    email text,
    email_order bytea NOT NULL,
    added boolean NOT NULL,
    by text,
    -- Computed from `folded` when a row is written, because look-ups show it for many rows.
    happened_at timestamptz GENERATED ALWAYS AS (state.time_of(folded)) STORED
) WITH (fillfactor = 85);

-- name: keys
-- The group last, so that this index also finds a person's groups.
ALTER TABLE {list} ADD PRIMARY KEY (account_id, person_key, group_id);

-- name: indexes
CREATE INDEX {list}_user_id ON {list} (user_id);
-- Who is listed in a group, to read and to count in the index alone.
CREATE INDEX {list}_listed ON {list} (group_id, account_id) WHERE added AND user_id IS NOT NULL;
CREATE INDEX {list}_by_email ON {list} (group_id, account_id, person_key) WHERE user_id IS NULL;
-- Who has an e-mail in a group: a hash of both keeps the index small. Not partial, or the planner would not know
-- how few rows an e-mail has.
CREATE INDEX {list}_email ON {list} (hashtextextended(lower(email), hashtextextended(group_id, 0)));
