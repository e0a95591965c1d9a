-- Drift: the fold keeps it in the rows that it concerns; `dismissals` keeps what somebody acknowledged.

-- All of it, with the digest in hex of the event that reported it, and its newest acknowledgement where there is
-- one. Not part of the interface. The event is looked up by its position, a row at a time: no plan reads the log.
CREATE OR REPLACE VIEW state.judged_drift AS
SELECT f.*, a.folded AS acknowledged, a.acknowledged_by, a.reason
FROM (
    SELECT
        x.account_id,
        d.entity,
        x.entity_id,
        x.entity_key,
        d.path,
        d.known,
        d.reported,
        d.event_ms,
        d.position,
        (SELECT encode(e.digest, 'hex') FROM log.events e WHERE e.position = d.position) AS digest
    FROM (
        SELECT u.account_id, u.user_id AS entity_id, u.user_key AS entity_key, u.drift
        FROM state.users u
        WHERE u.drift <> '[]'
        UNION ALL
        SELECT g.account_id, g.group_id, g.group_id, g.drift FROM state.groups g WHERE g.drift <> '[]'
        UNION ALL
        SELECT s.account_id, coalesce(u.user_id, s.user_id), s.user_key, s.drift
        FROM state.user_settings s LEFT JOIN state.people u USING (account_id, user_key)
        WHERE s.drift <> '[]'
        UNION ALL
        SELECT s.account_id, s.group_id, s.group_id, s.drift
        FROM state.group_settings s WHERE s.drift <> '[]'
        UNION ALL
        SELECT
            n.account_id,
            coalesce(u.user_id, CASE WHEN p.folded > n.note_order THEN p.user_id ELSE n.user_id END),
            n.user_key,
            n.drift
        FROM state.notes n
        LEFT JOIN state.people u USING (account_id, user_key)
        LEFT JOIN state.presence p USING (account_id, user_key)
        WHERE n.drift <> '[]'
    ) x
    CROSS JOIN LATERAL jsonb_to_recordset(x.drift) AS d (
        entity text, path text, known jsonb, reported jsonb, event_ms bigint, position bigint)
) f
LEFT JOIN state.acknowledged_drift a
    ON a.account_id = f.account_id AND a.entity_key = f.entity_key AND a.entity = f.entity
    AND a.path_digest = encode(sha256(convert_to(f.path, 'UTF8')), 'hex') AND a.digest = f.digest;

CREATE OR REPLACE VIEW directory.drift AS
SELECT
    d.account_id,
    d.entity,
    d.entity_id,
    d.path,
    d.known,
    d.reported,
    state.at(d.event_ms) AS event_at,
    d.position
FROM state.judged_drift d
WHERE d.acknowledged IS NULL;

COMMENT ON VIEW directory.drift IS
    'Where an event reported a previous value that differs from the directory''s: a delivery was lost, or is still to come, and then the row disappears. No rows: the events agree with one another, but for what somebody acknowledged.';
COMMENT ON COLUMN directory.drift.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.drift.entity IS 'Kind of entity that is in doubt: user, group, user_settings, group_settings, group_locks or personal_note.';
COMMENT ON COLUMN directory.drift.entity_id IS 'User id or group id.';
COMMENT ON COLUMN directory.drift.path IS 'Field in doubt, dotted; profile settings start with "settings.".';
COMMENT ON COLUMN directory.drift.known IS 'Value in the directory before that event.';
COMMENT ON COLUMN directory.drift.reported IS 'Previous value according to that event.';
COMMENT ON COLUMN directory.drift.event_at IS 'Time of that event.';
COMMENT ON COLUMN directory.drift.position IS 'Position in the log of that event.';

CREATE OR REPLACE VIEW directory.acknowledged_drift AS
SELECT
    d.account_id,
    d.entity,
    d.entity_id,
    d.path,
    d.known,
    d.reported,
    state.at(d.event_ms) AS event_at,
    d.position,
    state.time_of(d.acknowledged) AS acknowledged_at,
    d.acknowledged_by,
    d.reason
FROM state.judged_drift d
WHERE d.acknowledged IS NOT NULL;

COMMENT ON VIEW directory.acknowledged_drift IS
    'Drift that still stands and that somebody acknowledged: it is not in drift. What a later event reports at the same path is.';
COMMENT ON COLUMN directory.acknowledged_drift.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.acknowledged_drift.entity IS 'Kind of entity that is in doubt: user, group, user_settings, group_settings, group_locks or personal_note.';
COMMENT ON COLUMN directory.acknowledged_drift.entity_id IS 'User id or group id.';
COMMENT ON COLUMN directory.acknowledged_drift.path IS 'Field in doubt, dotted; profile settings start with "settings.".';
COMMENT ON COLUMN directory.acknowledged_drift.known IS 'Value in the directory before that event.';
COMMENT ON COLUMN directory.acknowledged_drift.reported IS 'Previous value according to that event.';
COMMENT ON COLUMN directory.acknowledged_drift.event_at IS 'Time of that event.';
COMMENT ON COLUMN directory.acknowledged_drift.position IS 'Position in the log of that event.';
COMMENT ON COLUMN directory.acknowledged_drift.acknowledged_at IS 'When it was acknowledged, the last time.';
COMMENT ON COLUMN directory.acknowledged_drift.acknowledged_by IS 'Who did so.';
COMMENT ON COLUMN directory.acknowledged_drift.reason IS 'Why, in their words.';

GRANT SELECT ON directory.drift, directory.acknowledged_drift TO directory_reader;
