-- serves: 1
-- Least privilege, and a chain over the log that tells what an owner did to it. sql/roles/ says who may do what.
--
-- Invariants
--   1. A function that does more than its caller may is SECURITY DEFINER with a pinned search_path, makes no statement
--      of its arguments, and may be called by those alone to whom it is granted.
--   2. Each seal's chain is a digest of the seal before it and of the rows in between: seals commit one after another,
--      and no row under a seal can be changed, removed or inserted without breaking the chain there.

-- Its views and comments are in sql/views. Here, because making it takes a right that a rebuild need not have.
CREATE SCHEMA IF NOT EXISTS directory;

-- Appends deliveries as an ingress may: they are webhooks, and no fact of our own. Arguments and rows as of log.append.
CREATE FUNCTION log.append_webhooks(
    p_received_at timestamptz[], p_event text[], p_event_ts bigint[], p_account_id text[],
    p_request_id text[], p_digest bytea[], p_verified_by text[], p_body bytea[]
) RETURNS TABLE (at_position bigint, duplicate boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT a.at_position, a.duplicate
    FROM log.append(p_received_at, p_event, p_event_ts, p_account_id, p_request_id, p_digest, 'webhook',
                    p_verified_by, p_body) a;
END
$$;

ALTER FUNCTION log.keep SECURITY DEFINER;
ALTER FUNCTION log.keep SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION log.forget_digests SECURITY DEFINER;
ALTER FUNCTION log.forget_digests SET search_path = pg_catalog, pg_temp;

-- Transactions whose snapshot may be older than what is written by now: those that have read the directory, and those
-- that idle on a snapshot, as REPEATABLE READ does. A projector does not see what sessions of other roles do; this
-- function sees what whoever migrated sees, and takes what it does not see for an older snapshot.
CREATE FUNCTION projector.earlier_readers() RETURNS text[]
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT l.virtualtransaction), '{}')
    FROM pg_locks l
    JOIN pg_stat_activity a USING (pid)
    LEFT JOIN pg_class c ON c.oid = l.relation AND l.locktype = 'relation'
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
      AND a.application_name IS DISTINCT FROM 'projector fold'
      AND (c.relnamespace = 'directory'::regnamespace
           OR (a.backend_xmin IS NOT NULL AND coalesce(a.state LIKE 'idle in transaction%', true)))
$$;
REVOKE EXECUTE ON FUNCTION projector.earlier_readers FROM PUBLIC;

