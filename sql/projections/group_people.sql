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
    told bytea NOT NULL,
    told_added boolean NOT NULL,
    absent bytea NOT NULL,
    in_set boolean NOT NULL,
    -- Computed from the orders when a row is written, because look-ups show them for many rows.
    happened_at timestamptz GENERATED ALWAYS AS (state.time_of(folded)) STORED,
    told_at timestamptz GENERATED ALWAYS AS (CASE WHEN told_added THEN state.time_of(told) END) STORED
) WITH (fillfactor = 85);
-- What somebody was in a group from the event of `folded` on, until that of `until`.
CREATE TABLE {list}_versions (
    account_id text NOT NULL,
    person_key text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text,
    email text,
    email_order bytea,
    added boolean NOT NULL,
    by text,
    told bytea,
    told_added boolean NOT NULL,
    absent bytea NOT NULL,
    in_set boolean NOT NULL,
    CHECK (folded < until)
) WITH (fillfactor = 85);
-- only memberships:
CREATE TABLE observed_groups (
    account_id text NOT NULL,
    person_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    mark bytea NOT NULL,
    groups jsonb NOT NULL,
    lacked jsonb NOT NULL,
    dropped jsonb NOT NULL
) WITH (fillfactor = 85);
ALTER TABLE observed_groups ALTER groups SET STATISTICS 0, ALTER lacked SET STATISTICS 0,
    ALTER dropped SET STATISTICS 0;
CREATE TABLE observed_group_versions (
    account_id text NOT NULL,
    person_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    position bigint NOT NULL,
    mark bytea NOT NULL,
    groups jsonb NOT NULL,
    lacked jsonb NOT NULL,
    dropped jsonb NOT NULL,
    CHECK (folded < until)
) WITH (fillfactor = 85);
ALTER TABLE observed_group_versions ALTER groups SET STATISTICS 0, ALTER lacked SET STATISTICS 0,
    ALTER dropped SET STATISTICS 0;
CREATE TABLE observed_groups_history (
    account_id text NOT NULL,
    person_key text NOT NULL,
    position bigint NOT NULL
);
-- all:

-- name: keys
-- The group last, so that this index also finds a person's groups.
ALTER TABLE {list} ADD PRIMARY KEY (account_id, person_key, group_id);
ALTER TABLE {list}_versions ADD PRIMARY KEY (account_id, person_key, group_id, folded);
-- only memberships:
-- INCLUDE what the counts of groups read.
ALTER TABLE observed_groups ADD PRIMARY KEY (account_id, person_key) INCLUDE (mark);
ALTER TABLE observed_group_versions ADD PRIMARY KEY (account_id, person_key, folded);
ALTER TABLE observed_groups_history ADD PRIMARY KEY (account_id, person_key, position);
-- all:

-- name: indexes
CREATE INDEX {list}_user_id ON {list} (user_id);
-- Who is listed in a group, to read, to count in the index alone, and to page through.
CREATE INDEX {list}_listed ON {list} (group_id, account_id, person_key) WHERE added AND user_id IS NOT NULL;
CREATE INDEX {list}_by_email ON {list} (group_id, account_id, person_key) WHERE user_id IS NULL;
-- Who has an e-mail in a group: a hash of both keeps the index small. Not partial, or the planner would not know
-- how few rows an e-mail has.
CREATE INDEX {list}_email ON {list} (hashtextextended(lower(email), hashtextextended(group_id, 0)));
CREATE INDEX {list}_versions_user_id ON {list}_versions (user_id);
CREATE INDEX {list}_versions_group ON {list}_versions (group_id, account_id, person_key);
CREATE INDEX {list}_versions_by_email ON {list}_versions (group_id, account_id, person_key) WHERE user_id IS NULL;
-- A group's newest, by the time of their events; the whole order would make a large index.
CREATE INDEX {list}_versions_time ON {list}_versions (group_id, account_id, substring(folded FROM 1 FOR 8));
CREATE INDEX {list}_versions_position ON {list}_versions (last_position);
CREATE INDEX {list}_versions_email ON {list}_versions (hashtextextended(lower(email), hashtextextended(group_id, 0)));
-- only memberships:
CREATE INDEX observed_group_versions_time ON observed_group_versions (account_id, folded) WHERE mark = folded;
CREATE INDEX observed_group_versions_position ON observed_group_versions (position);
-- The counts of groups leave out what is older than a person's whole set. Of the rows that no set told, and of the
-- sets that lack what an earlier one had, there are few.
CREATE INDEX memberships_told ON memberships (group_id, account_id)
    WHERE added AND user_id IS NOT NULL AND NOT in_set;
CREATE INDEX observed_groups_dropped ON observed_groups (account_id, person_key) WHERE dropped <> '[]';
-- all:
