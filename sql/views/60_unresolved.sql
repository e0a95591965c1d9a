-- needs: memberships 3
-- needs: group_admins 3
-- People and groups that events name and the directory does not have: no event introduced them, or they were
-- named again after their removal. Either a delivery was lost, or they were there before the first one.

-- Every mention of such people. `spelling` is null in a mention that gives no id of its own.
CREATE OR REPLACE VIEW state.mentions AS
SELECT
    x.account_id,
    x.person_key,
    u.user_id AS known_as,
    x.seen_in,
    x.spelling,
    x.spelled,
    CASE WHEN x.email_order > coalesce(u.cutoff, '') THEN x.email END AS email,
    x.email_order
FROM (
    SELECT account_id, user_key AS person_key, 'presence' AS seen_in, user_id AS spelling,
        folded AS spelled, email, email_order
    FROM state.presence
    UNION ALL
    SELECT account_id, user_key, 'presence', user_id, note_order, email, email_order
    FROM state.notes WHERE note_order IS NOT NULL
    UNION ALL
    SELECT account_id, user_key, 'sign_ins', user_id, folded, email, email_order
    FROM state.sign_ins
    UNION ALL
    SELECT account_id, user_key, 'settings', user_id, changed_order, NULL, NULL
    FROM state.user_settings WHERE changed_order IS NOT NULL
    UNION ALL
    SELECT account_id, person_key, 'memberships', spelling, folded, email, email_order
    FROM state.memberships_mentions
    UNION ALL
    SELECT account_id, person_key, 'admins', spelling, folded, email, email_order
    FROM state.group_admins_mentions
) x
LEFT JOIN state.people u ON u.account_id = x.account_id AND u.user_key = x.person_key
WHERE u.user_key IS NULL OR (u.removed AND (x.spelling IS NULL OR x.spelled > u.cutoff));

CREATE OR REPLACE VIEW directory.unresolved_users AS
SELECT
    m.account_id,
    coalesce(
        max(m.known_as),
        (array_agg(m.spelling ORDER BY m.spelled DESC) FILTER (WHERE m.spelling IS NOT NULL))[1]
    ) AS user_id,
    -- An entry with the id goes first where one event names two e-mails.
    (array_agg(m.email ORDER BY m.email_order DESC, m.spelling IS NOT NULL DESC)
        FILTER (WHERE m.email IS NOT NULL))[1] AS email,
    array_agg(DISTINCT m.seen_in ORDER BY m.seen_in) AS seen_in
FROM state.mentions m
GROUP BY m.account_id, m.person_key;

-- The mentions of one person.
CREATE OR REPLACE FUNCTION state.mentions_of(p_account text, p_key text) RETURNS SETOF state.mentions
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_known_as text;
    v_removed boolean;
    v_cutoff bytea;
BEGIN
    SELECT u.user_id, u.removed, u.cutoff INTO v_known_as, v_removed, v_cutoff FROM state.people u
    WHERE u.account_id = p_account AND u.user_key = p_key;
    IF v_known_as IS NOT NULL AND NOT v_removed THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT p_account, p_key, v_known_as, x.seen_in, x.spelling, x.spelled,
        CASE WHEN x.email_order > coalesce(v_cutoff, '') THEN x.email END, x.email_order
    FROM (
        SELECT 'presence' AS seen_in, p.user_id AS spelling, p.folded AS spelled, p.email, p.email_order
        FROM state.presence p WHERE p.account_id = p_account AND p.user_key = p_key
        UNION ALL
        SELECT 'presence', n.user_id, n.note_order, n.email, n.email_order
        FROM state.notes n WHERE n.account_id = p_account AND n.user_key = p_key AND n.note_order IS NOT NULL
        UNION ALL
        SELECT 'sign_ins', s.user_id, s.folded, s.email, s.email_order
        FROM state.sign_ins s WHERE s.account_id = p_account AND s.user_key = p_key
        UNION ALL
        SELECT 'settings', s.user_id, s.changed_order, NULL, NULL
        FROM state.user_settings s
        WHERE s.account_id = p_account AND s.user_key = p_key AND s.changed_order IS NOT NULL
        UNION ALL
        SELECT 'memberships', m.spelling, m.folded, m.email, m.email_order
        FROM state.memberships_mentions_of(p_account, p_key) m
        UNION ALL
        SELECT 'admins', m.spelling, m.folded, m.email, m.email_order
        FROM state.group_admins_mentions_of(p_account, p_key) m
    ) x
    WHERE v_known_as IS NULL OR x.spelling IS NULL OR x.spelled > v_cutoff;
END
$$;

