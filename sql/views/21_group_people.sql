-- for each list of: memberships, group_admins
-- needs: {list} 2
-- as of: any moment too
-- Who is in a group's list.
--
-- When somebody was added is what a delivery told, of this membership: not before whatever ended an earlier one.
--
-- One branch for each way to be in the list. Each shows the user id of one table, so that a condition on it
-- uses that table's index. CASE repeats the condition of the line before it so that the planner calls the function
-- last. Other conditions are repeated so that the planner finds an index whichever side of a join it starts from.
--
-- `entry_key` is the key of the entry that a row comes from: within a group it is in one row.
CREATE OR REPLACE VIEW state.{list}_shown AS
-- users, by id
SELECT
    m.account_id,
    m.group_id,
    u.user_id,
    coalesce(u.email, CASE WHEN m.email_order > greatest(u.cutoff, g.cutoff) THEN m.email END) AS email,
    g.name AS group_name,
    u.status AS user_status,
    CASE WHEN w.told THEN m.told_at END AS added_at,
    CASE WHEN w.told AND m.told_added THEN m.by END AS added_by,
    m.happened_at AS last_event_at,
    m.last_position,
    m.person_key AS entry_key
FROM state.people u
JOIN state.{list} m ON m.account_id = u.account_id AND m.person_key = u.user_key
LEFT JOIN state.known_groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
-- only memberships:
LEFT JOIN state.observed_groups o ON o.account_id = m.account_id AND o.person_key = m.person_key
CROSS JOIN LATERAL (
    SELECT m.told > greatest(u.cutoff, g.cutoff, m.absent, decode(o.lacked ->> m.group_id, 'hex')) AS told
) w
-- only group_admins:
CROSS JOIN LATERAL (SELECT m.told > greatest(u.cutoff, g.cutoff, m.absent) AS told) w
-- all:
WHERE m.added AND m.user_id IS NOT NULL AND NOT u.removed AND g.removed IS NOT TRUE
  AND (u.ended IS NULL OR m.folded > u.ended)
  AND (g.ended IS NULL OR m.folded > g.ended)
  -- only memberships:
  AND (o.mark IS NULL OR m.folded >= o.mark)
  -- all:
  AND NOT EXISTS (
        SELECT FROM state.{list} e
        WHERE e.account_id = m.account_id AND e.group_id = m.group_id AND e.user_id IS NULL
          AND e.person_key = 'email:' || lower(m.email) AND e.folded > m.folded
          AND CASE e.person_key WHEN 'email:' || lower(m.email) THEN
              state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded)
          END = m.person_key)
  AND NOT EXISTS (
        SELECT FROM state.{list} e
        WHERE e.account_id = m.account_id AND e.group_id = m.group_id AND e.user_id IS NULL
          AND e.person_key = 'email:' || lower(u.email) AND e.folded > m.folded
          AND CASE e.person_key WHEN 'email:' || lower(u.email) THEN
              state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded)
          END = m.person_key)
UNION ALL
-- users, by their current e-mail
SELECT
    e.account_id,
    e.group_id,
    u.user_id,
    u.email,
    g.name,
    u.status,
    CASE WHEN e.told > greatest(g.cutoff, e.absent) THEN e.told_at END,
    CASE WHEN e.told_added AND e.told > greatest(g.cutoff, e.absent) THEN e.by END,
    e.happened_at,
    e.last_position,
    e.person_key
FROM state.people u
JOIN state.{list} e
    ON e.account_id = u.account_id AND e.person_key = 'email:' || lower(u.email)
    AND u.email_key = substring(e.person_key FROM 7)
LEFT JOIN state.known_groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND e.user_id IS NULL AND NOT u.removed AND g.removed IS NOT TRUE
  AND CASE e.person_key WHEN 'email:' || lower(u.email) THEN
      state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded)
  END = u.user_key
UNION ALL
-- users, by an e-mail that another entry of the list gives them and `users` does not
SELECT
    e.account_id,
    e.group_id,
    u.user_id,
    coalesce(u.email, e.email),
    g.name,
    u.status,
    CASE WHEN e.told > greatest(g.cutoff, e.absent) THEN e.told_at END,
    CASE WHEN e.told_added AND e.told > greatest(g.cutoff, e.absent) THEN e.by END,
    e.happened_at,
    e.last_position,
    e.person_key
FROM state.people u
JOIN state.{list} m
    ON m.account_id = u.account_id AND m.person_key = u.user_key AND m.user_id IS NOT NULL
JOIN state.{list} e
    ON e.account_id = m.account_id AND e.group_id = m.group_id
    AND e.person_key = 'email:' || lower(m.email)
    AND hashtextextended(lower(m.email), hashtextextended(m.group_id, 0))
        = hashtextextended(substring(e.person_key FROM 7), hashtextextended(e.group_id, 0))
