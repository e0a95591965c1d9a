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

-- Entries without an id, and whom each may ever have meant: those who had its e-mail, here or as users. Conditions are
-- repeated so that the planner finds an index whichever side it starts from.
CREATE OR REPLACE VIEW state.{list}_links AS
SELECT e.account_id, e.group_id, e.person_key AS entry_key, e.person_key
FROM state.{list}_versions e
WHERE e.user_id IS NULL
UNION
SELECT e.account_id, e.group_id, e.person_key, m.person_key
FROM state.{list}_versions e
JOIN state.{list}_versions m
    ON m.account_id = e.account_id AND m.group_id = e.group_id AND 'email:' || lower(m.email) = e.person_key
    AND hashtextextended(lower(m.email), hashtextextended(m.group_id, 0))
        = hashtextextended(substring(e.person_key FROM 7), hashtextextended(e.group_id, 0))
WHERE e.user_id IS NULL AND m.user_id IS NOT NULL
UNION
SELECT e.account_id, e.group_id, e.person_key, u.user_key
FROM state.{list}_versions e
JOIN state.user_versions u
    ON u.account_id = e.account_id AND 'email:' || lower(u.profile ->> 'email') = e.person_key
    AND lower(u.profile ->> 'email') = substring(e.person_key FROM 7)
WHERE e.user_id IS NULL;

