-- for each list of: memberships, group_admins
-- needs: {list} 2
-- as of: any moment too
-- Whom an entry without an id means.
--
-- An entry has an id, or only an e-mail. Then it means the person with an id in the same list who has that
-- e-mail there, else the user whose current e-mail it is, else nobody known. Of several entries for one person
-- the newest counts. Entries without an id are few, so functions decide about one at a time: planning the same
-- as joins takes longer than a look-up may. SECURITY DEFINER, because readers of the views call them and have no
-- right to the tables; they cannot call them by name. COST is set below the real cost: the planner assumes that
-- they run for every row that it compares, and would sort everything instead.

-- The key of the person whom an entry without an id means; null where a removal has ended the entry.
CREATE OR REPLACE FUNCTION state.{list}_meaning(
    p_account text, p_group text, p_key text, p_folded bytea
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_email text := substring(p_key FROM 7);
    v_group_cutoff bytea;
    v_email_cutoff bytea;
    v_person text;
BEGIN
    SELECT coalesce((
            SELECT g.cutoff FROM state.groups g
            WHERE g.account_id = p_account AND g.group_id = p_group), ''), (
            SELECT r.cutoff FROM state.removed_emails r
            WHERE r.account_id = p_account AND r.email_key = v_email)
    INTO v_group_cutoff, v_email_cutoff;
    IF p_folded < v_group_cutoff OR p_folded < v_email_cutoff THEN
        RETURN NULL;
    END IF;
    SELECT m.person_key INTO v_person
    FROM state.{list} m
    LEFT JOIN state.users u ON u.account_id = m.account_id AND u.user_key = m.person_key
    WHERE hashtextextended(lower(m.email), hashtextextended(m.group_id, 0))
            = hashtextextended(v_email, hashtextextended(p_group, 0))
      AND m.account_id = p_account AND m.group_id = p_group
      AND m.user_id IS NOT NULL AND lower(m.email) = v_email
      AND least(m.folded, m.email_order) > greatest(u.cutoff, v_group_cutoff)
    ORDER BY m.folded DESC, m.person_key LIMIT 1;
    IF v_person IS NULL THEN
        SELECT u.user_key INTO v_person
        FROM state.users u
        WHERE u.account_id = p_account AND lower(u.email) = v_email
          AND u.known AND NOT u.removed
        ORDER BY u.folded DESC, u.user_key LIMIT 1;
    END IF;
    RETURN coalesce(v_person, p_key);
END
$$;

-- The same, but also null where another entry for that person is newer.
CREATE OR REPLACE FUNCTION state.{list}_decides(
    p_account text, p_group text, p_key text, p_folded bytea
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_person text := state.{list}_meaning(p_account, p_group, p_key, p_folded);
    v_cutoff bytea;
    v_own_email text;
    v_listed record;
    -- only memberships:
    v_mark bytea;
    -- all:
BEGIN
    IF v_person IS NULL OR v_person = p_key THEN
        RETURN v_person;
    END IF;
    -- only memberships:
    -- What was told before the newest whole set of the person's groups counts no more.
    SELECT o.mark INTO v_mark
    FROM state.observed_groups o WHERE o.account_id = p_account AND o.person_key = v_person;
    IF p_folded < v_mark THEN
        RETURN NULL;
    END IF;
    -- all:
    SELECT u.cutoff, u.email INTO v_cutoff, v_own_email
    FROM state.users u WHERE u.account_id = p_account AND u.user_key = v_person;
    SELECT m.folded, m.email INTO v_listed
    FROM state.{list} m
    WHERE m.account_id = p_account AND m.group_id = p_group AND m.person_key = v_person;
    IF v_listed.folded >= p_folded AND v_listed.folded > coalesce(v_cutoff, '') THEN
        RETURN NULL;
    END IF;
    -- No other e-mails than these two can mean the same person.
    IF EXISTS (
        SELECT FROM state.{list} e
        WHERE e.account_id = p_account AND e.group_id = p_group AND e.user_id IS NULL
          AND e.person_key IN ('email:' || lower(v_listed.email), 'email:' || lower(v_own_email))
          AND (e.folded, e.person_key) > (p_folded, p_key)
          AND state.{list}_meaning(p_account, p_group, e.person_key, e.folded) = v_person)
    THEN
        RETURN NULL;
    END IF;
    RETURN v_person;
END
$$;

GRANT EXECUTE ON FUNCTION state.{list}_meaning, state.{list}_decides TO PUBLIC;