-- The same, page by page, in the order of account and key. Candidates come from the tables' keys, in that order; few
-- of them are left out, so a page reads little more than it shows where people are unresolved. Where hardly anybody
-- is, it reads all keys.
CREATE OR REPLACE FUNCTION directory.unresolved_users_page(after_account text, after_key text, most int)
RETURNS TABLE (account_id text, user_id text, email text, seen_in text[], person_key text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 SET enable_hashjoin = off
SET enable_sort = off AS $$
#variable_conflict use_column
DECLARE
    v_account text := after_account;
    v_key text := after_key;
    v_left int := most;
    v_chunk int := greatest(most, 1) * 2;
    v_shown int;
    v_candidates jsonb;
BEGIN
    WHILE v_left > 0 LOOP
        v_candidates := coalesce((
            SELECT jsonb_agg(jsonb_build_array(c.account_id, c.person_key) ORDER BY c.account_id, c.person_key)
            FROM (
                SELECT DISTINCT c.account_id, c.person_key FROM (
                (SELECT DISTINCT p.account_id, p.user_key AS person_key
                 FROM state.presence p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.user_key
                 WHERE (p.account_id, p.user_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.user_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.user_key AS person_key
                 FROM state.notes p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.user_key
                 WHERE (p.account_id, p.user_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.user_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.user_key AS person_key
                 FROM state.sign_ins p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.user_key
                 WHERE (p.account_id, p.user_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.user_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.user_key AS person_key
                 FROM state.user_settings p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.user_key
                 WHERE (p.account_id, p.user_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.user_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.person_key AS person_key
                 FROM state.memberships p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.person_key
                 WHERE (p.account_id, p.person_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.person_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.person_key AS person_key
                 FROM state.group_admins p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.person_key
                 WHERE (p.account_id, p.person_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.person_key LIMIT v_chunk)
                ) c
                ORDER BY c.account_id, c.person_key LIMIT v_chunk
            ) c
        ), '[]');
        RETURN QUERY
        SELECT r.*, c.value ->> 1
        FROM jsonb_array_elements(v_candidates) WITH ORDINALITY AS c (value, number)
        CROSS JOIN LATERAL (
            SELECT
                c.value ->> 0,
                coalesce(
                    max(x.known_as),
                    (array_agg(x.spelling ORDER BY x.spelled DESC) FILTER (WHERE x.spelling IS NOT NULL))[1]),
                (array_agg(x.email ORDER BY x.email_order DESC, x.spelling IS NOT NULL DESC)
                    FILTER (WHERE x.email IS NOT NULL))[1],
                array_agg(DISTINCT x.seen_in ORDER BY x.seen_in)
            FROM state.mentions_of(c.value ->> 0, c.value ->> 1) x
            HAVING count(*) > 0
        ) r
        ORDER BY c.number LIMIT v_left;
        GET DIAGNOSTICS v_shown = ROW_COUNT;
        EXIT WHEN jsonb_array_length(v_candidates) < v_chunk;
        v_left := v_left - v_shown;
        v_account := v_candidates -> (v_chunk - 1) ->> 0;
        v_key := v_candidates -> (v_chunk - 1) ->> 1;
    END LOOP;
END
$$;
COMMENT ON FUNCTION directory.unresolved_users_page IS
    'Rows of unresolved_users, at most so many, with person_key: in the order of account_id and person_key, from the first after these. '''' and '''' is the beginning.';
REVOKE EXECUTE ON FUNCTION directory.unresolved_users_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.unresolved_users_page TO directory_reader;

COMMENT ON VIEW directory.unresolved_users IS
    'People named by memberships, admins, presence, sign-ins or settings of whom no lifecycle event or update is known, or who were named again after their removal.';
COMMENT ON COLUMN directory.unresolved_users.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.unresolved_users.user_id IS 'Zoom''s user id as the newest event that names the person spells it; email:<lower-cased e-mail> for an entry without an id that nobody known has.';
COMMENT ON COLUMN directory.unresolved_users.email IS 'The newest e-mail that those events named; null where they named none.';
COMMENT ON COLUMN directory.unresolved_users.seen_in IS 'Where they are named, an array of: admins, memberships, presence, settings, sign_ins.';

CREATE OR REPLACE VIEW directory.unresolved_groups AS
SELECT
    x.account_id,
    x.group_id,
    array_agg(DISTINCT x.seen_in ORDER BY x.seen_in) AS seen_in
FROM (
    SELECT s.account_id, s.group_id, 'settings' AS seen_in
    FROM state.group_settings s
    LEFT JOIN state.known_groups g ON g.account_id = s.account_id AND g.group_id = s.group_id
    WHERE s.changed_order IS NOT NULL AND (g.group_id IS NULL OR (g.removed AND s.changed_order > g.cutoff))
    UNION ALL
    SELECT l.account_id, l.group_id, 'memberships'
    FROM state.memberships_groups l
    LEFT JOIN state.known_groups g ON g.account_id = l.account_id AND g.group_id = l.group_id
    WHERE g.group_id IS NULL OR (g.removed AND EXISTS (
        SELECT FROM state.memberships_versions m
        WHERE m.group_id = l.group_id AND m.account_id = l.account_id AND m.folded > g.cutoff))
    UNION ALL
    SELECT l.account_id, l.group_id, 'admins'
    FROM state.group_admins_groups l
    LEFT JOIN state.known_groups g ON g.account_id = l.account_id AND g.group_id = l.group_id
    WHERE g.group_id IS NULL OR (g.removed AND EXISTS (
        SELECT FROM state.group_admins_versions m
        WHERE m.group_id = l.group_id AND m.account_id = l.account_id AND m.folded > g.cutoff))
) x
GROUP BY x.account_id, x.group_id;

COMMENT ON VIEW directory.unresolved_groups IS
    'Groups named by memberships, admins or settings of which no group.created or group.updated is known, or which were named again after their removal.';
COMMENT ON COLUMN directory.unresolved_groups.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.unresolved_groups.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.unresolved_groups.seen_in IS 'Where they are named, an array of: admins, memberships, settings.';

GRANT SELECT ON directory.unresolved_users, directory.unresolved_groups TO directory_reader;
