-- name: as_reader
-- For one transaction: behind a pooler nothing may outlive it.
SET LOCAL ROLE directory_reader

-- name: projections
SELECT projection, position, head, lag_events, lag_seconds, state, error, NULL::text AS owner,
       extract(epoch FROM clock_timestamp() - moved_at)::float8 AS unmoved_seconds, owned, rebuild_position
FROM directory.projection_status ORDER BY projection

-- People and groups, one by one and as lists.

-- name: people
-- $1 any part of a name, an e-mail or an id; $2 a status, or a blank; after the row with the key $3, $4, $5; at most $6.
SELECT account_id, user_id, name, email, status, sort_key, user_key
FROM directory.people_page($1, $2, $3, $4, $5, $6)
ORDER BY sort_key, account_id, user_key

-- name: people_named
-- $1 an id in any case, or somebody's e-mail.
SELECT account_id, user_id FROM directory.users WHERE lower(email) = lower($1)
UNION
SELECT account_id, user_id FROM directory.former_users WHERE lower(email) = lower($1)
UNION
SELECT p.account_id, p.user_id FROM directory.observation o
JOIN directory.people p ON p.account_id = o.account_id AND p.user_key = lower($1)
ORDER BY account_id, user_id LIMIT 50

-- name: people_mentioned
-- The same of people whom only lists, presence, sign-ins and settings name.
SELECT account_id, user_id FROM directory.mentioned($1) ORDER BY account_id, user_id LIMIT 50

-- name: people_mentioned_with
-- $1 an e-mail.
SELECT account_id, user_id FROM directory.mentioned_with($1) ORDER BY account_id, user_id LIMIT 50

-- name: person_spelled
-- $2 an id in lower case. How it was ever spelled, with the spelling of now, where the person is known, first.
SELECT s.user_id, p.user_id IS NOT NULL AS known
FROM directory.spellings($1, $2) AS s (user_id)
LEFT JOIN directory.people p ON p.account_id = $1 AND p.user_key = $2 AND p.user_id = s.user_id
ORDER BY known DESC, s.user_id

-- name: person
-- $1 account, $2 the spellings of an id, $3 a moment, as everywhere below. The person then, former ones too.
SELECT account_id, user_id, email, first_name, last_name, display_name, type, status, role, dept, company, language,
    timezone, phone_number, phone_country, pic_url, pmi, use_pmi, vanity_name, primary_group_id, custom_attributes,
    profile_settings, creation_type, created_at, NULL::timestamptz AS removed_at, last_event_at, last_position
FROM directory.users_at($3) WHERE account_id = $1 AND user_id = ANY ($2::text[])
UNION ALL
SELECT account_id, user_id, email, first_name, last_name, display_name, type, status, role, dept, company, language,
    timezone, phone_number, phone_country, pic_url, pmi, use_pmi, vanity_name, primary_group_id, custom_attributes,
    profile_settings, creation_type, created_at, removed_at, last_event_at, last_position
FROM directory.former_users_at($3) WHERE account_id = $1 AND user_id = ANY ($2::text[])

-- name: person_groups
SELECT group_id, group_name, email, added_at, added_by, last_event_at
FROM directory.memberships WHERE account_id = $1 AND user_id = ANY ($2::text[])
ORDER BY lower(group_name), group_id

-- name: person_groups_at
-- $2 one spelling: the plan for several reads whole lists.
SELECT group_id, group_name, email, added_at, added_by, last_event_at
FROM directory.memberships_at($3) WHERE account_id = $1 AND user_id = $2
ORDER BY lower(group_name), group_id

-- name: person_administers
SELECT group_id, group_name, email, added_at, added_by, last_event_at
FROM directory.group_admins_at($3) WHERE account_id = $1 AND user_id = ANY ($2::text[])
ORDER BY lower(group_name), group_id

-- name: person_settings
SELECT settings, changed_at, changed_by, last_event_at
FROM directory.user_settings_at($3) WHERE account_id = $1 AND user_id = ANY ($2::text[])

