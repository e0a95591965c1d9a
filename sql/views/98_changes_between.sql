-- needs: users 3
-- needs: groups 3
-- needs: memberships 3
-- needs: group_admins 3
-- needs: sign_ins 2
-- needs: presence 3
-- needs: user_settings 3
-- needs: group_settings 3
-- needs: account_settings 2
-- The history again, by ranges of positions: what each stretch of the log brought. SECURITY DEFINER, because readers
-- have no right to what it is found from.

-- state.all_changes of positions above the first and up to the second, or those of them that came late.
CREATE OR REPLACE FUNCTION state.changes_between(
    p_after bigint, p_up_to bigint, p_late boolean
) RETURNS SETOF state.all_changes
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    IF p_late THEN
        RETURN QUERY
        SELECT c.account_id, c.entity, c.entity_key, c.entity_id, c.group_id, c.user_id, c.path, c.before, c.after,
            c.folded, c.by, c.position, c.late
        FROM state.value_changes c
        WHERE c.position > p_after AND c.position <= p_up_to AND c.late;
    ELSE
        RETURN QUERY
        SELECT c.account_id, c.entity, c.entity_key, c.entity_id, c.group_id, c.user_id, c.path, c.before, c.after,
            c.folded, c.by, c.position, false
        FROM state.value_changes c
        WHERE c.position > p_after AND c.position <= p_up_to;
    END IF;
    RETURN QUERY
    SELECT * FROM (
        SELECT
            c.account_id, c.entity, c.person_key, c.user_id, c.group_id, c.user_id, 'member',
            CASE WHEN NOT c.came THEN 'true'::jsonb END, CASE WHEN c.came THEN 'true'::jsonb END,
            c.folded, c.by, c.position,
            p_late AND CASE c.entity
                WHEN 'membership' THEN EXISTS (
                    SELECT FROM state.memberships_versions x
                    WHERE x.account_id = c.account_id AND x.person_key = c.person_key
                      AND x.group_id = c.group_id AND x.folded > c.folded AND x.last_position < c.position)
                ELSE EXISTS (
                    SELECT FROM state.group_admins_versions x
                    WHERE x.account_id = c.account_id AND x.person_key = c.person_key
                      AND x.group_id = c.group_id AND x.folded > c.folded AND x.last_position < c.position)
            END AS late
        FROM (
            SELECT 'membership' AS entity, m.* FROM state.memberships_between(p_after, p_up_to, p_late) m
            UNION ALL
            SELECT 'group_admin', a.* FROM state.group_admins_between(p_after, p_up_to, p_late) a
        ) c
    ) c
    WHERE NOT p_late OR c.late;
END
$$;

CREATE OR REPLACE FUNCTION directory.changes_between(after bigint, up_to bigint) RETURNS SETOF directory.changes
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    RETURN QUERY
    SELECT
        c.account_id, c.entity, c.entity_id, c.group_id, c.user_id, c.path, c.before, c.after,
        state.time_of(c.folded), c.by, e.event, c.position, e.source, encode(c.folded, 'hex')
    FROM state.changes_between(changes_between.after, up_to, false) c
    LEFT JOIN (
        SELECT e.position, replace(e.event, '.members_deleted', '.member_deleted') AS event, e.source
        FROM log.events e WHERE e.position > changes_between.after AND e.position <= up_to
    ) e ON e.position = c.position;
END
$$;
COMMENT ON FUNCTION directory.changes_between IS
    'The rows of changes of events at positions of the log above the first and up to the second; quick where changes, asked the same, is not.';

CREATE OR REPLACE FUNCTION directory.corrections_between(after bigint, up_to bigint)
RETURNS SETOF directory.corrections
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    RETURN QUERY
    SELECT
        c.account_id, c.entity, c.entity_id, c.group_id, c.user_id, c.path, b.after, c.after, state.time_of(c.folded),
        c.by, e.event, c.position, e.received_at, e.source
    FROM state.changes_between(corrections_between.after, up_to, true) c
    LEFT JOIN LATERAL (
        SELECT b.after FROM state.all_changes b
        WHERE b.account_id = c.account_id AND b.entity = c.entity AND b.entity_key = c.entity_key
          AND b.group_id IS NOT DISTINCT FROM c.group_id AND b.path = c.path
          AND b.folded < c.folded AND b.position < c.position
        ORDER BY b.folded DESC LIMIT 1
    ) b ON true
    LEFT JOIN LATERAL (
        SELECT replace(e.event, '.members_deleted', '.member_deleted') AS event, e.received_at, e.source
        FROM log.events e WHERE e.position = c.position OFFSET 0
    ) e ON true;
END
$$;
COMMENT ON FUNCTION directory.corrections_between IS
    'The rows of corrections that are known since positions of the log above the first and up to the second.';

REVOKE EXECUTE ON FUNCTION directory.changes_between, directory.corrections_between FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.changes_between, directory.corrections_between TO directory_reader;
