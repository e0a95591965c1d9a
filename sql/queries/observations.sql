-- name: take_lease
-- $1 account, $2 owner, $3 how long a lease lives without a heartbeat. No row where somebody else holds it.
INSERT INTO observations.leases AS l (account_id, owner) VALUES ($1, $2)
ON CONFLICT (account_id) DO UPDATE
SET owner = $2, taken_at = clock_timestamp(), heartbeat_at = clock_timestamp()
WHERE l.heartbeat_at NOT BETWEEN clock_timestamp() - $3::interval AND clock_timestamp() + $3::interval
RETURNING owner

-- name: lease_holder
SELECT owner, taken_at FROM observations.leases WHERE account_id = $1

-- name: beat_lease
UPDATE observations.leases SET heartbeat_at = clock_timestamp() WHERE account_id = $1 AND owner = $2
RETURNING owner

-- name: give_lease_back
DELETE FROM observations.leases WHERE account_id = $1 AND owner = $2

-- name: forget_old_runs
-- $1 account, $2 how long an interrupted run may be taken up again.
DELETE FROM observations.runs
WHERE account_id = $1 AND started_at < clock_timestamp() - $2::interval

-- name: begin_run
-- $1 a new run, $2 account, $3 the sections asked for. Returns the unfinished run that was asked for the same,
-- else the new one.
INSERT INTO observations.runs AS r (run, account_id, asked) VALUES ($1, $2, $3)
ON CONFLICT (account_id, asked) DO UPDATE SET asked = r.asked
RETURNING run

-- name: finish_run
DELETE FROM observations.runs WHERE run = $1

-- name: forget_section
DELETE FROM observations.progress WHERE run = $1 AND section = $2

-- name: save_steps
-- $1 run, $2 section, $3 steps, $4 what each has done. Nothing where the run is no more.
INSERT INTO observations.progress (run, section, step, done)
SELECT r.run, $2, u.step, u.done
FROM observations.runs r, unnest($3::text[], $4::bytea[]) AS u (step, done)
WHERE r.run = $1
ON CONFLICT (run, section, step) DO UPDATE SET done = excluded.done

-- name: step
SELECT done FROM observations.progress WHERE run = $1 AND section = $2 AND step = $3

-- name: people
SELECT user_id FROM directory.users WHERE account_id = $1

-- name: unresolved_people
-- Named by id and not there: never introduced, or named again after their removal.
SELECT user_id FROM directory.unresolved_users WHERE account_id = $1 AND user_id NOT LIKE 'email:%'

-- name: people_by_email
-- $2 lower-cased e-mails.
SELECT lower(email), user_id FROM directory.users WHERE account_id = $1 AND lower(email) = ANY ($2::text[])

-- name: one_person
-- $2 an id or an e-mail, however it is spelled.
SELECT user_id FROM directory.users
WHERE account_id = $1 AND (lower(user_id) = lower($2) OR lower(email) = lower($2))
ORDER BY lower(user_id) = lower($2) DESC, user_id LIMIT 1

-- name: statuses
-- As the directory shows them: who was invited and has signed in since is active.
SELECT user_id, status FROM directory.users WHERE account_id = $1 AND user_id = ANY ($2::text[])

-- name: groups_of_people
SELECT m.user_id, array_agg(m.group_id) FROM directory.memberships m
WHERE m.account_id = $1 AND m.user_id = ANY ($2::text[])
GROUP BY m.user_id

-- name: entries_of_nobody
-- By group, the lower-cased e-mails of members of whom no user is known.
SELECT group_id, array_agg(substring(user_id FROM 7)) FROM directory.memberships
WHERE account_id = $1 AND user_id LIKE 'email:%'
GROUP BY group_id

-- name: groups
SELECT group_id FROM directory.groups WHERE account_id = $1

-- name: unresolved_groups
SELECT group_id FROM directory.unresolved_groups WHERE account_id = $1

-- name: admins_of_groups
SELECT group_id, user_id, email FROM directory.group_admins
WHERE account_id = $1 AND group_id = ANY ($2::text[])

-- name: people_in_doubt
SELECT DISTINCT d.entity_id FROM directory.drift d
WHERE d.account_id = $1 AND d.entity IN ('user', 'user_settings')
ORDER BY d.entity_id

-- name: count_people_with_settings
SELECT count(*) FROM directory.users WHERE account_id = $1 AND status <> 'pending'

-- name: people_with_settings
-- The next $3 after $2, in the order of their ids. Pending people have no settings.
SELECT user_id FROM directory.users
WHERE account_id = $1 AND user_id > $2 AND status <> 'pending'
ORDER BY user_id LIMIT $3

-- name: groups_after
SELECT group_id FROM directory.groups
WHERE account_id = $1 AND group_id > $2
ORDER BY group_id LIMIT $3

-- name: coverage
SELECT section, extract(epoch FROM complete_at)::float8 FROM directory.coverage
WHERE account_id = $1 AND complete_at IS NOT NULL

-- name: events_received
SELECT event FROM directory.freshness WHERE account_id = $1 AND events > 0
