-- for each list of: memberships, group_admins
-- Who is in a group's list. The two lists are alike: this file runs once for each.
--
-- An entry has an id, or an e-mail alone: then it means the person with an id in the same list whose e-mail
-- there it is, else the user whose current e-mail it is, else nobody known. Of several entries for one
-- person the newest counts. Entries without an id are few. Functions decide about one at a time, for the
-- same as joins takes the planner longer than a look-up may take. Readers of the views call them, and have
-- no right to the tables: hence SECURITY DEFINER. Nobody else can name them: schema `state` is closed.

-- The person key of whom an entry without an id means; null where a removal has ended the entry.
CREATE OR REPLACE FUNCTION state.{list}_meaning(
    p_account text, p_group text, p_key text, p_folded bytea
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    v_email text := substring(p_key FROM 7);
    v_group_cutoff bytea := coalesce((
        SELECT g.cutoff FROM state.groups g
        WHERE g.account_id = p_account AND g.group_id = p_group), '');
    v_person text;
BEGIN
    IF p_folded < v_group_cutoff OR p_folded < (
        SELECT r.cutoff FROM state.removed_emails r
        WHERE r.account_id = p_account AND r.email_key = v_email)
    THEN
        RETURN NULL;
    END IF;
    SELECT m.person_key INTO v_person
    FROM state.{list} m
    LEFT JOIN state.users u ON u.account_id = m.account_id AND u.user_key = m.person_key
    WHERE m.account_id = p_account AND m.group_id = p_group
      AND m.user_id IS NOT NULL AND lower(m.email) = v_email
      AND least(m.folded, m.email_order) > greatest(u.cutoff, v_group_cutoff)
    ORDER BY m.folded DESC, m.person_key LIMIT 1;
    IF v_person IS NULL THEN
        SELECT u.user_key INTO v_person
        FROM state.users u
        WHERE u.account_id = p_account AND lower(u.profile ->> 'email') = v_email
          AND u.last_position > 0 AND NOT u.removed
        ORDER BY u.folded DESC, u.user_key LIMIT 1;
    END IF;
    RETURN coalesce(v_person, p_key);
END
$$;

-- The same, but null also where the entry is not the newest word on that person.
CREATE OR REPLACE FUNCTION state.{list}_decides(
    p_account text, p_group text, p_key text, p_folded bytea
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 2000 SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    v_person text := state.{list}_meaning(p_account, p_group, p_key, p_folded);
    v_cutoff bytea;
    v_own_email text;
    v_listed record;
BEGIN
    IF v_person IS NULL OR v_person = p_key THEN
        RETURN v_person;
    END IF;
    SELECT u.cutoff, u.profile ->> 'email' INTO v_cutoff, v_own_email
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

-- One branch for each way to be in the list. Each shows the user id of one table, so that a condition on it
-- finds that table's index.
CREATE OR REPLACE VIEW directory.{list} AS
-- users, by id
SELECT
    m.account_id,
    m.group_id,
    u.user_id,
    coalesce(u.email, CASE WHEN m.email_order > greatest(u.cutoff, g.cutoff) THEN m.email END) AS email,
    g.name AS group_name,
    u.status AS user_status,
    state.time_of(m.folded) AS added_at,
    m.by AS added_by,
    state.time_of(m.folded) AS last_event_at,
    m.last_position
FROM state.people u
JOIN state.{list} m ON m.account_id = u.account_id AND m.person_key = u.user_key
LEFT JOIN state.known_groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
WHERE m.added AND m.user_id IS NOT NULL AND NOT u.removed AND g.removed IS NOT TRUE
  AND m.folded > greatest(u.cutoff, g.cutoff)
  AND NOT EXISTS (
        SELECT FROM state.{list} e
        WHERE e.account_id = m.account_id AND e.group_id = m.group_id AND e.user_id IS NULL
          AND e.folded > m.folded
          AND e.person_key IN ('email:' || lower(m.email), 'email:' || lower(u.email))
          AND state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded) = m.person_key)
UNION ALL
-- users, by their current e-mail
SELECT
    e.account_id,
    e.group_id,
    u.user_id,
    u.email,
    g.name,
    u.status,
    state.time_of(e.folded),
    e.by,
    state.time_of(e.folded),
    e.last_position
FROM state.people u
JOIN state.{list} e ON e.account_id = u.account_id AND e.person_key = 'email:' || lower(u.email)
LEFT JOIN state.known_groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND e.user_id IS NULL AND NOT u.removed AND g.removed IS NOT TRUE
  AND state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded) = u.user_key
