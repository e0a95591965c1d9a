-- needs: users 3
-- needs: groups 3
-- needs: memberships 3
-- needs: sign_ins 2
-- needs: user_settings 5
-- needs: group_settings 5
-- needs: account_settings 4
-- needs: declarations 1
-- as of: any moment too
-- Which setting is in effect for a person, and why. docs/effective-settings.md has the rules.
--
-- What is not known could be one way or the other: which model the account uses, how its groups rank, what somebody's
-- primary group is, which unlocked settings a group manages, whether a lock is set. A value is `exact` where all of
-- these come to the same, `declared` where all do that agree with what was declared.
--
-- Sub-selects with OFFSET 0 are computed once a row. Documents are read from where large values lie by `|| '{}'`, once and
-- not once for each setting in them: state.unpacked, which is never called, makes the planner believe that this is dear.

-- Who is in which groups: people of `users` in view `memberships`, with what says which one is primary. `told`: whether
-- anything was told of the group's settings.
CREATE OR REPLACE VIEW state.groups_of_users AS
SELECT
    m.account_id, u.user_id, m.person_key AS user_key, m.group_id, u.profile ->> 'primary_group_id' AS primary_group,
    EXISTS (
        SELECT FROM state.group_settings s
        WHERE s.group_id = m.group_id AND s.account_id = m.account_id AND NOT s.removed) AS told
FROM state.memberships m
JOIN state.users u ON u.account_id = m.account_id AND u.user_key = m.person_key
LEFT JOIN state.groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
LEFT JOIN state.observed_groups o ON o.account_id = m.account_id AND o.person_key = m.person_key
WHERE m.added AND m.user_id IS NOT NULL AND u.known AND NOT u.removed AND g.removed IS NOT TRUE
  AND (u.cutoff IS NULL OR m.folded > u.cutoff)
  AND (g.cutoff IS NULL OR m.folded > g.cutoff)
  AND (o.mark IS NULL OR m.folded >= o.mark)
  AND NOT EXISTS (
        SELECT FROM state.memberships e
        WHERE e.account_id = m.account_id AND e.group_id = m.group_id AND e.user_id IS NULL
          AND e.person_key = 'email:' || lower(m.email) AND e.folded > m.folded
          AND CASE e.person_key WHEN 'email:' || lower(m.email) THEN
              state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
          END = m.person_key)
  AND NOT EXISTS (
        SELECT FROM state.memberships e
        WHERE e.account_id = m.account_id AND e.group_id = m.group_id AND e.user_id IS NULL
          AND e.person_key = 'email:' || lower(u.email) AND e.folded > m.folded
          AND CASE e.person_key WHEN 'email:' || lower(u.email) THEN
              state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
          END = m.person_key)
UNION ALL
-- by their current e-mail
SELECT
    e.account_id, u.user_id, u.user_key, e.group_id, u.profile ->> 'primary_group_id',
    EXISTS (
        SELECT FROM state.group_settings s
        WHERE s.group_id = e.group_id AND s.account_id = e.account_id AND NOT s.removed)
FROM state.users u
JOIN state.memberships e
    ON e.account_id = u.account_id AND e.person_key = 'email:' || lower(u.email) AND e.user_id IS NULL
    AND lower(u.email) = substring(e.person_key FROM 7)
LEFT JOIN state.groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND u.known AND NOT u.removed AND g.removed IS NOT TRUE AND u.email <> ''
  AND CASE e.person_key WHEN 'email:' || lower(u.email) THEN
      state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
  END = u.user_key
UNION ALL
-- by an e-mail that another entry of the list gives them and `users` does not
SELECT
    e.account_id, u.user_id, u.user_key, e.group_id, u.profile ->> 'primary_group_id',
    EXISTS (
        SELECT FROM state.group_settings s
        WHERE s.group_id = e.group_id AND s.account_id = e.account_id AND NOT s.removed)
FROM state.users u
JOIN state.memberships m
    ON m.account_id = u.account_id AND m.person_key = u.user_key AND m.user_id IS NOT NULL
JOIN state.memberships e
    ON e.account_id = m.account_id AND e.group_id = m.group_id AND e.user_id IS NULL
    AND e.person_key = 'email:' || lower(m.email)
