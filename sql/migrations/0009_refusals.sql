-- serves: 1
-- Refused deliveries, counted: by the hour and by reason, over all ingress replicas. A metric of one replica ends
-- with its process, and of a wrong secret somebody must hear whom no metric reaches.
--
-- Invariants
--   1. A row says how many deliveries were refused for one reason, of those counted within one hour of the server's
--      clock, and when the first and the last of them were. Calls add up, whoever makes them and in whatever order.
--   2. Nothing of a delivery is here: no name, no body, no address.

CREATE TABLE log.refusals (
    hour     timestamptz NOT NULL,
    reason   text NOT NULL CHECK (reason ~ '^[a-z][a-z-]{0,39}$'),
    refused  bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at  timestamptz NOT NULL,
    PRIMARY KEY (hour, reason)
) WITH (fillfactor = 50);

COMMENT ON TABLE log.refusals IS 'Deliveries refused or dropped, counted by hour and reason. Written by log.count_refusals() alone.';
COMMENT ON COLUMN log.refusals.hour IS 'Beginning of the hour in which they were counted, UTC.';
COMMENT ON COLUMN log.refusals.reason IS 'Why: missing, malformed, wrong, stale (the signature); not-an-event, media-type, other-event, no-plain-token, no-secret, too-large (the request); validation (a URL validation was refused); dropped-signed, dropped-unsigned (the quarantine had no room).';
COMMENT ON COLUMN log.refusals.refused IS 'How many.';
COMMENT ON COLUMN log.refusals.first_at IS 'When the first of them came.';
COMMENT ON COLUMN log.refusals.last_at IS 'When the last of them came.';

-- Adds counts: reason by reason how many, and how many seconds ago the first and the last of them came. Ages and
-- not times: the clock is the server's own, whatever the replicas' clocks say. It runs with its owner's rights, so
-- that who takes deliveries can count and change nothing that was counted. It waits for a lock no longer than its
-- caller does: a call that was given up and runs all the same would count twice.
CREATE FUNCTION log.count_refusals(
    p_reason text[], p_refused bigint[], p_first_age float8[], p_last_age float8[]
) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '1500ms' AS $$
    INSERT INTO log.refusals AS r (hour, reason, refused, first_at, last_at)
    SELECT date_trunc('hour', clock_timestamp(), 'UTC'), u.reason, u.refused,
           clock_timestamp() - make_interval(secs => greatest(u.first_age, 0)),
           clock_timestamp() - make_interval(secs => greatest(u.last_age, 0))
    FROM unnest(p_reason, p_refused, p_first_age, p_last_age) AS u (reason, refused, first_age, last_age)
    WHERE u.refused > 0
    ORDER BY u.reason
    ON CONFLICT (hour, reason) DO UPDATE
    SET refused = r.refused + excluded.refused,
        first_at = least(r.first_at, excluded.first_at),
        last_at = greatest(r.last_at, excluded.last_at)
$$;

-- Forgets what was counted before p_before; returns how many rows.
CREATE FUNCTION log.forget_refusals(p_before timestamptz) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM log.refusals r WHERE r.hour < p_before RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

REVOKE EXECUTE ON FUNCTION log.count_refusals, log.forget_refusals FROM PUBLIC;
