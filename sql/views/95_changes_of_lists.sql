-- for each list of: memberships, group_admins
-- needs: users 3
-- needs: groups 3
-- needs: {list} 3
-- needs: sign_ins 2
-- Who came into a group's list, and who left it, by which event. Not part of the interface.
--
-- Somebody is in the list from the event that added them until whatever ends that: the next event about them in the list,
-- their removal, the group's, or a whole set of their groups that lacks it. While they or the group are removed they
-- are not shown; what was added meanwhile shows with the next life. So much for entries with an id. Where an
-- entry that names only an e-mail may mean somebody, the list itself is asked at every event that could matter.

-- The removals and the beginnings of the lives of people and groups.
-- only memberships:
CREATE OR REPLACE VIEW state.user_removals AS
SELECT v.account_id, v.user_key, v.folded, v.position, v.by
FROM state.user_versions v WHERE v.cutoff = v.folded;

CREATE OR REPLACE VIEW state.group_removals AS
SELECT v.account_id, v.group_id, v.folded, v.position, v.by
FROM state.group_versions v WHERE v.cutoff = v.folded;
-- all:

-- Entries without an id, and whom each may ever have meant: those who had its e-mail, here or as users.
CREATE OR REPLACE VIEW state.{list}_links AS
SELECT DISTINCT e.account_id, e.group_id, e.person_key AS entry_key, p.person_key
FROM state.{list}_versions e
CROSS JOIN LATERAL (
    SELECT e.person_key
    UNION ALL
    SELECT m.person_key FROM state.{list}_versions m
    WHERE m.account_id = e.account_id AND m.group_id = e.group_id AND m.user_id IS NOT NULL
      AND lower(m.email) = substring(e.person_key FROM 7)
    UNION ALL
    SELECT u.user_key FROM state.user_versions u
    WHERE u.account_id = e.account_id AND lower(u.profile ->> 'email') = substring(e.person_key FROM 7)
) p
WHERE e.user_id IS NULL;

-- Added entries with an id, and from when to when each shows somebody in the list. Two that meet are one stay.
CREATE OR REPLACE VIEW state.{list}_stays AS
SELECT
    m.account_id, m.group_id, m.person_key, m.user_id, m.folded, m.until, m.last_position, m.by,
    s.starts, s.start_position, s.start_by,
    e.ends, e.end_position, e.end_by
FROM state.{list}_versions m
LEFT JOIN LATERAL (
    SELECT v.removed FROM state.user_versions v
    WHERE v.account_id = m.account_id AND v.user_key = m.person_key
      AND v.folded <= m.folded AND v.until > m.folded
) u ON true
LEFT JOIN LATERAL (
    SELECT v.folded, v.position, v.by FROM state.user_versions v
    WHERE u.removed AND v.account_id = m.account_id AND v.user_key = m.person_key
      AND v.folded > m.folded AND NOT v.removed
    ORDER BY v.folded LIMIT 1
) ur ON true
LEFT JOIN LATERAL (
    SELECT v.removed FROM state.group_versions v
    WHERE v.account_id = m.account_id AND v.group_id = m.group_id
      AND v.folded <= m.folded AND v.until > m.folded
) g ON true
LEFT JOIN LATERAL (
    SELECT v.folded, v.position, v.by FROM state.group_versions v
    WHERE g.removed AND v.account_id = m.account_id AND v.group_id = m.group_id
      AND v.folded > m.folded AND NOT v.removed
    ORDER BY v.folded LIMIT 1
) gr ON true
CROSS JOIN LATERAL (
    SELECT b.starts, b.start_position, b.start_by
    FROM (VALUES
        (m.folded, m.last_position, m.by),
        (ur.folded, ur.position, ur.by),
        (gr.folded, gr.position, gr.by)
    ) AS b (starts, start_position, start_by)
    WHERE b.starts IS NOT NULL ORDER BY b.starts DESC LIMIT 1
) s
CROSS JOIN LATERAL (
    SELECT f.ends, f.end_position, f.end_by
    FROM (
        SELECT m.until AS ends, NULL::bigint AS end_position, NULL::text AS end_by, 0 AS number
        UNION ALL
        (SELECT r.folded, r.position, r.by, 1 FROM state.user_removals r
         WHERE r.account_id = m.account_id AND r.user_key = m.person_key AND r.folded > m.folded
         ORDER BY r.folded LIMIT 1)
        UNION ALL
        (SELECT r.folded, r.position, r.by, 2 FROM state.group_removals r
         WHERE r.account_id = m.account_id AND r.group_id = m.group_id AND r.folded > m.folded
         ORDER BY r.folded LIMIT 1)
        -- only memberships:
        UNION ALL
        (SELECT o.folded, o.position, NULL, 3 FROM state.observed_group_versions o
         WHERE o.account_id = m.account_id AND o.person_key = m.person_key AND o.folded > m.folded
           AND o.mark = o.folded
         ORDER BY o.folded LIMIT 1)
        -- all:
    ) f
    ORDER BY f.ends, f.number LIMIT 1
) e
WHERE m.added AND m.user_id IS NOT NULL AND s.starts < e.ends
  AND (u.removed IS NOT TRUE OR ur.folded IS NOT NULL) AND (g.removed IS NOT TRUE OR gr.folded IS NOT NULL)
  AND NOT EXISTS (
        SELECT FROM state.{list}_links l
        WHERE l.account_id = m.account_id AND l.group_id = m.group_id AND l.person_key = m.person_key);

