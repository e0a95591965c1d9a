-- needs: declarations 1
-- as of: any moment too
-- What an operator declared and did not take back.

CREATE OR REPLACE VIEW directory.declarations AS
SELECT
    d.account_id,
    'model' AS kind,
    NULL::text AS user_id,
    to_jsonb(d.model) AS value,
    state.time_of(d.folded) AS declared_at,
    d.by AS declared_by,
    state.time_of(d.folded) AS last_event_at,
    d.last_position
FROM state.declared_models d
WHERE d.model IS NOT NULL
UNION ALL
SELECT
    d.account_id,
    'ranking',
    NULL,
    d.groups,
    state.time_of(d.folded),
    d.by,
    state.time_of(d.folded),
    d.last_position
FROM state.declared_rankings d
WHERE d.groups IS NOT NULL
UNION ALL
SELECT
    d.account_id,
    'primary_group',
    coalesce(u.user_id, d.user_id),
    to_jsonb(d.group_id),
    state.time_of(d.folded),
    d.by,
    state.time_of(d.folded),
    d.last_position
FROM state.declared_primary_groups d
LEFT JOIN state.people u ON u.account_id = d.account_id AND u.user_key = d.user_key
WHERE d.group_id IS NOT NULL;

COMMENT ON VIEW directory.declarations IS
    'What an operator declared with `projector declare`, because neither events nor Zoom''s REST API tell it. The newest declaration counts; what was taken back is not here.';
COMMENT ON COLUMN directory.declarations.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.declarations.kind IS 'model: which model of settings the account uses; ranking: the ranking of its groups; primary_group: the primary group of a user.';
COMMENT ON COLUMN directory.declarations.user_id IS 'Zoom''s user id, spelled as in users where the user is known there; null but for primary_group.';
COMMENT ON COLUMN directory.declarations.value IS 'Of a model legacy or priority; of a ranking an array of group ids, the highest first; of a primary_group a group id.';
COMMENT ON COLUMN directory.declarations.declared_at IS 'From when it holds: event time of the declaration.';
COMMENT ON COLUMN directory.declarations.declared_by IS 'Who declared it.';
COMMENT ON COLUMN directory.declarations.last_event_at IS 'Event time of the newest event folded into this row.';
COMMENT ON COLUMN directory.declarations.last_position IS 'Position in the log of that event.';

GRANT SELECT ON directory.declarations TO directory_reader;
