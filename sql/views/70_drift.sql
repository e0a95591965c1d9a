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

-- The same, page by page. Which entities come next tell the indexes of what has drift; only theirs is taken apart.
CREATE OR REPLACE FUNCTION directory.drift_page(
    after_key text, after_account text, after_entity text, after_path text, after_position bigint, most int
) RETURNS TABLE (
    account_id text, entity text, entity_id text, path text, known jsonb, reported jsonb, event_at timestamptz,
    "position" bigint, entity_key text
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
#variable_conflict use_column
DECLARE
    v_key text := after_key;
    v_account text := after_account;
    v_left int := most;
    v_chunk int := greatest(most, 1) + 1;
    v_shown int;
    v_keys jsonb;
    v_last jsonb;
BEGIN
    WHILE v_left > 0 LOOP
        v_keys := coalesce((
            SELECT jsonb_agg(jsonb_build_array(c.entity_key, c.account_id) ORDER BY c.entity_key, c.account_id)
            FROM (
                SELECT DISTINCT c.entity_key, c.account_id FROM (
                (SELECT x.user_key AS entity_key, x.account_id FROM state.users x
                 WHERE x.drift <> '[]' AND (x.user_key, x.account_id) >= (v_key, v_account)
                 ORDER BY x.user_key, x.account_id LIMIT v_chunk)
                UNION ALL
                (SELECT x.group_id AS entity_key, x.account_id FROM state.groups x
                 WHERE x.drift <> '[]' AND (x.group_id, x.account_id) >= (v_key, v_account)
                 ORDER BY x.group_id, x.account_id LIMIT v_chunk)
                UNION ALL
                (SELECT x.user_key AS entity_key, x.account_id FROM state.user_settings x
                 WHERE x.drift <> '[]' AND (x.user_key, x.account_id) >= (v_key, v_account)
                 ORDER BY x.user_key, x.account_id LIMIT v_chunk)
                UNION ALL
                (SELECT x.group_id AS entity_key, x.account_id FROM state.group_settings x
                 WHERE x.drift <> '[]' AND (x.group_id, x.account_id) >= (v_key, v_account)
                 ORDER BY x.group_id, x.account_id LIMIT v_chunk)
                UNION ALL
                (SELECT x.user_key AS entity_key, x.account_id FROM state.notes x
                 WHERE x.drift <> '[]' AND (x.user_key, x.account_id) >= (v_key, v_account)
                 ORDER BY x.user_key, x.account_id LIMIT v_chunk)
                ) c
                ORDER BY c.entity_key, c.account_id LIMIT v_chunk
            ) c
        ), '[]');
        RETURN QUERY
        SELECT d.account_id, d.entity, d.entity_id, d.path, d.known, d.reported, state.at(d.event_ms), d.position,
            d.entity_key
        FROM jsonb_array_elements(v_keys) AS c (value)
        CROSS JOIN LATERAL (
            SELECT * FROM state.judged_drift d
            WHERE d.entity_key = c.value ->> 0 AND d.account_id = c.value ->> 1 AND d.acknowledged IS NULL OFFSET 0
        ) d
        WHERE (v_last IS NULL OR c.value <> v_last)
          AND (d.entity_key, d.account_id, d.entity, d.path, d.position)
            > (after_key, after_account, after_entity, after_path, after_position)
        ORDER BY d.entity_key, d.account_id, d.entity, d.path, d.position LIMIT v_left;
        GET DIAGNOSTICS v_shown = ROW_COUNT;
        EXIT WHEN jsonb_array_length(v_keys) < v_chunk;
        v_left := v_left - v_shown;
        -- What the last entity has was shown: it comes first in the next stretch, and is left out there.
        v_last := v_keys -> (v_chunk - 1);
        v_key := v_last ->> 0;
        v_account := v_last ->> 1;
    END LOOP;
END
$$;
COMMENT ON FUNCTION directory.drift_page IS
    'Rows of drift, at most so many, with entity_key, the id in lower case where it is a user''s: in the order of entity_key, account_id, entity, path, position, from the first after these. '''', '''', '''', '''' and 0 is the beginning.';
REVOKE EXECUTE ON FUNCTION directory.drift_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.drift_page TO directory_reader;
