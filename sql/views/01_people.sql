-- What other views need of a user and of a group. Not part of the interface.

-- Whether somebody has signed in after an event. A function, because a sub-select in a view is planned with
-- every look-up, and taken to run for every row, where few users are pending: that hides from the planner what
-- the rest of a query costs. RESTRICTED keeps it from starting workers for a look-up, which takes longer than
-- the look-up. Readers of the views call it, and have no right to the table: hence SECURITY DEFINER. Nobody else
-- can name it: schema `state` is closed.
CREATE OR REPLACE FUNCTION state.signed_in_since(
    p_account text, p_user text, p_order bytea
) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10 SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM state.sign_ins s
        WHERE s.account_id = p_account AND s.user_key = p_user AND s.signed_in_order > p_order);
END
$$;
GRANT EXECUTE ON FUNCTION state.signed_in_since TO PUBLIC;

-- Known users, former ones included. What another table holds of a person counts only if its order is
-- greater than `cutoff`, which is empty where there never was a removal; `ended` is the same, null there, for
-- conditions of which the planner should know how seldom they matter. `email_key` has an index. Somebody
-- invited has become active once a sign-in from after the invitation is known. All columns but `folded` stand
-- in the index of the primary key.
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
