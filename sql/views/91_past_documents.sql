-- for each list of: user_settings, group_settings, account_settings
-- only user_settings:
-- needs: user_settings 3
-- only group_settings:
-- needs: group_settings 5
-- only account_settings:
-- needs: account_settings 4
-- all:
-- Settings of the past: every version, with its documents whole. Not part of the interface.

-- A document before a change, whose leaves `delta` tells. First goes what was not there, with the objects that are
-- left empty, then comes back what was.
CREATE OR REPLACE FUNCTION state.before_change(p_document jsonb, p_delta jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    v_leaf jsonb;
    v_path text[];
BEGIN
    FOR v_leaf IN SELECT l FROM jsonb_array_elements(p_delta) l WHERE NOT l ? 'b' LOOP
        v_path := ARRAY(SELECT jsonb_array_elements_text(v_leaf -> 'p'));
        p_document := p_document #- v_path;
        FOR i IN REVERSE cardinality(v_path) - 1 .. 1 LOOP
            EXIT WHEN p_document #> v_path[1:i] <> '{}';
            p_document := p_document #- v_path[1:i];
        END LOOP;
    END LOOP;
    FOR v_leaf IN SELECT l FROM jsonb_array_elements(p_delta) l WHERE l ? 'b' LOOP
        v_path := ARRAY(SELECT jsonb_array_elements_text(v_leaf -> 'p'));
        FOR i IN 1 .. cardinality(v_path) - 1 LOOP
            IF jsonb_typeof(p_document #> v_path[1:i]) IS DISTINCT FROM 'object' THEN
                p_document := jsonb_set(p_document, v_path[1:i], '{}');
            END IF;
        END LOOP;
        p_document := jsonb_set(p_document, v_path, v_leaf -> 'b');
    END LOOP;
    RETURN p_document;
END
$$;

-- The document of a version: the next whole one, with the changes since taken back.
-- only user_settings:
CREATE OR REPLACE FUNCTION state.user_settings_then(
    p_account text, p_key text, p_folded bytea
) RETURNS jsonb
-- only group_settings:
CREATE OR REPLACE FUNCTION state.group_settings_then(
    p_account text, p_key text, p_folded bytea, p_locks boolean
) RETURNS jsonb
-- only account_settings:
CREATE OR REPLACE FUNCTION state.account_settings_then(
    p_account text, p_folded bytea, p_locks boolean
) RETURNS jsonb
-- all:
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_document jsonb;
    v_last bytea;
    v_delta jsonb;
BEGIN
    SELECT
        -- only user_settings:
        v.settings,
        -- only group_settings:
        CASE WHEN p_locks THEN v.locks ELSE v.settings END,
        -- only account_settings:
        CASE WHEN p_locks THEN v.locks ELSE v.settings END,
        -- all:
        v.folded
    INTO v_document, v_last
    FROM state.{list}_versions v
    WHERE v.account_id = p_account AND v.folded >= p_folded AND v.settings IS NOT NULL
      -- only user_settings:
      AND v.user_key = p_key
      -- only group_settings:
      AND v.group_id = p_key
      -- all:
    ORDER BY v.folded LIMIT 1;
    IF v_last IS NULL THEN
        SELECT
            -- only user_settings:
            s.settings
            -- only group_settings:
            CASE WHEN p_locks THEN s.locks ELSE s.settings END
            -- only account_settings:
            CASE WHEN p_locks THEN s.locks ELSE s.settings END
            -- all:
        INTO v_document
        FROM state.{list} s
        WHERE s.account_id = p_account
          -- only user_settings:
          AND s.user_key = p_key
          -- only group_settings:
          AND s.group_id = p_key
          -- all:
        ;
        v_last := '\xff';
    END IF;
    FOR v_delta IN
        SELECT
            -- only user_settings:
            v.delta
            -- only group_settings:
            CASE WHEN p_locks THEN v.locks_delta ELSE v.delta END
            -- only account_settings:
            CASE WHEN p_locks THEN v.locks_delta ELSE v.delta END
            -- all:
        FROM state.{list}_versions v
        WHERE v.account_id = p_account AND v.folded > p_folded AND v.folded <= v_last
          -- only user_settings:
          AND v.user_key = p_key
          -- only group_settings:
          AND v.group_id = p_key
          -- all:
        ORDER BY v.folded DESC
    LOOP
        v_document := state.before_change(v_document, v_delta);
    END LOOP;
    RETURN v_document;
END
$$;
GRANT EXECUTE ON FUNCTION state.before_change, state.{list}_then TO PUBLIC;

CREATE OR REPLACE VIEW state.past_{list} AS
SELECT
    v.account_id,
    -- only user_settings:
    v.user_key,
    v.user_id,
    -- only group_settings:
    v.group_id,
    -- all:
    v.folded,
    v.until,
    v.last_position,
    -- only user_settings:
    CASE WHEN v.until = '\xff' THEN s.settings
         ELSE state.user_settings_then(v.account_id, v.user_key, v.folded) END AS settings,
    -- only group_settings:
    CASE WHEN v.until = '\xff' THEN s.settings
         ELSE state.group_settings_then(v.account_id, v.group_id, v.folded, false) END AS settings,
    CASE WHEN v.until = '\xff' THEN s.locks
         ELSE state.group_settings_then(v.account_id, v.group_id, v.folded, true) END AS locks,
    -- only account_settings:
    CASE WHEN v.until = '\xff' THEN s.settings
         ELSE state.account_settings_then(v.account_id, v.folded, false) END AS settings,
    CASE WHEN v.until = '\xff' THEN s.locks
         ELSE state.account_settings_then(v.account_id, v.folded, true) END AS locks,
    -- only user_settings:
    v.changed_by,
    v.removed,
    -- only group_settings:
    v.changed_by,
    v.removed,
    -- all:
    CASE WHEN v.changed_order = '' THEN v.folded ELSE v.changed_order END AS changed_order
    -- only group_settings:
    , CASE WHEN v.until = '\xff' THEN s.flags_set
         ELSE state.flags_of(state.group_settings_then(v.account_id, v.group_id, v.folded, true), true) END AS flags_set,
    CASE WHEN v.until = '\xff' THEN s.flags_open
         ELSE state.flags_of(state.group_settings_then(v.account_id, v.group_id, v.folded, true), false) END AS flags_open
    -- only account_settings:
    , CASE WHEN v.until = '\xff' THEN s.flags_set
         ELSE state.flags_of(state.account_settings_then(v.account_id, v.folded, true), true) END AS flags_set,
    CASE WHEN v.until = '\xff' THEN s.flags_open
         ELSE state.flags_of(state.account_settings_then(v.account_id, v.folded, true), false) END AS flags_open
    -- all:
FROM state.{list}_versions v
-- only user_settings:
LEFT JOIN state.user_settings s ON s.account_id = v.account_id AND s.user_key = v.user_key;
-- only group_settings:
LEFT JOIN state.group_settings s ON s.account_id = v.account_id AND s.group_id = v.group_id;
-- only account_settings:
LEFT JOIN state.account_settings s ON s.account_id = v.account_id;
-- all:

GRANT SELECT ON state.past_{list} TO directory_reader;