LEFT JOIN state.groups g ON g.account_id = e.account_id AND g.group_id = e.group_id
WHERE e.added AND u.known AND NOT u.removed AND g.removed IS NOT TRUE
  AND lower(nullif(u.email, '')) IS DISTINCT FROM lower(m.email)
  AND CASE e.person_key WHEN 'email:' || lower(m.email) THEN
      state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
  END = m.person_key;

-- The same with the rank that an operator declared, and which one is primary, by an event or by declaration.
CREATE OR REPLACE VIEW state.ranked_groups_of_users AS
SELECT
    i.account_id, i.user_id, i.group_id, i.told, r.rank,
    i.group_id = coalesce(nullif(i.primary_group, ''), p.group_id) AS is_primary
FROM state.groups_of_users i
LEFT JOIN (
    SELECT d.account_id, g.group_id, min(g.rank) AS rank
    FROM state.declared_rankings d
    CROSS JOIN LATERAL jsonb_array_elements_text(d.groups) WITH ORDINALITY AS g (group_id, rank)
    GROUP BY d.account_id, g.group_id
) r ON r.account_id = i.account_id AND r.group_id = i.group_id
LEFT JOIN state.declared_primary_groups p ON p.account_id = i.account_id AND p.user_key = i.user_key;

-- What groups of which settings are known say of each path that they have.
CREATE OR REPLACE VIEW state.settings_of_groups AS
SELECT s.account_id, s.group_id, k.path, v.value, v.locked, v.same, v.told
FROM state.group_settings s
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN s.account_id = '' THEN state.unpacked(s.settings) ELSE s.settings || '{}' END AS settings,
        s.flags_set || '{}' AS flags_set,
        s.flags_open || '{}' AS flags_open
    OFFSET 0
) d
JOIN state.setting_places k ON k.account_id = s.account_id
CROSS JOIN LATERAL (
    SELECT
        x.value,
        x.locked,
        state.compared_as(x.value) AS same,
        'group ' || s.group_id || ' ' || coalesce(left(x.value::text, 60), 'not known')
            || CASE WHEN x.locked THEN ' (locked)' WHEN x.locked IS NULL THEN ' (lock not known)' ELSE '' END AS told
    FROM (
        SELECT
            state.leaf_at(d.settings, k.group_path) AS value,
            state.locks_by(d.flags_set, d.flags_open, k.group_flags, k.group_lockable) AS locked
        OFFSET 0
    ) x
    OFFSET 0
) v
WHERE NOT s.removed AND (k.of_group OR v.value IS NOT NULL);

-- The same, of all groups of a person together. Those of which a lock is not known may lock.
CREATE OR REPLACE VIEW state.settings_by_groups AS
SELECT
    i.account_id,
    i.user_id,
    v.path,
    count(*) AS counted,
    count(*) FILTER (WHERE v.locked) AS locking,
    count(*) FILTER (WHERE v.locked IS NOT FALSE) AS may_lock,
    min(v.group_id) FILTER (WHERE v.locked IS NOT FALSE) AS locker,
    min(v.value::text COLLATE "C") FILTER (WHERE v.locked IS NOT FALSE) AS lock_value,
    count(*) FILTER (WHERE v.locked IS NOT FALSE AND v.value IS NULL) = 0
        AND min(v.same COLLATE "C") FILTER (WHERE v.locked IS NOT FALSE)
          = max(v.same COLLATE "C") FILTER (WHERE v.locked IS NOT FALSE) AS lockers_agree,
    count(v.value) AS known,
    min(v.group_id) AS a_group,
    min(v.value::text COLLATE "C") AS any_value,
    count(v.value) = count(*) AND min(v.same COLLATE "C") = max(v.same COLLATE "C") AS all_agree,
    min(v.value::text) FILTER (WHERE i.is_primary) AS primary_value,
    count(i.rank) AS ranked,
    -- its rank, in as many digits as any, whether it locks, its value, its id
    min(ARRAY[lpad(i.rank::text, 10, '0'), v.locked::text, v.value::text, v.group_id])
        FILTER (WHERE i.rank IS NOT NULL) AS top,
    array_agg(v.told) AS told
FROM state.ranked_groups_of_users i
-- Of people the planner takes two hundred accounts for granted, and so few rows that it would read each one's documents.
JOIN state.settings_of_groups v
    ON v.group_id = i.group_id AND CASE WHEN v.account_id = i.account_id THEN true ELSE false END
