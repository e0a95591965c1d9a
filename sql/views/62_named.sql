-- needs: users 3
-- needs: memberships 3
-- needs: group_admins 3
-- needs: presence 3
-- needs: sign_ins 2
-- needs: user_settings 3
-- Ids as people and events spell them. SECURITY DEFINER, because readers have no right to the tables; and bound late,
-- because the tables change places at a swap.

CREATE OR REPLACE FUNCTION directory.spellings(account text, user_key text) RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 2 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.user_id FROM state.user_versions v
    WHERE v.account_id = $1 AND v.user_key = $2
    UNION
    SELECT v.user_id FROM state.memberships_versions v
    WHERE v.account_id = $1 AND v.person_key = $2 AND v.user_id IS NOT NULL
    UNION
    SELECT v.user_id FROM state.group_admins_versions v
    WHERE v.account_id = $1 AND v.person_key = $2 AND v.user_id IS NOT NULL
    UNION
    SELECT v.user_id FROM state.user_settings_versions v
    WHERE v.account_id = $1 AND v.user_key = $2
    UNION
    SELECT p.user_id FROM state.presence p WHERE p.account_id = $1 AND p.user_key = $2
    UNION
    SELECT n.user_id FROM state.notes n WHERE n.account_id = $1 AND n.user_key = $2
    UNION
    SELECT s.user_id FROM state.sign_ins s WHERE s.account_id = $1 AND s.user_key = $2;
END
$$;
COMMENT ON FUNCTION directory.spellings IS
    'Every spelling that an id ever had, by the id in lower case: X_at(t) shows the one of that time.';

CREATE OR REPLACE FUNCTION directory.mentioned(words text)
RETURNS TABLE (account_id text, user_id text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 2 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.account_id, coalesce(max(x.user_id), max(x.key))
    FROM (SELECT f.account_id FROM state.freshness f UNION SELECT c.account_id FROM state.coverage c) a
    CROSS JOIN (VALUES (lower(words)), ('email:' || lower(words))) k (key)
    CROSS JOIN LATERAL (
        SELECT m.user_id, k.key FROM state.memberships m
        WHERE m.account_id = a.account_id AND m.person_key = k.key
        UNION ALL
        SELECT m.user_id, k.key FROM state.group_admins m
        WHERE m.account_id = a.account_id AND m.person_key = k.key
        UNION ALL
        SELECT p.user_id, k.key FROM state.presence p WHERE p.account_id = a.account_id AND p.user_key = k.key
        UNION ALL
        SELECT n.user_id, k.key FROM state.notes n WHERE n.account_id = a.account_id AND n.user_key = k.key
        UNION ALL
        SELECT s.user_id, k.key FROM state.sign_ins s WHERE s.account_id = a.account_id AND s.user_key = k.key
        UNION ALL
        SELECT s.user_id, k.key FROM state.user_settings s
        WHERE s.account_id = a.account_id AND s.user_key = k.key
    ) x
    GROUP BY a.account_id, x.key;
END
$$;
COMMENT ON FUNCTION directory.mentioned IS
    'Whom lists, presence, sign-ins and settings name by this id, in any case, or by this e-mail alone: those too whom users and former_users do not know.';

CREATE OR REPLACE FUNCTION directory.mentioned_with(email text)
RETURNS TABLE (account_id text, user_id text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 2 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT m.account_id, m.user_id FROM state.memberships m
    WHERE lower(m.email) = lower($1) AND m.user_id IS NOT NULL
    UNION
    SELECT m.account_id, m.user_id FROM state.group_admins m
    WHERE lower(m.email) = lower($1) AND m.user_id IS NOT NULL
    UNION
    SELECT p.account_id, p.user_id FROM state.presence p WHERE lower(p.email) = lower($1)
    UNION
    SELECT s.account_id, s.user_id FROM state.sign_ins s WHERE lower(s.email) = lower($1);
END
$$;
COMMENT ON FUNCTION directory.mentioned_with IS
    'Whom lists, presence and sign-ins name by an id together with this e-mail. It reads these tables whole: for whom nothing else finds.';

REVOKE EXECUTE ON FUNCTION directory.spellings, directory.mentioned, directory.mentioned_with FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.spellings, directory.mentioned, directory.mentioned_with TO directory_reader;
