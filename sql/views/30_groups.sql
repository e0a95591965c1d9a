-- as of: any moment too
-- Groups, present and former. A query that does not select the counts does not count, and a query for one
-- group counts in that group alone.

CREATE OR REPLACE VIEW directory.groups AS
SELECT
    g.account_id,
    g.group_id,
    g.profile ->> 'name' AS name,
    state.at(g.created_ms) AS created_at,
    (
        SELECT c.people FROM state.memberships_counted c
        WHERE c.account_id = g.account_id AND c.group_id = g.group_id
    )::bigint - coalesce(m.people, 0) AS member_count,
    (
        SELECT c.people FROM state.group_admins_counted c
        WHERE c.account_id = g.account_id AND c.group_id = g.group_id
    )::bigint - coalesce(a.people, 0) AS admin_count,
    state.time_of(g.folded) AS last_event_at,
    g.last_position
FROM state.groups g
LEFT JOIN state.memberships_ended m ON m.account_id = g.account_id AND m.group_id = g.group_id
LEFT JOIN state.group_admins_ended a ON a.account_id = g.account_id AND a.group_id = g.group_id
WHERE g.last_position > 0 AND NOT g.removed;

COMMENT ON VIEW directory.groups IS
    'Groups of the account that are not removed.';
COMMENT ON COLUMN directory.groups.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.groups.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.groups.name IS 'Name of the group; null where no event named it.';
COMMENT ON COLUMN directory.groups.created_at IS 'Time of the first group.created of this life; null where that was not seen.';
COMMENT ON COLUMN directory.groups.member_count IS 'Number of its rows in memberships.';
COMMENT ON COLUMN directory.groups.admin_count IS 'Number of its rows in group_admins.';
COMMENT ON COLUMN directory.groups.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.groups.last_position IS 'Position in the log of that event.';

CREATE OR REPLACE VIEW directory.former_groups AS
SELECT
    g.account_id,
    g.group_id,
    g.profile ->> 'name' AS name,
    state.at(g.created_ms) AS created_at,
    state.at(g.removed_ms) AS removed_at,
    state.time_of(g.folded) AS last_event_at,
    g.last_position
FROM state.groups g
WHERE g.last_position > 0 AND g.removed;

COMMENT ON VIEW directory.former_groups IS
    'Groups that were deleted, or that Zoom''s REST API does not have any more, and that have not come back.';
COMMENT ON COLUMN directory.former_groups.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.former_groups.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.former_groups.name IS 'Name of the group as last known.';
COMMENT ON COLUMN directory.former_groups.created_at IS 'Time of the first group.created of its last life; null where that was not seen.';
COMMENT ON COLUMN directory.former_groups.removed_at IS 'Time of the newest group.deleted; of a group that Zoom''s REST API does not have any more, when that was found.';
COMMENT ON COLUMN directory.former_groups.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.former_groups.last_position IS 'Position in the log of that event.';

GRANT SELECT ON directory.groups, directory.former_groups TO directory_reader;
