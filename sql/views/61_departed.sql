-- What removals ended, for administrators who have to hand it over.

CREATE OR REPLACE VIEW directory.departed_group_admins AS
SELECT
    a.account_id,
    a.group_id,
    u.user_id,
    nullif(u.email, '') AS email,
    g.name AS group_name,
    u.status AS user_status,
    state.at(u.removed_ms) AS removed_at,
    state.time_of(a.folded) AS added_at,
    a.by AS added_by
FROM state.users u
JOIN state.group_admins a ON a.account_id = u.account_id AND a.person_key = u.user_key
LEFT JOIN state.known_groups g ON g.account_id = a.account_id AND g.group_id = a.group_id
WHERE u.cutoff IS NOT NULL AND u.removed AND a.added AND a.user_id IS NOT NULL
  AND g.removed IS NOT TRUE AND a.folded > coalesce(g.cutoff, '');

COMMENT ON VIEW directory.departed_group_admins IS
    'Former users who were admins of a group until they were removed, where the group is not removed itself. Their roles ended with them, so group_admins no longer shows them.';
COMMENT ON COLUMN directory.departed_group_admins.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.departed_group_admins.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.departed_group_admins.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';
COMMENT ON COLUMN directory.departed_group_admins.email IS 'Last e-mail known of the former user.';
COMMENT ON COLUMN directory.departed_group_admins.group_name IS 'Current name of the group; null where the group is not in groups.';
COMMENT ON COLUMN directory.departed_group_admins.user_status IS 'deleted or disassociated.';
COMMENT ON COLUMN directory.departed_group_admins.removed_at IS 'Time of the newest removal.';
COMMENT ON COLUMN directory.departed_group_admins.added_at IS 'Time of the newest event that made the person an admin.';
COMMENT ON COLUMN directory.departed_group_admins.added_by IS 'E-mail of the operator of that event; null where it named none.';

GRANT SELECT ON directory.departed_group_admins TO directory_reader;
