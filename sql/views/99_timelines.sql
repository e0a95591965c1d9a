-- needs: users 3
-- needs: groups 3
-- needs: memberships 3
-- needs: group_admins 3
-- needs: sign_ins 2
-- needs: presence 3
-- needs: user_settings 3
-- needs: group_settings 3
-- needs: account_settings 2
-- The story of one person and of one group, newest first, page by page. A page looks at stretches of event order, each
-- with about as many events as rows are asked for, until it has its rows: what lies before makes it no slower.

-- A page starts no parallel workers: that takes longer than the page.

-- Rows of these stretches, of all kinds; not part of the interface. A view for its row type: it has no rows. `place`
-- tells the rows of one event apart.
CREATE OR REPLACE VIEW state.timeline AS
SELECT
    c.entity, c.group_id, c.user_id, c.path, c.before, c.after, state.time_of(c.folded) AS changed_at,
    c.by AS changed_by, NULL::text AS event, c.position, NULL::text AS source, NULL::timestamptz AS received_at,
    c.late, ''::text AS event_order, ''::text COLLATE "C" AS place
FROM state.all_changes c
WHERE false;

CREATE OR REPLACE FUNCTION state.person_between(
    p_account text, p_key text, p_from bytea, p_before bytea
) RETURNS SETOF state.all_changes
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM state.all_changes c
    WHERE c.account_id = p_account AND c.entity_key = p_key AND c.folded >= p_from AND c.folded < p_before
      AND c.entity IN ('user', 'user_settings', 'personal_note', 'membership', 'group_admin');
    RETURN QUERY
    SELECT
        s.account_id, 'sign_in', s.user_key, s.user_id, NULL::text, s.user_id, NULL::text, NULL::jsonb,
        to_jsonb(CASE WHEN s.signed_in THEN 'signed in' ELSE 'signed out' END), s.folded, NULL::text, s.position, false
    FROM state.sign_in_changes s
    WHERE s.account_id = p_account AND s.user_key = p_key AND s.folded >= p_from AND s.folded < p_before;
END
$$;

CREATE OR REPLACE FUNCTION state.group_between(
    p_account text, p_group text, p_from bytea, p_before bytea
) RETURNS SETOF state.all_changes
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    RETURN QUERY
    SELECT
        c.account_id, c.entity, c.entity_key, c.entity_id, c.group_id, c.user_id, c.path, c.before, c.after,
        c.folded, c.by, c.position, c.late
    FROM state.value_changes c
    WHERE c.account_id = p_account AND c.entity_key = p_group AND c.folded >= p_from AND c.folded < p_before
      AND c.entity IN ('group', 'group_settings', 'group_locks');
    RETURN QUERY
    SELECT
        c.account_id, 'membership', c.person_key, c.user_id, c.group_id, c.user_id, 'member',
        CASE WHEN NOT c.came THEN 'true'::jsonb END, CASE WHEN c.came THEN 'true'::jsonb END,
        c.folded, c.by, c.position,
        EXISTS (
            SELECT FROM state.memberships_versions x
            WHERE x.account_id = c.account_id AND x.person_key = c.person_key AND x.group_id = c.group_id
              AND x.folded > c.folded AND x.last_position < c.position)
    FROM state.memberships_of_group(p_account, p_group, p_from, p_before) c;
    RETURN QUERY
    SELECT
        c.account_id, 'group_admin', c.person_key, c.user_id, c.group_id, c.user_id, 'member',
        CASE WHEN NOT c.came THEN 'true'::jsonb END, CASE WHEN c.came THEN 'true'::jsonb END,
        c.folded, c.by, c.position,
        EXISTS (
            SELECT FROM state.group_admins_versions x
            WHERE x.account_id = c.account_id AND x.person_key = c.person_key AND x.group_id = c.group_id
              AND x.folded > c.folded AND x.last_position < c.position)
    FROM state.group_admins_of_group(p_account, p_group, p_from, p_before) c;
END
$$;

-- Where a stretch that ends before an order has to begin to hold so many events of a person, or of a group.
CREATE OR REPLACE FUNCTION state.person_stretch(
    p_account text, p_key text, p_before bytea, p_events int
) RETURNS bytea
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(greatest((
            SELECT v.folded FROM state.user_versions v
            WHERE v.account_id = p_account AND v.user_key = p_key AND v.folded < p_before
            ORDER BY v.folded DESC OFFSET p_events LIMIT 1
        ), (
            SELECT v.folded FROM state.user_settings_versions v
            WHERE v.account_id = p_account AND v.user_key = p_key AND v.folded < p_before
            ORDER BY v.folded DESC OFFSET p_events LIMIT 1
        ), (
            SELECT v.folded FROM state.note_versions v
            WHERE v.account_id = p_account AND v.user_key = p_key AND v.folded < p_before
            ORDER BY v.folded DESC OFFSET p_events LIMIT 1
        ), (
            SELECT v.folded FROM state.sign_in_moments v
            WHERE v.account_id = p_account AND v.user_key = p_key AND v.folded < p_before
            ORDER BY v.folded DESC OFFSET p_events LIMIT 1
        )), '');
