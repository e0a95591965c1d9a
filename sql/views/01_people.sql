-- What other views need of a user and of a group. Not part of the interface.

-- Known users, former ones included. What another table holds of a person counts only if its order is
-- greater than `cutoff`, which is empty where there never was a removal. Somebody invited has become active
-- once a sign-in from after the invitation is known.
CREATE OR REPLACE VIEW state.people AS
SELECT
    u.account_id,
    u.user_key,
    u.user_id,
    nullif(u.email, '') AS email,
    CASE
        WHEN u.status = 'pending' AND EXISTS (
            SELECT FROM state.sign_ins s
            WHERE s.account_id = u.account_id AND s.user_key = u.user_key
              AND s.signed_in_order > u.pending_order)
        THEN 'active' ELSE u.status
    END AS status,
    u.folded,
    u.removed,
    coalesce(u.cutoff, '') AS cutoff
FROM state.users u
WHERE u.last_position > 0;

CREATE OR REPLACE VIEW state.known_groups AS
SELECT
    g.account_id,
    g.group_id,
    g.profile ->> 'name' AS name,
    g.removed,
    coalesce(g.cutoff, '') AS cutoff
FROM state.groups g
WHERE g.last_position > 0;
