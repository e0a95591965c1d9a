-- name: tables
CREATE TABLE dismissed_dead_letters (
    digest text NOT NULL,
    projection text NOT NULL,
    folded bytea NOT NULL,
    dismissed_by text,
    reason text
);
CREATE TABLE acknowledged_drift (
    account_id text NOT NULL,
    entity_key text NOT NULL,
    entity text NOT NULL,
    path_digest text NOT NULL,
    digest text NOT NULL,
    folded bytea NOT NULL,
    acknowledged_by text,
    reason text
);

-- name: keys
ALTER TABLE dismissed_dead_letters ADD PRIMARY KEY (digest, projection);
ALTER TABLE acknowledged_drift ADD PRIMARY KEY (account_id, entity_key, entity, path_digest, digest);

-- name: indexes
