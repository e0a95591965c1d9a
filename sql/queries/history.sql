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

-- name: people_found_in_lists
-- The same among those whom groups' lists name and nothing else does: no index helps to find their e-mails.
SELECT account_id, person_key FROM state.memberships WHERE lower(email) = lower($1)
UNION
SELECT account_id, person_key FROM state.group_admins WHERE lower(email) = lower($1)
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
    SELECT s.folded, 'sign_in', NULL, NULL, state.client_type_at(s.position), NULL,
           to_jsonb(CASE WHEN s.signed_in THEN 'signed in' ELSE 'signed out' END), NULL, s.position, false
    FROM state.sign_in_moments s
    WHERE s.account_id = $1 AND s.user_key = $2
) c
LEFT JOIN LATERAL (
    SELECT e.event, e.source, e.received_at FROM log.events e WHERE e.position = c.position OFFSET 0
) e ON true
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
LEFT JOIN LATERAL (
    SELECT e.event, e.source, e.received_at FROM log.events e WHERE e.position = c.position OFFSET 0
) e ON true
WHERE c.folded >= $3 AND c.folded < $4
ORDER BY c.folded, c.entity, c.user_id, c.path

-- name: folded_up_to
-- The position up to which every projection of $1 has folded. Where those on which the values of one entity depend
-- together are not at one position, that up to which some of them has; else 0.
SELECT
    coalesce(min(c.position), 0),
    CASE WHEN min(c.position) FILTER (WHERE t.together) < max(c.position) FILTER (WHERE t.together)
         THEN max(c.position) FILTER (WHERE t.together) ELSE 0 END
FROM state.checkpoints c
CROSS JOIN LATERAL (
    SELECT c.projection IN ('users', 'groups', 'sign_ins', 'memberships', 'group_admins') AS together
) t
WHERE c.projection = ANY ($1::text[])

-- name: changed_values
-- $1 positions, with $2 the entity, $3 its account, $4 its key and $5 the order of the event at each. What each event
-- changed in that entity, and whether it came after later ones of it, or something of it may have been told already,
-- as of users up to $6; a row without a path where it changed nothing.
SELECT
    t.position, t.entity, t.account_id, t.entity_key, l.late, c.entity_id, c.group_id, c.user_id, c.path, c.before,
    c.after, state.time_of(c.folded) AS changed_at, c.by
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[])
    AS t (position, entity, account_id, entity_key, folded)
CROSS JOIN LATERAL (SELECT CASE t.entity
    WHEN 'user' THEN t.position <= $6 OR EXISTS (
            SELECT FROM state.user_versions x
            WHERE x.account_id = t.account_id AND x.user_key = t.entity_key
              AND x.folded > t.folded AND x.position < t.position)
        OR EXISTS (
            SELECT FROM state.sign_in_moments x
            WHERE x.account_id = t.account_id AND x.user_key = t.entity_key AND x.signed_in
              AND x.folded > t.folded AND x.position < t.position)
    WHEN 'group' THEN EXISTS (
        SELECT FROM state.group_versions x
        WHERE x.account_id = t.account_id AND x.group_id = t.entity_key
          AND x.folded > t.folded AND x.position < t.position)
    WHEN 'user_settings' THEN EXISTS (
        SELECT FROM state.user_settings_versions x
        WHERE x.account_id = t.account_id AND x.user_key = t.entity_key
          AND x.folded > t.folded AND x.position < t.position)
    WHEN 'personal_note' THEN EXISTS (
        SELECT FROM state.note_versions x
        WHERE x.account_id = t.account_id AND x.user_key = t.entity_key
          AND x.folded > t.folded AND x.position < t.position)
    WHEN 'account_settings' THEN EXISTS (
        SELECT FROM state.account_settings_versions x
        WHERE x.account_id = t.account_id AND x.folded > t.folded AND x.position < t.position)
    WHEN 'account_locks' THEN EXISTS (
        SELECT FROM state.account_settings_versions x
        WHERE x.account_id = t.account_id AND x.folded > t.folded AND x.position < t.position)
    ELSE EXISTS (
        SELECT FROM state.group_settings_versions x
        WHERE x.account_id = t.account_id AND x.group_id = t.entity_key
          AND x.folded > t.folded AND x.position < t.position)
    END AS late) l
LEFT JOIN LATERAL (
    SELECT * FROM state.value_changes c
    WHERE c.entity = t.entity AND c.account_id = t.account_id AND c.entity_key = t.entity_key
      AND c.position = t.position
    OFFSET 0
) c ON true
WHERE l.late OR c.path IS NOT NULL
ORDER BY t.position, t.entity, t.account_id, t.entity_key, c.path

-- name: values_now
-- What is known by now of the entities $1 (entity), $2 (account), $3 (key).
SELECT t.entity, t.account_id, t.entity_key, c.entity_id, c.group_id, c.user_id, c.path, c.after
FROM unnest($1::text[], $2::text[], $3::text[]) AS t (entity, account_id, entity_key)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (c.path) c.entity_id, c.group_id, c.user_id, c.path, c.after FROM state.value_changes c
    WHERE c.entity = t.entity AND c.account_id = t.account_id AND c.entity_key = t.entity_key
    ORDER BY c.path, c.folded DESC
) c

