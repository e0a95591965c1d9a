-- for each list of: memberships, group_admins
-- needs: users 3
-- needs: groups 3
-- needs: {list} 3
-- needs: sign_ins 2
-- What the events at a range of positions changed in groups' lists. Not part of the interface.

-- The same rows as state.{list}_changes has of these positions, or those of them that came late; found from the events,
-- each table's by its positions. An event concerns entries of its own, those of whoever's life or group it begins or
-- ends, and, where an entry that names only an e-mail may mean somebody, whomever that entry may mean.
CREATE OR REPLACE FUNCTION state.{list}_between(
    p_after bigint, p_up_to bigint, p_late boolean
) RETURNS SETOF state.{list}_changes
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 500 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    WITH told AS (
        SELECT m.last_position AS position, m.folded, m.by, m.account_id, m.person_key, m.group_id,
            m.user_id IS NULL AS nameless
        FROM state.{list}_versions m
        WHERE m.last_position > p_after AND m.last_position <= p_up_to
    ), people AS (
        SELECT x.position, x.folded, x.by, x.account_id, x.user_key AS person_key,
            x.cutoff = x.folded OR NOT x.removed AND EXISTS (
                SELECT FROM state.user_versions o
                WHERE o.account_id = x.account_id AND o.user_key = x.user_key
                  AND o.folded < x.folded AND o.until = x.folded AND o.removed
            ) AS turns
        FROM state.user_versions x
        WHERE x.position > p_after AND x.position <= p_up_to
        -- only memberships:
        UNION ALL
        SELECT x.position, x.folded, NULL, x.account_id, x.person_key, x.mark = x.folded
        FROM state.observed_group_versions x
        WHERE x.position > p_after AND x.position <= p_up_to
        -- all:
    ), groups AS (
        SELECT x.position, x.folded, x.by, x.account_id, x.group_id,
            x.cutoff = x.folded OR NOT x.removed AND EXISTS (
                SELECT FROM state.group_versions o
                WHERE o.account_id = x.account_id AND o.group_id = x.group_id
                  AND o.folded < x.folded AND o.until = x.folded AND o.removed
            ) AS turns
        FROM state.group_versions x
        WHERE x.position > p_after AND x.position <= p_up_to
    ), added AS (
        -- entries that an event added, and those that the next entry ended
        SELECT t.position, t.folded, m.account_id, m.person_key, m.group_id, m.folded AS added
        FROM told t
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_versions m
            WHERE m.account_id = t.account_id AND m.person_key = t.person_key AND m.group_id = t.group_id
              AND m.folded <= t.folded AND m.until >= t.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        UNION ALL
        SELECT p.position, p.folded, m.account_id, m.person_key, m.group_id, m.folded
        FROM people p
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_versions m
            WHERE m.account_id = p.account_id AND m.person_key = p.person_key
              AND m.folded < p.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        WHERE p.turns
        UNION ALL
        SELECT g.position, g.folded, m.account_id, m.person_key, m.group_id, m.folded
        FROM groups g
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_versions m
            WHERE m.group_id = g.group_id AND m.account_id = g.account_id
              AND m.folded < g.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        WHERE g.turns
    ), concerned AS (
        SELECT x.*
        FROM (
            SELECT t.position, t.folded, t.by, t.account_id, t.person_key, t.group_id FROM told t WHERE NOT t.nameless
            UNION ALL
            SELECT p.position, p.folded, p.by, p.account_id, p.person_key, NULL FROM people p
        ) x
        WHERE EXISTS (SELECT FROM state.{list}_versions e WHERE e.user_id IS NULL)
    ), had AS (
        -- e-mails that somebody ever had: as a user, for every group, or in a group's list, for that group
        SELECT c.account_id, c.person_key, NULL::text AS group_id, lower(u.profile ->> 'email') AS email
        FROM (SELECT DISTINCT c.account_id, c.person_key FROM concerned c) c
        CROSS JOIN LATERAL (
            SELECT u.profile FROM state.user_versions u
            WHERE u.account_id = c.account_id AND u.user_key = c.person_key OFFSET 0
        ) u
        UNION
        SELECT c.account_id, c.person_key, m.group_id, lower(m.email)
        FROM (SELECT DISTINCT c.account_id, c.person_key FROM concerned c) c
        CROSS JOIN LATERAL (
            SELECT m.group_id, m.email FROM state.{list}_versions m
            WHERE m.account_id = c.account_id AND m.person_key = c.person_key OFFSET 0
        ) m
    ), entries AS (
        -- Without an id is asked outside: for it there is an index, of all groups, which would be read as a whole.
        SELECT h.account_id, h.person_key, e.group_id, e.person_key AS entry_key
        FROM had h
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_versions e
            WHERE e.account_id = h.account_id AND e.person_key = 'email:' || h.email OFFSET 0
        ) e
        WHERE e.user_id IS NULL AND (h.group_id IS NULL OR e.group_id = h.group_id)
    ), nameless AS (
        -- entries that name only an e-mail, which an event may concern
        SELECT t.position, t.folded, t.by, t.account_id, t.group_id, t.person_key AS entry_key
        FROM told t WHERE t.nameless
        UNION
        SELECT c.position, c.folded, c.by, e.account_id, e.group_id, e.entry_key
        FROM concerned c
        JOIN entries e
            ON e.account_id = c.account_id AND e.person_key = c.person_key
            AND (c.group_id IS NULL OR e.group_id = c.group_id)
        UNION
        SELECT g.position, g.folded, g.by, e.account_id, e.group_id, e.person_key
        FROM groups g
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_versions e
            WHERE e.group_id = g.group_id AND e.account_id = g.account_id AND e.user_id IS NULL OFFSET 0
        ) e
        UNION
        SELECT r.position, r.folded, r.by, e.account_id, e.group_id, e.person_key
        FROM state.removed_email_versions r
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_versions e
            WHERE e.account_id = r.account_id AND e.person_key = 'email:' || r.email_key OFFSET 0
        ) e
        WHERE r.position > p_after AND r.position <= p_up_to AND e.user_id IS NULL
    ), meant AS (
        -- whomever those entries may ever have meant, once an event
        SELECT DISTINCT ON (n.account_id, n.group_id, l.person_key, n.folded)
            n.position, n.folded, n.by, n.account_id, n.group_id, l.person_key
        FROM nameless n
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_links l
            WHERE l.account_id = n.account_id AND l.group_id = n.group_id AND l.entry_key = n.entry_key OFFSET 0
        ) l
        ORDER BY n.account_id, n.group_id, l.person_key, n.folded, n.by
    )
    SELECT m.account_id, m.group_id, m.person_key, coalesce(u.user_id, m.user_id), s.came, s.at_order,
        s.at_position, s.at_by
    FROM (
        SELECT DISTINCT a.account_id, a.person_key, a.group_id, a.added FROM added a
        WHERE NOT p_late OR EXISTS (
            SELECT FROM state.{list}_versions x
            WHERE x.account_id = a.account_id AND x.person_key = a.person_key AND x.group_id = a.group_id
              AND x.folded > a.folded AND x.last_position < a.position)
    ) a
    CROSS JOIN LATERAL (
        SELECT * FROM state.{list}_versions m
        WHERE m.account_id = a.account_id AND m.person_key = a.person_key AND m.group_id = a.group_id
          AND m.folded = a.added OFFSET 0
    ) m
    CROSS JOIN LATERAL state.{list}_moves(
        m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s
    LEFT JOIN LATERAL (
        SELECT * FROM state.users u
        WHERE u.account_id = m.account_id AND u.user_key = m.person_key AND u.known OFFSET 0
    ) u ON true
    WHERE s.at_position > p_after AND s.at_position <= p_up_to
    UNION ALL
    SELECT n.account_id, n.group_id, n.person_key,
        state.{list}_spelled(n.account_id, n.group_id, n.person_key), x.after, n.folded, n.position, n.by
    FROM meant n
    CROSS JOIN LATERAL (
        SELECT
            state.{list}_shows(n.folded, n.account_id, n.group_id, n.person_key) AS before,
            state.{list}_shows(n.folded || '\x00', n.account_id, n.group_id, n.person_key) AS after
        OFFSET 0
    ) x
    WHERE x.before <> x.after AND (NOT p_late OR EXISTS (
        SELECT FROM state.{list}_versions x
        WHERE x.account_id = n.account_id AND x.person_key = n.person_key AND x.group_id = n.group_id
          AND x.folded > n.folded AND x.last_position < n.position));
END
$$;
GRANT EXECUTE ON FUNCTION state.{list}_between TO PUBLIC;