END
$$;

CREATE OR REPLACE FUNCTION state.group_stretch(
    p_account text, p_group text, p_before bytea, p_events int
) RETURNS bytea
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(greatest((
            SELECT v.folded FROM state.group_versions v
            WHERE v.account_id = p_account AND v.group_id = p_group AND v.folded < p_before
            ORDER BY v.folded DESC OFFSET p_events LIMIT 1
        ), (
            SELECT v.folded FROM state.group_settings_versions v
            WHERE v.account_id = p_account AND v.group_id = p_group AND v.folded < p_before
            ORDER BY v.folded DESC OFFSET p_events LIMIT 1
        ), (
            SELECT v.folded FROM state.memberships_versions v
            WHERE v.group_id = p_group AND v.account_id = p_account
              AND substring(v.folded FROM 1 FOR 8) <= substring(p_before FROM 1 FOR 8) AND v.folded < p_before
            ORDER BY substring(v.folded FROM 1 FOR 8) DESC, v.folded DESC OFFSET p_events LIMIT 1
        ), (
            SELECT v.folded FROM state.group_admins_versions v
            WHERE v.group_id = p_group AND v.account_id = p_account
              AND substring(v.folded FROM 1 FOR 8) <= substring(p_before FROM 1 FOR 8) AND v.folded < p_before
            ORDER BY substring(v.folded FROM 1 FOR 8) DESC, v.folded DESC OFFSET p_events LIMIT 1
        )), '');
END
$$;

-- At most so many rows, newest first, from the first after the given order and place.
CREATE OR REPLACE FUNCTION state.timeline_page(
    p_group boolean, p_account text, p_key text, p_order text, p_place text, p_rows int
) RETURNS SETOF state.timeline
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    v_after bytea := CASE WHEN p_order = '' THEN '\xff' ELSE decode(p_order, 'hex') END;
    v_before bytea := v_after || '\x00';
    v_from bytea;
    v_left int := p_rows;
    v_events int := p_rows * 3;  -- most change nothing that shows
    v_shown int;
BEGIN
    WHILE v_left > 0 LOOP
        v_from := CASE WHEN p_group THEN state.group_stretch(p_account, p_key, v_before, v_events)
                       ELSE state.person_stretch(p_account, p_key, v_before, v_events) END;
        RETURN QUERY
        SELECT
            c.entity, c.group_id, c.user_id, coalesce(c.path, state.client_type_at(c.position)), c.before, c.after,
            state.time_of(c.folded), c.by, e.event, c.position, e.source, e.received_at, c.late,
            encode(c.folded, 'hex'), c.place
        FROM (
            SELECT c.*, concat_ws(E'\n', c.entity, coalesce(c.group_id, ''), coalesce(c.user_id, ''),
                    left(c.path, 100), md5(c.path), c.after IS NULL) COLLATE "C" AS place
            FROM (
                SELECT * FROM state.person_between(p_account, p_key, v_from, v_before) WHERE NOT p_group
                UNION ALL
                SELECT * FROM state.group_between(p_account, p_key, v_from, v_before) WHERE p_group
            ) c
            ORDER BY c.folded DESC, place DESC
        ) c
        LEFT JOIN LATERAL (
            SELECT replace(e.event, '.members_deleted', '.member_deleted') AS event, e.source, e.received_at
            FROM log.events e WHERE e.position = c.position OFFSET 0
        ) e ON true
        WHERE c.folded < v_after OR c.place < p_place
        ORDER BY c.folded DESC, c.place DESC LIMIT v_left;
        GET DIAGNOSTICS v_shown = ROW_COUNT;
        EXIT WHEN v_from = '';
        v_left := v_left - v_shown;
        v_before := v_from;
        v_events := least(v_events * 4, 1000);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION directory.timeline_of_person(
    account text, person text, before_order text, before_place text, most int
) RETURNS SETOF state.timeline LANGUAGE sql STABLE PARALLEL SAFE ROWS 50
BEGIN ATOMIC
    SELECT * FROM state.timeline_page(false, account, lower(person), before_order, before_place, most);
END;
COMMENT ON FUNCTION directory.timeline_of_person IS
    'Changes and sign-ins of one person of an account, newest first, at most so many: from the first after the row with this event_order and place. '''' and '''' is the newest. The path of a sign-in is its client.';

CREATE OR REPLACE FUNCTION directory.timeline_of_group(
    account text, "group" text, before_order text, before_place text, most int
) RETURNS SETOF state.timeline LANGUAGE sql STABLE PARALLEL SAFE ROWS 50
BEGIN ATOMIC
    SELECT * FROM state.timeline_page(true, account, "group", before_order, before_place, most);
END;
COMMENT ON FUNCTION directory.timeline_of_group IS
    'The same of one group: its own changes, and who came into its lists and left them. Whom the group''s removal ended, or its next life brought back, is not told one by one.';

GRANT EXECUTE ON FUNCTION state.timeline_page TO PUBLIC;
REVOKE EXECUTE ON FUNCTION directory.timeline_of_person, directory.timeline_of_group FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.timeline_of_person, directory.timeline_of_group TO directory_reader;
