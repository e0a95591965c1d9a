-- for each list of: users, former_users
-- needs: users 2
-- as of: any moment too
-- Users, present and former: two views of one table, with the same columns. A former user is never pending.

CREATE OR REPLACE VIEW directory.{list} AS
SELECT
    u.account_id,
    u.user_id,
    u.email,
    u.profile ->> 'first_name' AS first_name,
    u.profile ->> 'last_name' AS last_name,
    u.profile ->> 'display_name' AS display_name,
    (u.profile ->> 'type')::int AS type,
    -- only users:
    CASE
        WHEN u.status = 'pending'
            AND state.signed_in_since(u.account_id, u.user_key, u.pending_order)
        THEN 'active' ELSE u.status
    END AS status,
    -- only former_users:
    u.status,
    -- all:
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
    state.at(coalesce(u.created_ms, u.observed_created_ms)) AS created_at,
    -- only former_users:
    state.at(u.removed_ms) AS removed_at,
    -- all:
    state.time_of(u.folded) AS last_event_at,
    u.last_position
FROM state.users u
-- only users:
WHERE u.known AND NOT u.removed;
-- only former_users:
WHERE u.known AND u.removed;
-- all:

-- only users:
COMMENT ON VIEW directory.{list} IS
    'Users of the account who are not removed: one row a user, of every status.';
-- only former_users:
COMMENT ON VIEW directory.{list} IS
    'Users who were deleted, disassociated or are gone, and have not come back: one row a user, with the profile as last known.';
-- all:
COMMENT ON COLUMN directory.{list}.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.{list}.user_id IS 'Zoom''s user id, as the newest lifecycle event spells it. Ids match case-insensitively.';
COMMENT ON COLUMN directory.{list}.email IS 'E-mail as sent. Look it up with lower(email) = lower(...): that uses an index.';
COMMENT ON COLUMN directory.{list}.first_name IS 'First name.';
COMMENT ON COLUMN directory.{list}.last_name IS 'Last name.';
COMMENT ON COLUMN directory.{list}.display_name IS 'Name as shown in Zoom.';
COMMENT ON COLUMN directory.{list}.type IS 'Licence, in Zoom''s code: 1 basic, 2 licensed, 4 unassigned, 99 none; other codes may come.';
-- only users:
COMMENT ON COLUMN directory.{list}.status IS 'pending (invited), active, inactive (deactivated), or unknown: seen in updates alone.';
-- only former_users:
COMMENT ON COLUMN directory.{list}.status IS 'deleted or disassociated: the newest removal decides. gone: Zoom''s REST API does not have the user any more, and no event told how that came.';
-- all:
COMMENT ON COLUMN directory.{list}.role IS 'Name of the account role.';
COMMENT ON COLUMN directory.{list}.dept IS 'Department.';
COMMENT ON COLUMN directory.{list}.company IS 'Company.';
COMMENT ON COLUMN directory.{list}.language IS 'Language code.';
COMMENT ON COLUMN directory.{list}.timezone IS 'Time zone name.';
COMMENT ON COLUMN directory.{list}.phone_number IS 'Phone number as sent.';
COMMENT ON COLUMN directory.{list}.phone_country IS 'Country of the phone number.';
COMMENT ON COLUMN directory.{list}.pic_url IS 'Address of the profile picture.';
COMMENT ON COLUMN directory.{list}.pmi IS 'Personal meeting id.';
COMMENT ON COLUMN directory.{list}.use_pmi IS 'Whether instant meetings use the personal meeting id.';
COMMENT ON COLUMN directory.{list}.vanity_name IS 'Personal link name.';
COMMENT ON COLUMN directory.{list}.primary_group_id IS 'Id of the primary group; memberships may not show it yet.';
COMMENT ON COLUMN directory.{list}.custom_attributes IS 'Array of {key, name, value}, sorted by key; null where there are none.';
COMMENT ON COLUMN directory.{list}.profile_settings IS 'Settings that profile updates carry, such as licence features. Settings proper are in user_settings.';
COMMENT ON COLUMN directory.{list}.creation_type IS 'How the user was created (create, autoCreate, custCreate, ssoCreate and so on).';
COMMENT ON COLUMN directory.{list}.created_at IS 'Time of the first user.created of this life; where that was not seen, what Zoom''s REST API says, or null.';
-- only former_users:
COMMENT ON COLUMN directory.{list}.removed_at IS 'Time of the newest removal; of a user who is gone, when that was found.';
-- all:
COMMENT ON COLUMN directory.{list}.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.{list}.last_position IS 'Position in the log of that event.';

GRANT SELECT ON directory.{list} TO directory_reader;
