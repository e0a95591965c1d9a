-- Users, present and former: one state, two views of the same columns.

CREATE OR REPLACE VIEW directory.users AS
SELECT
    u.account_id,
    u.user_id,
    u.email,
    u.profile ->> 'first_name' AS first_name,
    u.profile ->> 'last_name' AS last_name,
    u.profile ->> 'display_name' AS display_name,
    (u.profile ->> 'type')::int AS type,
    CASE
        WHEN u.status = 'pending'
            AND state.signed_in_since(u.account_id, u.user_key, u.pending_order)
        THEN 'active' ELSE u.status
    END AS status,
    u.profile ->> 'role' AS role,
    u.profile ->> 'dept' AS dept,
    u.profile ->> 'company' AS company,
    u.profile ->> 'language' AS language,
    u.profile ->> 'timezone' AS timezone,
    u.profile ->> 'phone_number' AS phone_number,
    u.profile ->> 'phone_country' AS phone_country,
    u.profile ->> 'pic_url' AS pic_url,
    (u.profile ->> 'pmi')::bigint AS pmi,
    (u.profile ->> 'use_pmi')::boolean AS use_pmi,
    u.profile ->> 'vanity_name' AS vanity_name,
    u.profile ->> 'primary_group_id' AS primary_group_id,
    nullif(u.custom_attributes, '[]') AS custom_attributes,
    nullif(u.profile -> 'settings', 'null') AS profile_settings,
    u.creation_type,
    state.at(u.created_ms) AS created_at,
    state.time_of(u.folded) AS last_event_at,
    u.last_position
FROM state.users u
WHERE u.known AND NOT u.removed;

COMMENT ON VIEW directory.users IS
    'Users of the account who are not removed: one row a user, of every status.';
COMMENT ON COLUMN directory.users.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.users.user_id IS 'Zoom''s user id, as the newest lifecycle event spells it. Ids match case-insensitively.';
COMMENT ON COLUMN directory.users.email IS 'E-mail as sent. Look it up with lower(email) = lower(...): that uses an index.';
COMMENT ON COLUMN directory.users.first_name IS 'First name.';
COMMENT ON COLUMN directory.users.last_name IS 'Last name.';
COMMENT ON COLUMN directory.users.display_name IS 'Name as shown in Zoom.';
COMMENT ON COLUMN directory.users.type IS 'Licence, in Zoom''s code: 1 basic, 2 licensed, 4 unassigned, 99 none; other codes may come.';
COMMENT ON COLUMN directory.users.status IS 'pending (invited), active, inactive (deactivated), or unknown: seen in updates alone.';
COMMENT ON COLUMN directory.users.role IS 'Name of the account role.';
COMMENT ON COLUMN directory.users.dept IS 'Department.';
COMMENT ON COLUMN directory.users.company IS 'Company.';
COMMENT ON COLUMN directory.users.language IS 'Language code.';
COMMENT ON COLUMN directory.users.timezone IS 'Time zone name.';
COMMENT ON COLUMN directory.users.phone_number IS 'Phone number as sent.';
COMMENT ON COLUMN directory.users.phone_country IS 'Country of the phone number.';
COMMENT ON COLUMN directory.users.pic_url IS 'Address of the profile picture.';
COMMENT ON COLUMN directory.users.pmi IS 'Personal meeting id.';
COMMENT ON COLUMN directory.users.use_pmi IS 'Whether instant meetings use the personal meeting id.';
COMMENT ON COLUMN directory.users.vanity_name IS 'Personal link name.';
COMMENT ON COLUMN directory.users.primary_group_id IS 'Id of the primary group; memberships may not show it yet.';
COMMENT ON COLUMN directory.users.custom_attributes IS 'Array of {key, name, value}, sorted by key; null where there are none.';
COMMENT ON COLUMN directory.users.profile_settings IS 'Settings that profile updates carry, such as licence features. Settings proper are in user_settings.';
COMMENT ON COLUMN directory.users.creation_type IS 'How the user was created (create, autoCreate, custCreate, ssoCreate and so on).';
COMMENT ON COLUMN directory.users.created_at IS 'Time of the first user.created of this life; null where that was not seen.';
COMMENT ON COLUMN directory.users.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.users.last_position IS 'Position in the log of that event.';

