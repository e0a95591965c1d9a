-- as of: any moment too
-- Settings as events have set them; a removal empties them. Users first, then people whom `users` does not know.

CREATE OR REPLACE VIEW directory.user_settings AS
SELECT
    s.account_id,
    u.user_id,
    nullif(s.settings, '{}') AS settings,
    state.time_of(s.changed_order) AS changed_at,
    s.changed_by,
    state.time_of(s.changed_order) AS last_event_at,
    s.last_position
FROM state.people u
JOIN state.user_settings s
    ON s.account_id = u.account_id AND s.user_key = u.user_key AND s.changed_order > u.cutoff
WHERE NOT u.removed AND NOT s.removed
UNION ALL
SELECT
    s.account_id,
    s.user_id,
    nullif(s.settings, '{}'),
    state.time_of(s.changed_order),
    s.changed_by,
    state.time_of(s.changed_order),
    s.last_position
FROM state.user_settings s
WHERE s.changed_order IS NOT NULL AND NOT s.removed
  AND NOT EXISTS (SELECT FROM state.people u
                  WHERE u.account_id = s.account_id AND u.user_key = s.user_key);

COMMENT ON VIEW directory.user_settings IS
    'Settings of users, as far as settings events told them: one row for whoever such an event named, removed users excepted. A setting that no event has named is not in it.';
COMMENT ON COLUMN directory.user_settings.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.user_settings.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';
COMMENT ON COLUMN directory.user_settings.settings IS 'The settings known, nested as Zoom nests them; null where none is.';
COMMENT ON COLUMN directory.user_settings.changed_at IS 'Time of the newest settings event.';
COMMENT ON COLUMN directory.user_settings.changed_by IS 'E-mail of the operator of that event; null where it named none.';
COMMENT ON COLUMN directory.user_settings.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.user_settings.last_position IS 'Position in the log of that event.';

CREATE OR REPLACE VIEW directory.group_settings AS
SELECT
    s.account_id,
    s.group_id,
    nullif(s.settings, '{}') AS settings,
    nullif(s.locks, '{}') AS locks,
    state.time_of(s.changed_order) AS changed_at,
    s.changed_by,
    state.time_of(s.changed_order) AS last_event_at,
    s.last_position
FROM state.group_settings s
LEFT JOIN state.known_groups g ON g.account_id = s.account_id AND g.group_id = s.group_id
WHERE s.changed_order > coalesce(g.cutoff, '') AND NOT s.removed AND g.removed IS NOT TRUE;

COMMENT ON VIEW directory.group_settings IS
    'Settings of groups and which of them are locked, as far as events told them: one row for whichever group such an event named, removed groups excepted.';
COMMENT ON COLUMN directory.group_settings.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.group_settings.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.group_settings.settings IS 'The settings known, nested as Zoom nests them; null where none is.';
COMMENT ON COLUMN directory.group_settings.locks IS 'The locks known, nested alike: true means that members may not change that setting; null where none is known.';
COMMENT ON COLUMN directory.group_settings.changed_at IS 'Time of the newest settings or lock event.';
COMMENT ON COLUMN directory.group_settings.changed_by IS 'E-mail of the operator of that event; null where it named none.';
COMMENT ON COLUMN directory.group_settings.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.group_settings.last_position IS 'Position in the log of that event.';

CREATE OR REPLACE VIEW directory.account_settings AS
SELECT
    s.account_id,
    nullif(s.settings, '{}') AS settings,
    nullif(s.locks, '{}') AS locks,
    state.time_of(s.changed_order) AS changed_at,
    state.time_of(s.changed_order) AS last_event_at,
    s.last_position
FROM state.account_settings s
WHERE s.changed_order IS NOT NULL;

COMMENT ON VIEW directory.account_settings IS
    'Settings of accounts and which of them are locked for everybody, as Zoom''s REST API showed them. No delivery tells of them.';
COMMENT ON COLUMN directory.account_settings.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.account_settings.settings IS 'The settings known, nested as Zoom nests them; null where none is.';
COMMENT ON COLUMN directory.account_settings.locks IS 'The locks known, nested alike: true means that nobody in the account may change that setting; null where none is known.';
COMMENT ON COLUMN directory.account_settings.changed_at IS 'Time of the newest observation that differed.';
COMMENT ON COLUMN directory.account_settings.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.account_settings.last_position IS 'Position in the log of that event.';

GRANT SELECT ON directory.user_settings, directory.group_settings, directory.account_settings TO directory_reader;