-- name: changed_memberships
-- $1 positions, with $2 the account, $3 the key of a person or an entry, or null, and $4 a group, or null, that the
-- event at each is about, $5 its order, and $6 whether only e-mails matter. Whom of the list each event concerns, what it changed for them, and
-- whether it came after later ones that matter for them, or something of it may have been told already: up to $7.
WITH told AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::boolean[])
        AS t (position, account_id, person_key, group_id, folded, by_email)
), concerned AS (
    SELECT t.position, t.folded, t.account_id, t.group_id, t.person_key
    FROM told t WHERE t.person_key IS NOT NULL AND t.group_id IS NOT NULL
    UNION
    SELECT t.position, t.folded, m.account_id, m.group_id, m.person_key
    FROM told t, LATERAL (
        SELECT * FROM state.memberships_versions m
        WHERE m.account_id = t.account_id AND m.person_key = t.person_key OFFSET 0) m
    WHERE t.group_id IS NULL AND NOT t.by_email
    UNION
    SELECT t.position, t.folded, m.account_id, m.group_id, m.person_key
    FROM told t, LATERAL (
        SELECT * FROM state.memberships_versions m
        WHERE m.group_id = t.group_id AND m.account_id = t.account_id OFFSET 0) m
    WHERE t.person_key IS NULL
    UNION
    -- entries of e-mails that a user ever had
    SELECT t.position, t.folded, m.account_id, m.group_id, m.person_key
    FROM told t, LATERAL (
        SELECT DISTINCT 'email:' || lower(u.profile ->> 'email') AS entry_key FROM state.user_versions u
        WHERE u.account_id = t.account_id AND u.user_key = t.person_key OFFSET 0) u, LATERAL (
        SELECT * FROM state.memberships_versions m
        WHERE m.account_id = t.account_id AND m.person_key = u.entry_key OFFSET 0) m
    WHERE t.group_id IS NULL
), linked AS (
    SELECT c.position, c.folded, c.account_id, c.group_id, c.person_key, false AS linked FROM concerned c
    UNION ALL
    SELECT c.position, c.folded, c.account_id, c.group_id, o.person_key, true
    FROM concerned c, LATERAL (
        SELECT l.entry_key FROM state.memberships_links l
        WHERE l.account_id = c.account_id AND l.group_id = c.group_id AND l.person_key = c.person_key OFFSET 0) e,
        LATERAL (
        SELECT l.person_key FROM state.memberships_links l
        WHERE l.account_id = c.account_id AND l.group_id = c.group_id AND l.entry_key = e.entry_key OFFSET 0) o
), everybody AS (
    SELECT position, folded, account_id, group_id, person_key, bool_or(linked) AS linked
    FROM linked GROUP BY 1, 2, 3, 4, 5
)
SELECT
    t.position, t.account_id, t.group_id, t.person_key, l.late, c.user_id, c.came, c.by,
    state.time_of(c.folded) AS changed_at,
    n.came AS now, coalesce(n.user_id, t.person_key) AS now_user_id
FROM everybody t
CROSS JOIN LATERAL (SELECT t.linked OR t.position <= $7 OR EXISTS (
        SELECT FROM state.memberships_versions x
        WHERE x.account_id = t.account_id AND x.person_key = t.person_key AND x.group_id = t.group_id
          AND x.folded > t.folded AND x.last_position < t.position)
    OR EXISTS (
        SELECT FROM state.user_versions x
        WHERE x.account_id = t.account_id AND x.user_key = t.person_key
          AND x.folded > t.folded AND x.position < t.position)
    OR EXISTS (
        SELECT FROM state.group_versions x
        WHERE x.account_id = t.account_id AND x.group_id = t.group_id
          AND x.folded > t.folded AND x.position < t.position)
    OR EXISTS (
        SELECT FROM state.observed_group_versions x
        WHERE x.account_id = t.account_id AND x.person_key = t.person_key
          AND x.folded > t.folded AND x.position < t.position) AS late) l
LEFT JOIN LATERAL (
    SELECT * FROM state.memberships_changes c
    WHERE c.account_id = t.account_id AND c.group_id = t.group_id AND c.person_key = t.person_key
      AND c.position = t.position OFFSET 0
) c ON true
LEFT JOIN LATERAL (
    SELECT * FROM state.memberships_changes c
    WHERE l.late AND c.account_id = t.account_id AND c.group_id = t.group_id AND c.person_key = t.person_key
    ORDER BY c.folded DESC LIMIT 1
) n ON true
WHERE l.late OR c.came IS NOT NULL
ORDER BY t.position, t.account_id, t.group_id, t.person_key, c.folded

