-- People and groups that events name and the directory does not have: no event introduced them, or they were
-- named again after their removal. Either a delivery was lost, or they were there before the first one.

-- Every mention of such people. `spelling` is null in a mention that gives no id of its own.
CREATE OR REPLACE VIEW state.mentions AS
SELECT
    x.account_id,
    x.person_key,
    u.user_id AS known_as,
    x.seen_in,
    x.spelling,
    x.spelled,
    CASE WHEN x.email_order > coalesce(u.cutoff, '') THEN x.email END AS email,
    x.email_order
FROM (
    SELECT account_id, user_key AS person_key, 'presence' AS seen_in, user_id AS spelling,
        folded AS spelled, email, email_order
    FROM state.presence
    UNION ALL
    SELECT account_id, user_key, 'presence', user_id, note_order, email, email_order
    FROM state.notes WHERE note_order IS NOT NULL
    UNION ALL
    SELECT account_id, user_key, 'sign_ins', user_id, folded, email, email_order
    FROM state.sign_ins
    UNION ALL
    SELECT account_id, user_key, 'settings', user_id, changed_order, NULL, NULL
    FROM state.user_settings WHERE changed_order IS NOT NULL
    UNION ALL
    SELECT account_id, person_key, 'memberships', spelling, folded, email, email_order
    FROM state.memberships_mentions
    UNION ALL
    SELECT account_id, person_key, 'admins', spelling, folded, email, email_order
    FROM state.group_admins_mentions
) x
LEFT JOIN state.people u ON u.account_id = x.account_id AND u.user_key = x.person_key
WHERE u.user_key IS NULL OR (u.removed AND (x.spelling IS NULL OR x.spelled > u.cutoff));

CREATE OR REPLACE VIEW directory.unresolved_users AS
SELECT
    m.account_id,
    coalesce(
        max(m.known_as),
        (array_agg(m.spelling ORDER BY m.spelled DESC) FILTER (WHERE m.spelling IS NOT NULL))[1]
    ) AS user_id,
    -- An entry with the id goes first where one event names two e-mails.
    (array_agg(m.email ORDER BY m.email_order DESC, m.spelling IS NOT NULL DESC)
        FILTER (WHERE m.email IS NOT NULL))[1] AS email,
    array_agg(DISTINCT m.seen_in ORDER BY m.seen_in) AS seen_in
FROM state.mentions m
GROUP BY m.account_id, m.person_key;

COMMENT ON VIEW directory.unresolved_users IS
    'People named by memberships, admins, presence, sign-ins or settings of whom no lifecycle event or update is known, or who were named again after their removal.';
COMMENT ON COLUMN directory.unresolved_users.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.unresolved_users.user_id IS 'Zoom''s user id as the newest event that names the person spells it; email:<lower-cased e-mail> for an entry without an id that nobody known has.';
COMMENT ON COLUMN directory.unresolved_users.email IS 'The newest e-mail that those events named; null where they named none.';
COMMENT ON COLUMN directory.unresolved_users.seen_in IS 'Where they are named, an array of: admins, memberships, presence, settings, sign_ins.';

CREATE OR REPLACE VIEW directory.unresolved_groups AS
SELECT
    x.account_id,
    x.group_id,
    array_agg(DISTINCT x.seen_in ORDER BY x.seen_in) AS seen_in
FROM (
    SELECT account_id, group_id, 'settings' AS seen_in, changed_order AS named
    FROM state.group_settings WHERE changed_order IS NOT NULL
    UNION ALL
    SELECT account_id, group_id, 'memberships', folded FROM state.memberships
    UNION ALL
    SELECT account_id, group_id, 'admins', folded FROM state.group_admins
) x
LEFT JOIN state.known_groups g ON g.account_id = x.account_id AND g.group_id = x.group_id
WHERE g.group_id IS NULL OR (g.removed AND x.named > g.cutoff)
GROUP BY x.account_id, x.group_id;

COMMENT ON VIEW directory.unresolved_groups IS
    'Groups named by memberships, admins or settings of which no group.created or group.updated is known, or which were named again after their removal.';
COMMENT ON COLUMN directory.unresolved_groups.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.unresolved_groups.group_id IS 'Zoom''s group id.';
COMMENT ON COLUMN directory.unresolved_groups.seen_in IS 'Where they are named, an array of: admins, memberships, settings.';

GRANT SELECT ON directory.unresolved_users, directory.unresolved_groups TO directory_reader;