CREATE OR REPLACE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TABLE log.seals (
    position  bigint PRIMARY KEY CHECK (position > 0),
    chain     bytea NOT NULL CHECK (octet_length(chain) = 32),
    rows      bigint NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE log.seals IS
    'A chain of digests over the log. `projector verify --log` compares it with the rows; written by log.seal() alone.';
COMMENT ON COLUMN log.seals.position IS 'The last position of the block, which begins after the seal before.';
COMMENT ON COLUMN log.seals.chain IS
    'SHA-256 of the chain before, and of the block''s rows; kept elsewhere it is what nobody here can forge.';
COMMENT ON COLUMN log.seals.rows IS 'Rows of the block when it was sealed.';
COMMENT ON COLUMN log.seals.sealed_at IS 'When it was sealed.';
CREATE TRIGGER seals_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.seals
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
ALTER TABLE log.seals ENABLE ALWAYS TRIGGER seals_are_append_only;

-- A text with its length before it: where it ends is not up to it, and null is no text.
CREATE FUNCTION log.sealed_text(value text) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(int4send(octet_length(value)) || convert_to(value, 'UTF8'), '\xffffffff'::bytea);

-- The digest of the rows after a position up to another, and how many they are. A body counts by its `digest`, so that
-- it may be erased; each row by a digest of its own, so that rows of any size fit.
CREATE FUNCTION log.block_digest(p_after bigint, p_until bigint, OUT digest bytea, OUT rows bigint)
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT sha256(coalesce(string_agg(r.digest, '' ORDER BY r.position), '')), count(*)
    FROM (
        SELECT e.position, sha256(
            int8send(e.position) || timestamptz_send(e.received_at)
            || coalesce('\x01'::bytea || int8send(e.event_ts), '\x00'::bytea) || e.digest
            || log.sealed_text(e.event) || log.sealed_text(e.account_id) || log.sealed_text(e.request_id)
            || log.sealed_text(e.source) || log.sealed_text(e.verified_by)) AS digest
        FROM log.events e
        WHERE e.position > p_after AND e.position <= p_until
        ORDER BY e.position
    ) r
$$;

-- The chain after those rows, where it was p_chain before them.
CREATE FUNCTION log.chained(
    p_chain bytea, p_after bigint, p_until bigint, OUT chain bytea, OUT rows bigint
) LANGUAGE sql STABLE AS
    'SELECT sha256(p_chain || b.digest), b.rows FROM log.block_digest(p_after, p_until) b';

-- Seals the next block: at most p_rows positions, none after p_until. Returns its last position and the chain, or
-- nothing where there is nothing to seal or somebody else seals just now.
CREATE FUNCTION log.seal(p_until bigint, p_rows int DEFAULT 10000)
RETURNS TABLE (at_position bigint, new_chain bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_after bigint;
    v_chain bytea;
    v_until bigint;
    v_rows bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7017, 8) THEN
        RETURN;
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'log.seal() needs READ COMMITTED: a fixed snapshot would not see the last seal';
    END IF;
    SELECT s.position, s.chain INTO v_after, v_chain FROM log.seals s ORDER BY s.position DESC LIMIT 1;
    v_after := coalesce(v_after, 0);
    SELECT max(e.position) INTO v_until FROM log.events e WHERE e.position <= p_until;
    -- Nothing there is nothing to seal: least() would take a bound for it.
    v_until := least(coalesce(v_until, 0), v_after + greatest(1, least(p_rows, 10000)));
    IF v_until > v_after THEN
        SELECT c.chain, c.rows INTO v_chain, v_rows
        FROM log.chained(coalesce(v_chain, ''), v_after, v_until) c;
        INSERT INTO log.seals (position, chain, rows) VALUES (v_until, v_chain, v_rows);
        RETURN QUERY SELECT v_until, v_chain;
    END IF;
END
$$;

-- Deliveries as jsonb, for whoever may read the log. Not part of the interface: readers of `directory` have no right
-- to it.
CREATE OR REPLACE VIEW log.deliveries AS
SELECT
    e.position,
    e.received_at,
    e.event,
    e.event_ts,
    e.account_id,
    e.request_id,
    e.digest,
    e.source,
    e.verified_by,
    log.as_jsonb(e.body) AS body
FROM log.events e;

COMMENT ON VIEW log.deliveries IS
    'The log with bodies as jsonb; null where they are erased or hold what jsonb cannot (U+0000, lone surrogates). Bodies hold secrets.';
COMMENT ON COLUMN log.deliveries.position IS 'Place in the log.';
COMMENT ON COLUMN log.deliveries.received_at IS 'When the ingress received the delivery.';
COMMENT ON COLUMN log.deliveries.event IS 'Name of the event as sent.';
COMMENT ON COLUMN log.deliveries.event_ts IS 'The delivery''s own event_ts, epoch milliseconds, where it is an integer.';
COMMENT ON COLUMN log.deliveries.account_id IS 'payload.account_id as sent.';
COMMENT ON COLUMN log.deliveries.request_id IS 'x-zm-request-id: equal over the retries of one delivery.';
COMMENT ON COLUMN log.deliveries.digest IS 'SHA-256 of the body''s bytes.';
COMMENT ON COLUMN log.deliveries.source IS 'How it came: webhook, import, quarantine, recovered; or a fact of our own: rest, declared, operator.';
COMMENT ON COLUMN log.deliveries.verified_by IS 'Fingerprint of the secret that verified the delivery.';
COMMENT ON COLUMN log.deliveries.body IS 'The delivery as jsonb.';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA log FROM PUBLIC;