LEFT JOIN state.known_groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND e.user_id IS NULL AND NOT u.removed AND g.removed IS NOT TRUE
  AND lower(u.email) IS DISTINCT FROM lower(m.email)
  AND CASE e.person_key WHEN 'email:' || lower(m.email) THEN
      state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded)
  END = m.person_key
UNION ALL
-- people whom `users` does not know, by id
SELECT
    m.account_id,
    m.group_id,
    m.user_id,
    CASE WHEN m.email_order > coalesce(g.cutoff, '') THEN m.email END,
    g.name,
    NULL,
    CASE WHEN m.told > greatest(g.cutoff, m.absent) THEN m.told_at END,
    CASE WHEN m.told_added AND m.told > greatest(g.cutoff, m.absent) THEN m.by END,
    m.happened_at,
    m.last_position,
    m.person_key
FROM state.{list} m
LEFT JOIN state.known_groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
WHERE m.added AND m.user_id IS NOT NULL AND g.removed IS NOT TRUE
  AND (g.ended IS NULL OR m.folded > g.ended)
  AND NOT EXISTS (SELECT FROM state.people u
                  WHERE u.account_id = m.account_id AND u.user_key = m.person_key)
  AND NOT EXISTS (
        SELECT FROM state.{list} e
        WHERE e.account_id = m.account_id AND e.group_id = m.group_id AND e.user_id IS NULL
          AND e.person_key = 'email:' || lower(m.email) AND e.folded > m.folded
          AND CASE e.person_key WHEN 'email:' || lower(m.email) THEN
              state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded)
          END = m.person_key)
UNION ALL
-- people whom `users` does not know, by the e-mail of another entry of the list
SELECT
    e.account_id,
    e.group_id,
    m.user_id,
    e.email,
    g.name,
    NULL,
    CASE WHEN e.told > greatest(g.cutoff, e.absent) THEN e.told_at END,
    CASE WHEN e.told_added AND e.told > greatest(g.cutoff, e.absent) THEN e.by END,
    e.happened_at,
    e.last_position,
    e.person_key
FROM state.{list} m
JOIN state.{list} e
    ON e.account_id = m.account_id AND e.group_id = m.group_id
    AND e.person_key = 'email:' || lower(m.email)
    AND hashtextextended(lower(m.email), hashtextextended(m.group_id, 0))
        = hashtextextended(substring(e.person_key FROM 7), hashtextextended(e.group_id, 0))
LEFT JOIN state.known_groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND e.user_id IS NULL AND m.user_id IS NOT NULL AND g.removed IS NOT TRUE
  AND NOT EXISTS (SELECT FROM state.people u
                  WHERE u.account_id = m.account_id AND u.user_key = m.person_key)
  AND CASE e.person_key WHEN 'email:' || lower(m.email) THEN
      state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded)
  END = m.person_key
UNION ALL
-- e-mails of nobody known
SELECT
    e.account_id,
    e.group_id,
    e.person_key,
    e.email,
    g.name,
    NULL,
    CASE WHEN e.told > greatest(g.cutoff, e.absent) THEN e.told_at END,
    CASE WHEN e.told_added AND e.told > greatest(g.cutoff, e.absent) THEN e.by END,
    e.happened_at,
    e.last_position,
    e.person_key
FROM state.{list} e
LEFT JOIN state.known_groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND e.user_id IS NULL AND g.removed IS NOT TRUE
  AND state.{list}_decides(e.account_id, e.group_id, e.person_key, e.folded) = e.person_key;

CREATE OR REPLACE VIEW directory.{list} AS
SELECT
    s.account_id, s.group_id, s.user_id, s.email, s.group_name, s.user_status, s.added_at, s.added_by, s.last_event_at,
    s.last_position
FROM state.{list}_shown s;

COMMENT ON VIEW directory.{list} IS
    'The {list} of groups: one row a group and person. Removed users and removed groups are not in it.';
COMMENT ON COLUMN directory.{list}.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.{list}.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.{list}.user_id IS 'Zoom''s user id, spelled as in users where the user is known there; email:<lower-cased e-mail> for an entry without an id that nobody known has.';
COMMENT ON COLUMN directory.{list}.email IS 'The person''s current e-mail in users; where none is known there, the newest that the list''s own events named.';
COMMENT ON COLUMN directory.{list}.group_name IS 'Current name of the group; null where the group is not in groups.';
COMMENT ON COLUMN directory.{list}.user_status IS 'Status of the user as in users; null where the person is not in users.';
COMMENT ON COLUMN directory.{list}.added_at IS 'Time of the newest delivery that added the person; null where only Zoom''s REST API told of it.';
COMMENT ON COLUMN directory.{list}.added_by IS 'E-mail of the operator of that delivery; null where it named none.';
COMMENT ON COLUMN directory.{list}.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.{list}.last_position IS 'Position in the log of that event.';

GRANT SELECT ON directory.{list} TO directory_reader;
