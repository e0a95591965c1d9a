-- needs: users 3
-- needs: groups 3
-- needs: memberships 3
-- needs: group_admins 3
-- needs: sign_ins 2
-- needs: presence 3
-- needs: user_settings 3
-- needs: group_settings 3
-- needs: account_settings 2
-- The history of the directory, change by change. What the log says of an event is looked up for the rows that are
-- shown: the planner takes them for so many that a join would read the whole log.

CREATE OR REPLACE VIEW state.all_changes AS
SELECT
    c.account_id, c.entity, c.entity_key, c.entity_id, c.group_id, c.user_id, c.path, c.before, c.after,
    c.folded, c.by, c.position, c.late
FROM state.value_changes c
UNION ALL
SELECT
    c.account_id, 'membership', c.person_key, c.user_id, c.group_id, c.user_id, 'member',
    CASE WHEN NOT c.came THEN 'true'::jsonb END, CASE WHEN c.came THEN 'true'::jsonb END,
    c.folded, c.by, c.position,
    EXISTS (
        SELECT FROM state.memberships_versions x
        WHERE x.account_id = c.account_id AND x.person_key = c.person_key AND x.group_id = c.group_id
          AND x.folded > c.folded AND x.last_position < c.position)
FROM state.memberships_changes c
UNION ALL
SELECT
    c.account_id, 'group_admin', c.person_key, c.user_id, c.group_id, c.user_id, 'member',
    CASE WHEN NOT c.came THEN 'true'::jsonb END, CASE WHEN c.came THEN 'true'::jsonb END,
    c.folded, c.by, c.position,
    EXISTS (
        SELECT FROM state.group_admins_versions x
        WHERE x.account_id = c.account_id AND x.person_key = c.person_key AND x.group_id = c.group_id
          AND x.folded > c.folded AND x.last_position < c.position)
FROM state.group_admins_changes c;

CREATE OR REPLACE VIEW directory.changes AS
SELECT
    c.account_id,
    c.entity,
    c.entity_id,
    c.group_id,
    c.user_id,
    c.path,
    c.before,
    c.after,
    state.time_of(c.folded) AS changed_at,
    c.by AS changed_by,
    (
        SELECT replace(e.event, '.members_deleted', '.member_deleted') FROM log.events e
        WHERE e.position = c.position
    ) AS event,
    c.position,
    (SELECT e.source FROM log.events e WHERE e.position = c.position) AS source,
    encode(c.folded, 'hex') AS event_order
FROM state.all_changes c;

COMMENT ON VIEW directory.changes IS
    'What changed, when, by whom: one row a changed value. In event order the newest row of a path up to a moment says what it was then. Presence and sign-ins are not in it.';
COMMENT ON COLUMN directory.changes.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.changes.entity IS 'Kind of entity: user, group, membership, group_admin, user_settings, group_settings, group_locks, account_settings, account_locks or personal_note.';
COMMENT ON COLUMN directory.changes.entity_id IS 'User id, group id or account id; of a membership or an admin role, the user''s.';
COMMENT ON COLUMN directory.changes.group_id IS 'Zoom''s group id, where a group is concerned.';
COMMENT ON COLUMN directory.changes.user_id IS 'Zoom''s user id, where a user is concerned, spelled as in users; email:<lower-cased e-mail> for an entry without an id that nobody known had.';
COMMENT ON COLUMN directory.changes.path IS 'Dotted path of the value; status for the begin and end of a life, member for those of a membership or an admin role.';
COMMENT ON COLUMN directory.changes.before IS 'Value before; null where it was not there.';
COMMENT ON COLUMN directory.changes.after IS 'Value after; null where it is not there any more.';
COMMENT ON COLUMN directory.changes.changed_at IS 'Time of the event.';
COMMENT ON COLUMN directory.changes.changed_by IS 'E-mail of the operator of the event; null where it named none.';
COMMENT ON COLUMN directory.changes.event IS 'Name of the event.';
COMMENT ON COLUMN directory.changes.position IS 'Position of the event in the log.';
COMMENT ON COLUMN directory.changes.source IS 'How the event came: webhook, import, quarantine, recovered; or a fact of our own, such as rest.';
COMMENT ON COLUMN directory.changes.event_order IS 'Sorts as events happened, also those of one millisecond: time, rank and digest, in hexadecimal.';

CREATE OR REPLACE VIEW directory.corrections AS
SELECT
    c.account_id,
    c.entity,
    c.entity_id,
    c.group_id,
    c.user_id,
    c.path,
    (
        SELECT b.after FROM state.all_changes b
        WHERE b.account_id = c.account_id AND b.entity = c.entity AND b.entity_key = c.entity_key
          AND b.group_id IS NOT DISTINCT FROM c.group_id AND b.path = c.path
          AND b.folded < c.folded AND b.position < c.position
        ORDER BY b.folded DESC LIMIT 1
    ) AS believed,
    c.after,
    state.time_of(c.folded) AS changed_at,
    c.by AS changed_by,
    (
        SELECT replace(e.event, '.members_deleted', '.member_deleted') FROM log.events e
        WHERE e.position = c.position
    ) AS event,
    c.position AS known_since,
    (SELECT e.received_at FROM log.events e WHERE e.position = c.position) AS received_at,
    (SELECT e.source FROM log.events e WHERE e.position = c.position) AS source
FROM state.all_changes c
WHERE c.late;

COMMENT ON VIEW directory.corrections IS
    'Changes that arrived late, after later ones of the same entity had been folded: what was believed of that time before, and since when it is known better.';
COMMENT ON COLUMN directory.corrections.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.corrections.entity IS 'Kind of entity, as in changes.';
COMMENT ON COLUMN directory.corrections.entity_id IS 'User id, group id or account id, as in changes.';
COMMENT ON COLUMN directory.corrections.group_id IS 'Zoom''s group id, where a group is concerned.';
COMMENT ON COLUMN directory.corrections.user_id IS 'Zoom''s user id, where a user is concerned.';
COMMENT ON COLUMN directory.corrections.path IS 'Dotted path of the value, as in changes.';
COMMENT ON COLUMN directory.corrections.believed IS 'What the value was taken to be from that time on, before this arrived; null: not there.';
COMMENT ON COLUMN directory.corrections.after IS 'What it was from that time on; null: not there.';
COMMENT ON COLUMN directory.corrections.changed_at IS 'Time of the event.';
COMMENT ON COLUMN directory.corrections.changed_by IS 'E-mail of the operator of the event; null where it named none.';
COMMENT ON COLUMN directory.corrections.event IS 'Name of the event.';
COMMENT ON COLUMN directory.corrections.known_since IS 'Position in the log of the late event: since then it is known better.';
COMMENT ON COLUMN directory.corrections.received_at IS 'When the late event was received.';
COMMENT ON COLUMN directory.corrections.source IS 'How the late event came.';

GRANT SELECT ON directory.changes, directory.corrections TO directory_reader;
