-- name: people_found
-- $1 an id in any case, or any e-mail that somebody ever had. Account and key of each.
SELECT account_id, person_key FROM (
    SELECT a.account_id, v.user_key AS person_key
    FROM (SELECT DISTINCT account_id FROM state.freshness UNION SELECT account_id FROM state.coverage) a
    JOIN state.user_versions v ON v.account_id = a.account_id AND v.user_key = lower($1)
    UNION
    SELECT v.account_id, v.user_key FROM state.user_versions v
    WHERE lower(v.profile ->> 'email') = lower($1)
    UNION
    SELECT s.account_id, s.user_key FROM state.user_settings s WHERE s.user_key = lower($1)
    UNION
    SELECT n.account_id, n.user_key FROM state.notes n WHERE n.user_key = lower($1)
    UNION
    SELECT m.account_id, m.person_key FROM state.memberships m
    WHERE m.user_id = $1 OR m.person_key IN (lower($1), 'email:' || lower($1))
    UNION
    SELECT m.account_id, m.person_key FROM state.group_admins m
    WHERE m.user_id = $1 OR m.person_key IN (lower($1), 'email:' || lower($1))
) found
ORDER BY account_id, person_key

-- name: groups_found
-- $1 an id, or a name that a group ever had, in any case.
SELECT account_id, group_id FROM (
    SELECT v.account_id, v.group_id FROM state.group_versions v
    WHERE v.group_id = $1 OR lower(v.profile ->> 'name') = lower($1)
    UNION
    SELECT s.account_id, s.group_id FROM state.group_settings s WHERE s.group_id = $1
    UNION
    SELECT m.account_id, m.group_id FROM state.memberships m WHERE m.group_id = $1
    UNION
    SELECT m.account_id, m.group_id FROM state.group_admins m WHERE m.group_id = $1
) found
ORDER BY account_id, group_id

-- name: timeline_of_person
-- $1 account, $2 the person's key; from $3 to $4, both as orders. In event order.
SELECT
    state.time_of(c.folded) AS at, c.entity, c.group_id, g.profile ->> 'name' AS group_name, c.user_id, c.path,
    c.before, c.after, c.by, e.event, c.position, e.source, e.received_at, c.late
FROM (
    SELECT a.folded, a.entity, a.group_id, a.user_id, a.path, a.before, a.after, a.by, a.position, a.late
    FROM state.all_changes a
    WHERE a.account_id = $1 AND a.entity_key = $2
      AND a.entity IN ('user', 'user_settings', 'personal_note', 'membership', 'group_admin')
    UNION ALL
    SELECT s.folded, 'sign_in', NULL, NULL, coalesce(
               log.as_jsonb(e.body) #>> '{payload,object,client_type}', 'unknown'),
           NULL, to_jsonb(CASE WHEN s.signed_in THEN 'signed in' ELSE 'signed out' END), NULL, s.position, false
    FROM state.sign_in_moments s JOIN log.events e USING (position)
    WHERE s.account_id = $1 AND s.user_key = $2
) c
LEFT JOIN log.events e ON e.position = c.position
LEFT JOIN state.groups g ON g.account_id = $1 AND g.group_id = c.group_id
WHERE c.folded >= $3 AND c.folded < $4
ORDER BY c.folded, c.entity, c.group_id, c.path

-- name: timeline_of_group
-- The same of a group.
SELECT
    state.time_of(c.folded) AS at, c.entity, c.group_id, NULL AS group_name, c.user_id, c.path,
    c.before, c.after, c.by, e.event, c.position, e.source, e.received_at, c.late
FROM (
    SELECT a.folded, a.entity, a.group_id, a.user_id, a.path, a.before, a.after, a.by, a.position, a.late
    FROM state.all_changes a
    WHERE a.account_id = $1 AND a.entity_key = $2 AND a.entity IN ('group', 'group_settings', 'group_locks')
    UNION ALL
    SELECT a.folded, a.entity, a.group_id, a.user_id, a.path, a.before, a.after, a.by, a.position, a.late
    FROM state.all_changes a
    WHERE a.account_id = $1 AND a.group_id = $2 AND a.entity IN ('membership', 'group_admin')
) c
LEFT JOIN log.events e ON e.position = c.position
WHERE c.folded >= $3 AND c.folded < $4
ORDER BY c.folded, c.entity, c.user_id, c.path
