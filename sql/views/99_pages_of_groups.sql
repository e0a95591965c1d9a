-- for each list of: memberships, group_admins
-- needs: users 3
-- needs: groups 3
-- needs: {list} 3
-- Pages of a group's list, now and at a moment. The second is bound late: what it calls is made after all views.

CREATE OR REPLACE FUNCTION directory.{list}_page(account text, "group" text, after text, most int)
RETURNS SETOF state.{list}_shown LANGUAGE sql STABLE PARALLEL SAFE ROWS 50
BEGIN ATOMIC
    SELECT * FROM state.{list}_page(account, "group", after, most);
END;
COMMENT ON FUNCTION directory.{list}_page IS
    'Rows of {list} of one group of an account, at most so many, with entry_key: in its order, from the first row whose key is greater than the one given; '''' is the beginning.';

CREATE OR REPLACE FUNCTION directory.{list}_page_at(
    t timestamptz, account text, "group" text, after text, most int
) RETURNS SETOF state.{list}_shown
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM state.{list}_page_at(state.bound(t), account, "group", after, most);
END
$$;
COMMENT ON FUNCTION directory.{list}_page_at IS
    'The same of {list}_at(t): what the list would show had exactly the events up to this moment been folded.';

REVOKE EXECUTE ON FUNCTION directory.{list}_page, directory.{list}_page_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.{list}_page, directory.{list}_page_at TO directory_reader;