-- name: person_effective
-- $2 one spelling, as everywhere of these: several are planned as everybody.
SELECT path, value, source, source_group_id, locked_by, confidence, why
FROM directory.effective_user_settings WHERE account_id = $1 AND user_id = $2

-- name: person_effective_at
SELECT path, value, source, source_group_id, locked_by, confidence, why
FROM directory.effective_user_settings_at($3) WHERE account_id = $1 AND user_id = $2

-- name: person_presence
SELECT email, presence_status, app_type, app_presence_status, changed_at, personal_note, personal_note_changed_at,
    last_event_at
FROM directory.presence WHERE account_id = $1 AND user_id = ANY ($2::text[])

-- name: person_note
-- The note that somebody showed at a moment.
SELECT after, changed_at FROM directory.changes
WHERE account_id = $1 AND user_id = ANY ($2::text[]) AND entity = 'personal_note' AND changed_at <= $3
ORDER BY event_order DESC LIMIT 1

-- name: person_sign_ins
SELECT client_type, email, signed_in, login_type, version, changed_at, last_event_at
FROM directory.sign_ins WHERE account_id = $1 AND user_id = ANY ($2::text[])
ORDER BY changed_at DESC, client_type LIMIT 50

-- name: person_departed
-- What somebody's removal ended.
SELECT group_id, group_name, added_at, added_by
FROM directory.departed_group_admins WHERE account_id = $1 AND user_id = ANY ($2::text[])
ORDER BY lower(group_name), group_id

-- name: person_drift
SELECT entity, path, known, reported, event_at, position, count(*) OVER () AS total
FROM directory.drift
WHERE account_id = $1 AND entity_id = ANY ($2::text[]) AND entity IN ('user', 'user_settings', 'personal_note')
ORDER BY event_at DESC, path LIMIT 50

-- name: account_observed
SELECT since FROM directory.observation WHERE account_id = $1

-- name: account_coverage
SELECT section, complete_at, unreadable FROM directory.coverage
WHERE account_id = $1 AND section IN ('groups', 'users', 'settings')
ORDER BY section DESC

-- name: person_begun
-- The first change of somebody, that of lists aside: a group's may be hundreds of thousands.
SELECT min(changed_at) AS first_at FROM directory.changes
WHERE account_id = $1 AND user_id = ANY ($2::text[]) AND entity IN ('user', 'user_settings', 'personal_note')

-- name: person_timeline
-- $2 the id in lower case; from the first row after that with the order $3 and the place $4; at most $5.
SELECT t.entity, t.group_id, g.name AS group_name, t.user_id, NULL AS user_name, t.path,
    t.before, t.after, t.changed_at, t.changed_by,
    t.event, t.position, t.source, t.received_at, t.late, t.event_order, t.place
FROM directory.timeline_of_person($1, $2, $3, $4, $5) t
LEFT JOIN directory.all_groups g ON g.account_id = $1 AND g.group_id = t.group_id
ORDER BY t.event_order DESC, t.place DESC

-- name: groups
-- $1 any part of a name, or a whole id, or a blank; $2 whether former ones; after the group with the key $3, $4, $5; at
-- most $6. Counts of those alone, but of the groups $8 of the accounts $7.
WITH listed AS MATERIALIZED (
    SELECT * FROM directory.all_groups g
    WHERE g.removed = $2 AND (g.sort_key, g.account_id, g.group_id) > ($3, $4, $5)
      AND ($1 = '' OR g.sort_key LIKE directory.searched($1) OR lower(g.group_id) = lower($1))
    ORDER BY g.sort_key, g.account_id, g.group_id LIMIT $6
)
SELECT l.sort_key, l.account_id, l.group_id, l.name, l.removed_at, l.last_event_at, n.member_count, n.admin_count
FROM listed l
LEFT JOIN LATERAL (
    SELECT g.member_count, g.admin_count FROM directory.groups g
    WHERE NOT $2 AND g.account_id = l.account_id AND g.group_id = l.group_id
      AND NOT EXISTS (
          SELECT FROM unnest($7::text[], $8::text[]) AS large (account_id, group_id)
          WHERE large.account_id = l.account_id AND large.group_id = l.group_id)
    OFFSET 0
) n ON true
ORDER BY l.sort_key, l.account_id, l.group_id