GROUP BY i.account_id, i.user_id, v.path;

-- How many groups each person is in of whose settings nothing was ever told.
CREATE OR REPLACE VIEW state.groups_never_told AS
SELECT i.account_id, i.user_id, count(*) AS groups, count(i.rank) AS ranked, min(i.rank) AS top_rank
FROM state.ranked_groups_of_users i
WHERE NOT i.told
GROUP BY i.account_id, i.user_id;

CREATE OR REPLACE VIEW state.settings_of_accounts AS
SELECT s.account_id, k.path, v.value, v.locked
FROM state.account_settings s
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN s.account_id = '' THEN state.unpacked(s.settings) ELSE s.settings || '{}' END AS settings,
        s.flags_set || '{}' AS flags_set,
        s.flags_open || '{}' AS flags_open
    OFFSET 0
) d
JOIN state.setting_places k ON k.account_id = s.account_id
CROSS JOIN LATERAL (
    SELECT
        state.leaf_at(d.settings, k.account_path) AS value,
        state.locks_by(d.flags_set, d.flags_open, k.account_flags, k.account_lockable) AS locked
    OFFSET 0
) v;

-- People's documents, and their own values at each path. Documents stay within: a set-returning function keeps the planner
-- from carrying them through joins, and from reading one again for each path; and it lets conditions in.
CREATE OR REPLACE VIEW state.documents_of_users AS
SELECT
    u.account_id, u.user_id, u.user_key, nullif(u.profile ->> 'primary_group_id', '') AS primary_told,
    s.settings || '{}' AS settings, generate_series(1, 1) AS fence
FROM state.users u
LEFT JOIN state.user_settings s ON s.account_id = u.account_id AND s.user_key = u.user_key AND NOT s.removed
WHERE u.known AND NOT u.removed;

CREATE OR REPLACE VIEW state.settings_of_users AS
SELECT
    d.account_id, d.user_id, d.user_key, d.primary_told, k.path, k.of_user, k.of_group, k.group_lockable,
    k.account_lockable, state.leaf_at(d.settings, k.user_path) AS value, generate_series(1, 1) AS fence
FROM state.documents_of_users d
JOIN state.setting_places k ON k.account_id = d.account_id;

-- What is known of a setting at each level, for each person; only where a value is known at some level.
CREATE OR REPLACE VIEW state.settings_known AS
SELECT
    k.account_id,
    k.user_id,
    k.path,
    k.of_user,
    k.value AS own,
    a.value AS account,
    CASE WHEN a.path IS NULL AND NOT k.account_lockable THEN false ELSE a.locked END AS account_locks,
    m.model,
    coalesce(k.primary_told, p.group_id) AS primary_group,
    -- Groups that have it, and those of them of whose settings nothing was ever told.
    coalesce(g.counted, 0) + n.missing AS groups,
    n.missing,
    coalesce(g.locking, 0) AS locking,
    coalesce(g.may_lock, 0) + CASE WHEN k.group_lockable IS NOT FALSE THEN n.missing ELSE 0 END AS may_lock,
    g.locker,
    g.lock_value,
    g.lockers_agree AND NOT (k.group_lockable IS NOT FALSE AND n.missing > 0) AS lockers_agree,
    g.a_group,
    g.any_value,
    g.all_agree AND n.missing = 0 AS all_agree,
    g.primary_value,
    n.told_is_top AND g.top[2]::boolean AS top_locks,
    g.top[3] AS top_value,
    g.top[4] AS top_group,
    g.told
FROM state.settings_of_users k
LEFT JOIN state.settings_of_accounts a ON a.account_id = k.account_id AND a.path = k.path
LEFT JOIN state.settings_by_groups g
    ON g.account_id = k.account_id AND g.user_id = k.user_id AND g.path = k.path
LEFT JOIN state.groups_never_told t ON t.account_id = k.account_id AND t.user_id = k.user_id
LEFT JOIN state.declared_models m ON m.account_id = k.account_id
LEFT JOIN state.declared_primary_groups p ON p.account_id = k.account_id AND p.user_key = k.user_key
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN k.of_group THEN coalesce(t.groups, 0) ELSE 0 END AS missing,
        g.ranked = g.counted AND NOT (k.of_group AND t.groups > coalesce(t.ranked, 0)) IS TRUE
            AND (NOT k.of_group OR t.top_rank IS NULL OR g.top[1]::bigint < t.top_rank) AS told_is_top
    OFFSET 0
) n
WHERE k.value IS NOT NULL OR a.value IS NOT NULL OR g.known > 0;

