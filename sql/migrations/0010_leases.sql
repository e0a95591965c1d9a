-- serves: 1
-- A replica gives back the lease of a projection whose rows are of another release. Until now it kept it, and where that
-- made it hold more than its share it gave back another one, which it could have folded.

-- Renews a replica's heartbeat, gives back leases of what it cannot fold and beyond its share, and takes leases that no
-- live replica holds.
-- The share is an even split, over the live replicas, of the projections that this one can fold: those whose rows
-- are of its code's version. Returns every checkpoint, and whether this replica holds its lease now.
CREATE OR REPLACE FUNCTION state.hold_leases(
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

    UPDATE state.checkpoints c SET owner = NULL, epoch = c.epoch + 1
    WHERE c.owner = p_replica AND NOT EXISTS (
        SELECT FROM unnest(p_projections, p_versions) AS w (projection, version)
        WHERE w.projection = c.projection AND w.version = c.version);
    IF FOUND THEN
        PERFORM pg_notify('projector_lease', '');
    END IF;

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
