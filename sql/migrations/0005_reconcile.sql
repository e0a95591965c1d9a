-- serves: 1
-- What a run of `reconcile` needs beside the log: that it is the only one of its account, and how far it is.
-- What it found is in the log; everything here may go.
--
-- Invariants
--   1. At most one run an account: the holder of the lease, alive while its heartbeat is recent by the server's
--      clock. No session holds anything, so a pooler may stand between.
--   2. A run that is not in observations.runs is finished. Its progress went with it.

CREATE SCHEMA observations;

CREATE TABLE observations.leases (
    account_id   text PRIMARY KEY,
    owner        text NOT NULL,
    taken_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Unfinished runs. `asked`: the sections that it was asked for; a run asked for others is another one.
CREATE TABLE observations.runs (
    run        text PRIMARY KEY,
    account_id text NOT NULL,
    asked      text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (account_id, asked)
);

-- What an unfinished run has done, step by step. `done`: JSON, compressed with zlib.
CREATE TABLE observations.progress (
    run     text NOT NULL REFERENCES observations.runs ON DELETE CASCADE,
    section text NOT NULL,
    step    text NOT NULL,
    done    bytea NOT NULL,
    PRIMARY KEY (run, section, step)
);
ALTER TABLE observations.progress ALTER done SET STORAGE EXTERNAL;