-- name: group
-- $1 account, $2 group, $3 a moment. The group then, also a former one.
SELECT group_id, name, created_at, removed_at, last_event_at
FROM directory.all_groups_at($3) WHERE account_id = $1 AND group_id = $2

-- name: large_groups
-- The groups with more than so many members, by how many these and their admins are. It counts for a second or two.
SELECT account_id, group_id, member_count, admin_count FROM directory.groups WHERE member_count > $1

-- name: group_counts
SELECT member_count, admin_count FROM directory.groups WHERE account_id = $1 AND group_id = $2

-- name: group_admins
SELECT a.user_id, p.name, a.email, a.user_status, a.added_at, a.added_by
FROM directory.group_admins_at($3) a
LEFT JOIN directory.people p ON p.account_id = $1 AND p.user_key = lower(a.user_id)
WHERE a.account_id = $1 AND a.group_id = $2
ORDER BY lower(a.email), a.user_id LIMIT 201

-- name: group_members
-- $3 after this key; at most $4.
SELECT m.entry_key, m.user_id, p.name, m.email, m.user_status, m.added_at, m.added_by
FROM directory.memberships_page($1, $2, $3, $4) m
LEFT JOIN directory.people p ON p.account_id = $1 AND p.user_key = lower(m.user_id)
ORDER BY m.entry_key

-- name: group_members_at
-- The same at the moment $5.
SELECT m.entry_key, m.user_id, p.name, m.email, m.user_status, m.added_at, m.added_by
FROM directory.memberships_page_at($5, $1, $2, $3, $4) m
LEFT JOIN directory.people p ON p.account_id = $1 AND p.user_key = lower(m.user_id)
ORDER BY m.entry_key

-- name: group_settings
SELECT settings, locks, changed_at, changed_by
FROM directory.group_settings_at($3) WHERE account_id = $1 AND group_id = $2

-- name: group_drift
SELECT entity, path, known, reported, event_at, position, count(*) OVER () AS total
FROM directory.drift
WHERE account_id = $1 AND entity_id = $2 AND entity IN ('group', 'group_settings', 'group_locks')
ORDER BY event_at DESC, path LIMIT 50

-- name: group_begun
-- The first change of a group, that of lists aside: a group's may be hundreds of thousands.
SELECT min(changed_at) AS first_at FROM directory.changes
WHERE account_id = $1 AND group_id = $2 AND entity IN ('group', 'group_settings', 'group_locks')

-- name: group_timeline
-- The same of the group $2.
SELECT t.entity, t.group_id, NULL AS group_name, t.user_id, coalesce(p.name, p.email) AS user_name, t.path, t.before,
    t.after, t.changed_at, t.changed_by, t.event, t.position, t.source, t.received_at, t.late, t.event_order, t.place
FROM directory.timeline_of_group($1, $2, $3, $4, $5) t
LEFT JOIN directory.people p ON p.account_id = $1 AND p.user_key = lower(t.user_id)
ORDER BY t.event_order DESC, t.place DESC

-- What the pages overview, changes, trust and projections read.

-- name: accounts
-- Every account that sent something, or was read; since when it is observed.
SELECT f.account_id, o.since, max(f.last_received_at) AS last_received_at
FROM directory.freshness f LEFT JOIN directory.observation o USING (account_id)
GROUP BY f.account_id, o.since ORDER BY f.account_id

-- name: freshness
-- Of the accounts $1.
SELECT account_id, event, last_event_at, last_received_at, events
FROM directory.freshness WHERE account_id = ANY ($1::text[])

-- name: views_there
-- Which of some views are there: an upgrade makes some of them only once it has rebuilt what they read.
SELECT view FROM unnest($1::text[]) AS v (view) WHERE to_regclass('directory.' || view) IS NOT NULL

-- name: activity
-- Deliveries of the accounts $1 since $2: by the hour (event is null), and by event and day. An index look-up for
-- each event of each account.
SELECT a.event, coalesce(a.hour, date_trunc('day', a.hour, 'UTC')) AS start, sum(a.events)::bigint AS events
FROM directory.freshness f
JOIN directory.activity a ON a.account_id = f.account_id AND a.event = f.event AND a.hour >= $2
WHERE f.account_id = ANY ($1::text[]) AND f.events > 0
GROUP BY GROUPING SETS ((a.hour), (a.event, date_trunc('day', a.hour, 'UTC')))

-- name: people_counted
SELECT account_id, status, count(*) AS number FROM directory.users GROUP BY account_id, status
UNION ALL
SELECT account_id, status, count(*) FROM directory.former_users GROUP BY account_id, status

-- name: groups_counted
SELECT account_id, count(*) AS number FROM directory.groups GROUP BY account_id

-- name: presence_counted
SELECT account_id, presence_status AS status, count(*) AS number
FROM directory.presence WHERE presence_status IS NOT NULL GROUP BY account_id, presence_status

-- name: coverage
SELECT account_id, section, complete_at, read, new, repaired, gone, unreadable, last_event_at, last_position
FROM directory.coverage ORDER BY account_id, section

-- name: dead_letters_counted
-- At most $1 of them, by projection.
SELECT projection AS subject, count(*) AS number, extract(epoch FROM min(failed_at))::float8 AS since
FROM (SELECT projection, failed_at FROM directory.dead_letters LIMIT $1) counted
GROUP BY projection ORDER BY projection

-- name: drift_counted
-- At most $1 of it, by kind of entity.
SELECT entity AS subject, count(*) AS number, extract(epoch FROM min(event_at))::float8 AS since
FROM (SELECT entity, event_at FROM directory.drift LIMIT $1) counted
GROUP BY entity ORDER BY entity

-- name: head
SELECT coalesce(max(head), 0) AS head FROM directory.projection_status

-- name: changes
-- The newest $9 events with changes, of positions above $1 up to $2; at most $10 values of each, and none of more than
-- $11 characters. The filters, each null where it does not apply: account, kind of entity, how the path begins, by
-- whom, persons, groups.
WITH found AS (
    SELECT c.*, dense_rank() OVER (ORDER BY c.position DESC) AS nth,
           row_number() OVER (PARTITION BY c.position ORDER BY c.entity, c.entity_id, c.group_id, c.path) AS number,
           count(*) OVER (PARTITION BY c.position) AS numbers
    FROM directory.changes_between($1, $2) c
    WHERE ($3::text IS NULL OR c.account_id = $3)
      AND ($4::text IS NULL OR c.entity = $4)
      AND ($5::text IS NULL OR starts_with(c.path, $5))
      AND ($6::text IS NULL OR lower(c.changed_by) = lower($6))
      AND ($7::text[] IS NULL OR lower(c.user_id) = ANY ($7))
      AND ($8::text[] IS NULL OR c.group_id = ANY ($8))
)
SELECT account_id, entity, entity_id, group_id, user_id, path, changed_at, changed_by, event, position, source, numbers,
       length(before::text) AS before_length, length(after::text) AS after_length,
       CASE WHEN length(before::text) <= $11 THEN before END AS before,
       CASE WHEN length(after::text) <= $11 THEN after END AS after
FROM found WHERE nth <= $9 AND number <= $10
ORDER BY position DESC, entity, entity_id, group_id, path

-- name: late
-- The positions of late events within ranges of positions: above those of $1 and up to those of $2.
SELECT DISTINCT c.known_since AS position
FROM unnest($1::bigint[], $2::bigint[]) AS r (above, up_to)
CROSS JOIN LATERAL directory.corrections_between(r.above, r.up_to) c

