-- as of: any moment too
-- Groups, present and former, without counts: quick to look up, to search and to list by name.

CREATE OR REPLACE VIEW directory.all_groups AS
SELECT
    g.account_id,
    g.group_id,
    g.profile ->> 'name' AS name,
    state.at(g.created_ms) AS created_at,
    CASE WHEN g.removed THEN state.at(g.removed_ms) END AS removed_at,
    state.capped(state.searchable(coalesce(nullif(btrim(g.profile ->> 'name'), ''), g.group_id)), 160)
        COLLATE "C" AS sort_key,
    state.time_of(g.folded) AS last_event_at,
    g.last_position,
    g.removed
FROM state.groups g
WHERE g.last_position > 0;

COMMENT ON VIEW directory.all_groups IS
    'Groups, present and former, without counts: one row a group.';
COMMENT ON COLUMN directory.all_groups.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.all_groups.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.all_groups.name IS 'Name of the group; null where no event named it.';
COMMENT ON COLUMN directory.all_groups.created_at IS 'As in groups and former_groups.';
COMMENT ON COLUMN directory.all_groups.removed_at IS 'As in former_groups; null for a group that is not removed.';
COMMENT ON COLUMN directory.all_groups.sort_key IS 'What lists are sorted by: the name without case and accents, else the id; the beginning of it.';
COMMENT ON COLUMN directory.all_groups.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.all_groups.last_position IS 'Position in the log of that event.';
COMMENT ON COLUMN directory.all_groups.removed IS 'Whether the group is in former_groups and not in groups.';

GRANT SELECT ON directory.all_groups TO directory_reader;
