-- serves: 1
-- State: what projections derive from the log. Everything in this schema can be made again.
--
-- Invariants
--   1. A projection's rows and its checkpoint commit together: the rows are the fold of exactly the
--      events up to `position`.
--   2. Only its owner moves a checkpoint: every write compares position and epoch first. The epoch grows
--      whenever the lease changes hands, so a former owner writes nothing.
--   3. Whoever changes a projection's rows locks its checkpoint's row first.

CREATE SCHEMA state;

-- A replica that folds, or a rebuild that is about to swap. Alive while its heartbeat is recent by the server's
-- clock; a heartbeat in the future proves nothing: the clock was set back, or this is another server.
CREATE TABLE state.replicas (
    replica      text PRIMARY KEY,
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    projects     boolean NOT NULL DEFAULT true
);

-- `digest` is that of the event at `position`: it shows where the log is another one, as after restoring an older
-- backup. `version`: that of the code that folded the rows. `wanted`: the greatest version that a replica asked
-- for; while it is greater than `version`, some replica rebuilds the projection.
CREATE TABLE state.checkpoints (
    projection text PRIMARY KEY,
    version    int NOT NULL,
    wanted     int NOT NULL DEFAULT 0,
    position   bigint NOT NULL DEFAULT 0,
    digest     bytea,
    epoch      bigint NOT NULL DEFAULT 0,
    owner      text,
    moved_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    error      text,
    error_at   timestamptz
) WITH (fillfactor = 50);

-- At most one rebuild or verification a projection, alive while its heartbeat is recent. `position` is how far its
-- shadow tables are, and moves by the rules of a checkpoint.
CREATE TABLE state.rebuilds (
    projection   text PRIMARY KEY,
    owner        text NOT NULL,
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    position     bigint NOT NULL DEFAULT 0,
    digest       bytea,
    epoch        bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE state.dead_letters (
    position   bigint NOT NULL,
    projection text NOT NULL,
    event      text NOT NULL,
    error      text NOT NULL,
    failed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, position)
);

-- Epoch milliseconds as a point in time.
CREATE FUNCTION state.at(ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(ms / 1000.0::float8);

-- Event time of an order: its first 8 bytes are epoch milliseconds.
CREATE FUNCTION state.time_of(event_order bytea) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(('x' || encode(substring(event_order FOR 8), 'hex'))::bit(64)::bigint
                        / 1000.0::float8);

-- Renews a replica's heartbeat, gives back leases beyond its share, and takes leases that no live replica holds.
-- The share is an even split, over the live replicas, of the projections that this one can fold: those whose rows
-- are of its code's version. Returns every checkpoint, and whether this replica holds its lease now.
CREATE FUNCTION state.hold_leases(
    p_replica text, p_projections text[], p_versions int[], p_ttl interval
) RETURNS TABLE (projection text, version int, at_position bigint, epoch bigint, held boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_share int;
    v_held int;
BEGIN
    INSERT INTO state.replicas AS r (replica) VALUES (p_replica)
    ON CONFLICT (replica) DO UPDATE SET heartbeat_at = clock_timestamp();

    DELETE FROM state.replicas r
    WHERE r.heartbeat_at NOT BETWEEN clock_timestamp() - 10 * p_ttl AND clock_timestamp() + 10 * p_ttl;

    UPDATE state.checkpoints c SET wanted = w.version
    FROM unnest(p_projections, p_versions) AS w (projection, version)
    WHERE c.projection = w.projection AND c.wanted < w.version;

    SELECT ceil(count(*)::numeric / greatest(1, (
        SELECT count(*) FROM state.replicas r
        WHERE r.projects
          AND r.heartbeat_at BETWEEN clock_timestamp() - p_ttl AND clock_timestamp() + p_ttl))) INTO v_share
    FROM state.checkpoints c
    JOIN unnest(p_projections, p_versions) AS w (projection, version) USING (projection, version);

    SELECT count(*) INTO v_held FROM state.checkpoints c WHERE c.owner = p_replica;
    IF v_held > v_share THEN
        -- MATERIALIZED, here and below: a sub-select that locks and limits must run once.
        WITH surplus AS MATERIALIZED (
            SELECT s.projection FROM state.checkpoints s WHERE s.owner = p_replica
            ORDER BY s.projection DESC LIMIT v_held - v_share FOR UPDATE SKIP LOCKED
        )
        UPDATE state.checkpoints c SET owner = NULL, epoch = c.epoch + 1
        FROM surplus s WHERE c.projection = s.projection;
        PERFORM pg_notify('projector_lease', '');
    ELSIF v_held < v_share THEN
        WITH free AS MATERIALIZED (
            SELECT s.projection FROM state.checkpoints s
            JOIN unnest(p_projections, p_versions) AS w (projection, version)
                ON w.projection = s.projection AND w.version = s.version
            WHERE s.owner IS NULL OR NOT EXISTS (
                SELECT FROM state.replicas r
                WHERE r.replica = s.owner
                  AND r.heartbeat_at BETWEEN clock_timestamp() - p_ttl AND clock_timestamp() + p_ttl)
            ORDER BY s.projection LIMIT v_share - v_held FOR UPDATE OF s SKIP LOCKED
        )
        UPDATE state.checkpoints c SET owner = p_replica, epoch = c.epoch + 1
        FROM free f WHERE c.projection = f.projection;
    END IF;

    RETURN QUERY
    SELECT c.projection, c.version, c.position, c.epoch, c.owner IS NOT DISTINCT FROM p_replica
    FROM state.checkpoints c;
END
$$;

-- Gives all leases of a replica back at once, when it stops.
CREATE FUNCTION state.release_leases(p_replica text) RETURNS void LANGUAGE sql VOLATILE AS $$
    UPDATE state.checkpoints SET owner = NULL, epoch = epoch + 1 WHERE owner = p_replica;
    DELETE FROM state.replicas WHERE replica = p_replica;
    SELECT pg_notify('projector_lease', '');
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA state FROM PUBLIC;
