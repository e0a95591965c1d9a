-- for each list of: memberships, group_admins
-- needs: {list} 3
-- A group's list, for `unresolved_users` and `unresolved_groups`.

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

-- The same of one person, or of one entry without an id: found from their own rows. To judge whom each entry without
-- an id means, only to leave out the others, takes longer.
CREATE OR REPLACE FUNCTION state.{list}_mentions_of(p_account text, p_key text) RETURNS SETOF state.{list}_mentions
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT m.account_id, m.person_key, m.user_id, m.folded,
        CASE WHEN m.email_order > coalesce(g.cutoff, '') THEN m.email END, m.email_order
    FROM state.{list} m
    LEFT JOIN state.known_groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
    WHERE m.account_id = p_account AND m.person_key = p_key AND m.user_id IS NOT NULL
      AND m.folded > coalesce(g.cutoff, '')
    UNION ALL
    SELECT p_account, p_key, CASE WHEN e.person_key = p_key THEN p_key END, e.folded, e.email, e.email_order
    FROM (
        SELECT m.group_id, p_key AS entry_key FROM state.{list} m
        WHERE m.account_id = p_account AND m.person_key = p_key AND m.user_id IS NULL
        UNION
        SELECT m.group_id, 'email:' || lower(m.email) FROM state.{list} m
        WHERE m.account_id = p_account AND m.person_key = p_key AND m.user_id IS NOT NULL
    ) k
    CROSS JOIN LATERAL (
        SELECT * FROM state.{list} e
        WHERE e.account_id = p_account AND e.person_key = k.entry_key AND e.group_id = k.group_id OFFSET 0
    ) e
    WHERE e.user_id IS NULL
      AND state.{list}_meaning(e.account_id, e.group_id, e.person_key, e.folded) = p_key;
END
$$;

-- Every group that the list names. A look-up a group: there are many entries and few groups.
CREATE OR REPLACE VIEW state.{list}_groups AS
WITH RECURSIVE named AS (
    (SELECT v.account_id, v.group_id FROM state.{list}_versions v ORDER BY v.group_id, v.account_id LIMIT 1)
    UNION ALL
    SELECT v.account_id, v.group_id
    FROM named n
    CROSS JOIN LATERAL (
        SELECT v.account_id, v.group_id FROM state.{list}_versions v
        WHERE (v.group_id, v.account_id) > (n.group_id, n.account_id)
        ORDER BY v.group_id, v.account_id LIMIT 1
    ) v
)
SELECT n.account_id, n.group_id FROM named n;
