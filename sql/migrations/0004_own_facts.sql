-- serves: 1
-- Facts of our own in the log: what Zoom's REST API showed, what an operator declared or did. They are events in
-- names of their own, and fold only with their source: a delivery that bears such a name is an unknown event.
--
-- Invariants
--   1. Equal bytes count once for each kind: a delivery with the bytes of a fact of our own neither is that fact
--      nor keeps it out of the log.
--   2. A reader learns of every row which kind it is.

ALTER TABLE log.events DROP CONSTRAINT events_source_check;
-- NOT VALID: what the old constraint allowed this one allows, and a scan of the log would take its time.
ALTER TABLE log.events ADD CONSTRAINT events_source_check CHECK (source IN (
    'webhook', 'import', 'quarantine', 'recovered', 'rest', 'declared', 'operator')) NOT VALID;
COMMENT ON COLUMN log.events.source IS
    'How it came: webhook, import, quarantine, recovered (from Zoom''s own delivery log); or a fact of our own: rest (an observation), declared, operator.';

-- Whether a row of this source is a fact of our own and no delivery.
CREATE FUNCTION log.is_own(source text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN source IN ('rest', 'declared', 'operator');

-- The digests of facts of our own are kept for ever, apart from those of deliveries: their event_ts here is
-- -2 less the event's own.
CREATE OR REPLACE FUNCTION log.append(
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
    END IF;
END
$$;

DROP FUNCTION log.read(bigint, int, bigint, bigint, text[]);

-- The next events after a position up to p_until, in order: at most p_limit rows and p_bytes of bodies, but
-- always one row; where p_events is given, only events of these names, as the log has them. The body of an event
-- whose bytes are at an earlier position too comes as null. The settings keep the planner to the two indexes while
-- it has no statistics of the table: a plan that sorts the rest of the log is a thousand times slower.
CREATE FUNCTION log.read(
    p_after bigint, p_limit int, p_until bigint, p_bytes bigint, p_events text[] DEFAULT NULL
)
RETURNS TABLE (at_position bigint, received_us bigint, digest bytea, body bytea, own boolean)
LANGUAGE sql STABLE
SET enable_bitmapscan = off SET enable_seqscan = off SET enable_sort = off AS $$
    SELECT r.position, log.microseconds(r.received_at), r.digest,
           CASE WHEN NOT EXISTS (
               SELECT FROM log.events earlier
               WHERE earlier.event_ts = r.event_ts AND earlier.position < r.position
                 AND earlier.digest = r.digest AND log.is_own(earlier.source) = log.is_own(r.source)
           ) THEN r.body END,
           log.is_own(r.source)
    FROM (
        SELECT e.position, e.received_at, e.digest, e.event_ts, e.source, e.body,
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

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA log FROM PUBLIC;
