-- serves: 1
-- An acknowledgement holds on as many servers as the database demands; and what a failover lost is known.
--
-- Invariants
--   1. Whatever log.append() answers, its commit has waited for the synchronous standbys, at a place in the WAL
--      after that of every event that it names: a duplicate is as durable as a first copy.
--   2. A promotion begins an epoch, and whoever knows an event that the log has no more begins one, once.
--   3. A delivery that was acknowledged and is gone is counted once an epoch, whoever acknowledged it how often.
--
-- What an ingress calls are functions of the owner: its role needs no right on a table. Their search path is pinned.

CREATE OR REPLACE FUNCTION log.append(
    p_received_at timestamptz[], p_event text[], p_event_ts bigint[], p_account_id text[],
    p_request_id text[], p_digest bytea[], p_source text, p_verified_by text[], p_body bytea[]
) RETURNS TABLE (at_position bigint, duplicate boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1500ms' SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_head bigint;
    v_new_head bigint;
BEGIN
    PERFORM log.take_append_lock();
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'log.append() needs READ COMMITTED: a fixed snapshot would not see the head';
    END IF;
    -- Not the function's own SET clause: that would end with the function, before the commit.
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    -- A commit that is not replicated says so by a warning, which must reach the client.
    IF current_setting('client_min_messages') = 'error' THEN
        PERFORM set_config('client_min_messages', 'warning', true);
    END IF;
    -- Behind a pooler the commit is a call of its own. A client whose machine fails before it must not keep
    -- the lock until the network notices.
    PERFORM set_config('idle_in_transaction_session_timeout', '2s', true);
    SELECT coalesce(max(e.position), 0) INTO v_head FROM log.events e;

    -- A sub-select looks the index up once a row. A join, planned while the log is empty, would compare every
    -- row with every other, or read all digests.
    RETURN QUERY
    WITH incoming AS (
        SELECT u.*,
               CASE WHEN log.is_own(p_source) THEN -2 - coalesce(u.event_ts, 0)
                    ELSE coalesce(u.event_ts, -1) END AS ts_key,
               min(u.ord) OVER (PARTITION BY u.event_ts, u.digest) AS first_ord
        FROM unnest(p_received_at, p_event, p_event_ts, p_account_id, p_request_id, p_digest,
                    p_verified_by, p_body)
             WITH ORDINALITY AS u (received_at, event, event_ts, account_id, request_id, digest,
                                   verified_by, body, ord)
    ), looked_up AS MATERIALIZED (
        SELECT i.*, (SELECT d.position FROM log.digests d
                     WHERE d.event_ts = i.ts_key AND d.digest = i.digest) AS known_at
        FROM incoming i
    ), placed AS (
        SELECT l.*, l.known_at IS NULL AND l.ord = l.first_ord AS fresh,
               coalesce(l.known_at, v_head + dense_rank() OVER (
                   PARTITION BY l.known_at IS NULL ORDER BY l.first_ord)) AS position
        FROM looked_up l
    ), remembered AS (
        INSERT INTO log.digests (event_ts, digest, position)
        SELECT p.ts_key, p.digest, p.position FROM placed p WHERE p.fresh
    ), appended AS (
        INSERT INTO log.events (position, received_at, event, event_ts, account_id, request_id,
                                digest, source, verified_by, body)
        SELECT p.position, p.received_at, p.event, p.event_ts, p.account_id, p.request_id,
               p.digest, p_source, p.verified_by, p.body
        FROM placed p WHERE p.fresh
        ORDER BY p.position
    )
    SELECT p.position, NOT p.fresh FROM placed p ORDER BY p.ord;

    SELECT coalesce(max(e.position), 0) INTO v_new_head FROM log.events e;
    IF v_new_head > v_head THEN
        PERFORM pg_notify('projector_log', v_new_head::text);
    ELSE
        -- Nothing but duplicates, or the probe of a replica. A transaction that has written nothing waits for
        -- nobody at its commit: the first copy may be of an append that was cancelled while it waited, or from
        -- before a crash, and on this server alone. This record's commit comes after that of the first copy.
        PERFORM pg_logical_emit_message(true, 'projector', '');
    END IF;
END
$$;

-- The epoch in force; a new one where the database's place has changed, or where `p_gone` is the one in force and
-- somebody has found that the log has gone back. A standby has none to tell, and refuses as it refuses a write.
CREATE OR REPLACE FUNCTION log.epoch(p_gone uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_number int;
    v_epoch uuid;
    v_place text;
    v_here text;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE EXCEPTION 'this server is a standby, which has no epoch of its own'
            USING ERRCODE = 'read_only_sql_transaction';
    END IF;
    v_here := log.place();
    FOR attempt IN 1 .. 2 LOOP
        SELECT e.number, e.epoch, e.place INTO v_number, v_epoch, v_place
        FROM log.epochs e ORDER BY e.number DESC LIMIT 1;
        IF v_place = v_here AND v_epoch IS DISTINCT FROM p_gone THEN
            RETURN v_epoch;
        END IF;
        -- Whoever comes second finds what the first has made.
        PERFORM pg_advisory_xact_lock(7017, 3);
    END LOOP;
    INSERT INTO log.epochs (number, epoch, place)
    VALUES (coalesce(v_number, 0) + 1, gen_random_uuid(), v_here)
    RETURNING epoch INTO v_epoch;
    RETURN v_epoch;
END
$$;

-- The epoch in force, for somebody who knows an epoch and an event of it: a new one where the log has another event at
-- that position, or none. Nobody need look for a log that went back in its place, as files put back do.
CREATE FUNCTION log.epoch_after(p_known uuid, p_position bigint, p_digest bytea) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    v_epoch uuid := log.epoch();
BEGIN
    IF v_epoch = p_known AND NOT EXISTS (
        SELECT FROM log.events e WHERE e.position = p_position AND e.digest = p_digest
    ) THEN
        RETURN log.epoch(p_known);
    END IF;
    RETURN v_epoch;
END
$$;

CREATE TABLE log.lost_deliveries (
    epoch       uuid NOT NULL,
    event_ts    bigint NOT NULL,
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    received_at timestamptz NOT NULL,
    replica     text NOT NULL,
    noticed_at  timestamptz NOT NULL,
    PRIMARY KEY (epoch, event_ts, digest)
);
COMMENT ON TABLE log.lost_deliveries IS
    'Deliveries that were acknowledged, and that the log did not hold when an epoch began. Written by log.note_losses() alone.';
COMMENT ON COLUMN log.lost_deliveries.epoch IS 'The epoch that lacks it: log.epochs.epoch.';
COMMENT ON COLUMN log.lost_deliveries.event_ts IS 'Its event_ts as in log.digests: -1 where it has none.';
COMMENT ON COLUMN log.lost_deliveries.digest IS 'SHA-256 of its bytes.';
COMMENT ON COLUMN log.lost_deliveries.received_at IS 'When the ingress received it.';
COMMENT ON COLUMN log.lost_deliveries.replica IS 'The ingress replica that acknowledged it and told first.';
COMMENT ON COLUMN log.lost_deliveries.noticed_at IS 'When that replica told.';

CREATE VIEW log.losses AS
SELECT epoch, replica, noticed_at, count(*) AS lost,
       min(received_at) AS first_received_at, max(received_at) AS last_received_at
FROM log.lost_deliveries
GROUP BY epoch, replica, noticed_at;
COMMENT ON VIEW log.losses IS
    'What ingress replicas had acknowledged and a new epoch lacks: one row a report. No row: nothing lost, as far as a replica lived to tell.';
COMMENT ON COLUMN log.losses.epoch IS 'The epoch that lacks them: log.epochs.epoch.';
COMMENT ON COLUMN log.losses.replica IS 'The ingress replica that reported them.';
COMMENT ON COLUMN log.losses.noticed_at IS 'When it reported them.';
COMMENT ON COLUMN log.losses.lost IS 'How many; none is in another row of the same epoch.';
COMMENT ON COLUMN log.losses.first_received_at IS 'When the first of them was received.';
COMMENT ON COLUMN log.losses.last_received_at IS 'When the last of them was received.';

-- Notes which of these acknowledged deliveries the log does not hold. Returns their places in the arrays, from 1, and
-- whether it is news: another replica may have told the same. One delivery given twice is returned twice, and news
-- once.
CREATE FUNCTION log.note_losses(
    p_replica text, p_received_at timestamptz[], p_event_ts bigint[], p_digest bytea[]
) RETURNS TABLE (place bigint, news boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    v_epoch uuid := log.epoch();
BEGIN
    -- Those with an event_ts are looked up in the log itself, because log.digests forgets; the others it keeps.
    RETURN QUERY
    WITH missing AS MATERIALIZED (
        SELECT u.ord, u.received_at, coalesce(u.event_ts, -1) AS ts_key, u.digest,
               row_number() OVER (PARTITION BY u.event_ts, u.digest ORDER BY u.ord) AS copy
        FROM unnest(p_received_at, p_event_ts, p_digest)
             WITH ORDINALITY AS u (received_at, event_ts, digest, ord)
        WHERE CASE WHEN u.event_ts IS NULL THEN NOT EXISTS (
                       SELECT FROM log.digests d WHERE d.event_ts = -1 AND d.digest = u.digest)
                   ELSE NOT EXISTS (
                       SELECT FROM log.events e
                       WHERE e.event_ts = u.event_ts AND e.digest = u.digest AND NOT log.is_own(e.source))
              END
    ), noted AS (
        INSERT INTO log.lost_deliveries AS l (epoch, event_ts, digest, received_at, replica, noticed_at)
        SELECT v_epoch, m.ts_key, m.digest, m.received_at, p_replica, now()
        FROM missing m WHERE m.copy = 1
        ON CONFLICT DO NOTHING
        RETURNING l.event_ts, l.digest
    )
    SELECT m.ord, m.copy = 1 AND n.digest IS NOT NULL
    FROM missing m LEFT JOIN noted n ON n.event_ts = m.ts_key AND n.digest = m.digest
    ORDER BY m.ord;
END
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA log FROM PUBLIC;
