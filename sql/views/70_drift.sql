-- Drift: the fold keeps it in the rows that it concerns.

CREATE OR REPLACE VIEW directory.drift AS
SELECT
    x.account_id,
    d.entity,
    x.entity_id,
    d.path,
    d.known,
    d.reported,
    state.at(d.event_ms) AS event_at,
    d.position
FROM (
    SELECT u.account_id, u.user_id AS entity_id, u.drift
    FROM state.users u
    WHERE u.drift <> '[]'
    UNION ALL
    SELECT g.account_id, g.group_id, g.drift FROM state.groups g WHERE g.drift <> '[]'
    UNION ALL
    SELECT s.account_id, coalesce(u.user_id, s.user_id), s.drift
    FROM state.user_settings s LEFT JOIN state.people u USING (account_id, user_key)
    WHERE s.drift <> '[]'
    UNION ALL
    SELECT s.account_id, s.group_id, s.drift FROM state.group_settings s WHERE s.drift <> '[]'
    UNION ALL
    SELECT
        n.account_id,
        coalesce(u.user_id, CASE WHEN p.folded > n.note_order THEN p.user_id ELSE n.user_id END),
        n.drift
    FROM state.notes n
    LEFT JOIN state.people u USING (account_id, user_key)
    LEFT JOIN state.presence p USING (account_id, user_key)
    WHERE n.drift <> '[]'
) x
CROSS JOIN LATERAL jsonb_to_recordset(x.drift) AS d (
    entity text, path text, known jsonb, reported jsonb, event_ms bigint, position bigint);

COMMENT ON VIEW directory.drift IS
    'Where an event reported a previous value that differs from the directory''s: a delivery was lost, or is still to come, and then the row disappears. No rows: the events agree with one another.';
COMMENT ON COLUMN directory.drift.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.drift.entity IS 'Kind of entity that is in doubt: user, group, user_settings, group_settings, group_locks or personal_note.';
COMMENT ON COLUMN directory.drift.entity_id IS 'User id or group id.';
COMMENT ON COLUMN directory.drift.path IS 'Field in doubt, dotted; profile settings start with "settings.".';
COMMENT ON COLUMN directory.drift.known IS 'Value in the directory before that event.';
COMMENT ON COLUMN directory.drift.reported IS 'Previous value according to that event.';
COMMENT ON COLUMN directory.drift.event_at IS 'Time of that event.';
COMMENT ON COLUMN directory.drift.position IS 'Position in the log of that event.';

GRANT SELECT ON directory.drift TO directory_reader;