-- What an added entry with an id changes: that somebody came into the list, unless they were there just before, and
-- that they left it, unless they are there just after. A function, because its statements are planned once a session,
-- and joins of as many tables for every query.
CREATE OR REPLACE FUNCTION state.{list}_moves(
    p_account text, p_key text, p_group text, p_folded bytea, p_until bytea, p_position bigint, p_by text
) RETURNS TABLE (came boolean, at_order bytea, at_position bigint, at_by text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 COST 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_starts bytea := p_folded;
    v_start_position bigint := p_position;
    v_start_by text := p_by;
    v_ends bytea := p_until;
    v_end_position bigint;
    v_end_by text;
    v_found record;
    v_before record;
    v_ended record;
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT lower(m.email) AS email FROM state.{list}_versions m
            WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
            UNION ALL
            SELECT lower(u.profile ->> 'email') FROM state.user_versions u
            WHERE u.account_id = p_account AND u.user_key = p_key
        ) had
        CROSS JOIN LATERAL (
            SELECT FROM state.{list}_versions e
            WHERE e.account_id = p_account AND e.person_key = 'email:' || had.email AND e.group_id = p_group
              AND e.user_id IS NULL OFFSET 0
        ) e)
    THEN
        RETURN;
    END IF;

    -- What never ended, as nearly everything, needs no search for its ends.
    SELECT
        EXISTS (
            SELECT FROM state.users u
            WHERE u.account_id = p_account AND u.user_key = p_key AND u.cutoff IS NOT NULL) AS person,
        EXISTS (
            SELECT FROM state.groups g
            WHERE g.account_id = p_account AND g.group_id = p_group AND g.cutoff IS NOT NULL) AS group_itself,
        -- only memberships:
        EXISTS (
            SELECT FROM state.observed_groups o
            WHERE o.account_id = p_account AND o.person_key = p_key) AS observed
        -- only group_admins:
        false AS observed
        -- all:
    INTO v_ended;

    -- While a person or a group is removed nothing shows: then it begins with the next life, if there is one.
    IF v_ended.person THEN
        SELECT v.removed, n.folded, n.position, n.by AS who INTO v_found
        FROM state.user_versions v
        LEFT JOIN LATERAL (
            SELECT x.folded, x.position, x.by FROM state.user_versions x
            WHERE v.removed AND x.account_id = p_account AND x.user_key = p_key AND x.folded > p_folded
              AND NOT x.removed
            ORDER BY x.folded LIMIT 1
        ) n ON true
        WHERE v.account_id = p_account AND v.user_key = p_key AND v.folded <= p_folded AND v.until > p_folded;
        IF v_found.removed AND v_found.folded IS NULL THEN
            RETURN;
        ELSIF v_found.removed THEN
            v_starts := v_found.folded;
            v_start_position := v_found.position;
            v_start_by := v_found.who;
        END IF;
    END IF;
    IF v_ended.group_itself THEN
        SELECT v.removed, n.folded, n.position, n.by AS who INTO v_found
        FROM state.group_versions v
        LEFT JOIN LATERAL (
            SELECT x.folded, x.position, x.by FROM state.group_versions x
            WHERE v.removed AND x.account_id = p_account AND x.group_id = p_group AND x.folded > p_folded
              AND NOT x.removed
            ORDER BY x.folded LIMIT 1
        ) n ON true
        WHERE v.account_id = p_account AND v.group_id = p_group AND v.folded <= p_folded AND v.until > p_folded;
        IF v_found.removed AND v_found.folded IS NULL THEN
            RETURN;
        ELSIF v_found.removed AND v_found.folded > v_starts THEN
            v_starts := v_found.folded;
            v_start_position := v_found.position;
            v_start_by := v_found.who;
        END IF;
    END IF;

    -- It ends with the first of these after it; with the next entry, where several are of one event.
    IF v_ended.person THEN
        SELECT x.folded, x.position, x.by AS who INTO v_found
        FROM state.user_versions x
        WHERE x.account_id = p_account AND x.user_key = p_key AND x.folded > p_folded AND x.cutoff = x.folded
        ORDER BY x.folded LIMIT 1;
        IF v_found.folded < v_ends THEN
            v_ends := v_found.folded;
            v_end_position := v_found.position;
            v_end_by := v_found.who;
        END IF;
    END IF;
    IF v_ended.group_itself THEN
        SELECT x.folded, x.position, x.by AS who INTO v_found
        FROM state.group_versions x
        WHERE x.account_id = p_account AND x.group_id = p_group AND x.folded > p_folded AND x.cutoff = x.folded
        ORDER BY x.folded LIMIT 1;
        IF v_found.folded < v_ends THEN
            v_ends := v_found.folded;
            v_end_position := v_found.position;
            v_end_by := v_found.who;
        END IF;
    END IF;
    -- only memberships:
    IF v_ended.observed THEN
        SELECT x.folded, x.position, NULL::text AS who INTO v_found
        FROM state.observed_group_versions x
        WHERE x.account_id = p_account AND x.person_key = p_key AND x.folded > p_folded AND x.mark = x.folded
        ORDER BY x.folded LIMIT 1;
        IF v_found.folded < v_ends THEN
            v_ends := v_found.folded;
            v_end_position := v_found.position;
            v_end_by := v_found.who;
        END IF;
    END IF;
    -- all:
    IF v_starts >= v_ends THEN
        RETURN;
    END IF;

    SELECT m.folded INTO v_before
    FROM state.{list}_versions m
    WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
      AND m.folded < p_folded AND m.until = p_folded AND m.added AND m.user_id IS NOT NULL;
    IF v_starts > p_folded OR NOT FOUND
        OR v_ended.person AND EXISTS (
            SELECT FROM state.user_versions x
            WHERE x.account_id = p_account AND x.user_key = p_key AND x.folded < p_folded
              AND (x.removed AND x.until >= p_folded OR x.cutoff = x.folded AND x.folded > v_before.folded))
        OR v_ended.group_itself AND EXISTS (
            SELECT FROM state.group_versions x
            WHERE x.account_id = p_account AND x.group_id = p_group AND x.folded < p_folded
              AND (x.removed AND x.until >= p_folded OR x.cutoff = x.folded AND x.folded > v_before.folded))
        -- only memberships:
        OR v_ended.observed AND EXISTS (
            SELECT FROM state.observed_group_versions x
            WHERE x.account_id = p_account AND x.person_key = p_key
              AND x.folded > v_before.folded AND x.folded < p_folded AND x.mark = x.folded)
        -- all:
    THEN
        RETURN QUERY SELECT true, v_starts, v_start_position, v_start_by;
    END IF;

    IF v_end_position IS NULL THEN
        SELECT m.last_position, m.by AS who INTO v_found
        FROM state.{list}_versions m
        WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
          AND m.folded = p_until AND NOT m.added;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        v_end_position := v_found.last_position;
        v_end_by := v_found.who;
    END IF;
    RETURN QUERY SELECT false, v_ends, v_end_position, v_end_by;
END
$$;
GRANT EXECUTE ON FUNCTION state.{list}_moves TO PUBLIC;

-- Whether the list shows somebody at a bound, by the key of a person or of an entry: what state.{list}_shown_at says,
-- asked step by step, because to start a plan of that view takes twenty times as long as the answer. A test holds the
-- two together.
CREATE OR REPLACE FUNCTION state.{list}_shows(
    p_bound bytea, p_account text, p_group text, p_key text
) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_group record;
    v_user record;
    v_entry record;
    v_nameless record;