-- Whether the list shows somebody at a bound, found by the key of a person or of an entry.
CREATE OR REPLACE FUNCTION state.{list}_shows(
    p_bound bytea, p_account text, p_group text, p_key text
) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    v_user text := coalesce((
            SELECT u.user_id FROM state.past_users u
            WHERE u.account_id = p_account AND u.user_key = p_key
              AND u.folded < p_bound AND u.until >= p_bound AND u.known
        ), (
            SELECT m.user_id FROM state.past_{list} m
            WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
              AND m.folded < p_bound AND m.until >= p_bound
        ), p_key);
BEGIN
    RETURN EXISTS (
        SELECT FROM state.{list}_at(p_bound) s
        WHERE s.account_id = p_account AND s.group_id = p_group AND s.user_id = v_user);
END
$$;
GRANT EXECUTE ON FUNCTION state.{list}_shows TO PUBLIC;

-- Whom an entry without an id may mean: at each event that could matter, whether the list shows them.
CREATE OR REPLACE VIEW state.{list}_asked AS
SELECT
    t.account_id, t.group_id, t.person_key, t.folded, t.position, t.by,
    state.{list}_shows(t.folded || '\x00', t.account_id, t.group_id, t.person_key) AS shown
FROM (
    SELECT DISTINCT ON (a.account_id, a.group_id, a.person_key, c.folded)
        a.account_id, a.group_id, a.person_key, c.folded, c.position, c.by
    FROM state.{list}_links a
    JOIN state.{list}_links l
        ON l.account_id = a.account_id AND l.group_id = a.group_id AND l.entry_key = a.entry_key
    CROSS JOIN LATERAL (
        SELECT m.folded, m.last_position AS position, m.by FROM state.{list}_versions m
        WHERE m.account_id = l.account_id AND m.group_id = l.group_id AND m.person_key = l.person_key
        UNION ALL
        SELECT u.folded, u.position, u.by FROM state.user_versions u
        WHERE u.account_id = l.account_id AND u.user_key = l.person_key
        UNION ALL
        SELECT g.folded, g.position, g.by FROM state.group_versions g
        WHERE g.account_id = l.account_id AND g.group_id = l.group_id
        UNION ALL
        SELECT r.folded, r.position, r.by FROM state.removed_email_versions r
        WHERE r.account_id = l.account_id AND r.email_key = substring(l.entry_key FROM 7)
        -- only memberships:
        UNION ALL
        SELECT o.folded, o.position, NULL FROM state.observed_group_versions o
        WHERE o.account_id = l.account_id AND o.person_key = l.person_key
        -- all:
    ) c
    ORDER BY a.account_id, a.group_id, a.person_key, c.folded, c.by
) t;

CREATE OR REPLACE VIEW state.{list}_changes AS
SELECT
    c.account_id, c.group_id, c.person_key,
    coalesce(u.user_id, c.user_id) AS user_id,
    c.came, c.folded, c.position, c.by,
    EXISTS (
        SELECT FROM state.{list}_versions x
        WHERE x.account_id = c.account_id AND x.person_key = c.person_key AND x.group_id = c.group_id
          AND x.folded > c.folded AND x.last_position < c.position
    ) AS late
FROM (
    -- came, unless they were there just before
    SELECT s.account_id, s.group_id, s.person_key, s.user_id, true AS came, s.starts AS folded,
           s.start_position AS position, s.start_by AS by
    FROM state.{list}_stays s
    WHERE s.starts > s.folded OR NOT EXISTS (
        SELECT FROM state.{list}_stays p
        WHERE p.account_id = s.account_id AND p.person_key = s.person_key AND p.group_id = s.group_id
          AND p.folded < s.folded AND p.until = s.folded AND p.ends = s.folded)
    UNION ALL
    -- left, unless they stay
    SELECT s.account_id, s.group_id, s.person_key, s.user_id, false, s.ends,
           coalesce(s.end_position, n.last_position), coalesce(s.end_by, n.by)
    FROM state.{list}_stays s
    LEFT JOIN state.{list}_versions n
        ON n.account_id = s.account_id AND n.person_key = s.person_key AND n.group_id = s.group_id
        AND n.folded = s.ends
    WHERE s.ends < '\xff' AND n.added IS NOT TRUE
    UNION ALL
    SELECT a.account_id, a.group_id, a.person_key, w.user_id, a.shown, a.folded, a.position, a.by
    FROM (
        SELECT a.*, coalesce(lag(a.shown) OVER (
            PARTITION BY a.account_id, a.group_id, a.person_key ORDER BY a.folded), false) AS before
        FROM state.{list}_asked a
    ) a
    LEFT JOIN LATERAL (
        SELECT coalesce(m.user_id, m.person_key) AS user_id FROM state.{list}_versions m
        WHERE m.account_id = a.account_id AND m.person_key = a.person_key AND m.group_id = a.group_id
        ORDER BY m.folded DESC LIMIT 1
    ) w ON true
    WHERE a.shown <> a.before
) c
LEFT JOIN state.users u ON u.account_id = c.account_id AND u.user_key = c.person_key AND u.known;
