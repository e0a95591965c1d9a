-- for each list of: memberships, group_admins
-- needs: {list} 3
-- as of: any moment too
-- A group's list, page by page, in the order of its entries' keys. A page reads as many entries as it shows, and those
-- between them that do not show. SECURITY DEFINER, because readers have no right to the tables.

CREATE OR REPLACE FUNCTION state.{list}_page(
    p_account text, p_group text, p_after text, p_rows int
) RETURNS SETOF state.{list}_shown
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_after text := p_after;
    v_left int := p_rows;
    v_shown int;
    v_keys text[];
BEGIN
    WHILE v_left > 0 LOOP
        -- Each part has its own limit, so that it is read in the order of its index.
        v_keys := ARRAY(
            SELECT k.person_key FROM (
                (SELECT m.person_key FROM state.{list} m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NOT NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
                UNION ALL
                (SELECT m.person_key FROM state.{list} m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
            ) k
            ORDER BY k.person_key LIMIT p_rows);
        RETURN QUERY
        SELECT v.*
        FROM unnest(v_keys) AS k (person_key)
        CROSS JOIN LATERAL (
            SELECT * FROM state.{list}_shown s
            WHERE s.account_id = p_account AND s.group_id = p_group AND s.entry_key = k.person_key OFFSET 0
        ) v
        ORDER BY k.person_key LIMIT v_left;
        GET DIAGNOSTICS v_shown = ROW_COUNT;
        EXIT WHEN cardinality(v_keys) < p_rows;
        v_left := v_left - v_shown;
        v_after := v_keys[p_rows];
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION state.{list}_page TO PUBLIC;
