-- needs: users 3
-- needs: groups 3
-- needs: sign_ins 2
-- needs: presence 3
-- needs: user_settings 3
-- needs: group_settings 3
-- needs: account_settings 2
-- What each event changed in users, groups, settings and notes. Not part of the interface. `late`: the event came after
-- later ones of the same entity.

CREATE OR REPLACE FUNCTION state.dotted(p_path jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT string_agg(k, '.' ORDER BY n) FROM jsonb_array_elements_text(p_path) WITH ORDINALITY AS p (k, n);
END;
GRANT EXECUTE ON FUNCTION state.dotted TO PUBLIC;

-- The status of users, that of somebody invited who has signed in since included: in each version that may differ from
-- the one before.
CREATE OR REPLACE VIEW state.statuses AS
SELECT
    v.account_id, v.user_key, v.folded, v.by, v.position,
    CASE
        WHEN p.last_position IS NULL OR p.last_position = 0 THEN NULL
        WHEN p.status = 'pending' AND EXISTS (
            SELECT FROM state.sign_in_moments s
            WHERE s.account_id = v.account_id AND s.user_key = v.user_key AND s.signed_in
              AND s.folded > p.pending_order AND s.folded < v.folded)
        THEN 'active' ELSE p.status
    END AS before,
    CASE
        WHEN v.status = 'pending' AND EXISTS (
            SELECT FROM state.sign_in_moments s
            WHERE s.account_id = v.account_id AND s.user_key = v.user_key AND s.signed_in
              AND s.folded > v.pending_order AND s.folded < v.folded)
        THEN 'active' ELSE v.status
    END AS after
FROM state.user_versions v
LEFT JOIN LATERAL (
    SELECT o.last_position, o.status, o.pending_order FROM state.user_versions o
    WHERE o.account_id = v.account_id AND o.user_key = v.user_key
      AND o.folded < v.folded AND o.until = v.folded
) p ON true
WHERE (v.status = 'pending' OR v.delta @> '[{"p": ["status"]}]') AND v.last_position > 0;

CREATE OR REPLACE VIEW state.value_changes AS
SELECT
    v.account_id,
    'user' AS entity,
    u.user_id AS entity_id,
    NULL::text AS group_id,
    u.user_id,
    state.dotted(d.leaf -> 'p') AS path,
    d.leaf -> 'b' AS before,
    d.leaf -> 'a' AS after,
    v.folded,
    v.by,
    v.position,
    EXISTS (
        SELECT FROM state.user_versions x
        WHERE x.account_id = v.account_id AND x.user_key = v.user_key
          AND x.folded > v.folded AND x.position < v.position
    ) AS late,
    v.user_key AS entity_key
FROM state.user_versions v
JOIN state.users u ON u.account_id = v.account_id AND u.user_key = v.user_key
CROSS JOIN LATERAL jsonb_array_elements(v.delta) AS d (leaf)
WHERE v.delta <> '[]' AND d.leaf -> 'p' <> '["status"]'
UNION ALL
SELECT
    c.account_id, 'user', u.user_id, NULL, u.user_id, 'status', to_jsonb(c.before), to_jsonb(c.after),
    c.folded, c.by, c.position,
    EXISTS (
        SELECT FROM state.user_versions x
        WHERE x.account_id = c.account_id AND x.user_key = c.user_key
          AND x.folded > c.folded AND x.position < c.position),
    c.user_key
FROM state.statuses c
JOIN state.users u ON u.account_id = c.account_id AND u.user_key = c.user_key
WHERE c.before IS DISTINCT FROM c.after
UNION ALL
-- somebody invited who signs in
SELECT
    v.account_id, 'user', u.user_id, NULL, u.user_id, 'status', '"pending"', '"active"',
    s.folded, NULL, s.position,
    EXISTS (
        SELECT FROM state.user_versions x
        WHERE x.account_id = v.account_id AND x.user_key = v.user_key
          AND x.folded > s.folded AND x.position < s.position),
    v.user_key
FROM state.user_versions v
JOIN state.users u ON u.account_id = v.account_id AND u.user_key = v.user_key
JOIN state.sign_in_moments s ON s.account_id = v.account_id AND s.user_key = v.user_key
WHERE v.status = 'pending' AND v.last_position > 0
  AND s.signed_in AND s.folded > v.folded AND s.folded < v.until AND s.folded > v.pending_order
  AND NOT EXISTS (
        SELECT FROM state.sign_in_moments o
        WHERE o.account_id = v.account_id AND o.user_key = v.user_key AND o.signed_in
          AND o.folded > v.pending_order AND o.folded < s.folded)
UNION ALL
SELECT
    v.account_id, 'group', v.group_id, v.group_id, NULL, state.dotted(d.leaf -> 'p'), d.leaf -> 'b',
    d.leaf -> 'a', v.folded, v.by, v.position,
    EXISTS (
        SELECT FROM state.group_versions x
        WHERE x.account_id = v.account_id AND x.group_id = v.group_id
          AND x.folded > v.folded AND x.position < v.position),
    v.group_id
FROM state.group_versions v
CROSS JOIN LATERAL jsonb_array_elements(v.delta) AS d (leaf)
WHERE v.delta <> '[]'
UNION ALL
SELECT
    v.account_id, 'user_settings', u.user_id, NULL, u.user_id, state.dotted(d.leaf -> 'p'), d.leaf -> 'b',
    d.leaf -> 'a', v.folded, v.by, v.position,
    EXISTS (
        SELECT FROM state.user_settings_versions x
        WHERE x.account_id = v.account_id AND x.user_key = v.user_key
          AND x.folded > v.folded AND x.position < v.position),
    v.user_key
FROM state.user_settings_versions v
JOIN state.users u ON u.account_id = v.account_id AND u.user_key = v.user_key AND u.known
CROSS JOIN LATERAL jsonb_array_elements(coalesce(v.shown, v.delta)) AS d (leaf)
UNION ALL
SELECT
    v.account_id, 'user_settings', s.user_id, NULL, s.user_id, state.dotted(d.leaf -> 'p'), d.leaf -> 'b',
    d.leaf -> 'a', v.folded, v.by, v.position,
    EXISTS (
        SELECT FROM state.user_settings_versions x
        WHERE x.account_id = v.account_id AND x.user_key = v.user_key
          AND x.folded > v.folded AND x.position < v.position),
    v.user_key
FROM state.user_settings_versions v
JOIN state.user_settings s ON s.account_id = v.account_id AND s.user_key = v.user_key
CROSS JOIN LATERAL jsonb_array_elements(coalesce(v.shown, v.delta)) AS d (leaf)
WHERE NOT EXISTS (SELECT FROM state.users u
                  WHERE u.account_id = v.account_id AND u.user_key = v.user_key AND u.known)
UNION ALL
SELECT
    v.account_id, l.entity, v.group_id, v.group_id, NULL, state.dotted(d.leaf -> 'p'), d.leaf -> 'b',
    d.leaf -> 'a', v.folded, v.by, v.position,
    EXISTS (
        SELECT FROM state.group_settings_versions x
        WHERE x.account_id = v.account_id AND x.group_id = v.group_id
          AND x.folded > v.folded AND x.position < v.position),
    v.group_id
FROM state.group_settings_versions v
CROSS JOIN LATERAL (VALUES
    ('group_settings', coalesce(v.shown, v.delta)), ('group_locks', coalesce(v.locks_shown, v.locks_delta))
) AS l (entity, delta)
CROSS JOIN LATERAL jsonb_array_elements(l.delta) AS d (leaf)
UNION ALL
SELECT
    v.account_id, l.entity, v.account_id, NULL, NULL, state.dotted(d.leaf -> 'p'), d.leaf -> 'b',
    d.leaf -> 'a', v.folded, v.by, v.position,
    EXISTS (
        SELECT FROM state.account_settings_versions x
        WHERE x.account_id = v.account_id AND x.folded > v.folded AND x.position < v.position),
    v.account_id
FROM state.account_settings_versions v
CROSS JOIN LATERAL (VALUES
    ('account_settings', v.delta), ('account_locks', v.locks_delta)) AS l (entity, delta)
CROSS JOIN LATERAL jsonb_array_elements(l.delta) AS d (leaf)
UNION ALL
SELECT
    v.account_id, 'personal_note', u.user_id, NULL, u.user_id,
    state.dotted(d.leaf -> 'p'), d.leaf -> 'b', d.leaf -> 'a', v.folded, v.by, v.position,
    EXISTS (
        SELECT FROM state.note_versions x
        WHERE x.account_id = v.account_id AND x.user_key = v.user_key
          AND x.folded > v.folded AND x.position < v.position),
    v.user_key
FROM state.note_versions v
JOIN state.users u ON u.account_id = v.account_id AND u.user_key = v.user_key AND u.known
CROSS JOIN LATERAL jsonb_array_elements(v.delta) AS d (leaf)
UNION ALL
SELECT
    v.account_id, 'personal_note', n.user_id, NULL, n.user_id,
    state.dotted(d.leaf -> 'p'), d.leaf -> 'b', d.leaf -> 'a', v.folded, v.by, v.position,
    EXISTS (
        SELECT FROM state.note_versions x
        WHERE x.account_id = v.account_id AND x.user_key = v.user_key
          AND x.folded > v.folded AND x.position < v.position),
    v.user_key
FROM state.note_versions v
JOIN state.notes n ON n.account_id = v.account_id AND n.user_key = v.user_key
CROSS JOIN LATERAL jsonb_array_elements(v.delta) AS d (leaf)
WHERE NOT EXISTS (SELECT FROM state.users u
                  WHERE u.account_id = v.account_id AND u.user_key = v.user_key AND u.known);