-- name: changed_group_admins
-- The same of admins.
WITH told AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::boolean[])
        AS t (position, account_id, person_key, group_id, folded, by_email)
), concerned AS (
    SELECT t.position, t.folded, t.account_id, t.group_id, t.person_key
    FROM told t WHERE t.person_key IS NOT NULL AND t.group_id IS NOT NULL
    UNION
    SELECT t.position, t.folded, m.account_id, m.group_id, m.person_key
    FROM told t, LATERAL (
        SELECT * FROM state.group_admins_versions m
        WHERE m.account_id = t.account_id AND m.person_key = t.person_key OFFSET 0) m
    WHERE t.group_id IS NULL AND NOT t.by_email
    UNION
    SELECT t.position, t.folded, m.account_id, m.group_id, m.person_key
    FROM told t, LATERAL (
        SELECT * FROM state.group_admins_versions m
        WHERE m.group_id = t.group_id AND m.account_id = t.account_id OFFSET 0) m
    WHERE t.person_key IS NULL
    UNION
    -- entries of e-mails that a user ever had
    SELECT t.position, t.folded, m.account_id, m.group_id, m.person_key
    FROM told t, LATERAL (
        SELECT DISTINCT 'email:' || lower(u.profile ->> 'email') AS entry_key FROM state.user_versions u
        WHERE u.account_id = t.account_id AND u.user_key = t.person_key OFFSET 0) u, LATERAL (
        SELECT * FROM state.group_admins_versions m
        WHERE m.account_id = t.account_id AND m.person_key = u.entry_key OFFSET 0) m
    WHERE t.group_id IS NULL
), linked AS (
    SELECT c.position, c.folded, c.account_id, c.group_id, c.person_key, false AS linked FROM concerned c
    UNION ALL
    SELECT c.position, c.folded, c.account_id, c.group_id, o.person_key, true
    FROM concerned c, LATERAL (
        SELECT l.entry_key FROM state.group_admins_links l
        WHERE l.account_id = c.account_id AND l.group_id = c.group_id AND l.person_key = c.person_key OFFSET 0) e,
        LATERAL (
        SELECT l.person_key FROM state.group_admins_links l
        WHERE l.account_id = c.account_id AND l.group_id = c.group_id AND l.entry_key = e.entry_key OFFSET 0) o
), everybody AS (
    SELECT position, folded, account_id, group_id, person_key, bool_or(linked) AS linked
    FROM linked GROUP BY 1, 2, 3, 4, 5
)
SELECT
    t.position, t.account_id, t.group_id, t.person_key, l.late, c.user_id, c.came, c.by,
    state.time_of(c.folded) AS changed_at,
    n.came AS now, coalesce(n.user_id, t.person_key) AS now_user_id
FROM everybody t
CROSS JOIN LATERAL (SELECT t.linked OR t.position <= $7 OR EXISTS (
        SELECT FROM state.group_admins_versions x
        WHERE x.account_id = t.account_id AND x.person_key = t.person_key AND x.group_id = t.group_id
          AND x.folded > t.folded AND x.last_position < t.position)
    OR EXISTS (
        SELECT FROM state.user_versions x
        WHERE x.account_id = t.account_id AND x.user_key = t.person_key
          AND x.folded > t.folded AND x.position < t.position)
    OR EXISTS (
        SELECT FROM state.group_versions x
        WHERE x.account_id = t.account_id AND x.group_id = t.group_id
          AND x.folded > t.folded AND x.position < t.position) AS late) l
LEFT JOIN LATERAL (
    SELECT * FROM state.group_admins_changes c
    WHERE c.account_id = t.account_id AND c.group_id = t.group_id AND c.person_key = t.person_key
      AND c.position = t.position OFFSET 0
) c ON true
LEFT JOIN LATERAL (
    SELECT * FROM state.group_admins_changes c
    WHERE l.late AND c.account_id = t.account_id AND c.group_id = t.group_id AND c.person_key = t.person_key
    ORDER BY c.folded DESC LIMIT 1
) n ON true
WHERE l.late OR c.came IS NOT NULL
ORDER BY t.position, t.account_id, t.group_id, t.person_key, c.folded

-- name: snapshot_users
SELECT * FROM directory.users

-- name: snapshot_former_users
SELECT * FROM directory.former_users

-- name: snapshot_groups
SELECT account_id, group_id, name FROM directory.groups

-- name: snapshot_former_groups
SELECT account_id, group_id, name FROM directory.former_groups

-- name: snapshot_memberships
SELECT account_id, group_id, user_id FROM directory.memberships

-- name: snapshot_group_admins
SELECT account_id, group_id, user_id FROM directory.group_admins

-- name: snapshot_user_settings
SELECT account_id, user_id, settings FROM directory.user_settings

-- name: snapshot_group_settings
SELECT account_id, group_id, settings, locks FROM directory.group_settings

-- name: snapshot_account_settings
SELECT account_id, settings, locks FROM directory.account_settings

-- name: snapshot_notes
SELECT account_id, user_id, personal_note FROM directory.presence WHERE personal_note IS NOT NULL
