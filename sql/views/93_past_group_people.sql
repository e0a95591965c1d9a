-- for each list of: memberships, group_admins
-- needs: {list} 3
-- The same for who is in a group's list.

CREATE OR REPLACE VIEW state.past_{list} AS
SELECT
    v.account_id,
    v.person_key,
    v.group_id,
    v.folded,
    v.until,
    v.last_position,
    v.user_id,
    v.email,
    coalesce(v.email_order, v.folded) AS email_order,
    v.added,
    v.by,
    coalesce(v.told, v.folded) AS told,
    v.told_added,
    v.absent,
    v.in_set,
    state.time_of(v.folded) AS happened_at,
    CASE WHEN v.told_added THEN state.time_of(coalesce(v.told, v.folded)) END AS told_at
FROM state.{list}_versions v;

GRANT SELECT ON state.past_{list} TO directory_reader;