UNION ALL
-- users, by an e-mail that another entry of the list gives them and `users` does not
SELECT
    e.account_id,
    e.group_id,
    u.user_id,
    coalesce(u.email, e.email),
    g.name,
    u.status,
    state.time_of(e.folded),
    e.by,
    state.time_of(e.folded),
    e.last_position
FROM state.people u
JOIN state.{list} m
    ON m.account_id = u.account_id AND m.person_key = u.user_key AND m.user_id IS NOT NULL
JOIN state.{list} e
    ON e.account_id = m.account_id AND e.group_id = m.group_id
    AND e.person_key = 'email:' || lower(m.email)
LEFT JOIN state.known_groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND e.user_id IS NULL AND NOT u.removed AND g.removed IS NOT TRUE
  AND lower(u.email) IS DISTINCT FROM lower(m.email)
  AND state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded) = m.person_key
UNION ALL
-- people whom `users` does not know, by id
SELECT
    m.account_id,
    m.group_id,
    m.user_id,
    CASE WHEN m.email_order > coalesce(g.cutoff, '') THEN m.email END,
    g.name,
    NULL,
    state.time_of(m.folded),
    m.by,
    state.time_of(m.folded),
    m.last_position
FROM state.{list} m
LEFT JOIN state.known_groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
WHERE m.added AND m.user_id IS NOT NULL AND g.removed IS NOT TRUE
  AND m.folded > coalesce(g.cutoff, '')
  AND NOT EXISTS (SELECT FROM state.people u
                  WHERE u.account_id = m.account_id AND u.user_key = m.person_key)
  AND NOT EXISTS (
        SELECT FROM state.{list} e
        WHERE e.account_id = m.account_id AND e.group_id = m.group_id AND e.user_id IS NULL
          AND e.folded > m.folded
          AND e.person_key IN ('email:' || lower(m.email))
          AND state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded) = m.person_key)
UNION ALL
-- people whom `users` does not know, by the e-mail of another entry of the list
SELECT
    e.account_id,
    e.group_id,
    m.user_id,
    e.email,
    g.name,
    NULL,
    state.time_of(e.folded),
    e.by,
    state.time_of(e.folded),
    e.last_position
FROM state.{list} m
JOIN state.{list} e
    ON e.account_id = m.account_id AND e.group_id = m.group_id
    AND e.person_key = 'email:' || lower(m.email)
LEFT JOIN state.known_groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND e.user_id IS NULL AND m.user_id IS NOT NULL AND g.removed IS NOT TRUE
  AND NOT EXISTS (SELECT FROM state.people u
                  WHERE u.account_id = m.account_id AND u.user_key = m.person_key)
  AND state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded) = m.person_key
UNION ALL
-- e-mails of nobody known
SELECT
    e.account_id,
    e.group_id,
    e.person_key,
    e.email,
    g.name,
    NULL,
    state.time_of(e.folded),
    e.by,
    state.time_of(e.folded),
    e.last_position
FROM state.{list} e
LEFT JOIN state.known_groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND e.user_id IS NULL AND g.removed IS NOT TRUE
  AND state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded) = e.person_key;

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

COMMENT ON VIEW directory.{list} IS
    'Who is in which list of {list}: one row a group and person. Removed users and removed groups are not in it.';
COMMENT ON COLUMN directory.{list}.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.{list}.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.{list}.user_id IS 'Zoom''s user id, spelled as in users where the user is known there; email:<lower-cased e-mail> for an entry without an id that nobody known has.';
COMMENT ON COLUMN directory.{list}.email IS 'The person''s current e-mail in users; where none is known there, the newest that the list''s own events named.';
COMMENT ON COLUMN directory.{list}.group_name IS 'Current name of the group; null where the group is not in groups.';
COMMENT ON COLUMN directory.{list}.user_status IS 'Status of the user as in users; null where the person is not in users.';
COMMENT ON COLUMN directory.{list}.added_at IS 'Time of the newest event that added the person.';
COMMENT ON COLUMN directory.{list}.added_by IS 'E-mail of the operator of that event; null where it named none.';
COMMENT ON COLUMN directory.{list}.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.{list}.last_position IS 'Position in the log of that event.';

GRANT SELECT ON directory.{list} TO directory_reader;
