-- serves: 1
-- The log: every delivery, raw, in commit order, for ever.
--
-- Invariants
--   1. position grows by one per event and in commit order: whoever sees position p can see every event
--      below p. The append lock makes it so.
--   2. A row never changes and never goes. Triggers refuse it, for every role.
--   3. Within the memory of log.digests the same bytes are appended once.

CREATE SCHEMA log;

CREATE TABLE log.events (
    position    bigint PRIMARY KEY,
    received_at timestamptz NOT NULL,
    event       text NOT NULL,
    event_ts    bigint,
    account_id  text,
    request_id  text,
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    source      text NOT NULL CHECK (source IN ('webhook', 'import', 'quarantine')),
    verified_by text,
    body        bytea
);

COMMENT ON TABLE log.events IS 'Append-only log of deliveries. Written by log.append() alone.';
COMMENT ON COLUMN log.events.position IS 'Place in the log: grows by one per event, in commit order.';
COMMENT ON COLUMN log.events.received_at IS 'When the ingress received the delivery.';
COMMENT ON COLUMN log.events.event IS 'Name of the event as sent.';
COMMENT ON COLUMN log.events.event_ts IS 'The delivery''s own event_ts, epoch milliseconds, where it is an integer.';
COMMENT ON COLUMN log.events.account_id IS 'payload.account_id as sent.';
COMMENT ON COLUMN log.events.request_id IS 'x-zm-request-id: equal over the retries of one delivery.';
COMMENT ON COLUMN log.events.digest IS 'SHA-256 of the body''s bytes.';
COMMENT ON COLUMN log.events.source IS 'webhook, import or quarantine.';
COMMENT ON COLUMN log.events.verified_by IS 'Fingerprint of the secret that verified the delivery; never the secret.';
COMMENT ON COLUMN log.events.body IS 'The delivery''s bytes as received; null once erased, and then folded as nothing.';

-- lz4 makes large bodies 3 times as fast to append; a server built without it keeps its default.
DO $$
BEGIN
    ALTER TABLE log.events ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this server has no lz4: bodies are compressed with its default method';
END
$$;

-- A reader tells a repeated event by this index: equal bytes have equal event_ts. Its inserts go to its right edge,
-- because time moves on; an index on the digest alone would touch a random page per event.
CREATE INDEX events_event_ts ON log.events (event_ts, digest);

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'log.events is append-only: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
ALTER TABLE log.events ENABLE ALWAYS TRIGGER events_are_append_only;

-- The digests by which append tells duplicates. Old ones may go, because a duplicate that is appended folds to
-- nothing. Keyed by time first, so that inserts and look-ups touch the newest pages however long the log is.
-- event_ts -1: the delivery has none. Those are few and are kept for ever, because their event time may be the
-- time of receipt, which differs the second time.
CREATE TABLE log.digests (
    event_ts bigint NOT NULL,
    digest   bytea NOT NULL,
    position bigint NOT NULL,
    seen_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (event_ts, digest)
);

-- The append lock's key: "projector" has no other transaction-level advisory lock of class 7017.
CREATE FUNCTION log.take_append_lock() RETURNS void LANGUAGE sql VOLATILE AS
    'SELECT pg_advisory_xact_lock(7017, 1)';

-- Appends a batch in one transaction: the caller's autocommit. Returns one row per input, in its order:
-- the position of the bytes in the log, and whether they were there before.
--
-- The first statement takes the lock. Under READ COMMITTED every later statement sees what committed
-- before the lock was granted; so the positions drawn here are the next ones, and commit in this order.
CREATE FUNCTION log.append(
    p_received_at timestamptz[], p_event text[], p_event_ts bigint[], p_account_id text[],
    p_request_id text[], p_digest bytea[], p_source text, p_verified_by text[], p_body bytea[]
) RETURNS TABLE (at_position bigint, duplicate boolean)
LANGUAGE plpgsql VOLATILE
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
    -- Behind a pooler the commit is a call of its own. A client whose machine fails before it must not keep
    -- the lock until the network notices.
    PERFORM set_config('idle_in_transaction_session_timeout', '2s', true);
    SELECT coalesce(max(e.position), 0) INTO v_head FROM log.events e;

    -- A sub-select looks the index up once a row. A join, planned while the log is empty, would compare every
    -- row with every other, or read all digests.
    RETURN QUERY
    WITH incoming AS (
        SELECT u.*, coalesce(u.event_ts, -1) AS ts_key,
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
    END IF;
END
$$;

-- Epoch microseconds, exact: a float8 holds them up to the year 2255. STABLE as date_part is: only then is
-- it inlined, which saves a third of the time of log.read().
CREATE FUNCTION log.microseconds(moment timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (date_part('epoch', moment) * 1000000)::bigint;

-- The next events after a position up to p_until, in order: at most p_limit rows and p_bytes of bodies, but
-- always one row; where p_events is given, only events of these names, as the log has them. The body of an event
-- whose bytes are at an earlier position too comes as null. The settings keep the planner to the two indexes while
-- it has no statistics of the table: a plan that sorts the rest of the log is a thousand times slower.
CREATE FUNCTION log.read(
    p_after bigint, p_limit int, p_until bigint, p_bytes bigint, p_events text[] DEFAULT NULL
)
RETURNS TABLE (at_position bigint, received_us bigint, digest bytea, body bytea)
LANGUAGE sql STABLE
SET enable_bitmapscan = off SET enable_seqscan = off SET enable_sort = off AS $$
    SELECT r.position, log.microseconds(r.received_at), r.digest,
           CASE WHEN NOT EXISTS (
               SELECT FROM log.events earlier
               WHERE earlier.event_ts = r.event_ts AND earlier.position < r.position
                 AND earlier.digest = r.digest
           ) THEN r.body END
    FROM (
        SELECT e.position, e.received_at, e.digest, e.event_ts, e.body,
               coalesce(octet_length(e.body), 0) AS own,
               sum(coalesce(octet_length(e.body), 0))
                   OVER (ORDER BY e.position ROWS UNBOUNDED PRECEDING) AS bytes
        FROM (SELECT * FROM log.events
              WHERE position > p_after AND position <= p_until
                AND (p_events IS NULL OR event = ANY (p_events))
              ORDER BY position LIMIT p_limit) e
    ) r
    WHERE r.bytes <= p_bytes OR r.bytes = r.own
    ORDER BY r.position
$$;

-- Forgets digests seen before p_before, at most p_limit of them, the oldest event times first. Keeps
-- those whose event time depends on when they were received: none given, or more than 24 h ahead.
CREATE FUNCTION log.forget_digests(p_before timestamptz, p_limit int) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    WITH old AS (
        SELECT event_ts, digest FROM log.digests
        WHERE event_ts BETWEEN 0 AND (extract(epoch FROM p_before) * 1000)::bigint + 86400000
          AND seen_at < p_before
          AND event_ts <= extract(epoch FROM seen_at) * 1000 + 86400000
        ORDER BY event_ts, digest LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM log.digests d USING old o
        WHERE d.event_ts = o.event_ts AND d.digest = o.digest RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- A body as jsonb where PostgreSQL can hold it: JSON with U+0000 or a lone surrogate gives null.
CREATE FUNCTION log.as_jsonb(body bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN data_exception OR statement_too_complex OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA log FROM PUBLIC;
