-- needs: users 3
-- needs: sign_ins 2
-- Every sign-in and sign-out of the past, of those who were removed since too. By which client is in the log alone.

-- The kind of client that an event names, as sign_ins shows it. SECURITY DEFINER, because readers of the view have no
-- right to the log. Its cost makes the planner call it for the rows that are shown, after a limit.
CREATE OR REPLACE FUNCTION state.client_type_at(p_position bigint) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_client jsonb := (
        SELECT log.as_jsonb(e.body) #> '{payload,object,client_type}'
        FROM log.events e WHERE e.position = p_position);
    v_name text := v_client #>> '{}';
BEGIN
    IF jsonb_typeof(v_client) = 'string' AND char_length(v_name) BETWEEN 1 AND 100 THEN
        RETURN v_name;
    END IF;
    RETURN 'unknown';
END
$$;
GRANT EXECUTE ON FUNCTION state.client_type_at TO PUBLIC;

-- Known users, with the spelling of their id; then people whom `users` does not know, as their newest sign-in or
-- sign-out spells it.
CREATE OR REPLACE VIEW state.sign_in_changes AS
SELECT m.account_id, m.user_key, u.user_id, m.signed_in, m.folded, m.position
FROM state.users u
JOIN state.sign_in_moments m ON m.account_id = u.account_id AND m.user_key = u.user_key
WHERE u.known
UNION ALL
SELECT m.account_id, m.user_key, s.user_id, m.signed_in, m.folded, m.position
FROM state.sign_ins s
JOIN state.sign_in_moments m ON m.account_id = s.account_id AND m.user_key = s.user_key
WHERE NOT EXISTS (
        SELECT FROM state.users u
        WHERE u.account_id = s.account_id AND u.user_key = s.user_key AND u.known)
  AND NOT EXISTS (
        SELECT FROM state.sign_ins n
        WHERE n.account_id = s.account_id AND n.user_key = s.user_key
          AND (n.folded, n.client_type) > (s.folded, s.client_type));

CREATE OR REPLACE VIEW directory.sign_in_changes AS
SELECT
    c.account_id,
    c.user_id,
    state.client_type_at(c.position) AS client_type,
    c.signed_in,
    state.time_of(c.folded) AS changed_at,
    (SELECT e.event FROM log.events e WHERE e.position = c.position) AS event,
    c.position,
    (SELECT e.source FROM log.events e WHERE e.position = c.position) AS source,
    encode(c.folded, 'hex') AS event_order
FROM state.sign_in_changes c;

COMMENT ON VIEW directory.sign_in_changes IS
    'Every sign-in and sign-out: one row an event. A sign-out from all devices is a change of the profile and not in it; sign_ins heeds it.';
COMMENT ON COLUMN directory.sign_in_changes.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.sign_in_changes.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';
COMMENT ON COLUMN directory.sign_in_changes.client_type IS 'Kind of client as Zoom names it (win, mac, iphone and so on), or unknown.';
COMMENT ON COLUMN directory.sign_in_changes.signed_in IS 'Whether the person signed in; else they signed out.';
COMMENT ON COLUMN directory.sign_in_changes.changed_at IS 'Time of the event.';
COMMENT ON COLUMN directory.sign_in_changes.event IS 'Name of the event.';
COMMENT ON COLUMN directory.sign_in_changes.position IS 'Position of the event in the log.';
COMMENT ON COLUMN directory.sign_in_changes.source IS 'How the event came, as in changes.';
COMMENT ON COLUMN directory.sign_in_changes.event_order IS 'Sorts as events happened, together with that of changes.';

GRANT SELECT ON directory.sign_in_changes TO directory_reader;
