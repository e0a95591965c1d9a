-- for each list of: memberships, group_admins
-- A group's list, for the counts in `groups` and for `unresolved_users`.

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
            m.added IS TRUE AND m.folded > greatest(u.cutoff, g.cutoff, ''))::int), 0)
        FROM state.{list} e
        CROSS JOIN LATERAL (
            SELECT state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded) AS person_key
            OFFSET 0
        ) p
        LEFT JOIN state.users u ON u.account_id = e.account_id AND u.user_key = p.person_key
        LEFT JOIN state.{list} m
            ON m.account_id = e.account_id AND m.group_id = e.group_id AND m.person_key = p.person_key
            AND m.user_id IS NOT NULL
        WHERE e.account_id = g.account_id AND e.group_id = g.group_id AND e.user_id IS NULL
          AND p.person_key IS NOT NULL AND u.removed IS NOT TRUE
    ) AS people
FROM state.groups g;

-- Second, for all groups at once: the entries counted there that a removal of their user has ended.
CREATE OR REPLACE VIEW state.{list}_ended AS
SELECT m.account_id, m.group_id, count(*) AS people
FROM state.users u
JOIN state.{list} m ON m.account_id = u.account_id AND m.person_key = u.user_key
LEFT JOIN state.groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
WHERE u.cutoff IS NOT NULL AND (u.removed OR m.folded < u.cutoff)
  AND m.added AND m.user_id IS NOT NULL AND (g.cutoff IS NULL OR m.folded > g.cutoff)
GROUP BY m.account_id, m.group_id;

-- Every mention of a person in the list, deletions too; `spelling` is null where it gives no id of its own.
CREATE OR REPLACE VIEW state.{list}_mentions AS
SELECT
    m.account_id,
    m.person_key,
    m.user_id AS spelling,
    m.folded,
    CASE WHEN m.email_order > coalesce(g.cutoff, '') THEN m.email END AS email,
    m.email_order
FROM state.{list} m
LEFT JOIN state.known_groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
WHERE m.user_id IS NOT NULL AND m.folded > coalesce(g.cutoff, '')
UNION ALL
SELECT
    e.account_id,
    w.means,
    CASE WHEN w.means = e.person_key THEN e.person_key END,
    e.folded,
    e.email,
    e.email_order
FROM state.{list} e
CROSS JOIN LATERAL (
    SELECT state.{list}_meaning(e.account_id, e.group_id, e.person_key, e.folded) AS means OFFSET 0
) w
WHERE e.user_id IS NULL AND w.means IS NOT NULL;
