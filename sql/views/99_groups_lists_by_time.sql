-- for each list of: memberships, group_admins
-- needs: users 3
-- needs: groups 3
-- needs: {list} 3
-- needs: sign_ins 2
-- Who came into one group's list, and who left it, within a stretch of time. Not part of the interface.

-- The rows of state.{list}_changes of a group and of orders from the first up to the second, which is left out; found
-- from the entries of the group and the removals of that time. Left out are those whom the group's own removal ended
-- and its next life brought back: there may be a hundred thousand, and the group's own change tells of all of them.
CREATE OR REPLACE FUNCTION state.{list}_of_group(
    p_account text, p_group text, p_from bytea, p_before bytea
) RETURNS SETOF state.{list}_changes
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- Of few people those who were ever removed are found quicker than all removals of that time.
    v_few boolean := NOT EXISTS (
        SELECT FROM state.{list}_versions m
        WHERE m.group_id = p_group AND m.account_id = p_account OFFSET 1000);
BEGIN
    RETURN QUERY
    WITH added AS (
        SELECT m.person_key, m.folded
        FROM (
            SELECT t.person_key, t.folded FROM state.{list}_versions t
            WHERE t.group_id = p_group AND t.account_id = p_account
              AND substring(t.folded FROM 1 FOR 8) >= substring(p_from FROM 1 FOR 8)
              AND substring(t.folded FROM 1 FOR 8) <= substring(p_before FROM 1 FOR 8)
              AND t.folded >= p_from AND t.folded < p_before
        ) t
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_versions m
            WHERE m.account_id = p_account AND m.person_key = t.person_key AND m.group_id = p_group
              AND m.folded <= t.folded AND m.until >= t.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        UNION
        SELECT m.person_key, m.folded FROM state.{list}_versions m
        WHERE v_few AND m.group_id = p_group AND m.account_id = p_account
          AND m.folded < p_before AND m.added AND m.user_id IS NOT NULL
          AND (EXISTS (
                    SELECT FROM state.users u
                    WHERE u.account_id = p_account AND u.user_key = m.person_key AND u.cutoff IS NOT NULL)
               -- only memberships:
               OR EXISTS (
                    SELECT FROM state.observed_groups o
                    WHERE o.account_id = p_account AND o.person_key = m.person_key)
               -- all:
              )
        UNION
        SELECT m.person_key, m.folded
        FROM (
            SELECT x.user_key AS person_key, x.folded FROM state.user_versions x
            WHERE x.account_id = p_account AND x.folded >= p_from AND x.folded < p_before
              AND x.cutoff IS NOT NULL AND (NOT x.removed OR x.cutoff = x.folded)
            -- only memberships:
            UNION ALL
            SELECT x.person_key, x.folded FROM state.observed_group_versions x
            WHERE x.account_id = p_account AND x.folded >= p_from AND x.folded < p_before AND x.mark = x.folded
            -- all:
        ) x
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_versions m
            WHERE m.account_id = p_account AND m.person_key = x.person_key AND m.group_id = p_group
              AND m.folded < x.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        WHERE NOT v_few
    ), links AS MATERIALIZED (
        SELECT l.entry_key, l.person_key FROM state.{list}_links l
        WHERE l.account_id = p_account AND l.group_id = p_group
    ), events AS (
        -- what could matter for whom an entry without an id means
        SELECT l.entry_key, c.folded, c.position, c.by
        FROM links l
        CROSS JOIN LATERAL (
            SELECT m.folded, m.last_position AS position, m.by FROM state.{list}_versions m
            WHERE m.account_id = p_account AND m.person_key = l.person_key AND m.group_id = p_group
              AND m.folded >= p_from AND m.folded < p_before
            UNION ALL
            SELECT u.folded, u.position, u.by FROM state.user_versions u
            WHERE u.account_id = p_account AND u.user_key = l.person_key
              AND u.folded >= p_from AND u.folded < p_before
            -- only memberships:
            UNION ALL
            SELECT o.folded, o.position, NULL FROM state.observed_group_versions o
            WHERE o.account_id = p_account AND o.person_key = l.person_key
              AND o.folded >= p_from AND o.folded < p_before
            -- all:
        ) c
        UNION ALL
        SELECT l.entry_key, r.folded, r.position, r.by
        FROM (SELECT DISTINCT l.entry_key FROM links l) l
        JOIN state.removed_email_versions r
            ON r.account_id = p_account AND r.email_key = substring(l.entry_key FROM 7)
            AND r.folded >= p_from AND r.folded < p_before
    ), meant AS (
        SELECT DISTINCT ON (l.person_key, e.folded) l.person_key, e.folded, e.position, e.by
        FROM events e JOIN links l ON l.entry_key = e.entry_key
        WHERE NOT EXISTS (
            SELECT FROM state.group_versions g
            WHERE g.account_id = p_account AND g.group_id = p_group AND g.folded = e.folded)
        ORDER BY l.person_key, e.folded, e.by
    )
    SELECT * FROM (
        SELECT m.account_id, m.group_id, m.person_key, coalesce(u.user_id, m.user_id), s.came, s.at_order AS folded,
            s.at_position, s.at_by
        FROM added a
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_versions m
            WHERE m.account_id = p_account AND m.person_key = a.person_key AND m.group_id = p_group
              AND m.folded = a.folded OFFSET 0
        ) m
        CROSS JOIN LATERAL state.{list}_moves(
            m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s
        LEFT JOIN LATERAL (
            SELECT * FROM state.users u
            WHERE u.account_id = m.account_id AND u.user_key = m.person_key AND u.known OFFSET 0
        ) u ON true
        UNION ALL
        SELECT p_account, p_group, n.person_key, state.{list}_spelled(p_account, p_group, n.person_key), x.after,
            n.folded, n.position, n.by
        FROM meant n
        CROSS JOIN LATERAL (
            SELECT
                state.{list}_shows(n.folded, p_account, p_group, n.person_key) AS before,
                state.{list}_shows(n.folded || '\x00', p_account, p_group, n.person_key) AS after
            OFFSET 0
        ) x
        WHERE x.before <> x.after
    ) c
    WHERE c.folded >= p_from AND c.folded < p_before
      AND NOT EXISTS (
            SELECT FROM state.group_versions g
            WHERE g.account_id = p_account AND g.group_id = p_group AND g.folded = c.folded);
END
$$;
GRANT EXECUTE ON FUNCTION state.{list}_of_group TO PUBLIC;
