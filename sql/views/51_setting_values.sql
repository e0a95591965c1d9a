-- Settings one by one: a row for each leaf of a document. To read one setting of everybody, the document is
-- quicker: settings #>> '{in_meeting,chat}'.

CREATE OR REPLACE VIEW directory.user_setting_values AS
SELECT s.account_id, s.user_id, v.path, v.value
FROM directory.user_settings s
CROSS JOIN LATERAL (
    WITH RECURSIVE walk AS (
        SELECT e.key AS path, e.value FROM jsonb_each(s.settings) e
        UNION ALL
        SELECT w.path || '.' || e.key, e.value
        FROM walk w
        CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(w.value) = 'object' THEN w.value END) e
    )
    SELECT w.path, w.value FROM walk w WHERE jsonb_typeof(w.value) <> 'object'
) v;

COMMENT ON VIEW directory.user_setting_values IS
    'Settings of users, one row a setting: the leaves of user_settings.settings.';
COMMENT ON COLUMN directory.user_setting_values.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.user_setting_values.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';
COMMENT ON COLUMN directory.user_setting_values.path IS 'Path of the setting in the document, dotted.';
COMMENT ON COLUMN directory.user_setting_values.value IS 'Its value: a text, number, boolean, null or array.';

CREATE OR REPLACE VIEW directory.group_setting_values AS
SELECT
    s.account_id,
    s.group_id,
    v.path,
    v.value,
    CASE
        WHEN jsonb_typeof(v.lock) = 'boolean' THEN (v.lock #>> '{}')::boolean
        WHEN jsonb_typeof(v.lock) = 'string' AND lower(v.lock #>> '{}') IN ('true', 'false')
        THEN (v.lock #>> '{}')::boolean
    END AS locked
FROM directory.group_settings s
CROSS JOIN LATERAL (
    WITH RECURSIVE walk AS (
        SELECT e.key AS path, e.value, s.locks -> e.key AS lock FROM jsonb_each(s.settings) e
        UNION ALL
        SELECT w.path || '.' || e.key, e.value,
               CASE WHEN jsonb_typeof(w.lock) = 'object' THEN w.lock -> e.key ELSE w.lock END
        FROM walk w
        CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(w.value) = 'object' THEN w.value END) e
    )
    SELECT w.path, w.value, w.lock FROM walk w WHERE jsonb_typeof(w.value) <> 'object'
) v;

COMMENT ON VIEW directory.group_setting_values IS
    'Settings of groups, one row a setting: the leaves of group_settings.settings, with the lock that covers each.';
COMMENT ON COLUMN directory.group_setting_values.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.group_setting_values.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.group_setting_values.path IS 'Path of the setting in the document, dotted.';
COMMENT ON COLUMN directory.group_setting_values.value IS 'Its value: a text, number, boolean, null or array.';
COMMENT ON COLUMN directory.group_setting_values.locked IS 'true: members may not change it, because of a lock at this path or above it; null where no lock is known.';

GRANT SELECT ON directory.user_setting_values, directory.group_setting_values TO directory_reader;
