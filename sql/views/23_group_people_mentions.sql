-- for each list of: memberships, group_admins
-- needs: {list} 2
-- A group's list, for `unresolved_users`.

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
