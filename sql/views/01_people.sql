-- as of: any moment too
-- What other views need of a user and of a group. Not part of the interface.

-- Whether somebody has signed in after an event. A function, because the planner plans a sub-select of a view in
-- every look-up and assumes that it runs for every row, although few users are pending: so it misjudges the rest
-- of the query. PARALLEL RESTRICTED, because starting workers takes longer than a look-up. SECURITY DEFINER,
-- because readers of the views call it and have no right to the table; they cannot call it by name.
CREATE OR REPLACE FUNCTION state.signed_in_since(
    p_account text, p_user text, p_order bytea
) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM state.sign_ins s
        WHERE s.account_id = p_account AND s.user_key = p_user AND s.signed_in_order > p_order);
END
$$;
GRANT EXECUTE ON FUNCTION state.signed_in_since TO PUBLIC;

-- Known users, former ones included. A row of another table counts only if its order is greater than the
-- person's `cutoff`, which is empty where there was no removal. `ended` is the same with null in place of empty,
-- which tells the planner how rare it is. `email_key` has an index. Somebody invited is active once a sign-in
-- after the invitation is known. All columns but `folded` are in the index of the primary key.
CREATE OR REPLACE VIEW state.people AS
SELECT
    u.account_id,
    u.user_key,
    u.user_id,
    nullif(u.email, '') AS email,
    CASE
        WHEN u.status = 'pending'
            AND state.signed_in_since(u.account_id, u.user_key, u.pending_order)
        THEN 'active' ELSE u.status
    END AS status,
    u.folded,
    u.removed,
    coalesce(u.cutoff, '') AS cutoff,
    u.cutoff AS ended,
    lower(u.email) AS email_key
FROM state.users u
WHERE u.known;

CREATE OR REPLACE VIEW state.known_groups AS
SELECT
    g.account_id,
    g.group_id,
    g.profile ->> 'name' AS name,
    g.removed,
    coalesce(g.cutoff, '') AS cutoff,
    g.cutoff AS ended
FROM state.groups g
WHERE g.last_position > 0;