-- Folding never makes a former user pending.
CREATE OR REPLACE VIEW directory.former_users AS
SELECT
    u.account_id,
    u.user_id,
    u.email,
    u.profile ->> 'first_name' AS first_name,
    u.profile ->> 'last_name' AS last_name,
    u.profile ->> 'display_name' AS display_name,
    (u.profile ->> 'type')::int AS type,
    u.status,
    u.profile ->> 'role' AS role,
    u.profile ->> 'dept' AS dept,
    u.profile ->> 'company' AS company,
    u.profile ->> 'language' AS language,
    u.profile ->> 'timezone' AS timezone,
    u.profile ->> 'phone_number' AS phone_number,
    u.profile ->> 'phone_country' AS phone_country,
    u.profile ->> 'pic_url' AS pic_url,
    (u.profile ->> 'pmi')::bigint AS pmi,
    (u.profile ->> 'use_pmi')::boolean AS use_pmi,
    u.profile ->> 'vanity_name' AS vanity_name,
    u.profile ->> 'primary_group_id' AS primary_group_id,
    nullif(u.custom_attributes, '[]') AS custom_attributes,
    nullif(u.profile -> 'settings', 'null') AS profile_settings,
    u.creation_type,
    state.at(u.created_ms) AS created_at,
    state.at(u.removed_ms) AS removed_at,
    state.time_of(u.folded) AS last_event_at,
    u.last_position
FROM state.users u
WHERE u.known AND u.removed;

COMMENT ON VIEW directory.former_users IS
    'Users who were deleted or disassociated and have not come back: one row a user, with the profile as last known.';
COMMENT ON COLUMN directory.former_users.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.former_users.user_id IS 'Zoom''s user id, as the newest lifecycle event spells it. Ids match case-insensitively.';
COMMENT ON COLUMN directory.former_users.email IS 'E-mail as sent. Look it up with lower(email) = lower(...): that uses an index.';
COMMENT ON COLUMN directory.former_users.first_name IS 'First name.';
COMMENT ON COLUMN directory.former_users.last_name IS 'Last name.';
COMMENT ON COLUMN directory.former_users.display_name IS 'Name as shown in Zoom.';
COMMENT ON COLUMN directory.former_users.type IS 'Licence, in Zoom''s code: 1 basic, 2 licensed, 4 unassigned, 99 none; other codes may come.';
COMMENT ON COLUMN directory.former_users.status IS 'deleted or disassociated: the newest removal decides.';
COMMENT ON COLUMN directory.former_users.role IS 'Name of the account role.';
COMMENT ON COLUMN directory.former_users.dept IS 'Department.';
COMMENT ON COLUMN directory.former_users.company IS 'Company.';
COMMENT ON COLUMN directory.former_users.language IS 'Language code.';
COMMENT ON COLUMN directory.former_users.timezone IS 'Time zone name.';
COMMENT ON COLUMN directory.former_users.phone_number IS 'Phone number as sent.';
COMMENT ON COLUMN directory.former_users.phone_country IS 'Country of the phone number.';
COMMENT ON COLUMN directory.former_users.pic_url IS 'Address of the profile picture.';
COMMENT ON COLUMN directory.former_users.pmi IS 'Personal meeting id.';
COMMENT ON COLUMN directory.former_users.use_pmi IS 'Whether instant meetings use the personal meeting id.';
COMMENT ON COLUMN directory.former_users.vanity_name IS 'Personal link name.';
COMMENT ON COLUMN directory.former_users.primary_group_id IS 'Id of the primary group; memberships may not show it yet.';
COMMENT ON COLUMN directory.former_users.custom_attributes IS 'Array of {key, name, value}, sorted by key; null where there are none.';
COMMENT ON COLUMN directory.former_users.profile_settings IS 'Settings that profile updates carry, such as licence features. Settings proper are in user_settings.';
COMMENT ON COLUMN directory.former_users.creation_type IS 'How the user was created (create, autoCreate, custCreate, ssoCreate and so on).';
COMMENT ON COLUMN directory.former_users.created_at IS 'Time of the first user.created of this life; null where that was not seen.';
COMMENT ON COLUMN directory.former_users.removed_at IS 'Time of the newest removal.';
COMMENT ON COLUMN directory.former_users.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.former_users.last_position IS 'Position in the log of that event.';

GRANT SELECT ON directory.users, directory.former_users TO directory_reader;
