-- needs: user_settings 5
-- needs: group_settings 5
-- needs: account_settings 4
-- Where each setting stands in the documents. Not part of the interface.

-- Every path that anything of an account may have been told of, in one spelling, with its place in the documents of each
-- level and the flags that lock it. A path that the map does not know may be at any level, under any lock.
CREATE OR REPLACE VIEW state.setting_paths AS
SELECT p.account_id, p.path, 'user' AS level FROM state.user_setting_paths p
UNION ALL SELECT p.account_id, p.path, 'group' FROM state.group_setting_paths p
UNION ALL SELECT p.account_id, p.path, 'account' FROM state.account_setting_paths p;

CREATE OR REPLACE VIEW state.setting_places AS
SELECT
    a.account_id,
    m.path,
    m.of_user,
    m.of_group OR m.group_lockable IS TRUE AS of_group,
    coalesce(m.user_path, string_to_array(m.path, '.')) AS user_path,
    coalesce(m.group_path, string_to_array(m.path, '.')) AS group_path,
    coalesce(m.account_path, string_to_array(m.path, '.')) AS account_path,
    m.group_flags,
    m.account_flags,
    m.group_lockable,
    m.account_lockable
FROM state.setting_map m
CROSS JOIN (SELECT DISTINCT p.account_id FROM state.setting_paths p) a
UNION ALL
SELECT k.account_id, k.path, true, true, x.place, x.place, x.place, x.flags, x.flags, true, true
FROM (
    SELECT DISTINCT p.account_id, p.path FROM state.setting_paths p
    WHERE NOT EXISTS (SELECT FROM state.setting_map m WHERE m.path = p.path)
      AND NOT EXISTS (SELECT FROM state.setting_twins t WHERE t.spelling = p.path AND t.level = p.level)
) k
CROSS JOIN LATERAL (
    SELECT string_to_array(k.path, '.') AS place, state.flags_over(string_to_array(k.path, '.'), NULL, NULL) AS flags
) x;

-- The leaf of a document at a place; null where none is known. An object is none.
CREATE OR REPLACE FUNCTION state.leaf_at(p_document jsonb, p_place text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(p_document #> p_place) <> 'object' THEN p_document #> p_place END;

-- A value as a text by which values are compared: true and "true" are the same, and null only itself.
CREATE OR REPLACE FUNCTION state.compared_as(p_value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(p_value #>> '{}', E'\x01');

-- Whether one of some flags is set. Null where none of them is known and there may be one. Where it is not known whether
-- there is one (p_lockable is null), nothing locks it while flags are known and none of its section is set.
CREATE OR REPLACE FUNCTION state.locks_by(
    p_set jsonb, p_open jsonb, p_flags text[], p_lockable boolean
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN p_set ?| p_flags THEN true
        WHEN p_open ?| p_flags OR NOT p_lockable THEN false
        WHEN p_lockable IS NULL AND (p_set <> '{}' OR p_open <> '{}') AND NOT p_set ? (p_flags[1] || '.*') THEN false
    END;

GRANT EXECUTE ON FUNCTION state.flags_over, state.flags_of, state.unpacked, state.leaf_at, state.compared_as,
    state.locks_by TO PUBLIC;
GRANT SELECT ON state.setting_places TO directory_reader;
