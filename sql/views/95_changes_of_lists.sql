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

-- Added entries with an id, and from when to when each shows somebody in the list. Two that meet are one stay. The
-- sub-selects are kept apart (OFFSET 0), so that the planner sees few tables and starts from whatever is asked for.
CREATE OR REPLACE VIEW state.{list}_stays AS
SELECT
    m.account_id, m.group_id, m.person_key, m.user_id, m.folded, m.until,
    s.starts, s.start_position, s.start_by,
    e.ends, e.end_position, e.end_by
FROM state.{list}_versions m
CROSS JOIN LATERAL (
    SELECT b.starts, b.start_position, b.start_by
    FROM (
        SELECT m.folded AS starts, m.last_position AS start_position, m.by AS start_by
        UNION ALL
        -- the next life of a person who is removed just then; null where there is none
        SELECT r.folded, r.position, r.by
        FROM state.user_versions v
        LEFT JOIN LATERAL (
            SELECT x.folded, x.position, x.by FROM state.user_versions x
            WHERE x.account_id = v.account_id AND x.user_key = v.user_key
              AND x.folded > m.folded AND NOT x.removed
            ORDER BY x.folded LIMIT 1
        ) r ON true
        WHERE v.account_id = m.account_id AND v.user_key = m.person_key
          AND v.folded <= m.folded AND v.until > m.folded AND v.removed
        UNION ALL
        SELECT r.folded, r.position, r.by
        FROM state.group_versions v
        LEFT JOIN LATERAL (
            SELECT x.folded, x.position, x.by FROM state.group_versions x
            WHERE x.account_id = v.account_id AND x.group_id = v.group_id
              AND x.folded > m.folded AND NOT x.removed
            ORDER BY x.folded LIMIT 1
        ) r ON true
        WHERE v.account_id = m.account_id AND v.group_id = m.group_id
          AND v.folded <= m.folded AND v.until > m.folded AND v.removed
    ) b
    ORDER BY b.starts DESC NULLS FIRST LIMIT 1
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
  AND NOT EXISTS (
        SELECT FROM state.{list}_versions l
        WHERE l.group_id = m.group_id AND l.account_id = m.account_id AND l.user_id IS NULL
          AND (EXISTS (
                    SELECT FROM state.{list}_versions i
                    WHERE i.account_id = m.account_id AND i.person_key = m.person_key
                      AND i.group_id = m.group_id AND lower(i.email) = substring(l.person_key FROM 7))
               OR EXISTS (
                    SELECT FROM state.user_versions i
                    WHERE i.account_id = m.account_id AND i.user_key = m.person_key
                      AND lower(i.profile ->> 'email') = substring(l.person_key FROM 7)))
        OFFSET 0);

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

-- Every event that could matter for whom an entry without an id means.
CREATE OR REPLACE VIEW state.{list}_turns AS
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
ORDER BY a.account_id, a.group_id, a.person_key, c.folded, c.by;

-- Came: not there just before. Left: not there just after. Each of entries with an id twice: of known users, with the
-- spelling of their id, and of people whom `users` does not know. Then those of whom the list is asked.
CREATE OR REPLACE VIEW state.{list}_changes AS
SELECT
    s.account_id, s.group_id, s.person_key, u.user_id, true AS came, s.starts AS folded,
    s.start_position AS position, s.start_by AS by
FROM state.{list}_stays s
JOIN state.users u ON u.account_id = s.account_id AND u.user_key = s.person_key AND u.known
WHERE s.starts > s.folded OR NOT EXISTS (
    SELECT FROM state.{list}_stays p
    WHERE p.account_id = s.account_id AND p.person_key = s.person_key AND p.group_id = s.group_id
      AND p.folded < s.folded AND p.until = s.folded AND p.ends = s.folded
    OFFSET 0)
UNION ALL
SELECT
    s.account_id, s.group_id, s.person_key, s.user_id, true, s.starts, s.start_position, s.start_by
FROM state.{list}_stays s
WHERE NOT EXISTS (
        SELECT FROM state.users u
        WHERE u.account_id = s.account_id AND u.user_key = s.person_key AND u.known)
  AND (s.starts > s.folded OR NOT EXISTS (
        SELECT FROM state.{list}_stays p
        WHERE p.account_id = s.account_id AND p.person_key = s.person_key AND p.group_id = s.group_id
          AND p.folded < s.folded AND p.until = s.folded AND p.ends = s.folded
    OFFSET 0))
UNION ALL
SELECT
    s.account_id, s.group_id, s.person_key, u.user_id, false, s.ends,
    coalesce(s.end_position, n.last_position), coalesce(s.end_by, n.by)
FROM state.{list}_stays s
JOIN state.users u ON u.account_id = s.account_id AND u.user_key = s.person_key AND u.known
LEFT JOIN state.{list}_versions n
    ON n.account_id = s.account_id AND n.person_key = s.person_key AND n.group_id = s.group_id
    AND n.folded = s.ends
WHERE s.ends < '\xff' AND n.added IS NOT TRUE
UNION ALL
SELECT
    s.account_id, s.group_id, s.person_key, s.user_id, false, s.ends,
    coalesce(s.end_position, n.last_position), coalesce(s.end_by, n.by)
FROM state.{list}_stays s
LEFT JOIN state.{list}_versions n
    ON n.account_id = s.account_id AND n.person_key = s.person_key AND n.group_id = s.group_id
    AND n.folded = s.ends
WHERE s.ends < '\xff' AND n.added IS NOT TRUE
  AND NOT EXISTS (
        SELECT FROM state.users u
        WHERE u.account_id = s.account_id AND u.user_key = s.person_key AND u.known)
UNION ALL
SELECT
    t.account_id, t.group_id, t.person_key, w.user_id,
    state.{list}_shows(t.folded || '\x00', t.account_id, t.group_id, w.person_key), t.folded, t.position, t.by
FROM state.{list}_turns t
CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT u.user_id FROM state.users u
         WHERE u.account_id = t.account_id AND u.user_key = t.person_key AND u.known),
        (SELECT m.user_id FROM state.{list} m
         WHERE m.account_id = t.account_id AND m.person_key = t.person_key AND m.group_id = t.group_id),
        t.person_key
    ) AS user_id, t.person_key OFFSET 0
) w
WHERE state.{list}_shows(t.folded || '\x00', t.account_id, t.group_id, w.person_key)
   <> state.{list}_shows(t.folded, t.account_id, t.group_id, w.person_key);
