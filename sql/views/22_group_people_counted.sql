-- for each list of: memberships, group_admins
-- needs: {list} 2
-- as of: any moment too
-- A group's list, for the counts in `groups`.

-- How many rows of directory.{list} a group has, as the difference of two views, each quick in its own way. First,
-- for one group at a time: its added entries with an id, counted in the index; less those that a removal of the
-- group has ended; corrected by its entries without an id, which are few.
CREATE OR REPLACE VIEW state.{list}_counted AS
SELECT
    g.account_id,
    g.group_id,
    (
        SELECT count(*) FROM state.{list} m
        WHERE m.account_id = g.account_id AND m.group_id = g.group_id
          AND m.added AND m.user_id IS NOT NULL
    ) - CASE WHEN g.cutoff IS NULL THEN 0 ELSE (
        SELECT count(*) FROM state.{list} m
        WHERE m.account_id = g.account_id AND m.group_id = g.group_id
          AND m.added AND m.user_id IS NOT NULL AND m.folded < g.cutoff
    ) END + (
        SELECT coalesce(sum(e.added::int - (
            -- only memberships:
            m.added IS TRUE AND m.folded > greatest(u.cutoff, g.cutoff, '')
            AND m.folded >= coalesce(o.mark, ''))::int), 0)
            -- only group_admins:
            m.added IS TRUE AND m.folded > greatest(u.cutoff, g.cutoff, ''))::int), 0)
            -- all:
        FROM state.{list} e
        CROSS JOIN LATERAL (
            SELECT state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded) AS person_key
            OFFSET 0
        ) p
        LEFT JOIN state.users u ON u.account_id = e.account_id AND u.user_key = p.person_key
        LEFT JOIN state.{list} m
            ON m.account_id = e.account_id AND m.group_id = e.group_id AND m.person_key = p.person_key
            AND m.user_id IS NOT NULL
        -- only memberships:
        LEFT JOIN state.observed_groups o ON o.account_id = e.account_id AND o.person_key = p.person_key
        -- all:
        WHERE e.account_id = g.account_id AND e.group_id = g.group_id AND e.user_id IS NULL
          AND p.person_key IS NOT NULL AND u.removed IS NOT TRUE
    ) AS people
FROM state.groups g;

-- Second, for all groups at once: the entries counted there that a removal of their user has ended, and those that
-- are older than the newest whole set of the person's groups.
CREATE OR REPLACE VIEW state.{list}_ended AS
-- only memberships:
SELECT x.account_id, x.group_id, (sum(x.people))::bigint AS people
FROM (
-- all:
SELECT m.account_id, m.group_id, count(*) AS people
FROM state.users u
JOIN state.{list} m ON m.account_id = u.account_id AND m.person_key = u.user_key
LEFT JOIN state.groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
WHERE u.cutoff IS NOT NULL AND (u.removed OR m.folded < u.cutoff)
  AND m.added AND m.user_id IS NOT NULL AND (g.cutoff IS NULL OR m.folded > g.cutoff)
-- only group_admins:
GROUP BY m.account_id, m.group_id;
-- only memberships:
GROUP BY m.account_id, m.group_id
UNION ALL
SELECT m.account_id, m.group_id, 1
FROM (
    SELECT m.account_id, m.group_id, m.person_key, m.folded
    FROM state.memberships m
    JOIN state.observed_groups o
        ON o.account_id = m.account_id AND o.person_key = m.person_key AND o.mark > m.folded
    WHERE m.added AND m.user_id IS NOT NULL AND NOT m.in_set
    UNION ALL
    SELECT m.account_id, m.group_id, m.person_key, m.folded
    FROM state.observed_groups o
    CROSS JOIN LATERAL jsonb_array_elements_text(o.dropped) AS d (group_id)
    JOIN state.memberships m
        ON m.account_id = o.account_id AND m.person_key = o.person_key AND m.group_id = d.group_id
        AND m.folded < o.mark
    WHERE o.dropped <> '[]' AND m.added AND m.user_id IS NOT NULL AND m.in_set
) m
LEFT JOIN state.users u ON u.account_id = m.account_id AND u.user_key = m.person_key
LEFT JOIN state.groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
WHERE (g.cutoff IS NULL OR m.folded > g.cutoff)
  AND u.removed IS NOT TRUE AND (u.cutoff IS NULL OR m.folded > u.cutoff)
) x
GROUP BY x.account_id, x.group_id;
-- all:
