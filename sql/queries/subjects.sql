-- Where a person is kept. Patterns are of LIKE: parts of their ids and e-mails, lower-cased, that no form of writing
-- changes. They find too much rather than too little: what is found is decoded and compared exactly.

-- name: people_named
-- $1 an id in any case, or an e-mail: account and key of whoever is known from lists, presence or sign-ins alone.
SELECT account_id, person_key FROM (
    SELECT account_id, user_key AS person_key, email FROM state.presence
    UNION ALL SELECT account_id, user_key, email FROM state.notes
    UNION ALL SELECT account_id, user_key, email FROM state.sign_ins
    UNION ALL SELECT account_id, user_key, NULL FROM state.sign_in_moments
    UNION ALL SELECT account_id, user_key, NULL FROM state.declared_primary_groups
    UNION ALL SELECT account_id, person_key, NULL FROM state.observed_groups
    UNION ALL SELECT account_id, person_key, email FROM state.memberships_versions
    UNION ALL SELECT account_id, person_key, email FROM state.group_admins_versions
) p
WHERE person_key = lower($1) OR lower(email) = lower($1)
GROUP BY account_id, person_key
ORDER BY account_id, person_key

-- name: known_of_person
-- $1 account, $2 keys: every spelling of their ids, every e-mail and every name, each with what it is.
SELECT DISTINCT kind, value FROM (
    SELECT 'id' AS kind, user_id AS value FROM (
        SELECT account_id, user_key AS key, user_id FROM state.users
        UNION ALL SELECT account_id, user_key, user_id FROM state.user_versions
        UNION ALL SELECT account_id, person_key, user_id FROM state.memberships_versions
        UNION ALL SELECT account_id, person_key, user_id FROM state.group_admins_versions
        UNION ALL SELECT account_id, user_key, user_id FROM state.presence
        UNION ALL SELECT account_id, user_key, user_id FROM state.notes
        UNION ALL SELECT account_id, user_key, user_id FROM state.sign_ins
        UNION ALL SELECT account_id, user_key, user_id FROM state.user_settings
        UNION ALL SELECT account_id, user_key, user_id FROM state.declared_primary_groups
    ) i WHERE account_id = $1 AND key = ANY ($2::text[])
    UNION ALL
    SELECT 'email', email FROM (
        SELECT account_id, user_key AS key, email FROM state.users
        UNION ALL SELECT account_id, user_key, profile ->> 'email' FROM state.user_versions
        UNION ALL SELECT account_id, person_key, email FROM state.memberships
        UNION ALL SELECT account_id, person_key, email FROM state.memberships_versions
        UNION ALL SELECT account_id, person_key, email FROM state.group_admins
        UNION ALL SELECT account_id, person_key, email FROM state.group_admins_versions
        UNION ALL SELECT account_id, user_key, email FROM state.presence
        UNION ALL SELECT account_id, user_key, email FROM state.notes
        UNION ALL SELECT account_id, user_key, email FROM state.sign_ins
    ) e WHERE account_id = $1 AND key = ANY ($2::text[])
    UNION ALL
    SELECT 'name', name FROM (
        SELECT account_id, user_key AS key, profile FROM state.users
        UNION ALL SELECT account_id, user_key, profile FROM state.user_versions
    ) p CROSS JOIN LATERAL (VALUES (profile ->> 'display_name'),
        (nullif(concat_ws(' ', profile ->> 'first_name', profile ->> 'last_name'), ''))) n (name)
    WHERE account_id = $1 AND key = ANY ($2::text[])
) k
WHERE value <> ''
ORDER BY kind, value

-- name: others_with_emails
-- $1 account, $2 keys, $3 e-mails, lower-cased: who else has or had one of these, with an id.
SELECT DISTINCT key, lower(email) AS email FROM (
    SELECT account_id, user_key AS key, profile ->> 'email' AS email FROM state.user_versions
    UNION ALL SELECT account_id, person_key, email FROM state.memberships_versions
    UNION ALL SELECT account_id, person_key, email FROM state.group_admins_versions
    UNION ALL SELECT account_id, user_key, email FROM state.presence
    UNION ALL SELECT account_id, user_key, email FROM state.notes
    UNION ALL SELECT account_id, user_key, email FROM state.sign_ins
) e
WHERE account_id = $1 AND key <> ALL ($2::text[]) AND NOT starts_with(key, 'email:') AND lower(email) = ANY ($3::text[])

-- name: candidates
-- Of the events after position $1 up to $2, those that may name somebody, with the bytes of their bodies. A backslash
-- may hide a letter, a zero byte tells UTF-16 or UTF-32, and the last two are the only letters beyond ASCII whose small
-- form has an ASCII letter.
SELECT e.position, octet_length(e.body) AS size FROM log.events e
WHERE e.position > $1 AND e.position <= $2
  AND CASE WHEN position('\x5c'::bytea IN e.body) > 0 OR position('\x00'::bytea IN e.body) > 0
             OR position('\xe284aa'::bytea IN e.body) > 0 OR position('\xc4b0'::bytea IN e.body) > 0 THEN true
           ELSE lower(convert_from(e.body, 'LATIN1') COLLATE "C") LIKE ANY ($3::text[]) END
ORDER BY e.position

-- name: events_at
SELECT position, event, event_ts, received_at, source, account_id, digest, body FROM log.events
WHERE position = ANY ($1::bigint[]) ORDER BY position

-- name: received_at
SELECT position, event_ts, received_at, source FROM log.events WHERE position = ANY ($1::bigint[])

-- name: quarantine
-- The next $2 after id $1 that may name somebody; the same test.
SELECT q.id, q.received_at, q.reason, q.event, q.signed, q.body FROM log.quarantine q
WHERE q.id > $1
  AND CASE WHEN position('\x5c'::bytea IN q.body) > 0 OR position('\x00'::bytea IN q.body) > 0
             OR position('\xe284aa'::bytea IN q.body) > 0 OR position('\xc4b0'::bytea IN q.body) > 0 THEN true
           ELSE lower(convert_from(q.body, 'LATIN1') COLLATE "C") LIKE ANY ($3::text[]) END
ORDER BY q.id LIMIT $2

-- name: progress
-- The next step after ($1, $2, $3) of an unfinished reading of Zoom's REST API.
SELECT p.run, p.section, p.step, p.done, r.account_id, r.started_at
FROM observations.progress p JOIN observations.runs r USING (run)
WHERE (p.run, p.section, p.step) > ($1, $2, $3)
ORDER BY p.run, p.section, p.step LIMIT 1

-- name: dead_letters
-- Of the events at the positions $1.
SELECT to_jsonb(t) AS row FROM state.dead_letters t WHERE t.position = ANY ($1::bigint[]) ORDER BY t.position, t.projection

-- name: dismissed_dead_letters
-- Of the events with the digests $2, or that name somebody.
SELECT to_jsonb(t) AS row FROM state.dismissed_dead_letters t
WHERE t.digest = ANY ($2::text[]) OR lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: users
SELECT to_jsonb(t) AS row FROM state.users t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: users_history
SELECT to_jsonb(t) AS row FROM state.users_history t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: user_versions
SELECT to_jsonb(t) AS row FROM state.user_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: removed_emails
SELECT to_jsonb(t) AS row FROM state.removed_emails t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: removed_email_versions
SELECT to_jsonb(t) AS row FROM state.removed_email_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: memberships
SELECT to_jsonb(t) AS row FROM state.memberships t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: memberships_versions
SELECT to_jsonb(t) AS row FROM state.memberships_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: group_admins
SELECT to_jsonb(t) AS row FROM state.group_admins t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: group_admins_versions
SELECT to_jsonb(t) AS row FROM state.group_admins_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: observed_groups
SELECT to_jsonb(t) AS row FROM state.observed_groups t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: observed_groups_history
SELECT to_jsonb(t) AS row FROM state.observed_groups_history t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: observed_group_versions
SELECT to_jsonb(t) AS row FROM state.observed_group_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: presence
SELECT to_jsonb(t) AS row FROM state.presence t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: notes
SELECT to_jsonb(t) AS row FROM state.notes t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: notes_history
SELECT to_jsonb(t) AS row FROM state.notes_history t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: note_versions
SELECT to_jsonb(t) AS row FROM state.note_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: sign_ins
SELECT to_jsonb(t) AS row FROM state.sign_ins t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: sign_in_moments
SELECT to_jsonb(t) AS row FROM state.sign_in_moments t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: sign_out_marks
SELECT to_jsonb(t) AS row FROM state.sign_out_marks t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: user_settings
SELECT to_jsonb(t) AS row FROM state.user_settings t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: user_settings_history
SELECT to_jsonb(t) AS row FROM state.user_settings_history t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: user_settings_versions
SELECT to_jsonb(t) AS row FROM state.user_settings_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: user_setting_paths
SELECT to_jsonb(t) AS row FROM state.user_setting_paths t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: groups
SELECT to_jsonb(t) AS row FROM state.groups t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: group_versions
SELECT to_jsonb(t) AS row FROM state.group_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: group_settings
SELECT to_jsonb(t) AS row FROM state.group_settings t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: group_settings_versions
SELECT to_jsonb(t) AS row FROM state.group_settings_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: group_setting_paths
SELECT to_jsonb(t) AS row FROM state.group_setting_paths t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: account_settings
SELECT to_jsonb(t) AS row FROM state.account_settings t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: account_settings_versions
SELECT to_jsonb(t) AS row FROM state.account_settings_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: account_setting_paths
SELECT to_jsonb(t) AS row FROM state.account_setting_paths t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: declared_primary_groups
SELECT to_jsonb(t) AS row FROM state.declared_primary_groups t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: declared_primary_group_versions
SELECT to_jsonb(t) AS row FROM state.declared_primary_group_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: declared_models
SELECT to_jsonb(t) AS row FROM state.declared_models t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: declared_model_versions
SELECT to_jsonb(t) AS row FROM state.declared_model_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: declared_rankings
SELECT to_jsonb(t) AS row FROM state.declared_rankings t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: declared_ranking_versions
SELECT to_jsonb(t) AS row FROM state.declared_ranking_versions t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: acknowledged_drift
SELECT to_jsonb(t) AS row FROM state.acknowledged_drift t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])

-- name: coverage
SELECT to_jsonb(t) AS row FROM state.coverage t WHERE lower(t::text COLLATE "C") LIKE ANY ($1::text[])