BEGIN
    SELECT g.removed, g.cutoff INTO v_group FROM state.past_groups g
    WHERE g.account_id = p_account AND g.group_id = p_group
      AND g.folded < p_bound AND g.until >= p_bound AND g.last_position > 0;
    SELECT u.removed, u.cutoff, nullif(lower(u.email), '') AS email, u.known INTO v_user FROM state.past_users u
    WHERE u.account_id = p_account AND u.user_key = p_key
      AND u.folded < p_bound AND u.until >= p_bound AND u.known;
    IF v_group.removed OR v_user.removed THEN
        RETURN false;
    END IF;
    SELECT m.user_id, m.added, m.folded, lower(m.email) AS email INTO v_entry FROM state.past_{list} m
    WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
      AND m.folded < p_bound AND m.until >= p_bound;
    IF v_entry.user_id IS NULL AND v_entry.added
        AND state.{list}_decides_at(p_bound, p_account, p_group, p_key, v_entry.folded) = p_key
    THEN
        RETURN true;
    END IF;
    -- An entry without an id that decides about the person does so in place of their own.
    SELECT e.added INTO v_nameless FROM state.past_{list} e
    WHERE e.account_id = p_account AND e.group_id = p_group AND e.user_id IS NULL
      AND e.person_key IN (
            'email:' || v_user.email, CASE WHEN v_entry.user_id IS NOT NULL THEN 'email:' || v_entry.email END)
      AND e.folded < p_bound AND e.until >= p_bound
      AND state.{list}_decides_at(p_bound, p_account, p_group, e.person_key, e.folded) = p_key
    ORDER BY e.folded DESC LIMIT 1;
    IF FOUND THEN
        RETURN v_nameless.added;
    END IF;
    RETURN coalesce(v_entry.user_id IS NOT NULL AND v_entry.added
        AND v_entry.folded > greatest(v_user.cutoff, v_group.cutoff, ''), false)
        -- only memberships:
        AND (v_user.known IS NULL OR NOT EXISTS (
            SELECT FROM state.past_observed_groups o
            WHERE o.account_id = p_account AND o.person_key = p_key AND o.folded < p_bound AND o.until >= p_bound
              AND o.mark > v_entry.folded))
        -- all:
    ;
END
$$;
GRANT EXECUTE ON FUNCTION state.{list}_shows TO PUBLIC;

-- How a key of the list is shown.
CREATE OR REPLACE FUNCTION state.{list}_spelled(p_account text, p_group text, p_key text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce((
            SELECT u.user_id FROM state.users u
            WHERE u.account_id = p_account AND u.user_key = p_key AND u.known
        ), (
            SELECT m.user_id FROM state.{list} m
            WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
        ), p_key);
END
$$;
GRANT EXECUTE ON FUNCTION state.{list}_spelled TO PUBLIC;

-- Every event that could matter for whom an entry without an id means.
CREATE OR REPLACE VIEW state.{list}_turns AS
SELECT DISTINCT ON (a.account_id, a.group_id, a.person_key, c.folded)
    a.account_id, a.group_id, a.person_key, c.folded, c.position, c.by
FROM state.{list}_links a
CROSS JOIN LATERAL (
    SELECT * FROM state.{list}_links o
    WHERE o.account_id = a.account_id AND o.group_id = a.group_id AND o.entry_key = a.entry_key OFFSET 0
) l
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

-- Entries with an id twice: of known users, with the spelling of their id, and of people whom `users` does not know.
CREATE OR REPLACE VIEW state.{list}_moved AS
SELECT
    m.account_id, m.group_id, m.person_key, u.user_id, s.came, s.at_order AS folded, s.at_position AS position,
    s.at_by AS by
FROM state.{list}_versions m
JOIN state.users u ON u.account_id = m.account_id AND u.user_key = m.person_key AND u.known
CROSS JOIN LATERAL state.{list}_moves(
    m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s
WHERE m.added AND m.user_id IS NOT NULL
UNION ALL
SELECT
    m.account_id, m.group_id, m.person_key, m.user_id, s.came, s.at_order, s.at_position, s.at_by
FROM state.{list}_versions m
CROSS JOIN LATERAL state.{list}_moves(
    m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s
WHERE m.added AND m.user_id IS NOT NULL
  AND NOT EXISTS (
        SELECT FROM state.users u
        WHERE u.account_id = m.account_id AND u.user_key = m.person_key AND u.known);

-- Those of whom the list is asked.
CREATE OR REPLACE VIEW state.{list}_turned AS
SELECT
    t.account_id, t.group_id, t.person_key,
    state.{list}_spelled(t.account_id, t.group_id, t.person_key) AS user_id, x.after AS came, t.folded, t.position, t.by
FROM state.{list}_turns t
CROSS JOIN LATERAL (
    SELECT
        state.{list}_shows(t.folded, t.account_id, t.group_id, t.person_key) AS before,
        state.{list}_shows(t.folded || '\x00', t.account_id, t.group_id, t.person_key) AS after
    OFFSET 0
) x
WHERE x.before <> x.after;

CREATE OR REPLACE VIEW state.{list}_changes AS
SELECT * FROM state.{list}_moved
UNION ALL
SELECT * FROM state.{list}_turned;
