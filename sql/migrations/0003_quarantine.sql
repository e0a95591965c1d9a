-- serves: 1
-- The quarantine: deliveries that were refused and may be genuine all the same. A new secret may verify those
-- that no secret verified; those that were signed and malformed wait for a person.
--
-- Invariants
--   1. Rows and bytes of bodies stay within the bounds that each call names, however many replicas
--      write: the quarantine lock makes one call wait for another.
--   2. A signed row is never deleted for an unsigned one; unsigned rows are deleted for a signed one.

CREATE TABLE log.quarantine (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL,
    reason      text NOT NULL,
    event       text,
    signed      boolean NOT NULL,
    request_id  text,
    timestamp_header text NOT NULL,
    signature_header text NOT NULL,
    digest      bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    size        int NOT NULL,
    body        bytea NOT NULL
);

COMMENT ON TABLE log.quarantine IS 'Refused deliveries that may be genuine; bounded. Written by log.keep() alone.';
COMMENT ON COLUMN log.quarantine.reason IS 'Why it was refused: wrong, stale (signature); not-an-event, media-type, other-event (form).';
COMMENT ON COLUMN log.quarantine.event IS 'Name of the event where it is a plain one; unverified unless signed.';
COMMENT ON COLUMN log.quarantine.signed IS 'Whether the signature was that of a live secret.';
COMMENT ON COLUMN log.quarantine.timestamp_header IS 'x-zm-request-timestamp, to check the signature again.';
COMMENT ON COLUMN log.quarantine.signature_header IS 'x-zm-signature, to check it again.';
COMMENT ON COLUMN log.quarantine.size IS 'Bytes of the body, so that bounds are checked without reading bodies.';

-- Keeps what the bounds have room for. Returns one text per input, in its order: kept, known (the same bytes
-- are here already) or dropped.
CREATE FUNCTION log.keep(
    p_received_at timestamptz[], p_reason text[], p_event text[], p_signed boolean[],
    p_request_id text[], p_timestamp text[], p_signature text[], p_digest bytea[], p_body bytea[],
    p_max_rows bigint, p_max_bytes bigint
) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET lock_timeout = '1500ms' AS $$
DECLARE
    v_rows bigint;
    v_bytes bigint;
    v_size bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7017, 3);
    SELECT count(*), coalesce(sum(q.size), 0) INTO v_rows, v_bytes FROM log.quarantine q;
    FOR i IN 1 .. cardinality(p_digest) LOOP
        v_size := octet_length(p_body[i]);
        IF EXISTS (SELECT FROM log.quarantine q WHERE q.digest = p_digest[i]) THEN
            -- The same bytes with a right signature replace those with a wrong one.
            UPDATE log.quarantine q
            SET reason = p_reason[i], signed = true, request_id = p_request_id[i],
                timestamp_header = p_timestamp[i], signature_header = p_signature[i]
            WHERE q.digest = p_digest[i] AND p_signed[i] AND NOT q.signed;
            RETURN NEXT 'known';
            CONTINUE;
        END IF;
        IF p_signed[i] AND (v_rows + 1 > p_max_rows OR v_bytes + v_size > p_max_bytes) THEN
            PERFORM log.make_room(v_rows + 1 - p_max_rows, v_bytes + v_size - p_max_bytes);
            SELECT count(*), coalesce(sum(q.size), 0) INTO v_rows, v_bytes FROM log.quarantine q;
        END IF;
        IF v_rows + 1 > p_max_rows OR v_bytes + v_size > p_max_bytes THEN
            RETURN NEXT 'dropped';
            CONTINUE;
        END IF;
        INSERT INTO log.quarantine (received_at, reason, event, signed, request_id,
                                    timestamp_header, signature_header, digest, size, body)
        VALUES (p_received_at[i], p_reason[i], p_event[i], p_signed[i], p_request_id[i],
                p_timestamp[i], p_signature[i], p_digest[i], v_size, p_body[i]);
        v_rows := v_rows + 1;
        v_bytes := v_bytes + v_size;
        RETURN NEXT 'kept';
    END LOOP;
END
$$;

-- Deletes the newest unsigned rows, as many as free so many rows and bytes: in a flood the oldest are likelier to
-- be genuine. Deletes nothing where all of them would not be enough.
CREATE FUNCTION log.make_room(p_rows bigint, p_bytes bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
    WITH unsigned AS (
        SELECT q.id, row_number() OVER newest AS row,
               sum(q.size) OVER newest - q.size AS bytes_before
        FROM log.quarantine q WHERE NOT q.signed
        WINDOW newest AS (ORDER BY q.id DESC ROWS UNBOUNDED PRECEDING)
    )
    DELETE FROM log.quarantine q USING unsigned u
    WHERE q.id = u.id AND (u.row <= p_rows OR u.bytes_before < p_bytes)
      AND (SELECT count(*) >= p_rows AND coalesce(sum(a.size), 0) >= p_bytes
           FROM log.quarantine a WHERE NOT a.signed)
$$;

REVOKE EXECUTE ON FUNCTION log.keep, log.make_room FROM PUBLIC;