-- name: persons_named
-- What people are called: of the accounts and ids of two arrays that belong together.
SELECT p.account_id, p.user_id, coalesce(p.name, p.email) AS name
FROM unnest($1::text[], $2::text[]) AS n (account_id, user_id)
JOIN directory.people p ON p.account_id = n.account_id AND p.user_key = lower(n.user_id)

-- name: groups_named
-- The same of groups.
SELECT g.account_id, g.group_id, nullif(btrim(g.name), '') AS name
FROM unnest($1::text[], $2::text[]) AS n (account_id, group_id)
JOIN directory.all_groups g ON g.account_id = n.account_id AND g.group_id = n.group_id

-- name: persons_of_email
-- The ids of whoever has an e-mail, or had it last before they left.
SELECT lower(user_id) AS user_id FROM directory.users WHERE lower(email) = lower($1)
UNION
SELECT lower(user_id) FROM directory.former_users WHERE lower(email) = lower($1)
LIMIT 20

-- name: groups_of_name
SELECT DISTINCT group_id FROM directory.all_groups WHERE lower(name) = lower($1) LIMIT 20

-- Lists of what stands, from after the row of a key on. A value of more than 4,000
-- characters is left out, and its length told.

-- name: drift
SELECT account_id, entity, entity_id, entity_key, path, event_at, position,
       length(known::text) AS before_length, length(reported::text) AS after_length,
       CASE WHEN length(known::text) <= 4000 THEN known END AS before,
       CASE WHEN length(reported::text) <= 4000 THEN reported END AS after
FROM directory.drift_page($1, $2, $3, $4, $5, $6)

-- name: acknowledged
SELECT account_id, entity, entity_id, path, position, acknowledged_at, acknowledged_by, reason
FROM directory.acknowledged_drift
WHERE entity_id COLLATE "C" >= $1
  AND (entity_id COLLATE "C", entity COLLATE "C", path COLLATE "C", account_id COLLATE "C") > ($1, $2, $3, $4)
ORDER BY entity_id COLLATE "C", entity COLLATE "C", path COLLATE "C", account_id COLLATE "C" LIMIT $5

-- name: dead_letters
SELECT position, projection, event, error, failed_at FROM directory.dead_letters
WHERE (position, projection) < ($1, $2)
ORDER BY position DESC, projection DESC LIMIT $3

-- name: dismissed
SELECT position, projection, event, error, failed_at, dismissed_at, dismissed_by, reason
FROM directory.dismissed_dead_letters
WHERE (position, projection) < ($1, $2)
ORDER BY position DESC, projection DESC LIMIT $3

-- name: corrections
-- Those known since positions above $1 and up to $2, newest first, after the row of the key $3, $4; at most $5.
SELECT * FROM (
    SELECT c.account_id, c.entity, c.entity_id, c.group_id, c.user_id, c.path, c.changed_at, c.changed_by, c.event,
           c.known_since, c.received_at, c.source,
           length(c.believed::text) AS before_length, length(c.after::text) AS after_length,
           CASE WHEN length(c.believed::text) <= 4000 THEN c.believed END AS before,
           CASE WHEN length(c.after::text) <= 4000 THEN c.after END AS after,
           md5(concat_ws(E'\n', c.account_id, c.entity, c.entity_id, c.group_id, c.path)) AS tie
    FROM directory.corrections_between($1, $2) c
) x
WHERE (known_since, tie) < ($3, $4::text)
ORDER BY known_since DESC, tie DESC LIMIT $5

-- name: quarantine
SELECT id, received_at, reason, event, signed, size FROM directory.quarantine
WHERE id < $1 ORDER BY id DESC LIMIT $2

-- name: unresolved
SELECT account_id, person_key, user_id AS id, email, seen_in FROM directory.unresolved_users_page($1, $2, $3)

-- name: unresolved_groups
SELECT account_id, group_id AS id, NULL AS email, seen_in FROM directory.unresolved_groups
WHERE (account_id COLLATE "C", group_id COLLATE "C") > ($1, $2)
ORDER BY account_id COLLATE "C", group_id COLLATE "C" LIMIT $3