-- Who locks it, where that is certain, and what comes of it. `lock`: account, group, none; null where it is not known.
CREATE OR REPLACE VIEW state.settings_decided AS
SELECT
    k.*,
    l.lock,
    CASE
        WHEN l.lock = 'account' THEN k.account
        WHEN l.lock = 'group' AND k.lockers_agree THEN k.lock_value::jsonb
        WHEN l.lock = 'group' AND k.model = 'priority' AND k.top_locks THEN k.top_value::jsonb
        WHEN l.lock = 'none' AND k.own IS NOT NULL THEN k.own
        WHEN l.lock = 'none' AND NOT k.of_user AND k.groups = 0 THEN k.account
        WHEN l.lock = 'none' AND NOT k.of_user AND k.model = 'legacy' THEN
            CASE WHEN k.primary_group IS NOT NULL THEN k.primary_value WHEN k.all_agree THEN k.any_value END::jsonb
    END AS decided
FROM state.settings_known k
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN k.account_locks THEN 'account'
        WHEN k.account_locks IS NULL THEN NULL
        WHEN k.may_lock = 0 THEN 'none'
        WHEN k.locking = k.groups THEN 'group'
        WHEN k.model = 'legacy' AND k.locking > 0 THEN 'group'
        WHEN k.model IS DISTINCT FROM 'legacy' AND k.top_locks THEN 'group'
    END AS lock
    OFFSET 0
) l;

-- How sure that is, and of which group.
CREATE OR REPLACE VIEW state.settings_judged AS
SELECT
    d.*,
    c.confidence,
    CASE
        WHEN d.decided IS NULL THEN NULL
        WHEN d.lock = 'group' THEN CASE
            WHEN d.may_lock = 1 THEN d.locker
            WHEN d.model = 'priority' AND d.top_locks AND c.confidence = 'declared' THEN d.top_group
        END
        WHEN d.lock = 'none' AND d.own IS NULL AND d.groups > 0
        THEN coalesce(d.primary_group, CASE WHEN d.groups = 1 THEN d.a_group END)
    END AS source_group_id
FROM state.settings_decided d
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN d.decided IS NULL THEN 'unknown'
        WHEN d.lock = 'account' OR d.lock = 'none' AND (d.own IS NOT NULL OR d.groups = 0)
            OR d.lock = 'group' AND d.locking = d.groups AND d.lockers_agree THEN 'exact'
        ELSE 'declared'
    END AS confidence
    OFFSET 0
) c;

CREATE OR REPLACE VIEW directory.effective_user_settings AS
SELECT
    d.account_id,
    d.user_id,
    d.path,
    d.decided AS value,
    CASE
        WHEN d.lock IN ('account', 'group') THEN d.lock
        WHEN d.decided IS NULL THEN 'default unknown'
        WHEN d.own IS NOT NULL THEN 'user'
        WHEN d.groups = 0 THEN 'account'
        ELSE 'group'
    END AS source,
    d.source_group_id,
    CASE WHEN d.lock IN ('account', 'group') THEN d.lock END AS locked_by,
    d.confidence,
    CASE
        WHEN d.confidence = 'unknown' THEN
            CASE
                WHEN d.account_locks THEN 'the account locks it, and its value is not known'
                WHEN d.account_locks IS NULL THEN 'whether the account locks it is not known'
                WHEN d.lock = 'group' THEN 'a group locks it; which one''s value counts is not known'
                WHEN d.lock IS NULL THEN 'whether a group''s lock counts is not known'
                WHEN d.of_user THEN 'nothing locks it; the person''s own value is not known'
                ELSE 'nothing locks it; which default counts is not known'
            END
            || CASE WHEN d.groups > 0 AND d.model IS NULL AND d.account_locks IS FALSE
                    THEN ', as the model is not declared' ELSE '' END
            || ': '
            || concat_ws('; ',
                'account ' || coalesce(left(d.account::text, 60), 'not known')
                    || CASE WHEN d.account_locks THEN ' (locked)' WHEN d.account_locks IS NULL THEN ' (lock not known)'
                            ELSE '' END,
                (SELECT string_agg(t, '; ' ORDER BY t COLLATE "C") FROM unnest(d.told) t),
                CASE WHEN d.missing > 0 THEN d.missing || ' groups of which nothing is known' END,
                'own ' || coalesce(left(d.own::text, 60), 'not known'))
        WHEN d.lock = 'account' THEN 'the account locks it'
        WHEN d.lock = 'group' THEN
            CASE
                WHEN d.confidence = 'exact' AND d.groups = 1 THEN 'the only group locks it'
                WHEN d.confidence = 'exact' THEN 'every group locks it alike'
                WHEN d.model = 'priority' THEN 'the highest group locks it'
                WHEN d.model = 'legacy' THEN 'one of the groups locks it'
                ELSE 'the highest group locks it, and no other says otherwise'
            END
        WHEN d.own IS NOT NULL THEN 'nothing locks it; the person''s own value'
        WHEN d.groups = 0 THEN 'nothing locks it; the account''s value, as no group has it'
        WHEN d.primary_group IS NOT NULL THEN 'nothing locks it; the primary group''s value'
        ELSE 'nothing locks it; the groups'' value, which is one'
    END AS why
