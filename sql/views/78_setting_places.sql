-- needs: user_settings 5
-- needs: group_settings 5
-- needs: account_settings 4
-- Where each setting stands in the documents. Not part of the interface.

-- Every path that anything of an account was ever told of, in one spelling, with its place in the documents of each
-- level and the flags beside it that lock it. A path that the map does not know may be at any level, under any lock.
CREATE OR REPLACE VIEW state.setting_places AS
SELECT
    k.account_id,
    k.path,
    m.path IS NULL OR m.of_user AS of_user,
    m.path IS NULL OR m.of_group OR m.group_lockable IS TRUE AS of_group,
    coalesce(m.user_path, string_to_array(k.path, '.')) AS user_path,
    coalesce(m.group_path, string_to_array(k.path, '.')) AS group_path,
    coalesce(m.account_path, string_to_array(k.path, '.')) AS account_path,
    m.group_flag,
    m.group_flag_2,
    m.account_flag,
    m.account_flag_2,
    CASE WHEN m.path IS NULL THEN true ELSE m.group_lockable END AS group_lockable,
    CASE WHEN m.path IS NULL THEN true ELSE m.account_lockable END AS account_lockable
FROM (
    SELECT p.account_id, p.path FROM state.user_setting_paths p
    UNION
    SELECT p.account_id, coalesce(m.path, p.path)
    FROM state.group_setting_paths p
    LEFT JOIN state.setting_map m ON m.group_path = string_to_array(p.path, '.')
    UNION
    SELECT p.account_id, coalesce(m.path, p.path)
    FROM state.account_setting_paths p
    LEFT JOIN state.setting_map m ON m.account_path = string_to_array(p.path, '.')
) k
LEFT JOIN state.setting_map m ON m.path = k.path;

-- The leaf of a document at a place; null where none is known. An object is none.
CREATE OR REPLACE FUNCTION state.leaf_at(p_document jsonb, p_place text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(p_document #> p_place) <> 'object' THEN p_document #> p_place END;

-- Whether a level locks what stands at a place: by a flag there, or above it, or one of two others. Null where none of
-- them is known, though there may be one; where it is not known whether there is one (p_lockable is null), nothing
-- locks it while no flag of its section does.
CREATE OR REPLACE FUNCTION state.locks_at(
    p_locks jsonb, p_place text[], p_flag text[], p_flag_2 text[], p_lockable boolean
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN 'true' IN (
            lower(p_locks #>> p_place), lower(p_locks #>> p_place[1:3]), lower(p_locks #>> p_place[1:2]),
            lower(p_locks #>> p_place[1:1]), lower(p_locks #>> p_flag), lower(p_locks #>> p_flag_2)) THEN true
        WHEN 'false' IN (
            lower(p_locks #>> p_place), lower(p_locks #>> p_place[1:3]), lower(p_locks #>> p_place[1:2]),
            lower(p_locks #>> p_place[1:1]), lower(p_locks #>> p_flag), lower(p_locks #>> p_flag_2)) THEN false
        WHEN NOT p_lockable THEN false
        WHEN p_lockable IS NULL AND p_locks <> '{}'
            AND coalesce(NOT (p_locks -> p_place[1]) @? '$.** ? (@ == true || @ like_regex "^true$" flag "i")', true) THEN false
    END;