FROM state.settings_judged d;

COMMENT ON VIEW directory.effective_user_settings IS
    'Which setting is in effect for each person of users, who decides it, and how sure that is: one row a person and path of which some level''s value is known. Ask for a person (account_id, user_id) or for a path: all of it is never quick.';
COMMENT ON COLUMN directory.effective_user_settings.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.effective_user_settings.user_id IS 'Zoom''s user id, spelled as in users.';
COMMENT ON COLUMN directory.effective_user_settings.path IS 'Path of the setting, dotted, as the settings of users spell it; of what they do not have, as those of groups or accounts do.';
COMMENT ON COLUMN directory.effective_user_settings.value IS 'The value in effect; null where confidence is unknown.';
COMMENT ON COLUMN directory.effective_user_settings.source IS 'Whose value it is: account, group, user, or default unknown.';
COMMENT ON COLUMN directory.effective_user_settings.source_group_id IS 'The group whose value it is; null where none, or where several say the same.';
COMMENT ON COLUMN directory.effective_user_settings.locked_by IS 'Who locks it, so that the person cannot change it: account or group; null where nobody does or it is not known.';
COMMENT ON COLUMN directory.effective_user_settings.confidence IS 'exact: no declaration could change the answer. declared: it rests on what an operator declared. unknown: it cannot be told; see why.';
COMMENT ON COLUMN directory.effective_user_settings.why IS 'The reason in a few words; where it is unknown, what is missing and what each level says.';

CREATE OR REPLACE VIEW directory.lock_violations AS
SELECT
    d.account_id,
    d.user_id,
    d.path,
    d.own AS own_value,
    d.decided AS locked_value,
    d.lock AS locked_by,
    d.source_group_id,
    d.confidence
FROM state.settings_judged d
WHERE d.lock IN ('account', 'group') AND d.own IS NOT NULL
  AND d.decided IS NOT NULL AND state.compared_as(d.own) <> state.compared_as(d.decided);

COMMENT ON VIEW directory.lock_violations IS
    'People whose own value of a setting differs from the one that is locked above them, where that is exact or declared: what they run with is the locked one, or the lock came after their change. Ask for a person or for a path.';
COMMENT ON COLUMN directory.lock_violations.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.lock_violations.user_id IS 'Zoom''s user id, spelled as in users.';
COMMENT ON COLUMN directory.lock_violations.path IS 'Path of the setting, dotted, as in effective_user_settings.';
COMMENT ON COLUMN directory.lock_violations.own_value IS 'The person''s own value.';
COMMENT ON COLUMN directory.lock_violations.locked_value IS 'The locked value, which is in effect.';
COMMENT ON COLUMN directory.lock_violations.locked_by IS 'Who locks it: account or group.';
COMMENT ON COLUMN directory.lock_violations.source_group_id IS 'The group that locks it; null where the account does, or where several do alike.';
COMMENT ON COLUMN directory.lock_violations.confidence IS 'exact or declared, as in effective_user_settings.';

GRANT SELECT ON directory.effective_user_settings, directory.lock_violations TO directory_reader;
