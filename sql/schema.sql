-- The schema of a freshly migrated database, as pg_dump says it. Made by a command, never edited:
--   python -m tests.dump_schema > sql/schema.sql

CREATE SCHEMA directory;

COMMENT ON SCHEMA directory IS 'The directory of Zoom accounts, as their webhooks tell it. Views only; all times are event times unless a name says receipt.';

CREATE SCHEMA log;

CREATE SCHEMA observations;

CREATE SCHEMA projector;

CREATE SCHEMA state;

CREATE FUNCTION state.account_settings_then(p_account text, p_folded bytea, p_locks boolean) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 1000 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_document jsonb;
    v_last bytea;
    v_delta jsonb;
BEGIN
    SELECT
        CASE WHEN p_locks THEN v.locks ELSE v.settings END,
        v.folded
    INTO v_document, v_last
    FROM state.account_settings_versions v
    WHERE v.account_id = p_account AND v.folded >= p_folded AND v.settings IS NOT NULL
    ORDER BY v.folded LIMIT 1;
    IF v_last IS NULL THEN
        SELECT
            CASE WHEN p_locks THEN s.locks ELSE s.settings END
        INTO v_document
        FROM state.account_settings s
        WHERE s.account_id = p_account
        ;
        v_last := '\xff';
    END IF;
    FOR v_delta IN
        SELECT
            CASE WHEN p_locks THEN v.locks_delta ELSE v.delta END
        FROM state.account_settings_versions v
        WHERE v.account_id = p_account AND v.folded > p_folded AND v.folded <= v_last
        ORDER BY v.folded DESC
    LOOP
        v_document := state.before_change(v_document, v_delta);
    END LOOP;
    RETURN v_document;
END
$$;

CREATE FUNCTION state.flags_of(locks jsonb, are_set boolean) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    WITH RECURSIVE walk AS (
        SELECT e.key AS path, e.key AS section, e.value FROM jsonb_each(locks) e
        UNION ALL
        SELECT w.path || '.' || e.key, w.section, e.value
        FROM walk w
        CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(w.value) = 'object' THEN w.value END) e
    ), found AS (
        SELECT w.path, w.section FROM walk w
        WHERE jsonb_typeof(w.value) IN ('boolean', 'string') AND lower(w.value #>> '{}') = are_set::text
    )
    SELECT coalesce(jsonb_object_agg(f.path, true), '{}')
    FROM (SELECT path FROM found UNION SELECT section || '.*' FROM found) f
$$;

CREATE FUNCTION state.time_of(event_order bytea) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(((((('x'::text || encode(SUBSTRING(event_order FROM 1 FOR 8), 'hex'::text)))::bit(64))::bigint)::double precision / (1000.0)::double precision));

CREATE TABLE state.account_settings (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    settings jsonb NOT NULL,
    locks jsonb NOT NULL,
    changed_order bytea,
    flags_set jsonb GENERATED ALWAYS AS (state.flags_of(locks, true)) STORED NOT NULL,
    flags_open jsonb GENERATED ALWAYS AS (state.flags_of(locks, false)) STORED NOT NULL
)
WITH (fillfactor='85');

CREATE VIEW directory.account_settings AS
 SELECT account_id,
    NULLIF(settings, '{}'::jsonb) AS settings,
    NULLIF(locks, '{}'::jsonb) AS locks,
    state.time_of(changed_order) AS changed_at,
    state.time_of(changed_order) AS last_event_at,
    last_position
   FROM state.account_settings s
  WHERE (changed_order IS NOT NULL);

COMMENT ON VIEW directory.account_settings IS 'Settings of accounts and which of them are locked for everybody, as Zoom''s REST API showed them. No delivery tells of them.';

COMMENT ON COLUMN directory.account_settings.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.account_settings.settings IS 'The settings known, nested as Zoom nests them; null where none is.';

COMMENT ON COLUMN directory.account_settings.locks IS 'The locks known, nested alike: true means that nobody in the account may change that setting; null where none is known.';

COMMENT ON COLUMN directory.account_settings.changed_at IS 'Time of the newest observation that differed.';

COMMENT ON COLUMN directory.account_settings.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.account_settings.last_position IS 'Position in the log of that event.';

CREATE TABLE state.account_settings_versions (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    "position" bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    locks_delta jsonb NOT NULL,
    settings jsonb,
    locks jsonb,
    last_position bigint NOT NULL,
    changed_order bytea,
    CONSTRAINT account_settings_versions_check CHECK ((folded < until))
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.account_settings_versions ALTER COLUMN delta SET STATISTICS 0;
ALTER TABLE ONLY state.account_settings_versions ALTER COLUMN locks_delta SET STATISTICS 0;
ALTER TABLE ONLY state.account_settings_versions ALTER COLUMN settings SET STATISTICS 0;
ALTER TABLE ONLY state.account_settings_versions ALTER COLUMN locks SET STATISTICS 0;

CREATE VIEW state.past_account_settings AS
 SELECT v.account_id,
    v.folded,
    v.until,
    v.last_position,
        CASE
            WHEN (v.until = '\xff'::bytea) THEN s.settings
            ELSE state.account_settings_then(v.account_id, v.folded, false)
        END AS settings,
        CASE
            WHEN (v.until = '\xff'::bytea) THEN s.locks
            ELSE state.account_settings_then(v.account_id, v.folded, true)
        END AS locks,
        CASE
            WHEN (v.changed_order = '\x'::bytea) THEN v.folded
            ELSE v.changed_order
        END AS changed_order,
        CASE
            WHEN (v.until = '\xff'::bytea) THEN s.flags_set
            ELSE state.flags_of(state.account_settings_then(v.account_id, v.folded, true), true)
        END AS flags_set,
        CASE
            WHEN (v.until = '\xff'::bytea) THEN s.flags_open
            ELSE state.flags_of(state.account_settings_then(v.account_id, v.folded, true), false)
        END AS flags_open
   FROM (state.account_settings_versions v
     LEFT JOIN state.account_settings s ON ((s.account_id = v.account_id)));

CREATE FUNCTION state.account_settings_at(p_bound bytea) RETURNS SETOF directory.account_settings
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT s.account_id,
     NULLIF(s.settings, '{}'::jsonb) AS settings,
     NULLIF(s.locks, '{}'::jsonb) AS locks,
     state.time_of(s.changed_order) AS changed_at,
     state.time_of(s.changed_order) AS last_event_at,
     s.last_position
    FROM ( SELECT past_account_settings.account_id,
             past_account_settings.folded,
             past_account_settings.until,
             past_account_settings.last_position,
             past_account_settings.settings,
             past_account_settings.locks,
             past_account_settings.changed_order,
             past_account_settings.flags_set,
             past_account_settings.flags_open
            FROM state.past_account_settings
           WHERE ((past_account_settings.folded < ( SELECT account_settings_at.p_bound AS p_bound)) AND (past_account_settings.until >= ( SELECT account_settings_at.p_bound AS p_bound)))) s
   WHERE (s.changed_order IS NOT NULL);
END;

CREATE FUNCTION state.bound(t timestamp with time zone) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN (t = 'infinity'::timestamp with time zone) THEN '\xff'::bytea
             WHEN (t < '1970-01-01 00:00:00+00'::timestamp with time zone) THEN '\x'::bytea
             ELSE int8send(((floor((EXTRACT(epoch FROM t) * (1000)::numeric)))::bigint + 1))
         END AS int8send;
END;

CREATE FUNCTION directory.account_settings_at(t timestamp with time zone) RETURNS SETOF directory.account_settings
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT account_settings_at.account_id,
     account_settings_at.settings,
     account_settings_at.locks,
     account_settings_at.changed_at,
     account_settings_at.last_event_at,
     account_settings_at.last_position
    FROM state.account_settings_at(state.bound(account_settings_at.t)) account_settings_at(account_id, settings, locks, changed_at, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.account_settings_at(t timestamp with time zone) IS 'What the view account_settings would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE FUNCTION state.at(ms bigint) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(((ms)::double precision / (1000.0)::double precision));

CREATE FUNCTION state.capped(t text, bytes integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN (octet_length(t) <= bytes) THEN t ELSE "left"(t, (bytes / 4)) END;

CREATE FUNCTION state.searchable(t text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN (octet_length(t) = char_length(t)) THEN (lower((t COLLATE "C")) COLLATE "default") ELSE (lower((regexp_replace(NORMALIZE(t, NFD), '[\u0300-\u036f]'::text, ''::text, 'g'::text) COLLATE pg_c_utf8)) COLLATE "default") END;

CREATE TABLE state.groups (
    account_id text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    profile jsonb NOT NULL,
    created_ms bigint,
    removed boolean NOT NULL,
    removed_ms bigint,
    cutoff bytea,
    drift jsonb NOT NULL
)
WITH (fillfactor='85');

CREATE VIEW directory.all_groups AS
 SELECT account_id,
    group_id,
    (profile ->> 'name'::text) AS name,
    state.at(created_ms) AS created_at,
        CASE
            WHEN removed THEN state.at(removed_ms)
            ELSE NULL::timestamp with time zone
        END AS removed_at,
    (state.capped(state.searchable(COALESCE(NULLIF(btrim((profile ->> 'name'::text)), ''::text), group_id)), 160) COLLATE "C") AS sort_key,
    state.time_of(folded) AS last_event_at,
    last_position,
    removed
   FROM state.groups g
  WHERE (last_position > 0);

COMMENT ON VIEW directory.all_groups IS 'Groups, present and former, without counts: one row a group.';

COMMENT ON COLUMN directory.all_groups.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.all_groups.group_id IS 'Zoom''s group id.';

COMMENT ON COLUMN directory.all_groups.name IS 'Name of the group; null where no event named it.';

COMMENT ON COLUMN directory.all_groups.created_at IS 'As in groups and former_groups.';

COMMENT ON COLUMN directory.all_groups.removed_at IS 'As in former_groups; null for a group that is not removed.';

COMMENT ON COLUMN directory.all_groups.sort_key IS 'What lists are sorted by: the name without case and accents, else the id; the beginning of it.';

COMMENT ON COLUMN directory.all_groups.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.all_groups.last_position IS 'Position in the log of that event.';

COMMENT ON COLUMN directory.all_groups.removed IS 'Whether the group is in former_groups and not in groups.';

CREATE TABLE state.group_versions (
    account_id text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    "position" bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    last_position bigint NOT NULL,
    profile jsonb NOT NULL,
    created_ms bigint,
    removed boolean NOT NULL,
    removed_ms bigint,
    cutoff bytea,
    CONSTRAINT group_versions_check CHECK ((folded < until))
)
WITH (fillfactor='85');

CREATE VIEW state.past_groups AS
 SELECT account_id,
    group_id,
    folded,
    until,
    last_position,
    profile,
    created_ms,
    removed,
    removed_ms,
    cutoff
   FROM state.group_versions v;

CREATE FUNCTION state.all_groups_at(p_bound bytea) RETURNS SETOF directory.all_groups
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT g.account_id,
     g.group_id,
     (g.profile ->> 'name'::text) AS name,
     state.at(g.created_ms) AS created_at,
         CASE
             WHEN g.removed THEN state.at(g.removed_ms)
             ELSE NULL::timestamp with time zone
         END AS removed_at,
     (state.capped(state.searchable(COALESCE(NULLIF(btrim((g.profile ->> 'name'::text)), ''::text), g.group_id)), 160) COLLATE "C") AS sort_key,
     state.time_of(g.folded) AS last_event_at,
     g.last_position,
     g.removed
    FROM ( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT all_groups_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT all_groups_at.p_bound AS p_bound)))) g
   WHERE (g.last_position > 0);
END;

CREATE FUNCTION directory.all_groups_at(t timestamp with time zone) RETURNS SETOF directory.all_groups
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT all_groups_at.account_id,
     all_groups_at.group_id,
     all_groups_at.name,
     all_groups_at.created_at,
     all_groups_at.removed_at,
     all_groups_at.sort_key,
     all_groups_at.last_event_at,
     all_groups_at.last_position,
     all_groups_at.removed
    FROM state.all_groups_at(state.bound(all_groups_at.t)) all_groups_at(account_id, group_id, name, created_at, removed_at, sort_key, last_event_at, last_position, removed);
END;

COMMENT ON FUNCTION directory.all_groups_at(t timestamp with time zone) IS 'What the view all_groups would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE FUNCTION state.dotted(p_path jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT string_agg(p.k, '.'::text ORDER BY p.n) AS string_agg
    FROM jsonb_array_elements_text(dotted.p_path) WITH ORDINALITY p(k, n);
END;

CREATE FUNCTION state.group_admins_moves(p_account text, p_key text, p_group text, p_folded bytea, p_until bytea, p_position bigint, p_by text) RETURNS TABLE(came boolean, at_order bytea, at_position bigint, at_by text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 50 ROWS 1 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_starts bytea := p_folded;
    v_start_position bigint := p_position;
    v_start_by text := p_by;
    v_ends bytea := p_until;
    v_end_position bigint;
    v_end_by text;
    v_found record;
    v_before record;
    v_ended record;
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT lower(m.email) AS email FROM state.group_admins_versions m
            WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
            UNION ALL
            SELECT lower(u.profile ->> 'email') FROM state.user_versions u
            WHERE u.account_id = p_account AND u.user_key = p_key
        ) had
        CROSS JOIN LATERAL (
            SELECT FROM state.group_admins_versions e
            WHERE e.account_id = p_account AND e.person_key = 'email:' || had.email AND e.group_id = p_group
              AND e.user_id IS NULL OFFSET 0
        ) e)
    THEN
        RETURN;
    END IF;

    -- What never ended, as nearly everything, needs no search for its ends.
    SELECT
        EXISTS (
            SELECT FROM state.users u
            WHERE u.account_id = p_account AND u.user_key = p_key AND u.cutoff IS NOT NULL) AS person,
        EXISTS (
            SELECT FROM state.groups g
            WHERE g.account_id = p_account AND g.group_id = p_group AND g.cutoff IS NOT NULL) AS group_itself,
        false AS observed
    INTO v_ended;

    -- While a person or a group is removed nothing shows: then it begins with the next life, if there is one.
    IF v_ended.person THEN
        SELECT v.removed, n.folded, n.position, n.by AS who INTO v_found
        FROM state.user_versions v
        LEFT JOIN LATERAL (
            SELECT x.folded, x.position, x.by FROM state.user_versions x
            WHERE v.removed AND x.account_id = p_account AND x.user_key = p_key AND x.folded > p_folded
              AND NOT x.removed
            ORDER BY x.folded LIMIT 1
        ) n ON true
        WHERE v.account_id = p_account AND v.user_key = p_key AND v.folded <= p_folded AND v.until > p_folded;
        IF v_found.removed AND v_found.folded IS NULL THEN
            RETURN;
        ELSIF v_found.removed THEN
            v_starts := v_found.folded;
            v_start_position := v_found.position;
            v_start_by := v_found.who;
        END IF;
    END IF;
    IF v_ended.group_itself THEN
        SELECT v.removed, n.folded, n.position, n.by AS who INTO v_found
        FROM state.group_versions v
        LEFT JOIN LATERAL (
            SELECT x.folded, x.position, x.by FROM state.group_versions x
            WHERE v.removed AND x.account_id = p_account AND x.group_id = p_group AND x.folded > p_folded
              AND NOT x.removed
            ORDER BY x.folded LIMIT 1
        ) n ON true
        WHERE v.account_id = p_account AND v.group_id = p_group AND v.folded <= p_folded AND v.until > p_folded;
        IF v_found.removed AND v_found.folded IS NULL THEN
            RETURN;
        ELSIF v_found.removed AND v_found.folded > v_starts THEN
            v_starts := v_found.folded;
            v_start_position := v_found.position;
            v_start_by := v_found.who;
        END IF;
    END IF;

    -- It ends with the first of these after it; with the next entry, where several are of one event.
    IF v_ended.person THEN
        SELECT x.folded, x.position, x.by AS who INTO v_found
        FROM state.user_versions x
        WHERE x.account_id = p_account AND x.user_key = p_key AND x.folded > p_folded AND x.cutoff = x.folded
        ORDER BY x.folded LIMIT 1;
        IF v_found.folded < v_ends THEN
            v_ends := v_found.folded;
            v_end_position := v_found.position;
            v_end_by := v_found.who;
        END IF;
    END IF;
    IF v_ended.group_itself THEN
        SELECT x.folded, x.position, x.by AS who INTO v_found
        FROM state.group_versions x
        WHERE x.account_id = p_account AND x.group_id = p_group AND x.folded > p_folded AND x.cutoff = x.folded
        ORDER BY x.folded LIMIT 1;
        IF v_found.folded < v_ends THEN
            v_ends := v_found.folded;
            v_end_position := v_found.position;
            v_end_by := v_found.who;
        END IF;
    END IF;
    IF v_starts >= v_ends THEN
        RETURN;
    END IF;

    SELECT m.folded INTO v_before
    FROM state.group_admins_versions m
    WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
      AND m.folded < p_folded AND m.until = p_folded AND m.added AND m.user_id IS NOT NULL;
    IF v_starts > p_folded OR NOT FOUND
        OR v_ended.person AND EXISTS (
            SELECT FROM state.user_versions x
            WHERE x.account_id = p_account AND x.user_key = p_key AND x.folded < p_folded
              AND (x.removed AND x.until >= p_folded OR x.cutoff = x.folded AND x.folded > v_before.folded))
        OR v_ended.group_itself AND EXISTS (
            SELECT FROM state.group_versions x
            WHERE x.account_id = p_account AND x.group_id = p_group AND x.folded < p_folded
              AND (x.removed AND x.until >= p_folded OR x.cutoff = x.folded AND x.folded > v_before.folded))
    THEN
        RETURN QUERY SELECT true, v_starts, v_start_position, v_start_by;
    END IF;

    IF v_end_position IS NULL THEN
        SELECT m.last_position, m.by AS who INTO v_found
        FROM state.group_admins_versions m
        WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
          AND m.folded = p_until AND NOT m.added;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        v_end_position := v_found.last_position;
        v_end_by := v_found.who;
    END IF;
    RETURN QUERY SELECT false, v_ends, v_end_position, v_end_by;
END
$$;

CREATE FUNCTION state.group_admins_shows(p_bound bytea, p_account text, p_group text, p_key text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 1000 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_group record;
    v_user record;
    v_entry record;
    v_nameless record;
BEGIN
    SELECT g.removed, g.cutoff INTO v_group FROM state.past_groups g
    WHERE g.account_id = p_account AND g.group_id = p_group
      AND g.folded < p_bound AND g.until >= p_bound AND g.last_position > 0;
    SELECT u.removed, u.cutoff, nullif(lower(u.email), '') AS email, u.known INTO v_user FROM state.past_users u
    WHERE u.account_id = p_account AND u.user_key = p_key
      AND u.folded < p_bound AND u.until >= p_bound AND u.known;
    IF v_group.removed OR v_user.removed THEN
        RETURN false;
    END IF;
    SELECT m.user_id, m.added, m.folded, lower(m.email) AS email INTO v_entry FROM state.past_group_admins m
    WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
      AND m.folded < p_bound AND m.until >= p_bound;
    IF v_entry.user_id IS NULL AND v_entry.added
        AND state.group_admins_decides_at(p_bound, p_account, p_group, p_key, v_entry.folded) = p_key
    THEN
        RETURN true;
    END IF;
    -- An entry without an id that decides about the person does so in place of their own.
    SELECT e.added INTO v_nameless FROM state.past_group_admins e
    WHERE e.account_id = p_account AND e.group_id = p_group AND e.user_id IS NULL
      AND e.person_key IN (
            'email:' || v_user.email, CASE WHEN v_entry.user_id IS NOT NULL THEN 'email:' || v_entry.email END)
      AND e.folded < p_bound AND e.until >= p_bound
      AND state.group_admins_decides_at(p_bound, p_account, p_group, e.person_key, e.folded) = p_key
    ORDER BY e.folded DESC LIMIT 1;
    IF FOUND THEN
        RETURN v_nameless.added;
    END IF;
    RETURN coalesce(v_entry.user_id IS NOT NULL AND v_entry.added
        AND v_entry.folded > greatest(v_user.cutoff, v_group.cutoff, ''), false)
    ;
END
$$;

CREATE FUNCTION state.group_admins_spelled(p_account text, p_group text, p_key text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN coalesce((
            SELECT u.user_id FROM state.users u
            WHERE u.account_id = p_account AND u.user_key = p_key AND u.known
        ), (
            SELECT m.user_id FROM state.group_admins m
            WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
        ), p_key);
END
$$;

CREATE FUNCTION state.memberships_moves(p_account text, p_key text, p_group text, p_folded bytea, p_until bytea, p_position bigint, p_by text) RETURNS TABLE(came boolean, at_order bytea, at_position bigint, at_by text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 50 ROWS 1 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_starts bytea := p_folded;
    v_start_position bigint := p_position;
    v_start_by text := p_by;
    v_ends bytea := p_until;
    v_end_position bigint;
    v_end_by text;
    v_found record;
    v_before record;
    v_ended record;
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT lower(m.email) AS email FROM state.memberships_versions m
            WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
            UNION ALL
            SELECT lower(u.profile ->> 'email') FROM state.user_versions u
            WHERE u.account_id = p_account AND u.user_key = p_key
        ) had
        CROSS JOIN LATERAL (
            SELECT FROM state.memberships_versions e
            WHERE e.account_id = p_account AND e.person_key = 'email:' || had.email AND e.group_id = p_group
              AND e.user_id IS NULL OFFSET 0
        ) e)
    THEN
        RETURN;
    END IF;

    -- What never ended, as nearly everything, needs no search for its ends.
    SELECT
        EXISTS (
            SELECT FROM state.users u
            WHERE u.account_id = p_account AND u.user_key = p_key AND u.cutoff IS NOT NULL) AS person,
        EXISTS (
            SELECT FROM state.groups g
            WHERE g.account_id = p_account AND g.group_id = p_group AND g.cutoff IS NOT NULL) AS group_itself,
        EXISTS (
            SELECT FROM state.observed_groups o
            WHERE o.account_id = p_account AND o.person_key = p_key) AS observed
    INTO v_ended;

    -- While a person or a group is removed nothing shows: then it begins with the next life, if there is one.
    IF v_ended.person THEN
        SELECT v.removed, n.folded, n.position, n.by AS who INTO v_found
        FROM state.user_versions v
        LEFT JOIN LATERAL (
            SELECT x.folded, x.position, x.by FROM state.user_versions x
            WHERE v.removed AND x.account_id = p_account AND x.user_key = p_key AND x.folded > p_folded
              AND NOT x.removed
            ORDER BY x.folded LIMIT 1
        ) n ON true
        WHERE v.account_id = p_account AND v.user_key = p_key AND v.folded <= p_folded AND v.until > p_folded;
        IF v_found.removed AND v_found.folded IS NULL THEN
            RETURN;
        ELSIF v_found.removed THEN
            v_starts := v_found.folded;
            v_start_position := v_found.position;
            v_start_by := v_found.who;
        END IF;
    END IF;
    IF v_ended.group_itself THEN
        SELECT v.removed, n.folded, n.position, n.by AS who INTO v_found
        FROM state.group_versions v
        LEFT JOIN LATERAL (
            SELECT x.folded, x.position, x.by FROM state.group_versions x
            WHERE v.removed AND x.account_id = p_account AND x.group_id = p_group AND x.folded > p_folded
              AND NOT x.removed
            ORDER BY x.folded LIMIT 1
        ) n ON true
        WHERE v.account_id = p_account AND v.group_id = p_group AND v.folded <= p_folded AND v.until > p_folded;
        IF v_found.removed AND v_found.folded IS NULL THEN
            RETURN;
        ELSIF v_found.removed AND v_found.folded > v_starts THEN
            v_starts := v_found.folded;
            v_start_position := v_found.position;
            v_start_by := v_found.who;
        END IF;
    END IF;

    -- It ends with the first of these after it; with the next entry, where several are of one event.
    IF v_ended.person THEN
        SELECT x.folded, x.position, x.by AS who INTO v_found
        FROM state.user_versions x
        WHERE x.account_id = p_account AND x.user_key = p_key AND x.folded > p_folded AND x.cutoff = x.folded
        ORDER BY x.folded LIMIT 1;
        IF v_found.folded < v_ends THEN
            v_ends := v_found.folded;
            v_end_position := v_found.position;
            v_end_by := v_found.who;
        END IF;
    END IF;
    IF v_ended.group_itself THEN
        SELECT x.folded, x.position, x.by AS who INTO v_found
        FROM state.group_versions x
        WHERE x.account_id = p_account AND x.group_id = p_group AND x.folded > p_folded AND x.cutoff = x.folded
        ORDER BY x.folded LIMIT 1;
        IF v_found.folded < v_ends THEN
            v_ends := v_found.folded;
            v_end_position := v_found.position;
            v_end_by := v_found.who;
        END IF;
    END IF;
    IF v_ended.observed THEN
        SELECT x.folded, x.position, NULL::text AS who INTO v_found
        FROM state.observed_group_versions x
        WHERE x.account_id = p_account AND x.person_key = p_key AND x.folded > p_folded AND x.mark = x.folded
        ORDER BY x.folded LIMIT 1;
        IF v_found.folded < v_ends THEN
            v_ends := v_found.folded;
            v_end_position := v_found.position;
            v_end_by := v_found.who;
        END IF;
    END IF;
    IF v_starts >= v_ends THEN
        RETURN;
    END IF;

    SELECT m.folded INTO v_before
    FROM state.memberships_versions m
    WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
      AND m.folded < p_folded AND m.until = p_folded AND m.added AND m.user_id IS NOT NULL;
    IF v_starts > p_folded OR NOT FOUND
        OR v_ended.person AND EXISTS (
            SELECT FROM state.user_versions x
            WHERE x.account_id = p_account AND x.user_key = p_key AND x.folded < p_folded
              AND (x.removed AND x.until >= p_folded OR x.cutoff = x.folded AND x.folded > v_before.folded))
        OR v_ended.group_itself AND EXISTS (
            SELECT FROM state.group_versions x
            WHERE x.account_id = p_account AND x.group_id = p_group AND x.folded < p_folded
              AND (x.removed AND x.until >= p_folded OR x.cutoff = x.folded AND x.folded > v_before.folded))
        OR v_ended.observed AND EXISTS (
            SELECT FROM state.observed_group_versions x
            WHERE x.account_id = p_account AND x.person_key = p_key
              AND x.folded > v_before.folded AND x.folded < p_folded AND x.mark = x.folded)
    THEN
        RETURN QUERY SELECT true, v_starts, v_start_position, v_start_by;
    END IF;

    IF v_end_position IS NULL THEN
        SELECT m.last_position, m.by AS who INTO v_found
        FROM state.memberships_versions m
        WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
          AND m.folded = p_until AND NOT m.added;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        v_end_position := v_found.last_position;
        v_end_by := v_found.who;
    END IF;
    RETURN QUERY SELECT false, v_ends, v_end_position, v_end_by;
END
$$;

CREATE FUNCTION state.memberships_shows(p_bound bytea, p_account text, p_group text, p_key text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 1000 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_group record;
    v_user record;
    v_entry record;
    v_nameless record;
BEGIN
    SELECT g.removed, g.cutoff INTO v_group FROM state.past_groups g
    WHERE g.account_id = p_account AND g.group_id = p_group
      AND g.folded < p_bound AND g.until >= p_bound AND g.last_position > 0;
    SELECT u.removed, u.cutoff, nullif(lower(u.email), '') AS email, u.known INTO v_user FROM state.past_users u
    WHERE u.account_id = p_account AND u.user_key = p_key
      AND u.folded < p_bound AND u.until >= p_bound AND u.known;
    IF v_group.removed OR v_user.removed THEN
        RETURN false;
    END IF;
    SELECT m.user_id, m.added, m.folded, lower(m.email) AS email INTO v_entry FROM state.past_memberships m
    WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
      AND m.folded < p_bound AND m.until >= p_bound;
    IF v_entry.user_id IS NULL AND v_entry.added
        AND state.memberships_decides_at(p_bound, p_account, p_group, p_key, v_entry.folded) = p_key
    THEN
        RETURN true;
    END IF;
    -- An entry without an id that decides about the person does so in place of their own.
    SELECT e.added INTO v_nameless FROM state.past_memberships e
    WHERE e.account_id = p_account AND e.group_id = p_group AND e.user_id IS NULL
      AND e.person_key IN (
            'email:' || v_user.email, CASE WHEN v_entry.user_id IS NOT NULL THEN 'email:' || v_entry.email END)
      AND e.folded < p_bound AND e.until >= p_bound
      AND state.memberships_decides_at(p_bound, p_account, p_group, e.person_key, e.folded) = p_key
    ORDER BY e.folded DESC LIMIT 1;
    IF FOUND THEN
        RETURN v_nameless.added;
    END IF;
    RETURN coalesce(v_entry.user_id IS NOT NULL AND v_entry.added
        AND v_entry.folded > greatest(v_user.cutoff, v_group.cutoff, ''), false)
        AND (v_user.known IS NULL OR NOT EXISTS (
            SELECT FROM state.past_observed_groups o
            WHERE o.account_id = p_account AND o.person_key = p_key AND o.folded < p_bound AND o.until >= p_bound
              AND o.mark > v_entry.folded))
    ;
END
$$;

CREATE FUNCTION state.memberships_spelled(p_account text, p_group text, p_key text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN coalesce((
            SELECT u.user_id FROM state.users u
            WHERE u.account_id = p_account AND u.user_key = p_key AND u.known
        ), (
            SELECT m.user_id FROM state.memberships m
            WHERE m.account_id = p_account AND m.person_key = p_key AND m.group_id = p_group
        ), p_key);
END
$$;

CREATE FUNCTION state.name_of(profile jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN COALESCE(NULLIF(btrim((profile ->> 'display_name'::text)), ''::text), NULLIF(btrim(((COALESCE((profile ->> 'first_name'::text), ''::text) || ' '::text) || COALESCE((profile ->> 'last_name'::text), ''::text))), ''::text));

CREATE TABLE log.events (
    "position" bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    event text NOT NULL,
    event_ts bigint,
    account_id text,
    request_id text,
    digest bytea NOT NULL,
    source text NOT NULL,
    verified_by text,
    body bytea,
    CONSTRAINT events_digest_check CHECK ((octet_length(digest) = 32))
);

COMMENT ON TABLE log.events IS 'Append-only log of deliveries. Written by log.append() alone.';

COMMENT ON COLUMN log.events."position" IS 'Place in the log: grows by one per event, in commit order.';

COMMENT ON COLUMN log.events.received_at IS 'When the ingress received the delivery.';

COMMENT ON COLUMN log.events.event IS 'Name of the event as sent.';

COMMENT ON COLUMN log.events.event_ts IS 'The delivery''s own event_ts, epoch milliseconds, where it is an integer.';

COMMENT ON COLUMN log.events.account_id IS 'payload.account_id as sent.';

COMMENT ON COLUMN log.events.request_id IS 'x-zm-request-id: equal over the retries of one delivery.';

COMMENT ON COLUMN log.events.digest IS 'SHA-256 of the body''s bytes.';

COMMENT ON COLUMN log.events.source IS 'How it came: webhook, import, quarantine, recovered (from Zoom''s own delivery log); or a fact of our own: rest (an observation), declared, operator.';

COMMENT ON COLUMN log.events.verified_by IS 'Fingerprint of the secret that verified the delivery; never the secret.';

COMMENT ON COLUMN log.events.body IS 'The delivery''s bytes as received; null once erased, and then folded as nothing.';

CREATE TABLE state.group_admins_versions (
    account_id text NOT NULL,
    person_key text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text,
    email text,
    email_order bytea,
    added boolean NOT NULL,
    by text,
    told bytea,
    told_added boolean NOT NULL,
    absent bytea NOT NULL,
    in_set boolean NOT NULL,
    CONSTRAINT group_admins_versions_check CHECK ((folded < until))
)
WITH (fillfactor='85');

CREATE TABLE state.user_versions (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    "position" bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    status text NOT NULL,
    pending_order bytea,
    profile jsonb NOT NULL,
    custom_attributes jsonb NOT NULL,
    creation_type text,
    created_ms bigint,
    removed boolean NOT NULL,
    removed_ms bigint,
    cutoff bytea,
    observed_created_ms bigint,
    CONSTRAINT user_versions_check CHECK ((folded < until))
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.user_versions ALTER COLUMN delta SET STATISTICS 0;
ALTER TABLE ONLY state.user_versions ALTER COLUMN profile SET STATISTICS 0;
ALTER TABLE ONLY state.user_versions ALTER COLUMN custom_attributes SET STATISTICS 0;

CREATE VIEW state.group_admins_links AS
 SELECT e.account_id,
    e.group_id,
    e.person_key AS entry_key,
    e.person_key
   FROM state.group_admins_versions e
  WHERE (e.user_id IS NULL)
UNION
 SELECT e.account_id,
    e.group_id,
    e.person_key AS entry_key,
    m.person_key
   FROM (state.group_admins_versions e
     JOIN state.group_admins_versions m ON (((m.account_id = e.account_id) AND (m.group_id = e.group_id) AND (('email:'::text || lower(m.email)) = e.person_key) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
  WHERE ((e.user_id IS NULL) AND (m.user_id IS NOT NULL))
UNION
 SELECT e.account_id,
    e.group_id,
    e.person_key AS entry_key,
    u.user_key AS person_key
   FROM (state.group_admins_versions e
     JOIN state.user_versions u ON (((u.account_id = e.account_id) AND (('email:'::text || lower((u.profile ->> 'email'::text))) = e.person_key) AND (lower((u.profile ->> 'email'::text)) = SUBSTRING(e.person_key FROM 7)))))
  WHERE (e.user_id IS NULL);

CREATE TABLE state.users (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    spelled_by_lifecycle boolean NOT NULL,
    status text NOT NULL,
    pending_order bytea,
    profile jsonb NOT NULL,
    custom_attributes jsonb NOT NULL,
    creation_type text,
    created_ms bigint,
    removed boolean NOT NULL,
    removed_ms bigint,
    cutoff bytea,
    drift jsonb NOT NULL,
    observed_created_ms bigint,
    email text GENERATED ALWAYS AS ((profile ->> 'email'::text)) STORED,
    known boolean GENERATED ALWAYS AS ((last_position > 0)) STORED,
    sort_key text GENERATED ALWAYS AS (state.capped(state.searchable(COALESCE(state.name_of(profile), NULLIF((profile ->> 'email'::text), ''::text), user_id)), 160)) STORED COLLATE pg_catalog."C",
    search text GENERATED ALWAYS AS (state.capped(state.searchable((((((COALESCE((profile ->> 'email'::text), ''::text) || '
'::text) || user_key) || '
'::text) || COALESCE("left"((profile ->> 'display_name'::text), 200), ''::text)) ||
CASE
    WHEN ((profile ->> 'display_name'::text) = (((profile ->> 'first_name'::text) || ' '::text) || (profile ->> 'last_name'::text))) THEN ''::text
    ELSE ((('
'::text || COALESCE("left"((profile ->> 'first_name'::text), 100), ''::text)) || ' '::text) || COALESCE("left"((profile ->> 'last_name'::text), 100), ''::text))
END)), 1200)) STORED COLLATE pg_catalog."C"
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.users ALTER COLUMN profile SET STATISTICS 0;
ALTER TABLE ONLY state.users ALTER COLUMN custom_attributes SET STATISTICS 0;

CREATE VIEW state.group_admins_moved AS
 SELECT m.account_id,
    m.group_id,
    m.person_key,
    u.user_id,
    s.came,
    s.at_order AS folded,
    s.at_position AS "position",
    s.at_by AS by
   FROM ((state.group_admins_versions m
     JOIN state.users u ON (((u.account_id = m.account_id) AND (u.user_key = m.person_key) AND u.known)))
     CROSS JOIN LATERAL state.group_admins_moves(m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s(came, at_order, at_position, at_by))
  WHERE (m.added AND (m.user_id IS NOT NULL))
UNION ALL
 SELECT m.account_id,
    m.group_id,
    m.person_key,
    m.user_id,
    s.came,
    s.at_order AS folded,
    s.at_position AS "position",
    s.at_by AS by
   FROM (state.group_admins_versions m
     CROSS JOIN LATERAL state.group_admins_moves(m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s(came, at_order, at_position, at_by))
  WHERE (m.added AND (m.user_id IS NOT NULL) AND (NOT (EXISTS ( SELECT
           FROM state.users u
          WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key) AND u.known)))));

CREATE TABLE state.removed_email_versions (
    account_id text NOT NULL,
    email_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    "position" bigint NOT NULL,
    by text,
    CONSTRAINT removed_email_versions_check CHECK ((folded < until))
);

CREATE VIEW state.group_admins_turns AS
 SELECT DISTINCT ON (a.account_id, a.group_id, a.person_key, c.folded) a.account_id,
    a.group_id,
    a.person_key,
    c.folded,
    c."position",
    c.by
   FROM ((state.group_admins_links a
     CROSS JOIN LATERAL ( SELECT o.account_id,
            o.group_id,
            o.entry_key,
            o.person_key
           FROM state.group_admins_links o
          WHERE ((o.account_id = a.account_id) AND (o.group_id = a.group_id) AND (o.entry_key = a.entry_key))
         OFFSET 0) l)
     CROSS JOIN LATERAL ( SELECT m.folded,
            m.last_position AS "position",
            m.by
           FROM state.group_admins_versions m
          WHERE ((m.account_id = l.account_id) AND (m.group_id = l.group_id) AND (m.person_key = l.person_key))
        UNION ALL
         SELECT u.folded,
            u."position",
            u.by
           FROM state.user_versions u
          WHERE ((u.account_id = l.account_id) AND (u.user_key = l.person_key))
        UNION ALL
         SELECT g.folded,
            g."position",
            g.by
           FROM state.group_versions g
          WHERE ((g.account_id = l.account_id) AND (g.group_id = l.group_id))
        UNION ALL
         SELECT r.folded,
            r."position",
            r.by
           FROM state.removed_email_versions r
          WHERE ((r.account_id = l.account_id) AND (r.email_key = SUBSTRING(l.entry_key FROM 7)))) c)
  ORDER BY a.account_id, a.group_id, a.person_key, c.folded, c.by;

CREATE VIEW state.group_admins_turned AS
 SELECT t.account_id,
    t.group_id,
    t.person_key,
    state.group_admins_spelled(t.account_id, t.group_id, t.person_key) AS user_id,
    x.after AS came,
    t.folded,
    t."position",
    t.by
   FROM (state.group_admins_turns t
     CROSS JOIN LATERAL ( SELECT state.group_admins_shows(t.folded, t.account_id, t.group_id, t.person_key) AS before,
            state.group_admins_shows((t.folded || '\x00'::bytea), t.account_id, t.group_id, t.person_key) AS after
         OFFSET 0) x)
  WHERE (x.before <> x.after);

CREATE VIEW state.group_admins_changes AS
 SELECT group_admins_moved.account_id,
    group_admins_moved.group_id,
    group_admins_moved.person_key,
    group_admins_moved.user_id,
    group_admins_moved.came,
    group_admins_moved.folded,
    group_admins_moved."position",
    group_admins_moved.by
   FROM state.group_admins_moved
UNION ALL
 SELECT group_admins_turned.account_id,
    group_admins_turned.group_id,
    group_admins_turned.person_key,
    group_admins_turned.user_id,
    group_admins_turned.came,
    group_admins_turned.folded,
    group_admins_turned."position",
    group_admins_turned.by
   FROM state.group_admins_turned;

CREATE TABLE state.group_settings_versions (
    account_id text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    "position" bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    locks_delta jsonb NOT NULL,
    shown jsonb,
    locks_shown jsonb,
    settings jsonb,
    locks jsonb,
    last_position bigint NOT NULL,
    changed_order bytea,
    changed_by text,
    removed boolean NOT NULL,
    CONSTRAINT group_settings_versions_check CHECK ((folded < until))
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.group_settings_versions ALTER COLUMN delta SET STATISTICS 0;
ALTER TABLE ONLY state.group_settings_versions ALTER COLUMN locks_delta SET STATISTICS 0;
ALTER TABLE ONLY state.group_settings_versions ALTER COLUMN settings SET STATISTICS 0;
ALTER TABLE ONLY state.group_settings_versions ALTER COLUMN locks SET STATISTICS 0;

CREATE TABLE state.memberships_versions (
    account_id text NOT NULL,
    person_key text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text,
    email text,
    email_order bytea,
    added boolean NOT NULL,
    by text,
    told bytea,
    told_added boolean NOT NULL,
    absent bytea NOT NULL,
    in_set boolean NOT NULL,
    CONSTRAINT memberships_versions_check CHECK ((folded < until))
)
WITH (fillfactor='85');

CREATE VIEW state.memberships_links AS
 SELECT e.account_id,
    e.group_id,
    e.person_key AS entry_key,
    e.person_key
   FROM state.memberships_versions e
  WHERE (e.user_id IS NULL)
UNION
 SELECT e.account_id,
    e.group_id,
    e.person_key AS entry_key,
    m.person_key
   FROM (state.memberships_versions e
     JOIN state.memberships_versions m ON (((m.account_id = e.account_id) AND (m.group_id = e.group_id) AND (('email:'::text || lower(m.email)) = e.person_key) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
  WHERE ((e.user_id IS NULL) AND (m.user_id IS NOT NULL))
UNION
 SELECT e.account_id,
    e.group_id,
    e.person_key AS entry_key,
    u.user_key AS person_key
   FROM (state.memberships_versions e
     JOIN state.user_versions u ON (((u.account_id = e.account_id) AND (('email:'::text || lower((u.profile ->> 'email'::text))) = e.person_key) AND (lower((u.profile ->> 'email'::text)) = SUBSTRING(e.person_key FROM 7)))))
  WHERE (e.user_id IS NULL);

CREATE VIEW state.memberships_moved AS
 SELECT m.account_id,
    m.group_id,
    m.person_key,
    u.user_id,
    s.came,
    s.at_order AS folded,
    s.at_position AS "position",
    s.at_by AS by
   FROM ((state.memberships_versions m
     JOIN state.users u ON (((u.account_id = m.account_id) AND (u.user_key = m.person_key) AND u.known)))
     CROSS JOIN LATERAL state.memberships_moves(m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s(came, at_order, at_position, at_by))
  WHERE (m.added AND (m.user_id IS NOT NULL))
UNION ALL
 SELECT m.account_id,
    m.group_id,
    m.person_key,
    m.user_id,
    s.came,
    s.at_order AS folded,
    s.at_position AS "position",
    s.at_by AS by
   FROM (state.memberships_versions m
     CROSS JOIN LATERAL state.memberships_moves(m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s(came, at_order, at_position, at_by))
  WHERE (m.added AND (m.user_id IS NOT NULL) AND (NOT (EXISTS ( SELECT
           FROM state.users u
          WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key) AND u.known)))));

CREATE TABLE state.observed_group_versions (
    account_id text NOT NULL,
    person_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    "position" bigint NOT NULL,
    mark bytea NOT NULL,
    groups jsonb NOT NULL,
    lacked jsonb NOT NULL,
    dropped jsonb NOT NULL,
    CONSTRAINT observed_group_versions_check CHECK ((folded < until))
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.observed_group_versions ALTER COLUMN groups SET STATISTICS 0;
ALTER TABLE ONLY state.observed_group_versions ALTER COLUMN lacked SET STATISTICS 0;
ALTER TABLE ONLY state.observed_group_versions ALTER COLUMN dropped SET STATISTICS 0;

CREATE VIEW state.memberships_turns AS
 SELECT DISTINCT ON (a.account_id, a.group_id, a.person_key, c.folded) a.account_id,
    a.group_id,
    a.person_key,
    c.folded,
    c."position",
    c.by
   FROM ((state.memberships_links a
     CROSS JOIN LATERAL ( SELECT o.account_id,
            o.group_id,
            o.entry_key,
            o.person_key
           FROM state.memberships_links o
          WHERE ((o.account_id = a.account_id) AND (o.group_id = a.group_id) AND (o.entry_key = a.entry_key))
         OFFSET 0) l)
     CROSS JOIN LATERAL ( SELECT m.folded,
            m.last_position AS "position",
            m.by
           FROM state.memberships_versions m
          WHERE ((m.account_id = l.account_id) AND (m.group_id = l.group_id) AND (m.person_key = l.person_key))
        UNION ALL
         SELECT u.folded,
            u."position",
            u.by
           FROM state.user_versions u
          WHERE ((u.account_id = l.account_id) AND (u.user_key = l.person_key))
        UNION ALL
         SELECT g.folded,
            g."position",
            g.by
           FROM state.group_versions g
          WHERE ((g.account_id = l.account_id) AND (g.group_id = l.group_id))
        UNION ALL
         SELECT r.folded,
            r."position",
            r.by
           FROM state.removed_email_versions r
          WHERE ((r.account_id = l.account_id) AND (r.email_key = SUBSTRING(l.entry_key FROM 7)))
        UNION ALL
         SELECT o.folded,
            o."position",
            NULL::text
           FROM state.observed_group_versions o
          WHERE ((o.account_id = l.account_id) AND (o.person_key = l.person_key))) c)
  ORDER BY a.account_id, a.group_id, a.person_key, c.folded, c.by;

CREATE VIEW state.memberships_turned AS
 SELECT t.account_id,
    t.group_id,
    t.person_key,
    state.memberships_spelled(t.account_id, t.group_id, t.person_key) AS user_id,
    x.after AS came,
    t.folded,
    t."position",
    t.by
   FROM (state.memberships_turns t
     CROSS JOIN LATERAL ( SELECT state.memberships_shows(t.folded, t.account_id, t.group_id, t.person_key) AS before,
            state.memberships_shows((t.folded || '\x00'::bytea), t.account_id, t.group_id, t.person_key) AS after
         OFFSET 0) x)
  WHERE (x.before <> x.after);

CREATE VIEW state.memberships_changes AS
 SELECT memberships_moved.account_id,
    memberships_moved.group_id,
    memberships_moved.person_key,
    memberships_moved.user_id,
    memberships_moved.came,
    memberships_moved.folded,
    memberships_moved."position",
    memberships_moved.by
   FROM state.memberships_moved
UNION ALL
 SELECT memberships_turned.account_id,
    memberships_turned.group_id,
    memberships_turned.person_key,
    memberships_turned.user_id,
    memberships_turned.came,
    memberships_turned.folded,
    memberships_turned."position",
    memberships_turned.by
   FROM state.memberships_turned;

CREATE TABLE state.note_versions (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    "position" bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    user_id text NOT NULL,
    CONSTRAINT note_versions_check CHECK ((folded < until))
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.note_versions ALTER COLUMN delta SET STATISTICS 0;

CREATE TABLE state.notes (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    email text,
    email_order bytea NOT NULL,
    note text,
    known boolean NOT NULL,
    note_order bytea,
    removed boolean NOT NULL,
    drift jsonb NOT NULL
)
WITH (fillfactor='85');

CREATE TABLE state.sign_in_moments (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    "position" bigint NOT NULL,
    signed_in boolean NOT NULL
);

CREATE VIEW state.statuses AS
 SELECT v.account_id,
    v.user_key,
    v.folded,
    v.by,
    v."position",
        CASE
            WHEN ((p.last_position IS NULL) OR (p.last_position = 0)) THEN NULL::text
            WHEN ((p.status = 'pending'::text) AND (EXISTS ( SELECT
               FROM state.sign_in_moments s
              WHERE ((s.account_id = v.account_id) AND (s.user_key = v.user_key) AND s.signed_in AND (s.folded > p.pending_order) AND (s.folded < v.folded))))) THEN 'active'::text
            ELSE p.status
        END AS before,
        CASE
            WHEN ((v.status = 'pending'::text) AND (EXISTS ( SELECT
               FROM state.sign_in_moments s
              WHERE ((s.account_id = v.account_id) AND (s.user_key = v.user_key) AND s.signed_in AND (s.folded > v.pending_order) AND (s.folded < v.folded))))) THEN 'active'::text
            ELSE v.status
        END AS after
   FROM (state.user_versions v
     LEFT JOIN LATERAL ( SELECT o.last_position,
            o.status,
            o.pending_order
           FROM state.user_versions o
          WHERE ((o.account_id = v.account_id) AND (o.user_key = v.user_key) AND (o.folded < v.folded) AND (o.until = v.folded))) p ON (true))
  WHERE (((v.status = 'pending'::text) OR (v.delta @> '[{"p": ["status"]}]'::jsonb)) AND (v.last_position > 0));

CREATE TABLE state.user_settings (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    settings jsonb NOT NULL,
    changed_order bytea,
    changed_by text,
    removed boolean NOT NULL,
    drift jsonb NOT NULL
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.user_settings ALTER COLUMN settings SET STATISTICS 0;

CREATE TABLE state.user_settings_versions (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    "position" bigint NOT NULL,
    by text,
    delta jsonb NOT NULL,
    shown jsonb,
    settings jsonb,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    changed_order bytea,
    changed_by text,
    removed boolean NOT NULL,
    CONSTRAINT user_settings_versions_check CHECK ((folded < until))
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.user_settings_versions ALTER COLUMN delta SET STATISTICS 0;
ALTER TABLE ONLY state.user_settings_versions ALTER COLUMN shown SET STATISTICS 0;
ALTER TABLE ONLY state.user_settings_versions ALTER COLUMN settings SET STATISTICS 0;

CREATE VIEW state.value_changes AS
 SELECT v.account_id,
    'user'::text AS entity,
    u.user_id AS entity_id,
    NULL::text AS group_id,
    u.user_id,
    state.dotted((d.leaf -> 'p'::text)) AS path,
    (d.leaf -> 'b'::text) AS before,
    (d.leaf -> 'a'::text) AS after,
    v.folded,
    v.by,
    v."position",
    (EXISTS ( SELECT
           FROM state.user_versions x
          WHERE ((x.account_id = v.account_id) AND (x.user_key = v.user_key) AND (x.folded > v.folded) AND (x."position" < v."position")))) AS late,
    v.user_key AS entity_key
   FROM ((state.user_versions v
     JOIN state.users u ON (((u.account_id = v.account_id) AND (u.user_key = v.user_key))))
     CROSS JOIN LATERAL jsonb_array_elements(v.delta) d(leaf))
  WHERE ((v.delta <> '[]'::jsonb) AND ((d.leaf -> 'p'::text) <> '["status"]'::jsonb))
UNION ALL
 SELECT c.account_id,
    'user'::text AS entity,
    u.user_id AS entity_id,
    NULL::text AS group_id,
    u.user_id,
    'status'::text AS path,
    to_jsonb(c.before) AS before,
    to_jsonb(c.after) AS after,
    c.folded,
    c.by,
    c."position",
    (EXISTS ( SELECT
           FROM state.user_versions x
          WHERE ((x.account_id = c.account_id) AND (x.user_key = c.user_key) AND (x.folded > c.folded) AND (x."position" < c."position")))) AS late,
    c.user_key AS entity_key
   FROM (state.statuses c
     JOIN state.users u ON (((u.account_id = c.account_id) AND (u.user_key = c.user_key))))
  WHERE (c.before IS DISTINCT FROM c.after)
UNION ALL
 SELECT v.account_id,
    'user'::text AS entity,
    u.user_id AS entity_id,
    NULL::text AS group_id,
    u.user_id,
    'status'::text AS path,
    '"pending"'::jsonb AS before,
    '"active"'::jsonb AS after,
    s.folded,
    NULL::text AS by,
    s."position",
    (EXISTS ( SELECT
           FROM state.user_versions x
          WHERE ((x.account_id = v.account_id) AND (x.user_key = v.user_key) AND (x.folded > s.folded) AND (x."position" < s."position")))) AS late,
    v.user_key AS entity_key
   FROM ((state.user_versions v
     JOIN state.users u ON (((u.account_id = v.account_id) AND (u.user_key = v.user_key))))
     JOIN state.sign_in_moments s ON (((s.account_id = v.account_id) AND (s.user_key = v.user_key))))
  WHERE ((v.status = 'pending'::text) AND (v.last_position > 0) AND s.signed_in AND (s.folded > v.folded) AND (s.folded < v.until) AND (s.folded > v.pending_order) AND (NOT (EXISTS ( SELECT
           FROM state.sign_in_moments o
          WHERE ((o.account_id = v.account_id) AND (o.user_key = v.user_key) AND o.signed_in AND (o.folded > v.pending_order) AND (o.folded < s.folded))))))
UNION ALL
 SELECT v.account_id,
    'group'::text AS entity,
    v.group_id AS entity_id,
    v.group_id,
    NULL::text AS user_id,
    state.dotted((d.leaf -> 'p'::text)) AS path,
    (d.leaf -> 'b'::text) AS before,
    (d.leaf -> 'a'::text) AS after,
    v.folded,
    v.by,
    v."position",
    (EXISTS ( SELECT
           FROM state.group_versions x
          WHERE ((x.account_id = v.account_id) AND (x.group_id = v.group_id) AND (x.folded > v.folded) AND (x."position" < v."position")))) AS late,
    v.group_id AS entity_key
   FROM (state.group_versions v
     CROSS JOIN LATERAL jsonb_array_elements(v.delta) d(leaf))
  WHERE (v.delta <> '[]'::jsonb)
UNION ALL
 SELECT v.account_id,
    'user_settings'::text AS entity,
    u.user_id AS entity_id,
    NULL::text AS group_id,
    u.user_id,
    state.dotted((d.leaf -> 'p'::text)) AS path,
    (d.leaf -> 'b'::text) AS before,
    (d.leaf -> 'a'::text) AS after,
    v.folded,
    v.by,
    v."position",
    (EXISTS ( SELECT
           FROM state.user_settings_versions x
          WHERE ((x.account_id = v.account_id) AND (x.user_key = v.user_key) AND (x.folded > v.folded) AND (x."position" < v."position")))) AS late,
    v.user_key AS entity_key
   FROM ((state.user_settings_versions v
     JOIN state.users u ON (((u.account_id = v.account_id) AND (u.user_key = v.user_key) AND u.known)))
     CROSS JOIN LATERAL jsonb_array_elements(COALESCE(v.shown, v.delta)) d(leaf))
UNION ALL
 SELECT v.account_id,
    'user_settings'::text AS entity,
    s.user_id AS entity_id,
    NULL::text AS group_id,
    s.user_id,
    state.dotted((d.leaf -> 'p'::text)) AS path,
    (d.leaf -> 'b'::text) AS before,
    (d.leaf -> 'a'::text) AS after,
    v.folded,
    v.by,
    v."position",
    (EXISTS ( SELECT
           FROM state.user_settings_versions x
          WHERE ((x.account_id = v.account_id) AND (x.user_key = v.user_key) AND (x.folded > v.folded) AND (x."position" < v."position")))) AS late,
    v.user_key AS entity_key
   FROM ((state.user_settings_versions v
     JOIN state.user_settings s ON (((s.account_id = v.account_id) AND (s.user_key = v.user_key))))
     CROSS JOIN LATERAL jsonb_array_elements(COALESCE(v.shown, v.delta)) d(leaf))
  WHERE (NOT (EXISTS ( SELECT
           FROM state.users u
          WHERE ((u.account_id = v.account_id) AND (u.user_key = v.user_key) AND u.known))))
UNION ALL
 SELECT v.account_id,
    l.entity,
    v.group_id AS entity_id,
    v.group_id,
    NULL::text AS user_id,
    state.dotted((d.leaf -> 'p'::text)) AS path,
    (d.leaf -> 'b'::text) AS before,
    (d.leaf -> 'a'::text) AS after,
    v.folded,
    v.by,
    v."position",
    (EXISTS ( SELECT
           FROM state.group_settings_versions x
          WHERE ((x.account_id = v.account_id) AND (x.group_id = v.group_id) AND (x.folded > v.folded) AND (x."position" < v."position")))) AS late,
    v.group_id AS entity_key
   FROM ((state.group_settings_versions v
     CROSS JOIN LATERAL ( VALUES ('group_settings'::text,COALESCE(v.shown, v.delta)), ('group_locks'::text,COALESCE(v.locks_shown, v.locks_delta))) l(entity, delta))
     CROSS JOIN LATERAL jsonb_array_elements(l.delta) d(leaf))
UNION ALL
 SELECT v.account_id,
    l.entity,
    v.account_id AS entity_id,
    NULL::text AS group_id,
    NULL::text AS user_id,
    state.dotted((d.leaf -> 'p'::text)) AS path,
    (d.leaf -> 'b'::text) AS before,
    (d.leaf -> 'a'::text) AS after,
    v.folded,
    v.by,
    v."position",
    (EXISTS ( SELECT
           FROM state.account_settings_versions x
          WHERE ((x.account_id = v.account_id) AND (x.folded > v.folded) AND (x."position" < v."position")))) AS late,
    v.account_id AS entity_key
   FROM ((state.account_settings_versions v
     CROSS JOIN LATERAL ( VALUES ('account_settings'::text,v.delta), ('account_locks'::text,v.locks_delta)) l(entity, delta))
     CROSS JOIN LATERAL jsonb_array_elements(l.delta) d(leaf))
UNION ALL
 SELECT v.account_id,
    'personal_note'::text AS entity,
    u.user_id AS entity_id,
    NULL::text AS group_id,
    u.user_id,
    state.dotted((d.leaf -> 'p'::text)) AS path,
    (d.leaf -> 'b'::text) AS before,
    (d.leaf -> 'a'::text) AS after,
    v.folded,
    v.by,
    v."position",
    (EXISTS ( SELECT
           FROM state.note_versions x
          WHERE ((x.account_id = v.account_id) AND (x.user_key = v.user_key) AND (x.folded > v.folded) AND (x."position" < v."position")))) AS late,
    v.user_key AS entity_key
   FROM ((state.note_versions v
     JOIN state.users u ON (((u.account_id = v.account_id) AND (u.user_key = v.user_key) AND u.known)))
     CROSS JOIN LATERAL jsonb_array_elements(v.delta) d(leaf))
UNION ALL
 SELECT v.account_id,
    'personal_note'::text AS entity,
    n.user_id AS entity_id,
    NULL::text AS group_id,
    n.user_id,
    state.dotted((d.leaf -> 'p'::text)) AS path,
    (d.leaf -> 'b'::text) AS before,
    (d.leaf -> 'a'::text) AS after,
    v.folded,
    v.by,
    v."position",
    (EXISTS ( SELECT
           FROM state.note_versions x
          WHERE ((x.account_id = v.account_id) AND (x.user_key = v.user_key) AND (x.folded > v.folded) AND (x."position" < v."position")))) AS late,
    v.user_key AS entity_key
   FROM ((state.note_versions v
     JOIN state.notes n ON (((n.account_id = v.account_id) AND (n.user_key = v.user_key))))
     CROSS JOIN LATERAL jsonb_array_elements(v.delta) d(leaf))
  WHERE (NOT (EXISTS ( SELECT
           FROM state.users u
          WHERE ((u.account_id = v.account_id) AND (u.user_key = v.user_key) AND u.known))));

CREATE VIEW state.all_changes AS
 SELECT c.account_id,
    c.entity,
    c.entity_key,
    c.entity_id,
    c.group_id,
    c.user_id,
    c.path,
    c.before,
    c.after,
    c.folded,
    c.by,
    c."position",
    c.late
   FROM state.value_changes c
UNION ALL
 SELECT c.account_id,
    'membership'::text AS entity,
    c.person_key AS entity_key,
    c.user_id AS entity_id,
    c.group_id,
    c.user_id,
    'member'::text AS path,
        CASE
            WHEN (NOT c.came) THEN 'true'::jsonb
            ELSE NULL::jsonb
        END AS before,
        CASE
            WHEN c.came THEN 'true'::jsonb
            ELSE NULL::jsonb
        END AS after,
    c.folded,
    c.by,
    c."position",
    (EXISTS ( SELECT
           FROM state.memberships_versions x
          WHERE ((x.account_id = c.account_id) AND (x.person_key = c.person_key) AND (x.group_id = c.group_id) AND (x.folded > c.folded) AND (x.last_position < c."position")))) AS late
   FROM state.memberships_changes c
UNION ALL
 SELECT c.account_id,
    'group_admin'::text AS entity,
    c.person_key AS entity_key,
    c.user_id AS entity_id,
    c.group_id,
    c.user_id,
    'member'::text AS path,
        CASE
            WHEN (NOT c.came) THEN 'true'::jsonb
            ELSE NULL::jsonb
        END AS before,
        CASE
            WHEN c.came THEN 'true'::jsonb
            ELSE NULL::jsonb
        END AS after,
    c.folded,
    c.by,
    c."position",
    (EXISTS ( SELECT
           FROM state.group_admins_versions x
          WHERE ((x.account_id = c.account_id) AND (x.person_key = c.person_key) AND (x.group_id = c.group_id) AND (x.folded > c.folded) AND (x.last_position < c."position")))) AS late
   FROM state.group_admins_changes c;

CREATE VIEW directory.changes AS
 SELECT account_id,
    entity,
    entity_id,
    group_id,
    user_id,
    path,
    before,
    after,
    state.time_of(folded) AS changed_at,
    by AS changed_by,
    ( SELECT replace(e.event, '.members_deleted'::text, '.member_deleted'::text) AS replace
           FROM log.events e
          WHERE (e."position" = c."position")) AS event,
    "position",
    ( SELECT e.source
           FROM log.events e
          WHERE (e."position" = c."position")) AS source,
    encode(folded, 'hex'::text) AS event_order
   FROM state.all_changes c;

COMMENT ON VIEW directory.changes IS 'What changed, when, by whom: one row a changed value. In event order the newest row of a path up to a moment says what it was then. Presence and sign-ins are not in it.';

COMMENT ON COLUMN directory.changes.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.changes.entity IS 'Kind of entity: user, group, membership, group_admin, user_settings, group_settings, group_locks, account_settings, account_locks or personal_note.';

COMMENT ON COLUMN directory.changes.entity_id IS 'User id, group id or account id; of a membership or an admin role, the user''s.';

COMMENT ON COLUMN directory.changes.group_id IS 'Zoom''s group id, where a group is concerned.';

COMMENT ON COLUMN directory.changes.user_id IS 'Zoom''s user id, where a user is concerned, spelled as in users; email:<lower-cased e-mail> for an entry without an id that nobody known had.';

COMMENT ON COLUMN directory.changes.path IS 'Dotted path of the value; status for the begin and end of a life, member for those of a membership or an admin role.';

COMMENT ON COLUMN directory.changes.before IS 'Value before; null where it was not there.';

COMMENT ON COLUMN directory.changes.after IS 'Value after; null where it is not there any more.';

COMMENT ON COLUMN directory.changes.changed_at IS 'Time of the event.';

COMMENT ON COLUMN directory.changes.changed_by IS 'E-mail of the operator of the event; null where it named none.';

COMMENT ON COLUMN directory.changes.event IS 'Name of the event.';

COMMENT ON COLUMN directory.changes."position" IS 'Position of the event in the log.';

COMMENT ON COLUMN directory.changes.source IS 'How the event came: webhook, import, quarantine, recovered; or a fact of our own, such as rest.';

COMMENT ON COLUMN directory.changes.event_order IS 'Sorts as events happened, also those of one millisecond: time, rank and digest, in hexadecimal.';

CREATE FUNCTION directory.changes_between(after bigint, up_to bigint) RETURNS SETOF directory.changes
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
BEGIN
    RETURN QUERY
    SELECT
        c.account_id, c.entity, c.entity_id, c.group_id, c.user_id, c.path, c.before, c.after,
        state.time_of(c.folded), c.by, e.event, c.position, e.source, encode(c.folded, 'hex')
    FROM state.changes_between(changes_between.after, up_to, false) c
    LEFT JOIN (
        SELECT e.position, replace(e.event, '.members_deleted', '.member_deleted') AS event, e.source
        FROM log.events e WHERE e.position > changes_between.after AND e.position <= up_to
    ) e ON e.position = c.position;
END
$$;

COMMENT ON FUNCTION directory.changes_between(after bigint, up_to bigint) IS 'The rows of changes of events at positions of the log above the first and up to the second; quick where changes, asked the same, is not.';

CREATE VIEW directory.corrections AS
 SELECT account_id,
    entity,
    entity_id,
    group_id,
    user_id,
    path,
    ( SELECT b.after
           FROM state.all_changes b
          WHERE ((b.account_id = c.account_id) AND (b.entity = c.entity) AND (b.entity_key = c.entity_key) AND (NOT (b.group_id IS DISTINCT FROM c.group_id)) AND (b.path = c.path) AND (b.folded < c.folded) AND (b."position" < c."position"))
          ORDER BY b.folded DESC
         LIMIT 1) AS believed,
    after,
    state.time_of(folded) AS changed_at,
    by AS changed_by,
    ( SELECT replace(e.event, '.members_deleted'::text, '.member_deleted'::text) AS replace
           FROM log.events e
          WHERE (e."position" = c."position")) AS event,
    "position" AS known_since,
    ( SELECT e.received_at
           FROM log.events e
          WHERE (e."position" = c."position")) AS received_at,
    ( SELECT e.source
           FROM log.events e
          WHERE (e."position" = c."position")) AS source
   FROM state.all_changes c
  WHERE late;

COMMENT ON VIEW directory.corrections IS 'Changes that arrived late, after later ones of the same entity had been folded: what was believed of that time before, and since when it is known better.';

COMMENT ON COLUMN directory.corrections.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.corrections.entity IS 'Kind of entity, as in changes.';

COMMENT ON COLUMN directory.corrections.entity_id IS 'User id, group id or account id, as in changes.';

COMMENT ON COLUMN directory.corrections.group_id IS 'Zoom''s group id, where a group is concerned.';

COMMENT ON COLUMN directory.corrections.user_id IS 'Zoom''s user id, where a user is concerned.';

COMMENT ON COLUMN directory.corrections.path IS 'Dotted path of the value, as in changes.';

COMMENT ON COLUMN directory.corrections.believed IS 'What the value was taken to be from that time on, before this arrived; null: not there.';

COMMENT ON COLUMN directory.corrections.after IS 'What it was from that time on; null: not there.';

COMMENT ON COLUMN directory.corrections.changed_at IS 'Time of the event.';

COMMENT ON COLUMN directory.corrections.changed_by IS 'E-mail of the operator of the event; null where it named none.';

COMMENT ON COLUMN directory.corrections.event IS 'Name of the event.';

COMMENT ON COLUMN directory.corrections.known_since IS 'Position in the log of the late event: since then it is known better.';

COMMENT ON COLUMN directory.corrections.received_at IS 'When the late event was received.';

COMMENT ON COLUMN directory.corrections.source IS 'How the late event came.';

CREATE FUNCTION directory.corrections_between(after bigint, up_to bigint) RETURNS SETOF directory.corrections
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
BEGIN
    RETURN QUERY
    SELECT
        c.account_id, c.entity, c.entity_id, c.group_id, c.user_id, c.path, b.after, c.after, state.time_of(c.folded),
        c.by, e.event, c.position, e.received_at, e.source
    FROM state.changes_between(corrections_between.after, up_to, true) c
    LEFT JOIN LATERAL (
        SELECT b.after FROM state.all_changes b
        WHERE b.account_id = c.account_id AND b.entity = c.entity AND b.entity_key = c.entity_key
          AND b.group_id IS NOT DISTINCT FROM c.group_id AND b.path = c.path
          AND b.folded < c.folded AND b.position < c.position
        ORDER BY b.folded DESC LIMIT 1
    ) b ON true
    LEFT JOIN LATERAL (
        SELECT replace(e.event, '.members_deleted', '.member_deleted') AS event, e.received_at, e.source
        FROM log.events e WHERE e.position = c.position OFFSET 0
    ) e ON true;
END
$$;

COMMENT ON FUNCTION directory.corrections_between(after bigint, up_to bigint) IS 'The rows of corrections that are known since positions of the log above the first and up to the second.';

CREATE FUNCTION state.signed_in_since(p_account text, p_user text, p_order bytea) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM state.sign_ins s
        WHERE s.account_id = p_account AND s.user_key = p_user AND s.signed_in_order > p_order);
END
$$;

CREATE FUNCTION state.signed_in_since_at(p_bound bytea, p_account text, p_user text, p_order bytea) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL RESTRICTED
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM (SELECT * FROM state.past_sign_ins WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) s
        WHERE s.account_id = p_account AND s.user_key = p_user AND s.signed_in_order > p_order);
END
$$;

CREATE VIEW state.past_users AS
 SELECT account_id,
    user_key,
    folded,
    until,
    last_position,
    user_id,
    status,
    pending_order,
    profile,
    custom_attributes,
    creation_type,
    created_ms,
    removed,
    removed_ms,
    cutoff,
    observed_created_ms,
    (profile ->> 'email'::text) AS email,
    (last_position > 0) AS known
   FROM state.user_versions v;

CREATE VIEW state.people AS
 SELECT account_id,
    user_key,
    user_id,
    NULLIF(email, ''::text) AS email,
        CASE
            WHEN ((status = 'pending'::text) AND state.signed_in_since(account_id, user_key, pending_order)) THEN 'active'::text
            ELSE status
        END AS status,
    folded,
    removed,
    COALESCE(cutoff, '\x'::bytea) AS cutoff,
    cutoff AS ended,
    lower(email) AS email_key
   FROM state.users u
  WHERE known;

CREATE FUNCTION state.people_at(p_bound bytea) RETURNS SETOF state.people
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT u.account_id,
     u.user_key,
     u.user_id,
     NULLIF(u.email, ''::text) AS email,
         CASE
             WHEN ((u.status = 'pending'::text) AND state.signed_in_since_at(people_at.p_bound, u.account_id, u.user_key, u.pending_order)) THEN 'active'::text
             ELSE u.status
         END AS status,
     u.folded,
     u.removed,
     COALESCE(u.cutoff, '\x'::bytea) AS cutoff,
     u.cutoff AS ended,
     lower(u.email) AS email_key
    FROM ( SELECT past_users.account_id,
             past_users.user_key,
             past_users.folded,
             past_users.until,
             past_users.last_position,
             past_users.user_id,
             past_users.status,
             past_users.pending_order,
             past_users.profile,
             past_users.custom_attributes,
             past_users.creation_type,
             past_users.created_ms,
             past_users.removed,
             past_users.removed_ms,
             past_users.cutoff,
             past_users.observed_created_ms,
             past_users.email,
             past_users.known
            FROM state.past_users
           WHERE ((past_users.folded < ( SELECT people_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT people_at.p_bound AS p_bound)))) u
   WHERE u.known;
END;

CREATE TABLE state.declared_models (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    model text,
    by text
);

CREATE TABLE state.declared_primary_groups (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    group_id text,
    by text
);

CREATE TABLE state.declared_rankings (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    groups jsonb,
    by text
);

CREATE VIEW directory.declarations AS
 SELECT d.account_id,
    'model'::text AS kind,
    NULL::text AS user_id,
    to_jsonb(d.model) AS value,
    state.time_of(d.folded) AS declared_at,
    d.by AS declared_by,
    state.time_of(d.folded) AS last_event_at,
    d.last_position
   FROM state.declared_models d
  WHERE (d.model IS NOT NULL)
UNION ALL
 SELECT d.account_id,
    'ranking'::text AS kind,
    NULL::text AS user_id,
    d.groups AS value,
    state.time_of(d.folded) AS declared_at,
    d.by AS declared_by,
    state.time_of(d.folded) AS last_event_at,
    d.last_position
   FROM state.declared_rankings d
  WHERE (d.groups IS NOT NULL)
UNION ALL
 SELECT d.account_id,
    'primary_group'::text AS kind,
    COALESCE(u.user_id, d.user_id) AS user_id,
    to_jsonb(d.group_id) AS value,
    state.time_of(d.folded) AS declared_at,
    d.by AS declared_by,
    state.time_of(d.folded) AS last_event_at,
    d.last_position
   FROM (state.declared_primary_groups d
     LEFT JOIN state.people u ON (((u.account_id = d.account_id) AND (u.user_key = d.user_key))))
  WHERE (d.group_id IS NOT NULL);

COMMENT ON VIEW directory.declarations IS 'What an operator declared with `projector declare`, because neither events nor Zoom''s REST API tell it. The newest declaration counts; what was taken back is not here.';

COMMENT ON COLUMN directory.declarations.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.declarations.kind IS 'model: which model of settings the account uses; ranking: the ranking of its groups; primary_group: the primary group of a user.';

COMMENT ON COLUMN directory.declarations.user_id IS 'Zoom''s user id, spelled as in users where the user is known there; null but for primary_group.';

COMMENT ON COLUMN directory.declarations.value IS 'Of a model legacy or priority; of a ranking an array of group ids, the highest first; of a primary_group a group id.';

COMMENT ON COLUMN directory.declarations.declared_at IS 'From when it holds: event time of the declaration.';

COMMENT ON COLUMN directory.declarations.declared_by IS 'Who declared it.';

COMMENT ON COLUMN directory.declarations.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.declarations.last_position IS 'Position in the log of that event.';

CREATE TABLE state.declared_model_versions (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    last_position bigint NOT NULL,
    model text,
    by text,
    CONSTRAINT declared_model_versions_check CHECK ((folded < until))
);

CREATE TABLE state.declared_primary_group_versions (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    group_id text,
    by text,
    CONSTRAINT declared_primary_group_versions_check CHECK ((folded < until))
);

CREATE TABLE state.declared_ranking_versions (
    account_id text NOT NULL,
    folded bytea NOT NULL,
    until bytea NOT NULL,
    last_position bigint NOT NULL,
    groups jsonb,
    by text,
    CONSTRAINT declared_ranking_versions_check CHECK ((folded < until))
);

CREATE VIEW state.past_declared_models AS
 SELECT account_id,
    folded,
    until,
    last_position,
    model,
    by
   FROM state.declared_model_versions v;

CREATE VIEW state.past_declared_primary_groups AS
 SELECT account_id,
    user_key,
    folded,
    until,
    last_position,
    user_id,
    group_id,
    by
   FROM state.declared_primary_group_versions v;

CREATE VIEW state.past_declared_rankings AS
 SELECT account_id,
    folded,
    until,
    last_position,
    groups,
    by
   FROM state.declared_ranking_versions v;

CREATE FUNCTION state.declarations_at(p_bound bytea) RETURNS SETOF directory.declarations
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT d.account_id,
     'model'::text AS kind,
     NULL::text AS user_id,
     to_jsonb(d.model) AS value,
     state.time_of(d.folded) AS declared_at,
     d.by AS declared_by,
     state.time_of(d.folded) AS last_event_at,
     d.last_position
    FROM ( SELECT past_declared_models.account_id,
             past_declared_models.folded,
             past_declared_models.until,
             past_declared_models.last_position,
             past_declared_models.model,
             past_declared_models.by
            FROM state.past_declared_models
           WHERE ((past_declared_models.folded < ( SELECT declarations_at.p_bound AS p_bound)) AND (past_declared_models.until >= ( SELECT declarations_at.p_bound AS p_bound)))) d
   WHERE (d.model IS NOT NULL)
 UNION ALL
  SELECT d.account_id,
     'ranking'::text,
     NULL::text,
     d.groups,
     state.time_of(d.folded) AS time_of,
     d.by,
     state.time_of(d.folded) AS time_of,
     d.last_position
    FROM ( SELECT past_declared_rankings.account_id,
             past_declared_rankings.folded,
             past_declared_rankings.until,
             past_declared_rankings.last_position,
             past_declared_rankings.groups,
             past_declared_rankings.by
            FROM state.past_declared_rankings
           WHERE ((past_declared_rankings.folded < ( SELECT declarations_at.p_bound AS p_bound)) AND (past_declared_rankings.until >= ( SELECT declarations_at.p_bound AS p_bound)))) d
   WHERE (d.groups IS NOT NULL)
 UNION ALL
  SELECT d.account_id,
     'primary_group'::text,
     COALESCE(u.user_id, d.user_id) AS "coalesce",
     to_jsonb(d.group_id) AS to_jsonb,
     state.time_of(d.folded) AS time_of,
     d.by,
     state.time_of(d.folded) AS time_of,
     d.last_position
    FROM (( SELECT past_declared_primary_groups.account_id,
             past_declared_primary_groups.user_key,
             past_declared_primary_groups.folded,
             past_declared_primary_groups.until,
             past_declared_primary_groups.last_position,
             past_declared_primary_groups.user_id,
             past_declared_primary_groups.group_id,
             past_declared_primary_groups.by
            FROM state.past_declared_primary_groups
           WHERE ((past_declared_primary_groups.folded < ( SELECT declarations_at.p_bound AS p_bound)) AND (past_declared_primary_groups.until >= ( SELECT declarations_at.p_bound AS p_bound)))) d
      LEFT JOIN state.people_at(declarations_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key) ON (((u.account_id = d.account_id) AND (u.user_key = d.user_key))))
   WHERE (d.group_id IS NOT NULL);
END;

CREATE FUNCTION directory.declarations_at(t timestamp with time zone) RETURNS SETOF directory.declarations
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT declarations_at.account_id,
     declarations_at.kind,
     declarations_at.user_id,
     declarations_at.value,
     declarations_at.declared_at,
     declarations_at.declared_by,
     declarations_at.last_event_at,
     declarations_at.last_position
    FROM state.declarations_at(state.bound(declarations_at.t)) declarations_at(account_id, kind, user_id, value, declared_at, declared_by, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.declarations_at(t timestamp with time zone) IS 'What the view declarations would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE FUNCTION directory.drift_page(after_key text, after_account text, after_entity text, after_path text, after_position bigint, most integer) RETURNS TABLE(account_id text, entity text, entity_id text, path text, known jsonb, reported jsonb, event_at timestamp with time zone, "position" bigint, entity_key text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
#variable_conflict use_column
DECLARE
    v_key text := after_key;
    v_account text := after_account;
    v_left int := most;
    v_chunk int := greatest(most, 1) + 1;
    v_shown int;
    v_keys jsonb;
    v_last jsonb;
BEGIN
    WHILE v_left > 0 LOOP
        v_keys := coalesce((
            SELECT jsonb_agg(jsonb_build_array(c.entity_key, c.account_id) ORDER BY c.entity_key, c.account_id)
            FROM (
                SELECT DISTINCT c.entity_key, c.account_id FROM (
                (SELECT x.user_key AS entity_key, x.account_id FROM state.users x
                 WHERE x.drift <> '[]' AND (x.user_key, x.account_id) >= (v_key, v_account)
                 ORDER BY x.user_key, x.account_id LIMIT v_chunk)
                UNION ALL
                (SELECT x.group_id AS entity_key, x.account_id FROM state.groups x
                 WHERE x.drift <> '[]' AND (x.group_id, x.account_id) >= (v_key, v_account)
                 ORDER BY x.group_id, x.account_id LIMIT v_chunk)
                UNION ALL
                (SELECT x.user_key AS entity_key, x.account_id FROM state.user_settings x
                 WHERE x.drift <> '[]' AND (x.user_key, x.account_id) >= (v_key, v_account)
                 ORDER BY x.user_key, x.account_id LIMIT v_chunk)
                UNION ALL
                (SELECT x.group_id AS entity_key, x.account_id FROM state.group_settings x
                 WHERE x.drift <> '[]' AND (x.group_id, x.account_id) >= (v_key, v_account)
                 ORDER BY x.group_id, x.account_id LIMIT v_chunk)
                UNION ALL
                (SELECT x.user_key AS entity_key, x.account_id FROM state.notes x
                 WHERE x.drift <> '[]' AND (x.user_key, x.account_id) >= (v_key, v_account)
                 ORDER BY x.user_key, x.account_id LIMIT v_chunk)
                ) c
                ORDER BY c.entity_key, c.account_id LIMIT v_chunk
            ) c
        ), '[]');
        RETURN QUERY
        SELECT d.account_id, d.entity, d.entity_id, d.path, d.known, d.reported, state.at(d.event_ms), d.position,
            d.entity_key
        FROM jsonb_array_elements(v_keys) AS c (value)
        CROSS JOIN LATERAL (
            SELECT * FROM state.judged_drift d
            WHERE d.entity_key = c.value ->> 0 AND d.account_id = c.value ->> 1 AND d.acknowledged IS NULL OFFSET 0
        ) d
        WHERE (v_last IS NULL OR c.value <> v_last)
          AND (d.entity_key, d.account_id, d.entity, d.path, d.position)
            > (after_key, after_account, after_entity, after_path, after_position)
        ORDER BY d.entity_key, d.account_id, d.entity, d.path, d.position LIMIT v_left;
        GET DIAGNOSTICS v_shown = ROW_COUNT;
        EXIT WHEN jsonb_array_length(v_keys) < v_chunk;
        v_left := v_left - v_shown;
        -- What the last entity has was shown: it comes first in the next stretch, and is left out there.
        v_last := v_keys -> (v_chunk - 1);
        v_key := v_last ->> 0;
        v_account := v_last ->> 1;
    END LOOP;
END
$$;

COMMENT ON FUNCTION directory.drift_page(after_key text, after_account text, after_entity text, after_path text, after_position bigint, most integer) IS 'Rows of drift, at most so many, with entity_key, the id in lower case where it is a user''s: in the order of entity_key, account_id, entity, path, position, from the first after these. '''', '''', '''', '''' and 0 is the beginning.';

CREATE FUNCTION state.compared_as(p_value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE((p_value #>> '{}'::text[]), ''::text);

CREATE FUNCTION state.user_settings_then(p_account text, p_key text, p_folded bytea) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 1000 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_document jsonb;
    v_last bytea;
    v_delta jsonb;
BEGIN
    SELECT
        v.settings,
        v.folded
    INTO v_document, v_last
    FROM state.user_settings_versions v
    WHERE v.account_id = p_account AND v.folded >= p_folded AND v.settings IS NOT NULL
      AND v.user_key = p_key
    ORDER BY v.folded LIMIT 1;
    IF v_last IS NULL THEN
        SELECT
            s.settings
        INTO v_document
        FROM state.user_settings s
        WHERE s.account_id = p_account
          AND s.user_key = p_key
        ;
        v_last := '\xff';
    END IF;
    FOR v_delta IN
        SELECT
            v.delta
        FROM state.user_settings_versions v
        WHERE v.account_id = p_account AND v.folded > p_folded AND v.folded <= v_last
          AND v.user_key = p_key
        ORDER BY v.folded DESC
    LOOP
        v_document := state.before_change(v_document, v_delta);
    END LOOP;
    RETURN v_document;
END
$$;

CREATE VIEW state.documents_of_users AS
 SELECT u.account_id,
    u.user_id,
    u.user_key,
    NULLIF((u.profile ->> 'primary_group_id'::text), ''::text) AS primary_told,
    (s.settings || '{}'::jsonb) AS settings,
    generate_series(1, 1) AS fence
   FROM (state.users u
     LEFT JOIN state.user_settings s ON (((s.account_id = u.account_id) AND (s.user_key = u.user_key) AND (NOT s.removed))))
  WHERE (u.known AND (NOT u.removed));

CREATE VIEW state.past_user_settings AS
 SELECT v.account_id,
    v.user_key,
    v.user_id,
    v.folded,
    v.until,
    v.last_position,
        CASE
            WHEN (v.until = '\xff'::bytea) THEN s.settings
            ELSE state.user_settings_then(v.account_id, v.user_key, v.folded)
        END AS settings,
    v.changed_by,
    v.removed,
        CASE
            WHEN (v.changed_order = '\x'::bytea) THEN v.folded
            ELSE v.changed_order
        END AS changed_order
   FROM (state.user_settings_versions v
     LEFT JOIN state.user_settings s ON (((s.account_id = v.account_id) AND (s.user_key = v.user_key))));

CREATE FUNCTION state.documents_of_users_at(p_bound bytea) RETURNS SETOF state.documents_of_users
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT u.account_id,
     u.user_id,
     u.user_key,
     NULLIF((u.profile ->> 'primary_group_id'::text), ''::text) AS primary_told,
     (s.settings || '{}'::jsonb) AS settings,
     generate_series(1, 1) AS fence
    FROM (( SELECT past_users.account_id,
             past_users.user_key,
             past_users.folded,
             past_users.until,
             past_users.last_position,
             past_users.user_id,
             past_users.status,
             past_users.pending_order,
             past_users.profile,
             past_users.custom_attributes,
             past_users.creation_type,
             past_users.created_ms,
             past_users.removed,
             past_users.removed_ms,
             past_users.cutoff,
             past_users.observed_created_ms,
             past_users.email,
             past_users.known
            FROM state.past_users
           WHERE ((past_users.folded < ( SELECT documents_of_users_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT documents_of_users_at.p_bound AS p_bound)))) u
      LEFT JOIN ( SELECT past_user_settings.account_id,
             past_user_settings.user_key,
             past_user_settings.user_id,
             past_user_settings.folded,
             past_user_settings.until,
             past_user_settings.last_position,
             past_user_settings.settings,
             past_user_settings.changed_by,
             past_user_settings.removed,
             past_user_settings.changed_order
            FROM state.past_user_settings
           WHERE ((past_user_settings.folded < ( SELECT documents_of_users_at.p_bound AS p_bound)) AND (past_user_settings.until >= ( SELECT documents_of_users_at.p_bound AS p_bound)))) s ON (((s.account_id = u.account_id) AND (s.user_key = u.user_key) AND (NOT s.removed))))
   WHERE (u.known AND (NOT u.removed));
END;

CREATE FUNCTION state.flags_over(place text[], flag text[], flag_2 text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT array_agg(array_to_string(place[1:n], '.') ORDER BY n)
        || CASE WHEN flag IS NOT NULL THEN ARRAY[array_to_string(flag, '.')] END
        || CASE WHEN flag_2 IS NOT NULL THEN ARRAY[array_to_string(flag_2, '.')] END
    FROM generate_series(1, cardinality(place)) n
$$;

CREATE FUNCTION state.group_settings_then(p_account text, p_key text, p_folded bytea, p_locks boolean) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 1000 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_document jsonb;
    v_last bytea;
    v_delta jsonb;
BEGIN
    SELECT
        CASE WHEN p_locks THEN v.locks ELSE v.settings END,
        v.folded
    INTO v_document, v_last
    FROM state.group_settings_versions v
    WHERE v.account_id = p_account AND v.folded >= p_folded AND v.settings IS NOT NULL
      AND v.group_id = p_key
    ORDER BY v.folded LIMIT 1;
    IF v_last IS NULL THEN
        SELECT
            CASE WHEN p_locks THEN s.locks ELSE s.settings END
        INTO v_document
        FROM state.group_settings s
        WHERE s.account_id = p_account
          AND s.group_id = p_key
        ;
        v_last := '\xff';
    END IF;
    FOR v_delta IN
        SELECT
            CASE WHEN p_locks THEN v.locks_delta ELSE v.delta END
        FROM state.group_settings_versions v
        WHERE v.account_id = p_account AND v.folded > p_folded AND v.folded <= v_last
          AND v.group_id = p_key
        ORDER BY v.folded DESC
    LOOP
        v_document := state.before_change(v_document, v_delta);
    END LOOP;
    RETURN v_document;
END
$$;

CREATE FUNCTION state.memberships_decides(p_account text, p_group text, p_key text, p_folded bytea) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_person text := state.memberships_meaning(p_account, p_group, p_key, p_folded);
    v_cutoff bytea;
    v_own_email text;
    v_listed record;
    v_mark bytea;
BEGIN
    IF v_person IS NULL OR v_person = p_key THEN
        RETURN v_person;
    END IF;
    -- What was told before the newest whole set of the person's groups counts no more.
    SELECT o.mark INTO v_mark
    FROM state.observed_groups o WHERE o.account_id = p_account AND o.person_key = v_person;
    IF p_folded < v_mark THEN
        RETURN NULL;
    END IF;
    SELECT u.cutoff, u.email INTO v_cutoff, v_own_email
    FROM state.users u WHERE u.account_id = p_account AND u.user_key = v_person;
    SELECT m.folded, m.email INTO v_listed
    FROM state.memberships m
    WHERE m.account_id = p_account AND m.group_id = p_group AND m.person_key = v_person;
    IF v_listed.folded >= p_folded AND v_listed.folded > coalesce(v_cutoff, '') THEN
        RETURN NULL;
    END IF;
    -- No other e-mails than these two can mean the same person.
    IF EXISTS (
        SELECT FROM state.memberships e
        WHERE e.account_id = p_account AND e.group_id = p_group AND e.user_id IS NULL
          AND e.person_key IN ('email:' || lower(v_listed.email), 'email:' || lower(v_own_email))
          AND (e.folded, e.person_key) > (p_folded, p_key)
          AND state.memberships_meaning(p_account, p_group, e.person_key, e.folded) = v_person)
    THEN
        RETURN NULL;
    END IF;
    RETURN v_person;
END
$$;

CREATE FUNCTION state.memberships_decides_at(p_bound bytea, p_account text, p_group text, p_key text, p_folded bytea) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_person text := state.memberships_meaning_at(p_bound, p_account, p_group, p_key, p_folded);
    v_cutoff bytea;
    v_own_email text;
    v_listed record;
    v_mark bytea;
BEGIN
    IF v_person IS NULL OR v_person = p_key THEN
        RETURN v_person;
    END IF;
    -- What was told before the newest whole set of the person's groups counts no more.
    SELECT o.mark INTO v_mark
    FROM (SELECT * FROM state.past_observed_groups WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) o WHERE o.account_id = p_account AND o.person_key = v_person;
    IF p_folded < v_mark THEN
        RETURN NULL;
    END IF;
    SELECT u.cutoff, u.email INTO v_cutoff, v_own_email
    FROM (SELECT * FROM state.past_users WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) u WHERE u.account_id = p_account AND u.user_key = v_person;
    SELECT m.folded, m.email INTO v_listed
    FROM (SELECT * FROM state.past_memberships WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) m
    WHERE m.account_id = p_account AND m.group_id = p_group AND m.person_key = v_person;
    IF v_listed.folded >= p_folded AND v_listed.folded > coalesce(v_cutoff, '') THEN
        RETURN NULL;
    END IF;
    -- No other e-mails than these two can mean the same person.
    IF EXISTS (
        SELECT FROM (SELECT * FROM state.past_memberships WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) e
        WHERE e.account_id = p_account AND e.group_id = p_group AND e.user_id IS NULL
          AND e.person_key IN ('email:' || lower(v_listed.email), 'email:' || lower(v_own_email))
          AND (e.folded, e.person_key) > (p_folded, p_key)
          AND state.memberships_meaning_at(p_bound, p_account, p_group, e.person_key, e.folded) = v_person)
    THEN
        RETURN NULL;
    END IF;
    RETURN v_person;
END
$$;

CREATE TABLE state.group_settings (
    account_id text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    settings jsonb NOT NULL,
    locks jsonb NOT NULL,
    changed_order bytea,
    changed_by text,
    removed boolean NOT NULL,
    drift jsonb NOT NULL,
    flags_set jsonb GENERATED ALWAYS AS (state.flags_of(locks, true)) STORED NOT NULL,
    flags_open jsonb GENERATED ALWAYS AS (state.flags_of(locks, false)) STORED NOT NULL
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.group_settings ALTER COLUMN settings SET STATISTICS 0;
ALTER TABLE ONLY state.group_settings ALTER COLUMN locks SET STATISTICS 0;
ALTER TABLE ONLY state.group_settings ALTER COLUMN flags_set SET STATISTICS 0;
ALTER TABLE ONLY state.group_settings ALTER COLUMN flags_open SET STATISTICS 0;

CREATE TABLE state.memberships (
    account_id text NOT NULL,
    person_key text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text,
    email text,
    email_order bytea NOT NULL,
    added boolean NOT NULL,
    by text,
    told bytea NOT NULL,
    told_added boolean NOT NULL,
    absent bytea NOT NULL,
    in_set boolean NOT NULL,
    happened_at timestamp with time zone GENERATED ALWAYS AS (state.time_of(folded)) STORED,
    told_at timestamp with time zone GENERATED ALWAYS AS (
CASE
    WHEN told_added THEN state.time_of(told)
    ELSE NULL::timestamp with time zone
END) STORED
)
WITH (fillfactor='85');

CREATE TABLE state.observed_groups (
    account_id text NOT NULL,
    person_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    mark bytea NOT NULL,
    groups jsonb NOT NULL,
    lacked jsonb NOT NULL,
    dropped jsonb NOT NULL
)
WITH (fillfactor='85');
ALTER TABLE ONLY state.observed_groups ALTER COLUMN groups SET STATISTICS 0;
ALTER TABLE ONLY state.observed_groups ALTER COLUMN lacked SET STATISTICS 0;
ALTER TABLE ONLY state.observed_groups ALTER COLUMN dropped SET STATISTICS 0;

CREATE VIEW state.groups_of_users AS
 SELECT m.account_id,
    u.user_id,
    m.person_key AS user_key,
    m.group_id,
    (u.profile ->> 'primary_group_id'::text) AS primary_group,
    (EXISTS ( SELECT
           FROM state.group_settings s
          WHERE ((s.group_id = m.group_id) AND (s.account_id = m.account_id) AND (NOT s.removed)))) AS told
   FROM (((state.memberships m
     JOIN state.users u ON (((u.account_id = m.account_id) AND (u.user_key = m.person_key))))
     LEFT JOIN state.groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
     LEFT JOIN state.observed_groups o ON (((o.account_id = m.account_id) AND (o.person_key = m.person_key))))
  WHERE (m.added AND (m.user_id IS NOT NULL) AND u.known AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND ((u.cutoff IS NULL) OR (m.folded > u.cutoff)) AND ((g.cutoff IS NULL) OR (m.folded > g.cutoff)) AND ((o.mark IS NULL) OR (m.folded >= o.mark)) AND (NOT (EXISTS ( SELECT
           FROM state.memberships e
          WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                CASE e.person_key
                    WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
                    ELSE NULL::text
                END = m.person_key))))) AND (NOT (EXISTS ( SELECT
           FROM state.memberships e
          WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(u.email))) AND (e.folded > m.folded) AND (
                CASE e.person_key
                    WHEN ('email:'::text || lower(u.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
                    ELSE NULL::text
                END = m.person_key))))))
UNION ALL
 SELECT e.account_id,
    u.user_id,
    u.user_key,
    e.group_id,
    (u.profile ->> 'primary_group_id'::text) AS primary_group,
    (EXISTS ( SELECT
           FROM state.group_settings s
          WHERE ((s.group_id = e.group_id) AND (s.account_id = e.account_id) AND (NOT s.removed)))) AS told
   FROM ((state.users u
     JOIN state.memberships e ON (((e.account_id = u.account_id) AND (e.person_key = ('email:'::text || lower(u.email))) AND (e.user_id IS NULL) AND (lower(u.email) = SUBSTRING(e.person_key FROM 7)))))
     LEFT JOIN state.groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND u.known AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (u.email <> ''::text) AND (
        CASE e.person_key
            WHEN ('email:'::text || lower(u.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
            ELSE NULL::text
        END = u.user_key))
UNION ALL
 SELECT e.account_id,
    u.user_id,
    u.user_key,
    e.group_id,
    (u.profile ->> 'primary_group_id'::text) AS primary_group,
    (EXISTS ( SELECT
           FROM state.group_settings s
          WHERE ((s.group_id = e.group_id) AND (s.account_id = e.account_id) AND (NOT s.removed)))) AS told
   FROM (((state.users u
     JOIN state.memberships m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key) AND (m.user_id IS NOT NULL))))
     JOIN state.memberships e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))))))
     LEFT JOIN state.groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND u.known AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (lower(NULLIF(u.email, ''::text)) IS DISTINCT FROM lower(m.email)) AND (
        CASE e.person_key
            WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
            ELSE NULL::text
        END = m.person_key));

CREATE VIEW state.past_group_settings AS
 SELECT v.account_id,
    v.group_id,
    v.folded,
    v.until,
    v.last_position,
        CASE
            WHEN (v.until = '\xff'::bytea) THEN s.settings
            ELSE state.group_settings_then(v.account_id, v.group_id, v.folded, false)
        END AS settings,
        CASE
            WHEN (v.until = '\xff'::bytea) THEN s.locks
            ELSE state.group_settings_then(v.account_id, v.group_id, v.folded, true)
        END AS locks,
    v.changed_by,
    v.removed,
        CASE
            WHEN (v.changed_order = '\x'::bytea) THEN v.folded
            ELSE v.changed_order
        END AS changed_order,
        CASE
            WHEN (v.until = '\xff'::bytea) THEN s.flags_set
            ELSE state.flags_of(state.group_settings_then(v.account_id, v.group_id, v.folded, true), true)
        END AS flags_set,
        CASE
            WHEN (v.until = '\xff'::bytea) THEN s.flags_open
            ELSE state.flags_of(state.group_settings_then(v.account_id, v.group_id, v.folded, true), false)
        END AS flags_open
   FROM (state.group_settings_versions v
     LEFT JOIN state.group_settings s ON (((s.account_id = v.account_id) AND (s.group_id = v.group_id))));

CREATE VIEW state.past_memberships AS
 SELECT account_id,
    person_key,
    group_id,
    folded,
    until,
    last_position,
    user_id,
    email,
    COALESCE(email_order, folded) AS email_order,
    added,
    by,
    COALESCE(told, folded) AS told,
    told_added,
    absent,
    in_set,
    state.time_of(folded) AS happened_at,
        CASE
            WHEN told_added THEN state.time_of(COALESCE(told, folded))
            ELSE NULL::timestamp with time zone
        END AS told_at
   FROM state.memberships_versions v;

CREATE VIEW state.past_observed_groups AS
 SELECT account_id,
    person_key,
    folded,
    until,
    mark,
    groups,
    lacked,
    dropped
   FROM state.observed_group_versions v;

CREATE FUNCTION state.groups_of_users_at(p_bound bytea) RETURNS SETOF state.groups_of_users
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT m.account_id,
     u.user_id,
     m.person_key AS user_key,
     m.group_id,
     (u.profile ->> 'primary_group_id'::text) AS primary_group,
     (EXISTS ( SELECT
            FROM ( SELECT past_group_settings.account_id,
                     past_group_settings.group_id,
                     past_group_settings.folded,
                     past_group_settings.until,
                     past_group_settings.last_position,
                     past_group_settings.settings,
                     past_group_settings.locks,
                     past_group_settings.changed_by,
                     past_group_settings.removed,
                     past_group_settings.changed_order,
                     past_group_settings.flags_set,
                     past_group_settings.flags_open
                    FROM state.past_group_settings
                   WHERE ((past_group_settings.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_group_settings.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) s
           WHERE ((s.group_id = m.group_id) AND (s.account_id = m.account_id) AND (NOT s.removed)))) AS told
    FROM (((( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) m
      JOIN ( SELECT past_users.account_id,
             past_users.user_key,
             past_users.folded,
             past_users.until,
             past_users.last_position,
             past_users.user_id,
             past_users.status,
             past_users.pending_order,
             past_users.profile,
             past_users.custom_attributes,
             past_users.creation_type,
             past_users.created_ms,
             past_users.removed,
             past_users.removed_ms,
             past_users.cutoff,
             past_users.observed_created_ms,
             past_users.email,
             past_users.known
            FROM state.past_users
           WHERE ((past_users.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) u ON (((u.account_id = m.account_id) AND (u.user_key = m.person_key))))
      LEFT JOIN ( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
      LEFT JOIN ( SELECT past_observed_groups.account_id,
             past_observed_groups.person_key,
             past_observed_groups.folded,
             past_observed_groups.until,
             past_observed_groups.mark,
             past_observed_groups.groups,
             past_observed_groups.lacked,
             past_observed_groups.dropped
            FROM state.past_observed_groups
           WHERE ((past_observed_groups.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_observed_groups.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) o ON (((o.account_id = m.account_id) AND (o.person_key = m.person_key))))
   WHERE (m.added AND (m.user_id IS NOT NULL) AND u.known AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND ((u.cutoff IS NULL) OR (m.folded > u.cutoff)) AND ((g.cutoff IS NULL) OR (m.folded > g.cutoff)) AND ((o.mark IS NULL) OR (m.folded >= o.mark)) AND (NOT (EXISTS ( SELECT
            FROM ( SELECT past_memberships.account_id,
                     past_memberships.person_key,
                     past_memberships.group_id,
                     past_memberships.folded,
                     past_memberships.until,
                     past_memberships.last_position,
                     past_memberships.user_id,
                     past_memberships.email,
                     past_memberships.email_order,
                     past_memberships.added,
                     past_memberships.by,
                     past_memberships.told,
                     past_memberships.told_added,
                     past_memberships.absent,
                     past_memberships.in_set,
                     past_memberships.happened_at,
                     past_memberships.told_at
                    FROM state.past_memberships
                   WHERE ((past_memberships.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) e
           WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                 CASE e.person_key
                     WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides_at(groups_of_users_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
                     ELSE NULL::text
                 END = m.person_key))))) AND (NOT (EXISTS ( SELECT
            FROM ( SELECT past_memberships.account_id,
                     past_memberships.person_key,
                     past_memberships.group_id,
                     past_memberships.folded,
                     past_memberships.until,
                     past_memberships.last_position,
                     past_memberships.user_id,
                     past_memberships.email,
                     past_memberships.email_order,
                     past_memberships.added,
                     past_memberships.by,
                     past_memberships.told,
                     past_memberships.told_added,
                     past_memberships.absent,
                     past_memberships.in_set,
                     past_memberships.happened_at,
                     past_memberships.told_at
                    FROM state.past_memberships
                   WHERE ((past_memberships.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) e
           WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(u.email))) AND (e.folded > m.folded) AND (
                 CASE e.person_key
                     WHEN ('email:'::text || lower(u.email)) THEN state.memberships_decides_at(groups_of_users_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
                     ELSE NULL::text
                 END = m.person_key))))))
 UNION ALL
  SELECT e.account_id,
     u.user_id,
     u.user_key,
     e.group_id,
     (u.profile ->> 'primary_group_id'::text),
     (EXISTS ( SELECT
            FROM ( SELECT past_group_settings.account_id,
                     past_group_settings.group_id,
                     past_group_settings.folded,
                     past_group_settings.until,
                     past_group_settings.last_position,
                     past_group_settings.settings,
                     past_group_settings.locks,
                     past_group_settings.changed_by,
                     past_group_settings.removed,
                     past_group_settings.changed_order,
                     past_group_settings.flags_set,
                     past_group_settings.flags_open
                    FROM state.past_group_settings
                   WHERE ((past_group_settings.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_group_settings.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) s
           WHERE ((s.group_id = e.group_id) AND (s.account_id = e.account_id) AND (NOT s.removed)))) AS "exists"
    FROM ((( SELECT past_users.account_id,
             past_users.user_key,
             past_users.folded,
             past_users.until,
             past_users.last_position,
             past_users.user_id,
             past_users.status,
             past_users.pending_order,
             past_users.profile,
             past_users.custom_attributes,
             past_users.creation_type,
             past_users.created_ms,
             past_users.removed,
             past_users.removed_ms,
             past_users.cutoff,
             past_users.observed_created_ms,
             past_users.email,
             past_users.known
            FROM state.past_users
           WHERE ((past_users.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) u
      JOIN ( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) e ON (((e.account_id = u.account_id) AND (e.person_key = ('email:'::text || lower(u.email))) AND (e.user_id IS NULL) AND (lower(u.email) = SUBSTRING(e.person_key FROM 7)))))
      LEFT JOIN ( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND u.known AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (u.email <> ''::text) AND (
         CASE e.person_key
             WHEN ('email:'::text || lower(u.email)) THEN state.memberships_decides_at(groups_of_users_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
             ELSE NULL::text
         END = u.user_key))
 UNION ALL
  SELECT e.account_id,
     u.user_id,
     u.user_key,
     e.group_id,
     (u.profile ->> 'primary_group_id'::text),
     (EXISTS ( SELECT
            FROM ( SELECT past_group_settings.account_id,
                     past_group_settings.group_id,
                     past_group_settings.folded,
                     past_group_settings.until,
                     past_group_settings.last_position,
                     past_group_settings.settings,
                     past_group_settings.locks,
                     past_group_settings.changed_by,
                     past_group_settings.removed,
                     past_group_settings.changed_order,
                     past_group_settings.flags_set,
                     past_group_settings.flags_open
                    FROM state.past_group_settings
                   WHERE ((past_group_settings.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_group_settings.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) s
           WHERE ((s.group_id = e.group_id) AND (s.account_id = e.account_id) AND (NOT s.removed)))) AS "exists"
    FROM (((( SELECT past_users.account_id,
             past_users.user_key,
             past_users.folded,
             past_users.until,
             past_users.last_position,
             past_users.user_id,
             past_users.status,
             past_users.pending_order,
             past_users.profile,
             past_users.custom_attributes,
             past_users.creation_type,
             past_users.created_ms,
             past_users.removed,
             past_users.removed_ms,
             past_users.cutoff,
             past_users.observed_created_ms,
             past_users.email,
             past_users.known
            FROM state.past_users
           WHERE ((past_users.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) u
      JOIN ( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key) AND (m.user_id IS NOT NULL))))
      JOIN ( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))))))
      LEFT JOIN ( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT groups_of_users_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT groups_of_users_at.p_bound AS p_bound)))) g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND u.known AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (lower(NULLIF(u.email, ''::text)) IS DISTINCT FROM lower(m.email)) AND (
         CASE e.person_key
             WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides_at(groups_of_users_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
             ELSE NULL::text
         END = m.person_key));
END;

CREATE VIEW state.ranked_groups_of_users AS
 SELECT i.account_id,
    i.user_id,
    i.group_id,
    i.told,
    r.rank,
    (i.group_id = COALESCE(NULLIF(i.primary_group, ''::text), p.group_id)) AS is_primary
   FROM ((state.groups_of_users i
     LEFT JOIN ( SELECT d.account_id,
            g.group_id,
            min(g.rank) AS rank
           FROM (state.declared_rankings d
             CROSS JOIN LATERAL jsonb_array_elements_text(d.groups) WITH ORDINALITY g(group_id, rank))
          GROUP BY d.account_id, g.group_id) r ON (((r.account_id = i.account_id) AND (r.group_id = i.group_id))))
     LEFT JOIN state.declared_primary_groups p ON (((p.account_id = i.account_id) AND (p.user_key = i.user_key))));

CREATE FUNCTION state.ranked_groups_of_users_at(p_bound bytea) RETURNS SETOF state.ranked_groups_of_users
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT i.account_id,
     i.user_id,
     i.group_id,
     i.told,
     r.rank,
     (i.group_id = COALESCE(NULLIF(i.primary_group, ''::text), p.group_id)) AS is_primary
    FROM ((state.groups_of_users_at(ranked_groups_of_users_at.p_bound) i(account_id, user_id, user_key, group_id, primary_group, told)
      LEFT JOIN ( SELECT d.account_id,
             g.group_id,
             min(g.rank) AS rank
            FROM (( SELECT past_declared_rankings.account_id,
                     past_declared_rankings.folded,
                     past_declared_rankings.until,
                     past_declared_rankings.last_position,
                     past_declared_rankings.groups,
                     past_declared_rankings.by
                    FROM state.past_declared_rankings
                   WHERE ((past_declared_rankings.folded < ( SELECT ranked_groups_of_users_at.p_bound AS p_bound)) AND (past_declared_rankings.until >= ( SELECT ranked_groups_of_users_at.p_bound AS p_bound)))) d
              CROSS JOIN LATERAL jsonb_array_elements_text(d.groups) WITH ORDINALITY g(group_id, rank))
           GROUP BY d.account_id, g.group_id) r ON (((r.account_id = i.account_id) AND (r.group_id = i.group_id))))
      LEFT JOIN ( SELECT past_declared_primary_groups.account_id,
             past_declared_primary_groups.user_key,
             past_declared_primary_groups.folded,
             past_declared_primary_groups.until,
             past_declared_primary_groups.last_position,
             past_declared_primary_groups.user_id,
             past_declared_primary_groups.group_id,
             past_declared_primary_groups.by
            FROM state.past_declared_primary_groups
           WHERE ((past_declared_primary_groups.folded < ( SELECT ranked_groups_of_users_at.p_bound AS p_bound)) AND (past_declared_primary_groups.until >= ( SELECT ranked_groups_of_users_at.p_bound AS p_bound)))) p ON (((p.account_id = i.account_id) AND (p.user_key = i.user_key))));
END;

CREATE VIEW state.groups_never_told AS
 SELECT account_id,
    user_id,
    count(*) AS groups,
    count(rank) AS ranked,
    min(rank) AS top_rank
   FROM state.ranked_groups_of_users i
  WHERE (NOT told)
  GROUP BY account_id, user_id;

CREATE FUNCTION state.groups_never_told_at(p_bound bytea) RETURNS SETOF state.groups_never_told
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT i.account_id,
     i.user_id,
     count(*) AS groups,
     count(i.rank) AS ranked,
     min(i.rank) AS top_rank
    FROM state.ranked_groups_of_users_at(groups_never_told_at.p_bound) i(account_id, user_id, group_id, told, rank, is_primary)
   WHERE (NOT i.told)
   GROUP BY i.account_id, i.user_id;
END;

CREATE FUNCTION state.leaf_at(p_document jsonb, p_place text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (jsonb_typeof((p_document #> p_place)) <> 'object'::text) THEN (p_document #> p_place) ELSE NULL::jsonb END;

CREATE FUNCTION state.locks_by(p_set jsonb, p_open jsonb, p_flags text[], p_lockable boolean) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (p_set ?| p_flags) THEN true WHEN ((p_open ?| p_flags) OR (NOT p_lockable)) THEN false WHEN ((p_lockable IS NULL) AND ((p_set <> '{}'::jsonb) OR (p_open <> '{}'::jsonb)) AND (NOT (p_set ? ((p_flags)[1] || '.*'::text)))) THEN false ELSE NULL::boolean END;

CREATE FUNCTION state.unpacked(document jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE COST 1000 PARALLEL SAFE
    AS $$
BEGIN
    RETURN document || '{}';
END
$$;

CREATE TABLE state.account_setting_paths (
    account_id text NOT NULL,
    path text NOT NULL,
    first_ms bigint NOT NULL
);

CREATE TABLE state.group_setting_paths (
    account_id text NOT NULL,
    path text NOT NULL,
    first_ms bigint NOT NULL
);

CREATE TABLE state.setting_map (
    path text NOT NULL,
    of_user boolean NOT NULL,
    of_group boolean NOT NULL,
    of_account boolean NOT NULL,
    user_path text[],
    group_path text[],
    account_path text[],
    group_flag text[],
    group_flag_2 text[],
    account_flag text[],
    account_flag_2 text[],
    group_lockable boolean,
    account_lockable boolean,
    group_flags text[] GENERATED ALWAYS AS (state.flags_over(COALESCE(group_path, string_to_array(path, '.'::text)), group_flag, group_flag_2)) STORED,
    account_flags text[] GENERATED ALWAYS AS (state.flags_over(COALESCE(account_path, string_to_array(path, '.'::text)), account_flag, account_flag_2)) STORED,
    CONSTRAINT canonical CHECK ((NOT (string_to_array(path, '.'::text) IS DISTINCT FROM COALESCE(user_path, group_path, account_path)))),
    CONSTRAINT flags CHECK ((((group_flag IS NOT NULL) OR (group_flag_2 IS NULL)) AND ((group_flag IS NULL) OR (group_lockable IS TRUE)) AND ((account_flag IS NOT NULL) OR (account_flag_2 IS NULL)) AND ((account_flag IS NULL) OR (account_lockable IS TRUE)))),
    CONSTRAINT levels CHECK (((of_user = (user_path IS NOT NULL)) AND (of_group = (group_path IS NOT NULL)) AND (of_account = (account_path IS NOT NULL))))
);

COMMENT ON TABLE state.setting_map IS 'The settings of Zoom''s reference: how each level spells them, and which lock flags cover them. Written by migrations alone.';

COMMENT ON COLUMN state.setting_map.path IS 'The setting, dotted: as the user level spells it, else the group level, else the account level.';

COMMENT ON COLUMN state.setting_map.of_user IS 'Whether people have it.';

COMMENT ON COLUMN state.setting_map.of_group IS 'Whether groups have it.';

COMMENT ON COLUMN state.setting_map.of_account IS 'Whether accounts have it.';

COMMENT ON COLUMN state.setting_map.user_path IS 'Where it is in a person''s settings; null where people do not have it.';

COMMENT ON COLUMN state.setting_map.group_path IS 'Where it is in a group''s settings; null where groups do not have it.';

COMMENT ON COLUMN state.setting_map.account_path IS 'Where it is in an account''s settings; null where accounts do not have it.';

COMMENT ON COLUMN state.setting_map.group_flag IS 'A flag in a group''s locks that covers it and stands neither at group_path nor above it; null where there is none.';

COMMENT ON COLUMN state.setting_map.group_flag_2 IS 'Another such flag in a group''s locks.';

COMMENT ON COLUMN state.setting_map.account_flag IS 'A flag in an account''s locks that covers it and stands neither at account_path nor above it; null where there is none.';

COMMENT ON COLUMN state.setting_map.account_flag_2 IS 'Another such flag in an account''s locks.';

COMMENT ON COLUMN state.setting_map.group_lockable IS 'Whether a flag that groups'' locks are documented to have covers it; null where none does and others of its section have one.';

COMMENT ON COLUMN state.setting_map.account_lockable IS 'Whether a flag that accounts'' locks are documented to have covers it; null where none does and others of its section have one.';

COMMENT ON COLUMN state.setting_map.group_flags IS 'Every path in a group''s locks at which a flag covers it, dotted.';

COMMENT ON COLUMN state.setting_map.account_flags IS 'Every path in an account''s locks at which a flag covers it, dotted.';

CREATE TABLE state.user_setting_paths (
    account_id text NOT NULL,
    path text NOT NULL,
    first_ms bigint NOT NULL
);

CREATE VIEW state.setting_paths AS
 SELECT p.account_id,
    p.path,
    'user'::text AS level
   FROM state.user_setting_paths p
UNION ALL
 SELECT p.account_id,
    p.path,
    'group'::text AS level
   FROM state.group_setting_paths p
UNION ALL
 SELECT p.account_id,
    p.path,
    'account'::text AS level
   FROM state.account_setting_paths p;

CREATE TABLE state.setting_twins (
    level text,
    spelling text,
    path text
);

COMMENT ON TABLE state.setting_twins IS 'The settings of setting_map that a level spells otherwise than path does. Written by migrations alone.';

CREATE VIEW state.setting_places AS
 SELECT a.account_id,
    m.path,
    m.of_user,
    (m.of_group OR (m.group_lockable IS TRUE)) AS of_group,
    COALESCE(m.user_path, string_to_array(m.path, '.'::text)) AS user_path,
    COALESCE(m.group_path, string_to_array(m.path, '.'::text)) AS group_path,
    COALESCE(m.account_path, string_to_array(m.path, '.'::text)) AS account_path,
    m.group_flags,
    m.account_flags,
    m.group_lockable,
    m.account_lockable
   FROM (state.setting_map m
     CROSS JOIN ( SELECT DISTINCT p.account_id
           FROM state.setting_paths p) a)
UNION ALL
 SELECT k.account_id,
    k.path,
    true AS of_user,
    true AS of_group,
    x.place AS user_path,
    x.place AS group_path,
    x.place AS account_path,
    x.flags AS group_flags,
    x.flags AS account_flags,
    true AS group_lockable,
    true AS account_lockable
   FROM (( SELECT DISTINCT p.account_id,
            p.path
           FROM state.setting_paths p
          WHERE ((NOT (EXISTS ( SELECT
                   FROM state.setting_map m
                  WHERE (m.path = p.path)))) AND (NOT (EXISTS ( SELECT
                   FROM state.setting_twins t
                  WHERE ((t.spelling = p.path) AND (t.level = p.level))))))) k
     CROSS JOIN LATERAL ( SELECT string_to_array(k.path, '.'::text) AS place,
            state.flags_over(string_to_array(k.path, '.'::text), NULL::text[], NULL::text[]) AS flags) x);

CREATE VIEW state.settings_of_groups AS
 SELECT s.account_id,
    s.group_id,
    k.path,
    v.value,
    v.locked,
    v.same,
    v.told
   FROM (((state.group_settings s
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (s.account_id = ''::text) THEN state.unpacked(s.settings)
                    ELSE (s.settings || '{}'::jsonb)
                END AS settings,
            (s.flags_set || '{}'::jsonb) AS flags_set,
            (s.flags_open || '{}'::jsonb) AS flags_open
         OFFSET 0) d)
     JOIN state.setting_places k ON ((k.account_id = s.account_id)))
     CROSS JOIN LATERAL ( SELECT x.value,
            x.locked,
            state.compared_as(x.value) AS same,
            (((('group '::text || s.group_id) || ' '::text) || COALESCE("left"((x.value)::text, 60), 'not known'::text)) ||
                CASE
                    WHEN x.locked THEN ' (locked)'::text
                    WHEN (x.locked IS NULL) THEN ' (lock not known)'::text
                    ELSE ''::text
                END) AS told
           FROM ( SELECT state.leaf_at(d.settings, k.group_path) AS value,
                    state.locks_by(d.flags_set, d.flags_open, k.group_flags, k.group_lockable) AS locked
                 OFFSET 0) x
         OFFSET 0) v)
  WHERE ((NOT s.removed) AND (k.of_group OR (v.value IS NOT NULL)));

CREATE FUNCTION state.settings_of_groups_at(p_bound bytea) RETURNS SETOF state.settings_of_groups
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT s.account_id,
     s.group_id,
     k.path,
     v.value,
     v.locked,
     v.same,
     v.told
    FROM (((( SELECT past_group_settings.account_id,
             past_group_settings.group_id,
             past_group_settings.folded,
             past_group_settings.until,
             past_group_settings.last_position,
             past_group_settings.settings,
             past_group_settings.locks,
             past_group_settings.changed_by,
             past_group_settings.removed,
             past_group_settings.changed_order,
             past_group_settings.flags_set,
             past_group_settings.flags_open
            FROM state.past_group_settings
           WHERE ((past_group_settings.folded < ( SELECT settings_of_groups_at.p_bound AS p_bound)) AND (past_group_settings.until >= ( SELECT settings_of_groups_at.p_bound AS p_bound)))) s
      CROSS JOIN LATERAL ( SELECT
                 CASE
                     WHEN (s.account_id = ''::text) THEN state.unpacked(s.settings)
                     ELSE (s.settings || '{}'::jsonb)
                 END AS settings,
             (s.flags_set || '{}'::jsonb) AS flags_set,
             (s.flags_open || '{}'::jsonb) AS flags_open
          OFFSET 0) d)
      JOIN state.setting_places k ON ((k.account_id = s.account_id)))
      CROSS JOIN LATERAL ( SELECT x.value,
             x.locked,
             state.compared_as(x.value) AS same,
             (((('group '::text || s.group_id) || ' '::text) || COALESCE("left"((x.value)::text, 60), 'not known'::text)) ||
                 CASE
                     WHEN x.locked THEN ' (locked)'::text
                     WHEN (x.locked IS NULL) THEN ' (lock not known)'::text
                     ELSE ''::text
                 END) AS told
            FROM ( SELECT state.leaf_at(d.settings, k.group_path) AS value,
                     state.locks_by(d.flags_set, d.flags_open, k.group_flags, k.group_lockable) AS locked
                  OFFSET 0) x
          OFFSET 0) v)
   WHERE ((NOT s.removed) AND (k.of_group OR (v.value IS NOT NULL)));
END;

CREATE VIEW state.settings_by_groups AS
 SELECT i.account_id,
    i.user_id,
    v.path,
    count(*) AS counted,
    count(*) FILTER (WHERE v.locked) AS locking,
    count(*) FILTER (WHERE (v.locked IS NOT FALSE)) AS may_lock,
    min(v.group_id) FILTER (WHERE (v.locked IS NOT FALSE)) AS locker,
    min(((v.value)::text COLLATE "C")) FILTER (WHERE (v.locked IS NOT FALSE)) AS lock_value,
    ((count(*) FILTER (WHERE ((v.locked IS NOT FALSE) AND (v.value IS NULL))) = 0) AND (min((v.same COLLATE "C")) FILTER (WHERE (v.locked IS NOT FALSE)) = max((v.same COLLATE "C")) FILTER (WHERE (v.locked IS NOT FALSE)))) AS lockers_agree,
    count(v.value) AS known,
    min(v.group_id) AS a_group,
    min(((v.value)::text COLLATE "C")) AS any_value,
    ((count(v.value) = count(*)) AND (min((v.same COLLATE "C")) = max((v.same COLLATE "C")))) AS all_agree,
    min((v.value)::text) FILTER (WHERE i.is_primary) AS primary_value,
    count(i.rank) AS ranked,
    min(ARRAY[lpad((i.rank)::text, 10, '0'::text), (v.locked)::text, (v.value)::text, v.group_id]) FILTER (WHERE (i.rank IS NOT NULL)) AS top,
    array_agg(v.told) AS told
   FROM (state.ranked_groups_of_users i
     JOIN state.settings_of_groups v ON (((v.group_id = i.group_id) AND
        CASE
            WHEN (v.account_id = i.account_id) THEN true
            ELSE false
        END)))
  GROUP BY i.account_id, i.user_id, v.path;

CREATE FUNCTION state.settings_by_groups_at(p_bound bytea) RETURNS SETOF state.settings_by_groups
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT i.account_id,
     i.user_id,
     v.path,
     count(*) AS counted,
     count(*) FILTER (WHERE v.locked) AS locking,
     count(*) FILTER (WHERE (v.locked IS NOT FALSE)) AS may_lock,
     min(v.group_id) FILTER (WHERE (v.locked IS NOT FALSE)) AS locker,
     min(((v.value)::text COLLATE "C")) FILTER (WHERE (v.locked IS NOT FALSE)) AS lock_value,
     ((count(*) FILTER (WHERE ((v.locked IS NOT FALSE) AND (v.value IS NULL))) = 0) AND (min((v.same COLLATE "C")) FILTER (WHERE (v.locked IS NOT FALSE)) = max((v.same COLLATE "C")) FILTER (WHERE (v.locked IS NOT FALSE)))) AS lockers_agree,
     count(v.value) AS known,
     min(v.group_id) AS a_group,
     min(((v.value)::text COLLATE "C")) AS any_value,
     ((count(v.value) = count(*)) AND (min((v.same COLLATE "C")) = max((v.same COLLATE "C")))) AS all_agree,
     min((v.value)::text) FILTER (WHERE i.is_primary) AS primary_value,
     count(i.rank) AS ranked,
     min(ARRAY[lpad((i.rank)::text, 10, '0'::text), (v.locked)::text, (v.value)::text, v.group_id]) FILTER (WHERE (i.rank IS NOT NULL)) AS top,
     array_agg(v.told) AS told
    FROM (state.ranked_groups_of_users_at(settings_by_groups_at.p_bound) i(account_id, user_id, group_id, told, rank, is_primary)
      JOIN state.settings_of_groups_at(settings_by_groups_at.p_bound) v(account_id, group_id, path, value, locked, same, told) ON (((v.group_id = i.group_id) AND
         CASE
             WHEN (v.account_id = i.account_id) THEN true
             ELSE false
         END)))
   GROUP BY i.account_id, i.user_id, v.path;
END;

CREATE VIEW state.settings_of_accounts AS
 SELECT s.account_id,
    k.path,
    v.value,
    v.locked
   FROM (((state.account_settings s
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (s.account_id = ''::text) THEN state.unpacked(s.settings)
                    ELSE (s.settings || '{}'::jsonb)
                END AS settings,
            (s.flags_set || '{}'::jsonb) AS flags_set,
            (s.flags_open || '{}'::jsonb) AS flags_open
         OFFSET 0) d)
     JOIN state.setting_places k ON ((k.account_id = s.account_id)))
     CROSS JOIN LATERAL ( SELECT state.leaf_at(d.settings, k.account_path) AS value,
            state.locks_by(d.flags_set, d.flags_open, k.account_flags, k.account_lockable) AS locked
         OFFSET 0) v);

CREATE FUNCTION state.settings_of_accounts_at(p_bound bytea) RETURNS SETOF state.settings_of_accounts
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT s.account_id,
     k.path,
     v.value,
     v.locked
    FROM (((( SELECT past_account_settings.account_id,
             past_account_settings.folded,
             past_account_settings.until,
             past_account_settings.last_position,
             past_account_settings.settings,
             past_account_settings.locks,
             past_account_settings.changed_order,
             past_account_settings.flags_set,
             past_account_settings.flags_open
            FROM state.past_account_settings
           WHERE ((past_account_settings.folded < ( SELECT settings_of_accounts_at.p_bound AS p_bound)) AND (past_account_settings.until >= ( SELECT settings_of_accounts_at.p_bound AS p_bound)))) s
      CROSS JOIN LATERAL ( SELECT
                 CASE
                     WHEN (s.account_id = ''::text) THEN state.unpacked(s.settings)
                     ELSE (s.settings || '{}'::jsonb)
                 END AS settings,
             (s.flags_set || '{}'::jsonb) AS flags_set,
             (s.flags_open || '{}'::jsonb) AS flags_open
          OFFSET 0) d)
      JOIN state.setting_places k ON ((k.account_id = s.account_id)))
      CROSS JOIN LATERAL ( SELECT state.leaf_at(d.settings, k.account_path) AS value,
             state.locks_by(d.flags_set, d.flags_open, k.account_flags, k.account_lockable) AS locked
          OFFSET 0) v);
END;

CREATE VIEW state.settings_of_users AS
 SELECT d.account_id,
    d.user_id,
    d.user_key,
    d.primary_told,
    k.path,
    k.of_user,
    k.of_group,
    k.group_lockable,
    k.account_lockable,
    state.leaf_at(d.settings, k.user_path) AS value,
    generate_series(1, 1) AS fence
   FROM (state.documents_of_users d
     JOIN state.setting_places k ON ((k.account_id = d.account_id)));

CREATE FUNCTION state.settings_of_users_at(p_bound bytea) RETURNS SETOF state.settings_of_users
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT d.account_id,
     d.user_id,
     d.user_key,
     d.primary_told,
     k.path,
     k.of_user,
     k.of_group,
     k.group_lockable,
     k.account_lockable,
     state.leaf_at(d.settings, k.user_path) AS value,
     generate_series(1, 1) AS fence
    FROM (state.documents_of_users_at(settings_of_users_at.p_bound) d(account_id, user_id, user_key, primary_told, settings, fence)
      JOIN state.setting_places k ON ((k.account_id = d.account_id)));
END;

CREATE VIEW state.settings_known AS
 SELECT k.account_id,
    k.user_id,
    k.path,
    k.of_user,
    k.value AS own,
    a.value AS account,
        CASE
            WHEN ((a.path IS NULL) AND (NOT k.account_lockable)) THEN false
            ELSE a.locked
        END AS account_locks,
    m.model,
    COALESCE(k.primary_told, p.group_id) AS primary_group,
    (COALESCE(g.counted, (0)::bigint) + n.missing) AS groups,
    n.missing,
    COALESCE(g.locking, (0)::bigint) AS locking,
    (COALESCE(g.may_lock, (0)::bigint) +
        CASE
            WHEN (k.group_lockable IS NOT FALSE) THEN n.missing
            ELSE (0)::bigint
        END) AS may_lock,
    g.locker,
    g.lock_value,
    (g.lockers_agree AND (NOT ((k.group_lockable IS NOT FALSE) AND (n.missing > 0)))) AS lockers_agree,
    g.a_group,
    g.any_value,
    (g.all_agree AND (n.missing = 0)) AS all_agree,
    g.primary_value,
    (n.told_is_top AND (g.top[2])::boolean) AS top_locks,
    g.top[3] AS top_value,
    g.top[4] AS top_group,
    g.told
   FROM ((((((state.settings_of_users k
     LEFT JOIN state.settings_of_accounts a ON (((a.account_id = k.account_id) AND (a.path = k.path))))
     LEFT JOIN state.settings_by_groups g ON (((g.account_id = k.account_id) AND (g.user_id = k.user_id) AND (g.path = k.path))))
     LEFT JOIN state.groups_never_told t ON (((t.account_id = k.account_id) AND (t.user_id = k.user_id))))
     LEFT JOIN state.declared_models m ON ((m.account_id = k.account_id)))
     LEFT JOIN state.declared_primary_groups p ON (((p.account_id = k.account_id) AND (p.user_key = k.user_key))))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN k.of_group THEN COALESCE(t.groups, (0)::bigint)
                    ELSE (0)::bigint
                END AS missing,
            ((g.ranked = g.counted) AND (NOT ((k.of_group AND (t.groups > COALESCE(t.ranked, (0)::bigint))) IS TRUE)) AND ((NOT k.of_group) OR (t.top_rank IS NULL) OR ((g.top[1])::bigint < t.top_rank))) AS told_is_top
         OFFSET 0) n)
  WHERE ((k.value IS NOT NULL) OR (a.value IS NOT NULL) OR (g.known > 0));

CREATE FUNCTION state.settings_known_at(p_bound bytea) RETURNS SETOF state.settings_known
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT k.account_id,
     k.user_id,
     k.path,
     k.of_user,
     k.value AS own,
     a.value AS account,
         CASE
             WHEN ((a.path IS NULL) AND (NOT k.account_lockable)) THEN false
             ELSE a.locked
         END AS account_locks,
     m.model,
     COALESCE(k.primary_told, p.group_id) AS primary_group,
     (COALESCE(g.counted, (0)::bigint) + n.missing) AS groups,
     n.missing,
     COALESCE(g.locking, (0)::bigint) AS locking,
     (COALESCE(g.may_lock, (0)::bigint) +
         CASE
             WHEN (k.group_lockable IS NOT FALSE) THEN n.missing
             ELSE (0)::bigint
         END) AS may_lock,
     g.locker,
     g.lock_value,
     (g.lockers_agree AND (NOT ((k.group_lockable IS NOT FALSE) AND (n.missing > 0)))) AS lockers_agree,
     g.a_group,
     g.any_value,
     (g.all_agree AND (n.missing = 0)) AS all_agree,
     g.primary_value,
     (n.told_is_top AND (g.top[2])::boolean) AS top_locks,
     g.top[3] AS top_value,
     g.top[4] AS top_group,
     g.told
    FROM ((((((state.settings_of_users_at(settings_known_at.p_bound) k(account_id, user_id, user_key, primary_told, path, of_user, of_group, group_lockable, account_lockable, value, fence)
      LEFT JOIN state.settings_of_accounts_at(settings_known_at.p_bound) a(account_id, path, value, locked) ON (((a.account_id = k.account_id) AND (a.path = k.path))))
      LEFT JOIN state.settings_by_groups_at(settings_known_at.p_bound) g(account_id, user_id, path, counted, locking, may_lock, locker, lock_value, lockers_agree, known, a_group, any_value, all_agree, primary_value, ranked, top, told) ON (((g.account_id = k.account_id) AND (g.user_id = k.user_id) AND (g.path = k.path))))
      LEFT JOIN state.groups_never_told_at(settings_known_at.p_bound) t(account_id, user_id, groups, ranked, top_rank) ON (((t.account_id = k.account_id) AND (t.user_id = k.user_id))))
      LEFT JOIN ( SELECT past_declared_models.account_id,
             past_declared_models.folded,
             past_declared_models.until,
             past_declared_models.last_position,
             past_declared_models.model,
             past_declared_models.by
            FROM state.past_declared_models
           WHERE ((past_declared_models.folded < ( SELECT settings_known_at.p_bound AS p_bound)) AND (past_declared_models.until >= ( SELECT settings_known_at.p_bound AS p_bound)))) m ON ((m.account_id = k.account_id)))
      LEFT JOIN ( SELECT past_declared_primary_groups.account_id,
             past_declared_primary_groups.user_key,
             past_declared_primary_groups.folded,
             past_declared_primary_groups.until,
             past_declared_primary_groups.last_position,
             past_declared_primary_groups.user_id,
             past_declared_primary_groups.group_id,
             past_declared_primary_groups.by
            FROM state.past_declared_primary_groups
           WHERE ((past_declared_primary_groups.folded < ( SELECT settings_known_at.p_bound AS p_bound)) AND (past_declared_primary_groups.until >= ( SELECT settings_known_at.p_bound AS p_bound)))) p ON (((p.account_id = k.account_id) AND (p.user_key = k.user_key))))
      CROSS JOIN LATERAL ( SELECT
                 CASE
                     WHEN k.of_group THEN COALESCE(t.groups, (0)::bigint)
                     ELSE (0)::bigint
                 END AS missing,
             ((g.ranked = g.counted) AND (NOT ((k.of_group AND (t.groups > COALESCE(t.ranked, (0)::bigint))) IS TRUE)) AND ((NOT k.of_group) OR (t.top_rank IS NULL) OR ((g.top[1])::bigint < t.top_rank))) AS told_is_top
          OFFSET 0) n)
   WHERE ((k.value IS NOT NULL) OR (a.value IS NOT NULL) OR (g.known > 0));
END;

CREATE VIEW state.settings_decided AS
 SELECT k.account_id,
    k.user_id,
    k.path,
    k.of_user,
    k.own,
    k.account,
    k.account_locks,
    k.model,
    k.primary_group,
    k.groups,
    k.missing,
    k.locking,
    k.may_lock,
    k.locker,
    k.lock_value,
    k.lockers_agree,
    k.a_group,
    k.any_value,
    k.all_agree,
    k.primary_value,
    k.top_locks,
    k.top_value,
    k.top_group,
    k.told,
    l.lock,
        CASE
            WHEN (l.lock = 'account'::text) THEN k.account
            WHEN ((l.lock = 'group'::text) AND k.lockers_agree) THEN (k.lock_value)::jsonb
            WHEN ((l.lock = 'group'::text) AND (k.model = 'priority'::text) AND k.top_locks) THEN (k.top_value)::jsonb
            WHEN ((l.lock = 'none'::text) AND (k.own IS NOT NULL)) THEN k.own
            WHEN ((l.lock = 'none'::text) AND (NOT k.of_user) AND (k.groups = 0)) THEN k.account
            WHEN ((l.lock = 'none'::text) AND (NOT k.of_user) AND (k.model = 'legacy'::text)) THEN (
            CASE
                WHEN (k.primary_group IS NOT NULL) THEN k.primary_value
                WHEN k.all_agree THEN k.any_value
                ELSE NULL::text
            END)::jsonb
            ELSE NULL::jsonb
        END AS decided
   FROM (state.settings_known k
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN k.account_locks THEN 'account'::text
                    WHEN (k.account_locks IS NULL) THEN NULL::text
                    WHEN (k.may_lock = 0) THEN 'none'::text
                    WHEN (k.locking = k.groups) THEN 'group'::text
                    WHEN ((k.model = 'legacy'::text) AND (k.locking > 0)) THEN 'group'::text
                    WHEN ((k.model IS DISTINCT FROM 'legacy'::text) AND k.top_locks) THEN 'group'::text
                    ELSE NULL::text
                END AS lock
         OFFSET 0) l);

CREATE FUNCTION state.settings_decided_at(p_bound bytea) RETURNS SETOF state.settings_decided
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT k.account_id,
     k.user_id,
     k.path,
     k.of_user,
     k.own,
     k.account,
     k.account_locks,
     k.model,
     k.primary_group,
     k.groups,
     k.missing,
     k.locking,
     k.may_lock,
     k.locker,
     k.lock_value,
     k.lockers_agree,
     k.a_group,
     k.any_value,
     k.all_agree,
     k.primary_value,
     k.top_locks,
     k.top_value,
     k.top_group,
     k.told,
     l.lock,
         CASE
             WHEN (l.lock = 'account'::text) THEN k.account
             WHEN ((l.lock = 'group'::text) AND k.lockers_agree) THEN (k.lock_value)::jsonb
             WHEN ((l.lock = 'group'::text) AND (k.model = 'priority'::text) AND k.top_locks) THEN (k.top_value)::jsonb
             WHEN ((l.lock = 'none'::text) AND (k.own IS NOT NULL)) THEN k.own
             WHEN ((l.lock = 'none'::text) AND (NOT k.of_user) AND (k.groups = 0)) THEN k.account
             WHEN ((l.lock = 'none'::text) AND (NOT k.of_user) AND (k.model = 'legacy'::text)) THEN (
             CASE
                 WHEN (k.primary_group IS NOT NULL) THEN k.primary_value
                 WHEN k.all_agree THEN k.any_value
                 ELSE NULL::text
             END)::jsonb
             ELSE NULL::jsonb
         END AS decided
    FROM (state.settings_known_at(settings_decided_at.p_bound) k(account_id, user_id, path, of_user, own, account, account_locks, model, primary_group, groups, missing, locking, may_lock, locker, lock_value, lockers_agree, a_group, any_value, all_agree, primary_value, top_locks, top_value, top_group, told)
      CROSS JOIN LATERAL ( SELECT
                 CASE
                     WHEN k.account_locks THEN 'account'::text
                     WHEN (k.account_locks IS NULL) THEN NULL::text
                     WHEN (k.may_lock = 0) THEN 'none'::text
                     WHEN (k.locking = k.groups) THEN 'group'::text
                     WHEN ((k.model = 'legacy'::text) AND (k.locking > 0)) THEN 'group'::text
                     WHEN ((k.model IS DISTINCT FROM 'legacy'::text) AND k.top_locks) THEN 'group'::text
                     ELSE NULL::text
                 END AS lock
          OFFSET 0) l);
END;

CREATE VIEW state.settings_judged AS
 SELECT d.account_id,
    d.user_id,
    d.path,
    d.of_user,
    d.own,
    d.account,
    d.account_locks,
    d.model,
    d.primary_group,
    d.groups,
    d.missing,
    d.locking,
    d.may_lock,
    d.locker,
    d.lock_value,
    d.lockers_agree,
    d.a_group,
    d.any_value,
    d.all_agree,
    d.primary_value,
    d.top_locks,
    d.top_value,
    d.top_group,
    d.told,
    d.lock,
    d.decided,
    c.confidence,
        CASE
            WHEN (d.decided IS NULL) THEN NULL::text
            WHEN (d.lock = 'group'::text) THEN
            CASE
                WHEN (d.may_lock = 1) THEN d.locker
                WHEN ((d.model = 'priority'::text) AND d.top_locks AND (c.confidence = 'declared'::text)) THEN d.top_group
                ELSE NULL::text
            END
            WHEN ((d.lock = 'none'::text) AND (d.own IS NULL) AND (d.groups > 0)) THEN COALESCE(d.primary_group,
            CASE
                WHEN (d.groups = 1) THEN d.a_group
                ELSE NULL::text
            END)
            ELSE NULL::text
        END AS source_group_id
   FROM (state.settings_decided d
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (d.decided IS NULL) THEN 'unknown'::text
                    WHEN ((d.lock = 'account'::text) OR ((d.lock = 'none'::text) AND ((d.own IS NOT NULL) OR (d.groups = 0))) OR ((d.lock = 'group'::text) AND (d.locking = d.groups) AND d.lockers_agree)) THEN 'exact'::text
                    ELSE 'declared'::text
                END AS confidence
         OFFSET 0) c);

CREATE FUNCTION state.settings_judged_at(p_bound bytea) RETURNS SETOF state.settings_judged
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT d.account_id,
     d.user_id,
     d.path,
     d.of_user,
     d.own,
     d.account,
     d.account_locks,
     d.model,
     d.primary_group,
     d.groups,
     d.missing,
     d.locking,
     d.may_lock,
     d.locker,
     d.lock_value,
     d.lockers_agree,
     d.a_group,
     d.any_value,
     d.all_agree,
     d.primary_value,
     d.top_locks,
     d.top_value,
     d.top_group,
     d.told,
     d.lock,
     d.decided,
     c.confidence,
         CASE
             WHEN (d.decided IS NULL) THEN NULL::text
             WHEN (d.lock = 'group'::text) THEN
             CASE
                 WHEN (d.may_lock = 1) THEN d.locker
                 WHEN ((d.model = 'priority'::text) AND d.top_locks AND (c.confidence = 'declared'::text)) THEN d.top_group
                 ELSE NULL::text
             END
             WHEN ((d.lock = 'none'::text) AND (d.own IS NULL) AND (d.groups > 0)) THEN COALESCE(d.primary_group,
             CASE
                 WHEN (d.groups = 1) THEN d.a_group
                 ELSE NULL::text
             END)
             ELSE NULL::text
         END AS source_group_id
    FROM (state.settings_decided_at(settings_judged_at.p_bound) d(account_id, user_id, path, of_user, own, account, account_locks, model, primary_group, groups, missing, locking, may_lock, locker, lock_value, lockers_agree, a_group, any_value, all_agree, primary_value, top_locks, top_value, top_group, told, lock, decided)
      CROSS JOIN LATERAL ( SELECT
                 CASE
                     WHEN (d.decided IS NULL) THEN 'unknown'::text
                     WHEN ((d.lock = 'account'::text) OR ((d.lock = 'none'::text) AND ((d.own IS NOT NULL) OR (d.groups = 0))) OR ((d.lock = 'group'::text) AND (d.locking = d.groups) AND d.lockers_agree)) THEN 'exact'::text
                     ELSE 'declared'::text
                 END AS confidence
          OFFSET 0) c);
END;

CREATE VIEW directory.effective_user_settings AS
 SELECT account_id,
    user_id,
    path,
    decided AS value,
        CASE
            WHEN (lock = ANY (ARRAY['account'::text, 'group'::text])) THEN lock
            WHEN (decided IS NULL) THEN 'default unknown'::text
            WHEN (own IS NOT NULL) THEN 'user'::text
            WHEN (groups = 0) THEN 'account'::text
            ELSE 'group'::text
        END AS source,
    source_group_id,
        CASE
            WHEN (lock = ANY (ARRAY['account'::text, 'group'::text])) THEN lock
            ELSE NULL::text
        END AS locked_by,
    confidence,
        CASE
            WHEN (confidence = 'unknown'::text) THEN (((
            CASE
                WHEN account_locks THEN 'the account locks it, and its value is not known'::text
                WHEN (account_locks IS NULL) THEN 'whether the account locks it is not known'::text
                WHEN (lock = 'group'::text) THEN 'a group locks it; which one''s value counts is not known'::text
                WHEN (lock IS NULL) THEN 'whether a group''s lock counts is not known'::text
                WHEN of_user THEN 'nothing locks it; the person''s own value is not known'::text
                ELSE 'nothing locks it; which default counts is not known'::text
            END ||
            CASE
                WHEN ((groups > 0) AND (model IS NULL) AND (account_locks IS FALSE)) THEN ', as the model is not declared'::text
                ELSE ''::text
            END) || ': '::text) || concat_ws('; '::text, (('account '::text || COALESCE("left"((account)::text, 60), 'not known'::text)) ||
            CASE
                WHEN account_locks THEN ' (locked)'::text
                WHEN (account_locks IS NULL) THEN ' (lock not known)'::text
                ELSE ''::text
            END), ( SELECT string_agg(t.t, '; '::text ORDER BY (t.t COLLATE "C")) AS string_agg
               FROM unnest(d.told) t(t)),
            CASE
                WHEN (missing > 0) THEN (missing || ' groups of which nothing is known'::text)
                ELSE NULL::text
            END, ('own '::text || COALESCE("left"((own)::text, 60), 'not known'::text))))
            WHEN (lock = 'account'::text) THEN 'the account locks it'::text
            WHEN (lock = 'group'::text) THEN
            CASE
                WHEN ((confidence = 'exact'::text) AND (groups = 1)) THEN 'the only group locks it'::text
                WHEN (confidence = 'exact'::text) THEN 'every group locks it alike'::text
                WHEN (model = 'priority'::text) THEN 'the highest group locks it'::text
                WHEN (model = 'legacy'::text) THEN 'one of the groups locks it'::text
                ELSE 'the highest group locks it, and no other says otherwise'::text
            END
            WHEN (own IS NOT NULL) THEN 'nothing locks it; the person''s own value'::text
            WHEN (groups = 0) THEN 'nothing locks it; the account''s value, as no group has it'::text
            WHEN (primary_group IS NOT NULL) THEN 'nothing locks it; the primary group''s value'::text
            ELSE 'nothing locks it; the groups'' value, which is one'::text
        END AS why
   FROM state.settings_judged d;

COMMENT ON VIEW directory.effective_user_settings IS 'Which setting is in effect for each person of users, who decides it, and how sure that is: one row a person and path of which some level''s value is known. Ask for a person (account_id, user_id) or for a path: all of it is never quick.';

COMMENT ON COLUMN directory.effective_user_settings.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.effective_user_settings.user_id IS 'Zoom''s user id, spelled as in users.';

COMMENT ON COLUMN directory.effective_user_settings.path IS 'Path of the setting, dotted, as the settings of users spell it; of what they do not have, as those of groups or accounts do.';

COMMENT ON COLUMN directory.effective_user_settings.value IS 'The value in effect; null where confidence is unknown.';

COMMENT ON COLUMN directory.effective_user_settings.source IS 'Whose value it is: account, group, user, or default unknown.';

COMMENT ON COLUMN directory.effective_user_settings.source_group_id IS 'The group whose value it is; null where none, or where several say the same.';

COMMENT ON COLUMN directory.effective_user_settings.locked_by IS 'Who locks it, so that the person cannot change it: account or group; null where nobody does or it is not known.';

COMMENT ON COLUMN directory.effective_user_settings.confidence IS 'exact: no declaration could change the answer. declared: it rests on what an operator declared. unknown: it cannot be told; see why.';

COMMENT ON COLUMN directory.effective_user_settings.why IS 'The reason in a few words; where it is unknown, what is missing and what each level says.';

CREATE FUNCTION state.effective_user_settings_at(p_bound bytea) RETURNS SETOF directory.effective_user_settings
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT d.account_id,
     d.user_id,
     d.path,
     d.decided AS value,
         CASE
             WHEN (d.lock = ANY (ARRAY['account'::text, 'group'::text])) THEN d.lock
             WHEN (d.decided IS NULL) THEN 'default unknown'::text
             WHEN (d.own IS NOT NULL) THEN 'user'::text
             WHEN (d.groups = 0) THEN 'account'::text
             ELSE 'group'::text
         END AS source,
     d.source_group_id,
         CASE
             WHEN (d.lock = ANY (ARRAY['account'::text, 'group'::text])) THEN d.lock
             ELSE NULL::text
         END AS locked_by,
     d.confidence,
         CASE
             WHEN (d.confidence = 'unknown'::text) THEN (((
             CASE
                 WHEN d.account_locks THEN 'the account locks it, and its value is not known'::text
                 WHEN (d.account_locks IS NULL) THEN 'whether the account locks it is not known'::text
                 WHEN (d.lock = 'group'::text) THEN 'a group locks it; which one''s value counts is not known'::text
                 WHEN (d.lock IS NULL) THEN 'whether a group''s lock counts is not known'::text
                 WHEN d.of_user THEN 'nothing locks it; the person''s own value is not known'::text
                 ELSE 'nothing locks it; which default counts is not known'::text
             END ||
             CASE
                 WHEN ((d.groups > 0) AND (d.model IS NULL) AND (d.account_locks IS FALSE)) THEN ', as the model is not declared'::text
                 ELSE ''::text
             END) || ': '::text) || concat_ws('; '::text, (('account '::text || COALESCE("left"((d.account)::text, 60), 'not known'::text)) ||
             CASE
                 WHEN d.account_locks THEN ' (locked)'::text
                 WHEN (d.account_locks IS NULL) THEN ' (lock not known)'::text
                 ELSE ''::text
             END), ( SELECT string_agg(t.t, '; '::text ORDER BY (t.t COLLATE "C")) AS string_agg
                FROM unnest(d.told) t(t)),
             CASE
                 WHEN (d.missing > 0) THEN (d.missing || ' groups of which nothing is known'::text)
                 ELSE NULL::text
             END, ('own '::text || COALESCE("left"((d.own)::text, 60), 'not known'::text))))
             WHEN (d.lock = 'account'::text) THEN 'the account locks it'::text
             WHEN (d.lock = 'group'::text) THEN
             CASE
                 WHEN ((d.confidence = 'exact'::text) AND (d.groups = 1)) THEN 'the only group locks it'::text
                 WHEN (d.confidence = 'exact'::text) THEN 'every group locks it alike'::text
                 WHEN (d.model = 'priority'::text) THEN 'the highest group locks it'::text
                 WHEN (d.model = 'legacy'::text) THEN 'one of the groups locks it'::text
                 ELSE 'the highest group locks it, and no other says otherwise'::text
             END
             WHEN (d.own IS NOT NULL) THEN 'nothing locks it; the person''s own value'::text
             WHEN (d.groups = 0) THEN 'nothing locks it; the account''s value, as no group has it'::text
             WHEN (d.primary_group IS NOT NULL) THEN 'nothing locks it; the primary group''s value'::text
             ELSE 'nothing locks it; the groups'' value, which is one'::text
         END AS why
    FROM state.settings_judged_at(effective_user_settings_at.p_bound) d(account_id, user_id, path, of_user, own, account, account_locks, model, primary_group, groups, missing, locking, may_lock, locker, lock_value, lockers_agree, a_group, any_value, all_agree, primary_value, top_locks, top_value, top_group, told, lock, decided, confidence, source_group_id);
END;

CREATE FUNCTION directory.effective_user_settings_at(t timestamp with time zone) RETURNS SETOF directory.effective_user_settings
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT effective_user_settings_at.account_id,
     effective_user_settings_at.user_id,
     effective_user_settings_at.path,
     effective_user_settings_at.value,
     effective_user_settings_at.source,
     effective_user_settings_at.source_group_id,
     effective_user_settings_at.locked_by,
     effective_user_settings_at.confidence,
     effective_user_settings_at.why
    FROM state.effective_user_settings_at(state.bound(effective_user_settings_at.t)) effective_user_settings_at(account_id, user_id, path, value, source, source_group_id, locked_by, confidence, why);
END;

COMMENT ON FUNCTION directory.effective_user_settings_at(t timestamp with time zone) IS 'What the view effective_user_settings would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE VIEW directory.former_groups AS
 SELECT account_id,
    group_id,
    (profile ->> 'name'::text) AS name,
    state.at(created_ms) AS created_at,
    state.at(removed_ms) AS removed_at,
    state.time_of(folded) AS last_event_at,
    last_position
   FROM state.groups g
  WHERE ((last_position > 0) AND removed);

COMMENT ON VIEW directory.former_groups IS 'Groups that were deleted, or that Zoom''s REST API does not have any more, and that have not come back.';

COMMENT ON COLUMN directory.former_groups.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.former_groups.group_id IS 'Zoom''s group id.';

COMMENT ON COLUMN directory.former_groups.name IS 'Name of the group as last known.';

COMMENT ON COLUMN directory.former_groups.created_at IS 'Time of the first group.created of its last life; null where that was not seen.';

COMMENT ON COLUMN directory.former_groups.removed_at IS 'Time of the newest group.deleted; of a group that Zoom''s REST API does not have any more, when that was found.';

COMMENT ON COLUMN directory.former_groups.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.former_groups.last_position IS 'Position in the log of that event.';

CREATE FUNCTION state.former_groups_at(p_bound bytea) RETURNS SETOF directory.former_groups
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT g.account_id,
     g.group_id,
     (g.profile ->> 'name'::text) AS name,
     state.at(g.created_ms) AS created_at,
     state.at(g.removed_ms) AS removed_at,
     state.time_of(g.folded) AS last_event_at,
     g.last_position
    FROM ( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT former_groups_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT former_groups_at.p_bound AS p_bound)))) g
   WHERE ((g.last_position > 0) AND g.removed);
END;

CREATE FUNCTION directory.former_groups_at(t timestamp with time zone) RETURNS SETOF directory.former_groups
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT former_groups_at.account_id,
     former_groups_at.group_id,
     former_groups_at.name,
     former_groups_at.created_at,
     former_groups_at.removed_at,
     former_groups_at.last_event_at,
     former_groups_at.last_position
    FROM state.former_groups_at(state.bound(former_groups_at.t)) former_groups_at(account_id, group_id, name, created_at, removed_at, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.former_groups_at(t timestamp with time zone) IS 'What the view former_groups would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE VIEW directory.former_users AS
 SELECT account_id,
    user_id,
    email,
    (profile ->> 'first_name'::text) AS first_name,
    (profile ->> 'last_name'::text) AS last_name,
    (profile ->> 'display_name'::text) AS display_name,
    ((profile ->> 'type'::text))::integer AS type,
    status,
    (profile ->> 'role'::text) AS role,
    (profile ->> 'dept'::text) AS dept,
    (profile ->> 'company'::text) AS company,
    (profile ->> 'language'::text) AS language,
    (profile ->> 'timezone'::text) AS timezone,
    (profile ->> 'phone_number'::text) AS phone_number,
    (profile ->> 'phone_country'::text) AS phone_country,
    (profile ->> 'pic_url'::text) AS pic_url,
    ((profile ->> 'pmi'::text))::bigint AS pmi,
    ((profile ->> 'use_pmi'::text))::boolean AS use_pmi,
    (profile ->> 'vanity_name'::text) AS vanity_name,
    (profile ->> 'primary_group_id'::text) AS primary_group_id,
    NULLIF(custom_attributes, '[]'::jsonb) AS custom_attributes,
    NULLIF((profile -> 'settings'::text), 'null'::jsonb) AS profile_settings,
    creation_type,
    state.at(COALESCE(created_ms, observed_created_ms)) AS created_at,
    state.at(removed_ms) AS removed_at,
    state.time_of(folded) AS last_event_at,
    last_position
   FROM state.users u
  WHERE (known AND removed);

COMMENT ON VIEW directory.former_users IS 'Users who were deleted, disassociated or are gone, and have not come back: one row a user, with the profile as last known.';

COMMENT ON COLUMN directory.former_users.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.former_users.user_id IS 'Zoom''s user id, as the newest lifecycle event spells it. Ids match case-insensitively.';

COMMENT ON COLUMN directory.former_users.email IS 'E-mail as sent. Look it up with lower(email) = lower(...): that uses an index.';

COMMENT ON COLUMN directory.former_users.first_name IS 'First name.';

COMMENT ON COLUMN directory.former_users.last_name IS 'Last name.';

COMMENT ON COLUMN directory.former_users.display_name IS 'Name as shown in Zoom.';

COMMENT ON COLUMN directory.former_users.type IS 'Licence, in Zoom''s code: 1 basic, 2 licensed, 4 unassigned, 99 none; other codes may come.';

COMMENT ON COLUMN directory.former_users.status IS 'deleted or disassociated: the newest removal decides. gone: Zoom''s REST API does not have the user any more, and no event told how that came.';

COMMENT ON COLUMN directory.former_users.role IS 'Name of the account role.';

COMMENT ON COLUMN directory.former_users.dept IS 'Department.';

COMMENT ON COLUMN directory.former_users.company IS 'Company.';

COMMENT ON COLUMN directory.former_users.language IS 'Language code.';

COMMENT ON COLUMN directory.former_users.timezone IS 'Time zone name.';

COMMENT ON COLUMN directory.former_users.phone_number IS 'Phone number as sent.';

COMMENT ON COLUMN directory.former_users.phone_country IS 'Country of the phone number.';

COMMENT ON COLUMN directory.former_users.pic_url IS 'Address of the profile picture.';

COMMENT ON COLUMN directory.former_users.pmi IS 'Personal meeting id.';

COMMENT ON COLUMN directory.former_users.use_pmi IS 'Whether instant meetings use the personal meeting id.';

COMMENT ON COLUMN directory.former_users.vanity_name IS 'Personal link name.';

COMMENT ON COLUMN directory.former_users.primary_group_id IS 'Id of the primary group; memberships may not show it yet.';

COMMENT ON COLUMN directory.former_users.custom_attributes IS 'Array of {key, name, value}, sorted by key; null where there are none.';

COMMENT ON COLUMN directory.former_users.profile_settings IS 'Settings that profile updates carry, such as licence features. Settings proper are in user_settings.';

COMMENT ON COLUMN directory.former_users.creation_type IS 'How the user was created (create, autoCreate, custCreate, ssoCreate and so on).';

COMMENT ON COLUMN directory.former_users.created_at IS 'Time of the first user.created of this life; where that was not seen, what Zoom''s REST API says, or null.';

COMMENT ON COLUMN directory.former_users.removed_at IS 'Time of the newest removal; of a user who is gone, when that was found.';

COMMENT ON COLUMN directory.former_users.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.former_users.last_position IS 'Position in the log of that event.';

CREATE FUNCTION state.former_users_at(p_bound bytea) RETURNS SETOF directory.former_users
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT u.account_id,
     u.user_id,
     u.email,
     (u.profile ->> 'first_name'::text) AS first_name,
     (u.profile ->> 'last_name'::text) AS last_name,
     (u.profile ->> 'display_name'::text) AS display_name,
     ((u.profile ->> 'type'::text))::integer AS type,
     u.status,
     (u.profile ->> 'role'::text) AS role,
     (u.profile ->> 'dept'::text) AS dept,
     (u.profile ->> 'company'::text) AS company,
     (u.profile ->> 'language'::text) AS language,
     (u.profile ->> 'timezone'::text) AS timezone,
     (u.profile ->> 'phone_number'::text) AS phone_number,
     (u.profile ->> 'phone_country'::text) AS phone_country,
     (u.profile ->> 'pic_url'::text) AS pic_url,
     ((u.profile ->> 'pmi'::text))::bigint AS pmi,
     ((u.profile ->> 'use_pmi'::text))::boolean AS use_pmi,
     (u.profile ->> 'vanity_name'::text) AS vanity_name,
     (u.profile ->> 'primary_group_id'::text) AS primary_group_id,
     NULLIF(u.custom_attributes, '[]'::jsonb) AS custom_attributes,
     NULLIF((u.profile -> 'settings'::text), 'null'::jsonb) AS profile_settings,
     u.creation_type,
     state.at(COALESCE(u.created_ms, u.observed_created_ms)) AS created_at,
     state.at(u.removed_ms) AS removed_at,
     state.time_of(u.folded) AS last_event_at,
     u.last_position
    FROM ( SELECT past_users.account_id,
             past_users.user_key,
             past_users.folded,
             past_users.until,
             past_users.last_position,
             past_users.user_id,
             past_users.status,
             past_users.pending_order,
             past_users.profile,
             past_users.custom_attributes,
             past_users.creation_type,
             past_users.created_ms,
             past_users.removed,
             past_users.removed_ms,
             past_users.cutoff,
             past_users.observed_created_ms,
             past_users.email,
             past_users.known
            FROM state.past_users
           WHERE ((past_users.folded < ( SELECT former_users_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT former_users_at.p_bound AS p_bound)))) u
   WHERE (u.known AND u.removed);
END;

CREATE FUNCTION directory.former_users_at(t timestamp with time zone) RETURNS SETOF directory.former_users
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT former_users_at.account_id,
     former_users_at.user_id,
     former_users_at.email,
     former_users_at.first_name,
     former_users_at.last_name,
     former_users_at.display_name,
     former_users_at.type,
     former_users_at.status,
     former_users_at.role,
     former_users_at.dept,
     former_users_at.company,
     former_users_at.language,
     former_users_at.timezone,
     former_users_at.phone_number,
     former_users_at.phone_country,
     former_users_at.pic_url,
     former_users_at.pmi,
     former_users_at.use_pmi,
     former_users_at.vanity_name,
     former_users_at.primary_group_id,
     former_users_at.custom_attributes,
     former_users_at.profile_settings,
     former_users_at.creation_type,
     former_users_at.created_at,
     former_users_at.removed_at,
     former_users_at.last_event_at,
     former_users_at.last_position
    FROM state.former_users_at(state.bound(former_users_at.t)) former_users_at(account_id, user_id, email, first_name, last_name, display_name, type, status, role, dept, company, language, timezone, phone_number, phone_country, pic_url, pmi, use_pmi, vanity_name, primary_group_id, custom_attributes, profile_settings, creation_type, created_at, removed_at, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.former_users_at(t timestamp with time zone) IS 'What the view former_users would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE FUNCTION state.group_admins_decides(p_account text, p_group text, p_key text, p_folded bytea) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_person text := state.group_admins_meaning(p_account, p_group, p_key, p_folded);
    v_cutoff bytea;
    v_own_email text;
    v_listed record;
BEGIN
    IF v_person IS NULL OR v_person = p_key THEN
        RETURN v_person;
    END IF;
    SELECT u.cutoff, u.email INTO v_cutoff, v_own_email
    FROM state.users u WHERE u.account_id = p_account AND u.user_key = v_person;
    SELECT m.folded, m.email INTO v_listed
    FROM state.group_admins m
    WHERE m.account_id = p_account AND m.group_id = p_group AND m.person_key = v_person;
    IF v_listed.folded >= p_folded AND v_listed.folded > coalesce(v_cutoff, '') THEN
        RETURN NULL;
    END IF;
    -- No other e-mails than these two can mean the same person.
    IF EXISTS (
        SELECT FROM state.group_admins e
        WHERE e.account_id = p_account AND e.group_id = p_group AND e.user_id IS NULL
          AND e.person_key IN ('email:' || lower(v_listed.email), 'email:' || lower(v_own_email))
          AND (e.folded, e.person_key) > (p_folded, p_key)
          AND state.group_admins_meaning(p_account, p_group, e.person_key, e.folded) = v_person)
    THEN
        RETURN NULL;
    END IF;
    RETURN v_person;
END
$$;

CREATE FUNCTION state.group_admins_decides_at(p_bound bytea, p_account text, p_group text, p_key text, p_folded bytea) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_person text := state.group_admins_meaning_at(p_bound, p_account, p_group, p_key, p_folded);
    v_cutoff bytea;
    v_own_email text;
    v_listed record;
BEGIN
    IF v_person IS NULL OR v_person = p_key THEN
        RETURN v_person;
    END IF;
    SELECT u.cutoff, u.email INTO v_cutoff, v_own_email
    FROM (SELECT * FROM state.past_users WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) u WHERE u.account_id = p_account AND u.user_key = v_person;
    SELECT m.folded, m.email INTO v_listed
    FROM (SELECT * FROM state.past_group_admins WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) m
    WHERE m.account_id = p_account AND m.group_id = p_group AND m.person_key = v_person;
    IF v_listed.folded >= p_folded AND v_listed.folded > coalesce(v_cutoff, '') THEN
        RETURN NULL;
    END IF;
    -- No other e-mails than these two can mean the same person.
    IF EXISTS (
        SELECT FROM (SELECT * FROM state.past_group_admins WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) e
        WHERE e.account_id = p_account AND e.group_id = p_group AND e.user_id IS NULL
          AND e.person_key IN ('email:' || lower(v_listed.email), 'email:' || lower(v_own_email))
          AND (e.folded, e.person_key) > (p_folded, p_key)
          AND state.group_admins_meaning_at(p_bound, p_account, p_group, e.person_key, e.folded) = v_person)
    THEN
        RETURN NULL;
    END IF;
    RETURN v_person;
END
$$;

CREATE VIEW state.known_groups AS
 SELECT account_id,
    group_id,
    (profile ->> 'name'::text) AS name,
    removed,
    COALESCE(cutoff, '\x'::bytea) AS cutoff,
    cutoff AS ended
   FROM state.groups g
  WHERE (last_position > 0);

CREATE FUNCTION state.known_groups_at(p_bound bytea) RETURNS SETOF state.known_groups
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT g.account_id,
     g.group_id,
     (g.profile ->> 'name'::text) AS name,
     g.removed,
     COALESCE(g.cutoff, '\x'::bytea) AS cutoff,
     g.cutoff AS ended
    FROM ( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT known_groups_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT known_groups_at.p_bound AS p_bound)))) g
   WHERE (g.last_position > 0);
END;

CREATE TABLE state.group_admins (
    account_id text NOT NULL,
    person_key text NOT NULL,
    group_id text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text,
    email text,
    email_order bytea NOT NULL,
    added boolean NOT NULL,
    by text,
    told bytea NOT NULL,
    told_added boolean NOT NULL,
    absent bytea NOT NULL,
    in_set boolean NOT NULL,
    happened_at timestamp with time zone GENERATED ALWAYS AS (state.time_of(folded)) STORED,
    told_at timestamp with time zone GENERATED ALWAYS AS (
CASE
    WHEN told_added THEN state.time_of(told)
    ELSE NULL::timestamp with time zone
END) STORED
)
WITH (fillfactor='85');

CREATE VIEW state.group_admins_shown AS
 SELECT m.account_id,
    m.group_id,
    u.user_id,
    COALESCE(u.email,
        CASE
            WHEN (m.email_order > GREATEST(u.cutoff, g.cutoff)) THEN m.email
            ELSE NULL::text
        END) AS email,
    g.name AS group_name,
    u.status AS user_status,
        CASE
            WHEN w.told THEN m.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (w.told AND m.told_added) THEN m.by
            ELSE NULL::text
        END AS added_by,
    m.happened_at AS last_event_at,
    m.last_position,
    m.person_key AS entry_key
   FROM (((state.people u
     JOIN state.group_admins m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key))))
     LEFT JOIN state.known_groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
     CROSS JOIN LATERAL ( SELECT (m.told > GREATEST(u.cutoff, g.cutoff, m.absent)) AS told) w)
  WHERE (m.added AND (m.user_id IS NOT NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND ((u.ended IS NULL) OR (m.folded > u.ended)) AND ((g.ended IS NULL) OR (m.folded > g.ended)) AND (NOT (EXISTS ( SELECT
           FROM state.group_admins e
          WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                CASE e.person_key
                    WHEN ('email:'::text || lower(m.email)) THEN state.group_admins_decides(e.account_id, e.group_id, e.person_key, e.folded)
                    ELSE NULL::text
                END = m.person_key))))) AND (NOT (EXISTS ( SELECT
           FROM state.group_admins e
          WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(u.email))) AND (e.folded > m.folded) AND (
                CASE e.person_key
                    WHEN ('email:'::text || lower(u.email)) THEN state.group_admins_decides(e.account_id, e.group_id, e.person_key, e.folded)
                    ELSE NULL::text
                END = m.person_key))))))
UNION ALL
 SELECT e.account_id,
    e.group_id,
    u.user_id,
    u.email,
    g.name AS group_name,
    u.status AS user_status,
        CASE
            WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
            ELSE NULL::text
        END AS added_by,
    e.happened_at AS last_event_at,
    e.last_position,
    e.person_key AS entry_key
   FROM ((state.people u
     JOIN state.group_admins e ON (((e.account_id = u.account_id) AND (e.person_key = ('email:'::text || lower(u.email))) AND (u.email_key = SUBSTRING(e.person_key FROM 7)))))
     LEFT JOIN state.known_groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND (e.user_id IS NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (
        CASE e.person_key
            WHEN ('email:'::text || lower(u.email)) THEN state.group_admins_decides(e.account_id, e.group_id, e.person_key, e.folded)
            ELSE NULL::text
        END = u.user_key))
UNION ALL
 SELECT e.account_id,
    e.group_id,
    u.user_id,
    COALESCE(u.email, e.email) AS email,
    g.name AS group_name,
    u.status AS user_status,
        CASE
            WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
            ELSE NULL::text
        END AS added_by,
    e.happened_at AS last_event_at,
    e.last_position,
    e.person_key AS entry_key
   FROM (((state.people u
     JOIN state.group_admins m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key) AND (m.user_id IS NOT NULL))))
     JOIN state.group_admins e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.person_key = ('email:'::text || lower(m.email))) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
     LEFT JOIN state.known_groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND (e.user_id IS NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (lower(u.email) IS DISTINCT FROM lower(m.email)) AND (
        CASE e.person_key
            WHEN ('email:'::text || lower(m.email)) THEN state.group_admins_decides(e.account_id, e.group_id, e.person_key, e.folded)
            ELSE NULL::text
        END = m.person_key))
UNION ALL
 SELECT m.account_id,
    m.group_id,
    m.user_id,
        CASE
            WHEN (m.email_order > COALESCE(g.cutoff, '\x'::bytea)) THEN m.email
            ELSE NULL::text
        END AS email,
    g.name AS group_name,
    NULL::text AS user_status,
        CASE
            WHEN (m.told > GREATEST(g.cutoff, m.absent)) THEN m.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (m.told_added AND (m.told > GREATEST(g.cutoff, m.absent))) THEN m.by
            ELSE NULL::text
        END AS added_by,
    m.happened_at AS last_event_at,
    m.last_position,
    m.person_key AS entry_key
   FROM (state.group_admins m
     LEFT JOIN state.known_groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
  WHERE (m.added AND (m.user_id IS NOT NULL) AND (g.removed IS NOT TRUE) AND ((g.ended IS NULL) OR (m.folded > g.ended)) AND (NOT (EXISTS ( SELECT
           FROM state.people u
          WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key))))) AND (NOT (EXISTS ( SELECT
           FROM state.group_admins e
          WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                CASE e.person_key
                    WHEN ('email:'::text || lower(m.email)) THEN state.group_admins_decides(e.account_id, e.group_id, e.person_key, e.folded)
                    ELSE NULL::text
                END = m.person_key))))))
UNION ALL
 SELECT e.account_id,
    e.group_id,
    m.user_id,
    e.email,
    g.name AS group_name,
    NULL::text AS user_status,
        CASE
            WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
            ELSE NULL::text
        END AS added_by,
    e.happened_at AS last_event_at,
    e.last_position,
    e.person_key AS entry_key
   FROM ((state.group_admins m
     JOIN state.group_admins e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.person_key = ('email:'::text || lower(m.email))) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
     LEFT JOIN state.known_groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND (e.user_id IS NULL) AND (m.user_id IS NOT NULL) AND (g.removed IS NOT TRUE) AND (NOT (EXISTS ( SELECT
           FROM state.people u
          WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key))))) AND (
        CASE e.person_key
            WHEN ('email:'::text || lower(m.email)) THEN state.group_admins_decides(e.account_id, e.group_id, e.person_key, e.folded)
            ELSE NULL::text
        END = m.person_key))
UNION ALL
 SELECT e.account_id,
    e.group_id,
    e.person_key AS user_id,
    e.email,
    g.name AS group_name,
    NULL::text AS user_status,
        CASE
            WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
            ELSE NULL::text
        END AS added_by,
    e.happened_at AS last_event_at,
    e.last_position,
    e.person_key AS entry_key
   FROM (state.group_admins e
     LEFT JOIN state.known_groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND (e.user_id IS NULL) AND (g.removed IS NOT TRUE) AND (state.group_admins_decides(e.account_id, e.group_id, e.person_key, e.folded) = e.person_key));

CREATE VIEW state.past_group_admins AS
 SELECT account_id,
    person_key,
    group_id,
    folded,
    until,
    last_position,
    user_id,
    email,
    COALESCE(email_order, folded) AS email_order,
    added,
    by,
    COALESCE(told, folded) AS told,
    told_added,
    absent,
    in_set,
    state.time_of(folded) AS happened_at,
        CASE
            WHEN told_added THEN state.time_of(COALESCE(told, folded))
            ELSE NULL::timestamp with time zone
        END AS told_at
   FROM state.group_admins_versions v;

CREATE FUNCTION state.group_admins_shown_at(p_bound bytea) RETURNS SETOF state.group_admins_shown
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT m.account_id,
     m.group_id,
     u.user_id,
     COALESCE(u.email,
         CASE
             WHEN (m.email_order > GREATEST(u.cutoff, g.cutoff)) THEN m.email
             ELSE NULL::text
         END) AS email,
     g.name AS group_name,
     u.status AS user_status,
         CASE
             WHEN w.told THEN m.told_at
             ELSE NULL::timestamp with time zone
         END AS added_at,
         CASE
             WHEN (w.told AND m.told_added) THEN m.by
             ELSE NULL::text
         END AS added_by,
     m.happened_at AS last_event_at,
     m.last_position,
     m.person_key AS entry_key
    FROM (((state.people_at(group_admins_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
      JOIN ( SELECT past_group_admins.account_id,
             past_group_admins.person_key,
             past_group_admins.group_id,
             past_group_admins.folded,
             past_group_admins.until,
             past_group_admins.last_position,
             past_group_admins.user_id,
             past_group_admins.email,
             past_group_admins.email_order,
             past_group_admins.added,
             past_group_admins.by,
             past_group_admins.told,
             past_group_admins.told_added,
             past_group_admins.absent,
             past_group_admins.in_set,
             past_group_admins.happened_at,
             past_group_admins.told_at
            FROM state.past_group_admins
           WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key))))
      LEFT JOIN state.known_groups_at(group_admins_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
      CROSS JOIN LATERAL ( SELECT (m.told > GREATEST(u.cutoff, g.cutoff, m.absent)) AS told) w)
   WHERE (m.added AND (m.user_id IS NOT NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND ((u.ended IS NULL) OR (m.folded > u.ended)) AND ((g.ended IS NULL) OR (m.folded > g.ended)) AND (NOT (EXISTS ( SELECT
            FROM ( SELECT past_group_admins.account_id,
                     past_group_admins.person_key,
                     past_group_admins.group_id,
                     past_group_admins.folded,
                     past_group_admins.until,
                     past_group_admins.last_position,
                     past_group_admins.user_id,
                     past_group_admins.email,
                     past_group_admins.email_order,
                     past_group_admins.added,
                     past_group_admins.by,
                     past_group_admins.told,
                     past_group_admins.told_added,
                     past_group_admins.absent,
                     past_group_admins.in_set,
                     past_group_admins.happened_at,
                     past_group_admins.told_at
                    FROM state.past_group_admins
                   WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) e
           WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                 CASE e.person_key
                     WHEN ('email:'::text || lower(m.email)) THEN state.group_admins_decides_at(group_admins_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
                     ELSE NULL::text
                 END = m.person_key))))) AND (NOT (EXISTS ( SELECT
            FROM ( SELECT past_group_admins.account_id,
                     past_group_admins.person_key,
                     past_group_admins.group_id,
                     past_group_admins.folded,
                     past_group_admins.until,
                     past_group_admins.last_position,
                     past_group_admins.user_id,
                     past_group_admins.email,
                     past_group_admins.email_order,
                     past_group_admins.added,
                     past_group_admins.by,
                     past_group_admins.told,
                     past_group_admins.told_added,
                     past_group_admins.absent,
                     past_group_admins.in_set,
                     past_group_admins.happened_at,
                     past_group_admins.told_at
                    FROM state.past_group_admins
                   WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) e
           WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(u.email))) AND (e.folded > m.folded) AND (
                 CASE e.person_key
                     WHEN ('email:'::text || lower(u.email)) THEN state.group_admins_decides_at(group_admins_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
                     ELSE NULL::text
                 END = m.person_key))))))
 UNION ALL
  SELECT e.account_id,
     e.group_id,
     u.user_id,
     u.email,
     g.name,
     u.status,
         CASE
             WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
             ELSE NULL::text
         END AS "case",
     e.happened_at,
     e.last_position,
     e.person_key
    FROM ((state.people_at(group_admins_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
      JOIN ( SELECT past_group_admins.account_id,
             past_group_admins.person_key,
             past_group_admins.group_id,
             past_group_admins.folded,
             past_group_admins.until,
             past_group_admins.last_position,
             past_group_admins.user_id,
             past_group_admins.email,
             past_group_admins.email_order,
             past_group_admins.added,
             past_group_admins.by,
             past_group_admins.told,
             past_group_admins.told_added,
             past_group_admins.absent,
             past_group_admins.in_set,
             past_group_admins.happened_at,
             past_group_admins.told_at
            FROM state.past_group_admins
           WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) e ON (((e.account_id = u.account_id) AND (e.person_key = ('email:'::text || lower(u.email))) AND (u.email_key = SUBSTRING(e.person_key FROM 7)))))
      LEFT JOIN state.known_groups_at(group_admins_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND (e.user_id IS NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (
         CASE e.person_key
             WHEN ('email:'::text || lower(u.email)) THEN state.group_admins_decides_at(group_admins_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
             ELSE NULL::text
         END = u.user_key))
 UNION ALL
  SELECT e.account_id,
     e.group_id,
     u.user_id,
     COALESCE(u.email, e.email) AS "coalesce",
     g.name,
     u.status,
         CASE
             WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
             ELSE NULL::text
         END AS "case",
     e.happened_at,
     e.last_position,
     e.person_key
    FROM (((state.people_at(group_admins_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
      JOIN ( SELECT past_group_admins.account_id,
             past_group_admins.person_key,
             past_group_admins.group_id,
             past_group_admins.folded,
             past_group_admins.until,
             past_group_admins.last_position,
             past_group_admins.user_id,
             past_group_admins.email,
             past_group_admins.email_order,
             past_group_admins.added,
             past_group_admins.by,
             past_group_admins.told,
             past_group_admins.told_added,
             past_group_admins.absent,
             past_group_admins.in_set,
             past_group_admins.happened_at,
             past_group_admins.told_at
            FROM state.past_group_admins
           WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key) AND (m.user_id IS NOT NULL))))
      JOIN ( SELECT past_group_admins.account_id,
             past_group_admins.person_key,
             past_group_admins.group_id,
             past_group_admins.folded,
             past_group_admins.until,
             past_group_admins.last_position,
             past_group_admins.user_id,
             past_group_admins.email,
             past_group_admins.email_order,
             past_group_admins.added,
             past_group_admins.by,
             past_group_admins.told,
             past_group_admins.told_added,
             past_group_admins.absent,
             past_group_admins.in_set,
             past_group_admins.happened_at,
             past_group_admins.told_at
            FROM state.past_group_admins
           WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.person_key = ('email:'::text || lower(m.email))) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
      LEFT JOIN state.known_groups_at(group_admins_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND (e.user_id IS NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (lower(u.email) IS DISTINCT FROM lower(m.email)) AND (
         CASE e.person_key
             WHEN ('email:'::text || lower(m.email)) THEN state.group_admins_decides_at(group_admins_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
             ELSE NULL::text
         END = m.person_key))
 UNION ALL
  SELECT m.account_id,
     m.group_id,
     m.user_id,
         CASE
             WHEN (m.email_order > COALESCE(g.cutoff, '\x'::bytea)) THEN m.email
             ELSE NULL::text
         END AS "case",
     g.name,
     NULL::text,
         CASE
             WHEN (m.told > GREATEST(g.cutoff, m.absent)) THEN m.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (m.told_added AND (m.told > GREATEST(g.cutoff, m.absent))) THEN m.by
             ELSE NULL::text
         END AS "case",
     m.happened_at,
     m.last_position,
     m.person_key
    FROM (( SELECT past_group_admins.account_id,
             past_group_admins.person_key,
             past_group_admins.group_id,
             past_group_admins.folded,
             past_group_admins.until,
             past_group_admins.last_position,
             past_group_admins.user_id,
             past_group_admins.email,
             past_group_admins.email_order,
             past_group_admins.added,
             past_group_admins.by,
             past_group_admins.told,
             past_group_admins.told_added,
             past_group_admins.absent,
             past_group_admins.in_set,
             past_group_admins.happened_at,
             past_group_admins.told_at
            FROM state.past_group_admins
           WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) m
      LEFT JOIN state.known_groups_at(group_admins_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
   WHERE (m.added AND (m.user_id IS NOT NULL) AND (g.removed IS NOT TRUE) AND ((g.ended IS NULL) OR (m.folded > g.ended)) AND (NOT (EXISTS ( SELECT
            FROM state.people_at(group_admins_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
           WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key))))) AND (NOT (EXISTS ( SELECT
            FROM ( SELECT past_group_admins.account_id,
                     past_group_admins.person_key,
                     past_group_admins.group_id,
                     past_group_admins.folded,
                     past_group_admins.until,
                     past_group_admins.last_position,
                     past_group_admins.user_id,
                     past_group_admins.email,
                     past_group_admins.email_order,
                     past_group_admins.added,
                     past_group_admins.by,
                     past_group_admins.told,
                     past_group_admins.told_added,
                     past_group_admins.absent,
                     past_group_admins.in_set,
                     past_group_admins.happened_at,
                     past_group_admins.told_at
                    FROM state.past_group_admins
                   WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) e
           WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                 CASE e.person_key
                     WHEN ('email:'::text || lower(m.email)) THEN state.group_admins_decides_at(group_admins_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
                     ELSE NULL::text
                 END = m.person_key))))))
 UNION ALL
  SELECT e.account_id,
     e.group_id,
     m.user_id,
     e.email,
     g.name,
     NULL::text,
         CASE
             WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
             ELSE NULL::text
         END AS "case",
     e.happened_at,
     e.last_position,
     e.person_key
    FROM ((( SELECT past_group_admins.account_id,
             past_group_admins.person_key,
             past_group_admins.group_id,
             past_group_admins.folded,
             past_group_admins.until,
             past_group_admins.last_position,
             past_group_admins.user_id,
             past_group_admins.email,
             past_group_admins.email_order,
             past_group_admins.added,
             past_group_admins.by,
             past_group_admins.told,
             past_group_admins.told_added,
             past_group_admins.absent,
             past_group_admins.in_set,
             past_group_admins.happened_at,
             past_group_admins.told_at
            FROM state.past_group_admins
           WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) m
      JOIN ( SELECT past_group_admins.account_id,
             past_group_admins.person_key,
             past_group_admins.group_id,
             past_group_admins.folded,
             past_group_admins.until,
             past_group_admins.last_position,
             past_group_admins.user_id,
             past_group_admins.email,
             past_group_admins.email_order,
             past_group_admins.added,
             past_group_admins.by,
             past_group_admins.told,
             past_group_admins.told_added,
             past_group_admins.absent,
             past_group_admins.in_set,
             past_group_admins.happened_at,
             past_group_admins.told_at
            FROM state.past_group_admins
           WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.person_key = ('email:'::text || lower(m.email))) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
      LEFT JOIN state.known_groups_at(group_admins_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND (e.user_id IS NULL) AND (m.user_id IS NOT NULL) AND (g.removed IS NOT TRUE) AND (NOT (EXISTS ( SELECT
            FROM state.people_at(group_admins_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
           WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key))))) AND (
         CASE e.person_key
             WHEN ('email:'::text || lower(m.email)) THEN state.group_admins_decides_at(group_admins_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
             ELSE NULL::text
         END = m.person_key))
 UNION ALL
  SELECT e.account_id,
     e.group_id,
     e.person_key,
     e.email,
     g.name,
     NULL::text,
         CASE
             WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
             ELSE NULL::text
         END AS "case",
     e.happened_at,
     e.last_position,
     e.person_key
    FROM (( SELECT past_group_admins.account_id,
             past_group_admins.person_key,
             past_group_admins.group_id,
             past_group_admins.folded,
             past_group_admins.until,
             past_group_admins.last_position,
             past_group_admins.user_id,
             past_group_admins.email,
             past_group_admins.email_order,
             past_group_admins.added,
             past_group_admins.by,
             past_group_admins.told,
             past_group_admins.told_added,
             past_group_admins.absent,
             past_group_admins.in_set,
             past_group_admins.happened_at,
             past_group_admins.told_at
            FROM state.past_group_admins
           WHERE ((past_group_admins.folded < ( SELECT group_admins_shown_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_shown_at.p_bound AS p_bound)))) e
      LEFT JOIN state.known_groups_at(group_admins_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND (e.user_id IS NULL) AND (g.removed IS NOT TRUE) AND (state.group_admins_decides_at(group_admins_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded) = e.person_key));
END;

CREATE VIEW directory.group_admins AS
 SELECT account_id,
    group_id,
    user_id,
    email,
    group_name,
    user_status,
    added_at,
    added_by,
    last_event_at,
    last_position
   FROM state.group_admins_shown s;

COMMENT ON VIEW directory.group_admins IS 'The group_admins of groups: one row a group and person. Removed users and removed groups are not in it.';

COMMENT ON COLUMN directory.group_admins.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.group_admins.group_id IS 'Zoom''s group id.';

COMMENT ON COLUMN directory.group_admins.user_id IS 'Zoom''s user id, spelled as in users where the user is known there; email:<lower-cased e-mail> for an entry without an id that nobody known has.';

COMMENT ON COLUMN directory.group_admins.email IS 'The person''s current e-mail in users; where none is known there, the newest that the list''s own events named.';

COMMENT ON COLUMN directory.group_admins.group_name IS 'Current name of the group; null where the group is not in groups.';

COMMENT ON COLUMN directory.group_admins.user_status IS 'Status of the user as in users; null where the person is not in users.';

COMMENT ON COLUMN directory.group_admins.added_at IS 'Time of the newest delivery that added the person; null where only Zoom''s REST API told of it.';

COMMENT ON COLUMN directory.group_admins.added_by IS 'E-mail of the operator of that delivery; null where it named none.';

COMMENT ON COLUMN directory.group_admins.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.group_admins.last_position IS 'Position in the log of that event.';

CREATE FUNCTION state.group_admins_at(p_bound bytea) RETURNS SETOF directory.group_admins
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT s.account_id,
     s.group_id,
     s.user_id,
     s.email,
     s.group_name,
     s.user_status,
     s.added_at,
     s.added_by,
     s.last_event_at,
     s.last_position
    FROM state.group_admins_shown_at(group_admins_at.p_bound) s(account_id, group_id, user_id, email, group_name, user_status, added_at, added_by, last_event_at, last_position, entry_key);
END;

CREATE FUNCTION directory.group_admins_at(t timestamp with time zone) RETURNS SETOF directory.group_admins
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT group_admins_at.account_id,
     group_admins_at.group_id,
     group_admins_at.user_id,
     group_admins_at.email,
     group_admins_at.group_name,
     group_admins_at.user_status,
     group_admins_at.added_at,
     group_admins_at.added_by,
     group_admins_at.last_event_at,
     group_admins_at.last_position
    FROM state.group_admins_at(state.bound(group_admins_at.t)) group_admins_at(account_id, group_id, user_id, email, group_name, user_status, added_at, added_by, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.group_admins_at(t timestamp with time zone) IS 'What the view group_admins would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE FUNCTION state.group_admins_page(p_account text, p_group text, p_after text, p_rows integer) RETURNS SETOF state.group_admins_shown
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
                (SELECT m.person_key FROM state.group_admins m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NOT NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
                UNION ALL
                (SELECT m.person_key FROM state.group_admins m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
            ) k
            ORDER BY k.person_key LIMIT p_rows);
        RETURN QUERY
        SELECT v.*
        FROM unnest(v_keys) AS k (person_key)
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_shown s
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

CREATE FUNCTION directory.group_admins_page(account text, "group" text, after text, most integer) RETURNS SETOF state.group_admins_shown
    LANGUAGE sql STABLE ROWS 50 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT group_admins_page.account_id,
     group_admins_page.group_id,
     group_admins_page.user_id,
     group_admins_page.email,
     group_admins_page.group_name,
     group_admins_page.user_status,
     group_admins_page.added_at,
     group_admins_page.added_by,
     group_admins_page.last_event_at,
     group_admins_page.last_position,
     group_admins_page.entry_key
    FROM state.group_admins_page(group_admins_page.account, group_admins_page."group", group_admins_page.after, group_admins_page.most) group_admins_page(account_id, group_id, user_id, email, group_name, user_status, added_at, added_by, last_event_at, last_position, entry_key);
END;

COMMENT ON FUNCTION directory.group_admins_page(account text, "group" text, after text, most integer) IS 'Rows of group_admins of one group of an account, at most so many, with entry_key: in its order, from the first row whose key is greater than the one given; '''' is the beginning.';

CREATE FUNCTION directory.group_admins_page_at(t timestamp with time zone, account text, "group" text, after text, most integer) RETURNS SETOF state.group_admins_shown
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY SELECT * FROM state.group_admins_page_at(state.bound(t), account, "group", after, most);
END
$$;

COMMENT ON FUNCTION directory.group_admins_page_at(t timestamp with time zone, account text, "group" text, after text, most integer) IS 'The same of group_admins_at(t): what the list would show had exactly the events up to this moment been folded.';

CREATE VIEW directory.group_settings AS
 SELECT s.account_id,
    s.group_id,
    NULLIF(s.settings, '{}'::jsonb) AS settings,
    NULLIF(s.locks, '{}'::jsonb) AS locks,
    state.time_of(s.changed_order) AS changed_at,
    s.changed_by,
    state.time_of(s.changed_order) AS last_event_at,
    s.last_position
   FROM (state.group_settings s
     LEFT JOIN state.known_groups g ON (((g.account_id = s.account_id) AND (g.group_id = s.group_id))))
  WHERE ((s.changed_order > COALESCE(g.cutoff, '\x'::bytea)) AND (NOT s.removed) AND (g.removed IS NOT TRUE));

COMMENT ON VIEW directory.group_settings IS 'Settings of groups and which of them are locked, as far as events told them: one row for whichever group such an event named, removed groups excepted.';

COMMENT ON COLUMN directory.group_settings.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.group_settings.group_id IS 'Zoom''s group id.';

COMMENT ON COLUMN directory.group_settings.settings IS 'The settings known, nested as Zoom nests them; null where none is.';

COMMENT ON COLUMN directory.group_settings.locks IS 'The locks known, nested alike: true means that members may not change that setting; null where none is known.';

COMMENT ON COLUMN directory.group_settings.changed_at IS 'Time of the newest settings or lock event.';

COMMENT ON COLUMN directory.group_settings.changed_by IS 'E-mail of the operator of that event; null where it named none.';

COMMENT ON COLUMN directory.group_settings.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.group_settings.last_position IS 'Position in the log of that event.';

CREATE FUNCTION state.group_settings_at(p_bound bytea) RETURNS SETOF directory.group_settings
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT s.account_id,
     s.group_id,
     NULLIF(s.settings, '{}'::jsonb) AS settings,
     NULLIF(s.locks, '{}'::jsonb) AS locks,
     state.time_of(s.changed_order) AS changed_at,
     s.changed_by,
     state.time_of(s.changed_order) AS last_event_at,
     s.last_position
    FROM (( SELECT past_group_settings.account_id,
             past_group_settings.group_id,
             past_group_settings.folded,
             past_group_settings.until,
             past_group_settings.last_position,
             past_group_settings.settings,
             past_group_settings.locks,
             past_group_settings.changed_by,
             past_group_settings.removed,
             past_group_settings.changed_order,
             past_group_settings.flags_set,
             past_group_settings.flags_open
            FROM state.past_group_settings
           WHERE ((past_group_settings.folded < ( SELECT group_settings_at.p_bound AS p_bound)) AND (past_group_settings.until >= ( SELECT group_settings_at.p_bound AS p_bound)))) s
      LEFT JOIN state.known_groups_at(group_settings_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = s.account_id) AND (g.group_id = s.group_id))))
   WHERE ((s.changed_order > COALESCE(g.cutoff, '\x'::bytea)) AND (NOT s.removed) AND (g.removed IS NOT TRUE));
END;

CREATE FUNCTION directory.group_settings_at(t timestamp with time zone) RETURNS SETOF directory.group_settings
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT group_settings_at.account_id,
     group_settings_at.group_id,
     group_settings_at.settings,
     group_settings_at.locks,
     group_settings_at.changed_at,
     group_settings_at.changed_by,
     group_settings_at.last_event_at,
     group_settings_at.last_position
    FROM state.group_settings_at(state.bound(group_settings_at.t)) group_settings_at(account_id, group_id, settings, locks, changed_at, changed_by, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.group_settings_at(t timestamp with time zone) IS 'What the view group_settings would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE VIEW state.group_admins_counted AS
 SELECT account_id,
    group_id,
    ((( SELECT count(*) AS count
           FROM state.group_admins m
          WHERE ((m.account_id = g.account_id) AND (m.group_id = g.group_id) AND m.added AND (m.user_id IS NOT NULL))) -
        CASE
            WHEN (cutoff IS NULL) THEN (0)::bigint
            ELSE ( SELECT count(*) AS count
               FROM state.group_admins m
              WHERE ((m.account_id = g.account_id) AND (m.group_id = g.group_id) AND m.added AND (m.user_id IS NOT NULL) AND (m.folded < g.cutoff)))
        END) + ( SELECT COALESCE(sum(((e.added)::integer - (((m.added IS TRUE) AND (m.folded > GREATEST(u.cutoff, g.cutoff, '\x'::bytea))))::integer)), (0)::bigint) AS "coalesce"
           FROM (((state.group_admins e
             CROSS JOIN LATERAL ( SELECT state.group_admins_decides(e.account_id, e.group_id, e.person_key, e.folded) AS person_key
                 OFFSET 0) p)
             LEFT JOIN state.users u ON (((u.account_id = e.account_id) AND (u.user_key = p.person_key))))
             LEFT JOIN state.group_admins m ON (((m.account_id = e.account_id) AND (m.group_id = e.group_id) AND (m.person_key = p.person_key) AND (m.user_id IS NOT NULL))))
          WHERE ((e.account_id = g.account_id) AND (e.group_id = g.group_id) AND (e.user_id IS NULL) AND (p.person_key IS NOT NULL) AND (u.removed IS NOT TRUE)))) AS people
   FROM state.groups g;

CREATE FUNCTION state.group_admins_counted_at(p_bound bytea) RETURNS SETOF state.group_admins_counted
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT g.account_id,
     g.group_id,
     ((( SELECT count(*) AS count
            FROM ( SELECT past_group_admins.account_id,
                     past_group_admins.person_key,
                     past_group_admins.group_id,
                     past_group_admins.folded,
                     past_group_admins.until,
                     past_group_admins.last_position,
                     past_group_admins.user_id,
                     past_group_admins.email,
                     past_group_admins.email_order,
                     past_group_admins.added,
                     past_group_admins.by,
                     past_group_admins.told,
                     past_group_admins.told_added,
                     past_group_admins.absent,
                     past_group_admins.in_set,
                     past_group_admins.happened_at,
                     past_group_admins.told_at
                    FROM state.past_group_admins
                   WHERE ((past_group_admins.folded < ( SELECT group_admins_counted_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_counted_at.p_bound AS p_bound)))) m
           WHERE ((m.account_id = g.account_id) AND (m.group_id = g.group_id) AND m.added AND (m.user_id IS NOT NULL))) -
         CASE
             WHEN (g.cutoff IS NULL) THEN (0)::bigint
             ELSE ( SELECT count(*) AS count
                FROM ( SELECT past_group_admins.account_id,
                         past_group_admins.person_key,
                         past_group_admins.group_id,
                         past_group_admins.folded,
                         past_group_admins.until,
                         past_group_admins.last_position,
                         past_group_admins.user_id,
                         past_group_admins.email,
                         past_group_admins.email_order,
                         past_group_admins.added,
                         past_group_admins.by,
                         past_group_admins.told,
                         past_group_admins.told_added,
                         past_group_admins.absent,
                         past_group_admins.in_set,
                         past_group_admins.happened_at,
                         past_group_admins.told_at
                        FROM state.past_group_admins
                       WHERE ((past_group_admins.folded < ( SELECT group_admins_counted_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_counted_at.p_bound AS p_bound)))) m
               WHERE ((m.account_id = g.account_id) AND (m.group_id = g.group_id) AND m.added AND (m.user_id IS NOT NULL) AND (m.folded < g.cutoff)))
         END) + ( SELECT COALESCE(sum(((e.added)::integer - (((m.added IS TRUE) AND (m.folded > GREATEST(u.cutoff, g.cutoff, '\x'::bytea))))::integer)), (0)::bigint) AS "coalesce"
            FROM (((( SELECT past_group_admins.account_id,
                     past_group_admins.person_key,
                     past_group_admins.group_id,
                     past_group_admins.folded,
                     past_group_admins.until,
                     past_group_admins.last_position,
                     past_group_admins.user_id,
                     past_group_admins.email,
                     past_group_admins.email_order,
                     past_group_admins.added,
                     past_group_admins.by,
                     past_group_admins.told,
                     past_group_admins.told_added,
                     past_group_admins.absent,
                     past_group_admins.in_set,
                     past_group_admins.happened_at,
                     past_group_admins.told_at
                    FROM state.past_group_admins
                   WHERE ((past_group_admins.folded < ( SELECT group_admins_counted_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_counted_at.p_bound AS p_bound)))) e
              CROSS JOIN LATERAL ( SELECT state.group_admins_decides_at(group_admins_counted_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded) AS person_key
                  OFFSET 0) p)
              LEFT JOIN ( SELECT past_users.account_id,
                     past_users.user_key,
                     past_users.folded,
                     past_users.until,
                     past_users.last_position,
                     past_users.user_id,
                     past_users.status,
                     past_users.pending_order,
                     past_users.profile,
                     past_users.custom_attributes,
                     past_users.creation_type,
                     past_users.created_ms,
                     past_users.removed,
                     past_users.removed_ms,
                     past_users.cutoff,
                     past_users.observed_created_ms,
                     past_users.email,
                     past_users.known
                    FROM state.past_users
                   WHERE ((past_users.folded < ( SELECT group_admins_counted_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT group_admins_counted_at.p_bound AS p_bound)))) u ON (((u.account_id = e.account_id) AND (u.user_key = p.person_key))))
              LEFT JOIN ( SELECT past_group_admins.account_id,
                     past_group_admins.person_key,
                     past_group_admins.group_id,
                     past_group_admins.folded,
                     past_group_admins.until,
                     past_group_admins.last_position,
                     past_group_admins.user_id,
                     past_group_admins.email,
                     past_group_admins.email_order,
                     past_group_admins.added,
                     past_group_admins.by,
                     past_group_admins.told,
                     past_group_admins.told_added,
                     past_group_admins.absent,
                     past_group_admins.in_set,
                     past_group_admins.happened_at,
                     past_group_admins.told_at
                    FROM state.past_group_admins
                   WHERE ((past_group_admins.folded < ( SELECT group_admins_counted_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_counted_at.p_bound AS p_bound)))) m ON (((m.account_id = e.account_id) AND (m.group_id = e.group_id) AND (m.person_key = p.person_key) AND (m.user_id IS NOT NULL))))
           WHERE ((e.account_id = g.account_id) AND (e.group_id = g.group_id) AND (e.user_id IS NULL) AND (p.person_key IS NOT NULL) AND (u.removed IS NOT TRUE)))) AS people
    FROM ( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT group_admins_counted_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT group_admins_counted_at.p_bound AS p_bound)))) g;
END;

CREATE VIEW state.group_admins_ended AS
 SELECT m.account_id,
    m.group_id,
    count(*) AS people
   FROM ((state.users u
     JOIN state.group_admins m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key))))
     LEFT JOIN state.groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
  WHERE ((u.cutoff IS NOT NULL) AND (u.removed OR (m.folded < u.cutoff)) AND m.added AND (m.user_id IS NOT NULL) AND ((g.cutoff IS NULL) OR (m.folded > g.cutoff)))
  GROUP BY m.account_id, m.group_id;

CREATE FUNCTION state.group_admins_ended_at(p_bound bytea) RETURNS SETOF state.group_admins_ended
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT m.account_id,
     m.group_id,
     count(*) AS people
    FROM ((( SELECT past_users.account_id,
             past_users.user_key,
             past_users.folded,
             past_users.until,
             past_users.last_position,
             past_users.user_id,
             past_users.status,
             past_users.pending_order,
             past_users.profile,
             past_users.custom_attributes,
             past_users.creation_type,
             past_users.created_ms,
             past_users.removed,
             past_users.removed_ms,
             past_users.cutoff,
             past_users.observed_created_ms,
             past_users.email,
             past_users.known
            FROM state.past_users
           WHERE ((past_users.folded < ( SELECT group_admins_ended_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT group_admins_ended_at.p_bound AS p_bound)))) u
      JOIN ( SELECT past_group_admins.account_id,
             past_group_admins.person_key,
             past_group_admins.group_id,
             past_group_admins.folded,
             past_group_admins.until,
             past_group_admins.last_position,
             past_group_admins.user_id,
             past_group_admins.email,
             past_group_admins.email_order,
             past_group_admins.added,
             past_group_admins.by,
             past_group_admins.told,
             past_group_admins.told_added,
             past_group_admins.absent,
             past_group_admins.in_set,
             past_group_admins.happened_at,
             past_group_admins.told_at
            FROM state.past_group_admins
           WHERE ((past_group_admins.folded < ( SELECT group_admins_ended_at.p_bound AS p_bound)) AND (past_group_admins.until >= ( SELECT group_admins_ended_at.p_bound AS p_bound)))) m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key))))
      LEFT JOIN ( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT group_admins_ended_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT group_admins_ended_at.p_bound AS p_bound)))) g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
   WHERE ((u.cutoff IS NOT NULL) AND (u.removed OR (m.folded < u.cutoff)) AND m.added AND (m.user_id IS NOT NULL) AND ((g.cutoff IS NULL) OR (m.folded > g.cutoff)))
   GROUP BY m.account_id, m.group_id;
END;

CREATE VIEW state.memberships_counted AS
 SELECT account_id,
    group_id,
    ((( SELECT count(*) AS count
           FROM state.memberships m
          WHERE ((m.account_id = g.account_id) AND (m.group_id = g.group_id) AND m.added AND (m.user_id IS NOT NULL))) -
        CASE
            WHEN (cutoff IS NULL) THEN (0)::bigint
            ELSE ( SELECT count(*) AS count
               FROM state.memberships m
              WHERE ((m.account_id = g.account_id) AND (m.group_id = g.group_id) AND m.added AND (m.user_id IS NOT NULL) AND (m.folded < g.cutoff)))
        END) + ( SELECT COALESCE(sum(((e.added)::integer - (((m.added IS TRUE) AND (m.folded > GREATEST(u.cutoff, g.cutoff, '\x'::bytea)) AND (m.folded >= COALESCE(o.mark, '\x'::bytea))))::integer)), (0)::bigint) AS "coalesce"
           FROM ((((state.memberships e
             CROSS JOIN LATERAL ( SELECT state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded) AS person_key
                 OFFSET 0) p)
             LEFT JOIN state.users u ON (((u.account_id = e.account_id) AND (u.user_key = p.person_key))))
             LEFT JOIN state.memberships m ON (((m.account_id = e.account_id) AND (m.group_id = e.group_id) AND (m.person_key = p.person_key) AND (m.user_id IS NOT NULL))))
             LEFT JOIN state.observed_groups o ON (((o.account_id = e.account_id) AND (o.person_key = p.person_key))))
          WHERE ((e.account_id = g.account_id) AND (e.group_id = g.group_id) AND (e.user_id IS NULL) AND (p.person_key IS NOT NULL) AND (u.removed IS NOT TRUE)))) AS people
   FROM state.groups g;

CREATE FUNCTION state.memberships_counted_at(p_bound bytea) RETURNS SETOF state.memberships_counted
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT g.account_id,
     g.group_id,
     ((( SELECT count(*) AS count
            FROM ( SELECT past_memberships.account_id,
                     past_memberships.person_key,
                     past_memberships.group_id,
                     past_memberships.folded,
                     past_memberships.until,
                     past_memberships.last_position,
                     past_memberships.user_id,
                     past_memberships.email,
                     past_memberships.email_order,
                     past_memberships.added,
                     past_memberships.by,
                     past_memberships.told,
                     past_memberships.told_added,
                     past_memberships.absent,
                     past_memberships.in_set,
                     past_memberships.happened_at,
                     past_memberships.told_at
                    FROM state.past_memberships
                   WHERE ((past_memberships.folded < ( SELECT memberships_counted_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_counted_at.p_bound AS p_bound)))) m
           WHERE ((m.account_id = g.account_id) AND (m.group_id = g.group_id) AND m.added AND (m.user_id IS NOT NULL))) -
         CASE
             WHEN (g.cutoff IS NULL) THEN (0)::bigint
             ELSE ( SELECT count(*) AS count
                FROM ( SELECT past_memberships.account_id,
                         past_memberships.person_key,
                         past_memberships.group_id,
                         past_memberships.folded,
                         past_memberships.until,
                         past_memberships.last_position,
                         past_memberships.user_id,
                         past_memberships.email,
                         past_memberships.email_order,
                         past_memberships.added,
                         past_memberships.by,
                         past_memberships.told,
                         past_memberships.told_added,
                         past_memberships.absent,
                         past_memberships.in_set,
                         past_memberships.happened_at,
                         past_memberships.told_at
                        FROM state.past_memberships
                       WHERE ((past_memberships.folded < ( SELECT memberships_counted_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_counted_at.p_bound AS p_bound)))) m
               WHERE ((m.account_id = g.account_id) AND (m.group_id = g.group_id) AND m.added AND (m.user_id IS NOT NULL) AND (m.folded < g.cutoff)))
         END) + ( SELECT COALESCE(sum(((e.added)::integer - (((m.added IS TRUE) AND (m.folded > GREATEST(u.cutoff, g.cutoff, '\x'::bytea)) AND (m.folded >= COALESCE(o.mark, '\x'::bytea))))::integer)), (0)::bigint) AS "coalesce"
            FROM ((((( SELECT past_memberships.account_id,
                     past_memberships.person_key,
                     past_memberships.group_id,
                     past_memberships.folded,
                     past_memberships.until,
                     past_memberships.last_position,
                     past_memberships.user_id,
                     past_memberships.email,
                     past_memberships.email_order,
                     past_memberships.added,
                     past_memberships.by,
                     past_memberships.told,
                     past_memberships.told_added,
                     past_memberships.absent,
                     past_memberships.in_set,
                     past_memberships.happened_at,
                     past_memberships.told_at
                    FROM state.past_memberships
                   WHERE ((past_memberships.folded < ( SELECT memberships_counted_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_counted_at.p_bound AS p_bound)))) e
              CROSS JOIN LATERAL ( SELECT state.memberships_decides_at(memberships_counted_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded) AS person_key
                  OFFSET 0) p)
              LEFT JOIN ( SELECT past_users.account_id,
                     past_users.user_key,
                     past_users.folded,
                     past_users.until,
                     past_users.last_position,
                     past_users.user_id,
                     past_users.status,
                     past_users.pending_order,
                     past_users.profile,
                     past_users.custom_attributes,
                     past_users.creation_type,
                     past_users.created_ms,
                     past_users.removed,
                     past_users.removed_ms,
                     past_users.cutoff,
                     past_users.observed_created_ms,
                     past_users.email,
                     past_users.known
                    FROM state.past_users
                   WHERE ((past_users.folded < ( SELECT memberships_counted_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT memberships_counted_at.p_bound AS p_bound)))) u ON (((u.account_id = e.account_id) AND (u.user_key = p.person_key))))
              LEFT JOIN ( SELECT past_memberships.account_id,
                     past_memberships.person_key,
                     past_memberships.group_id,
                     past_memberships.folded,
                     past_memberships.until,
                     past_memberships.last_position,
                     past_memberships.user_id,
                     past_memberships.email,
                     past_memberships.email_order,
                     past_memberships.added,
                     past_memberships.by,
                     past_memberships.told,
                     past_memberships.told_added,
                     past_memberships.absent,
                     past_memberships.in_set,
                     past_memberships.happened_at,
                     past_memberships.told_at
                    FROM state.past_memberships
                   WHERE ((past_memberships.folded < ( SELECT memberships_counted_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_counted_at.p_bound AS p_bound)))) m ON (((m.account_id = e.account_id) AND (m.group_id = e.group_id) AND (m.person_key = p.person_key) AND (m.user_id IS NOT NULL))))
              LEFT JOIN ( SELECT past_observed_groups.account_id,
                     past_observed_groups.person_key,
                     past_observed_groups.folded,
                     past_observed_groups.until,
                     past_observed_groups.mark,
                     past_observed_groups.groups,
                     past_observed_groups.lacked,
                     past_observed_groups.dropped
                    FROM state.past_observed_groups
                   WHERE ((past_observed_groups.folded < ( SELECT memberships_counted_at.p_bound AS p_bound)) AND (past_observed_groups.until >= ( SELECT memberships_counted_at.p_bound AS p_bound)))) o ON (((o.account_id = e.account_id) AND (o.person_key = p.person_key))))
           WHERE ((e.account_id = g.account_id) AND (e.group_id = g.group_id) AND (e.user_id IS NULL) AND (p.person_key IS NOT NULL) AND (u.removed IS NOT TRUE)))) AS people
    FROM ( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT memberships_counted_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT memberships_counted_at.p_bound AS p_bound)))) g;
END;

CREATE VIEW state.memberships_ended AS
 SELECT account_id,
    group_id,
    (sum(people))::bigint AS people
   FROM ( SELECT m.account_id,
            m.group_id,
            count(*) AS people
           FROM ((state.users u
             JOIN state.memberships m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key))))
             LEFT JOIN state.groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
          WHERE ((u.cutoff IS NOT NULL) AND (u.removed OR (m.folded < u.cutoff)) AND m.added AND (m.user_id IS NOT NULL) AND ((g.cutoff IS NULL) OR (m.folded > g.cutoff)))
          GROUP BY m.account_id, m.group_id
        UNION ALL
         SELECT m.account_id,
            m.group_id,
            1
           FROM ((( SELECT m_1.account_id,
                    m_1.group_id,
                    m_1.person_key,
                    m_1.folded
                   FROM (state.memberships m_1
                     JOIN state.observed_groups o ON (((o.account_id = m_1.account_id) AND (o.person_key = m_1.person_key) AND (o.mark > m_1.folded))))
                  WHERE (m_1.added AND (m_1.user_id IS NOT NULL) AND (NOT m_1.in_set))
                UNION ALL
                 SELECT m_1.account_id,
                    m_1.group_id,
                    m_1.person_key,
                    m_1.folded
                   FROM ((state.observed_groups o
                     CROSS JOIN LATERAL jsonb_array_elements_text(o.dropped) d(group_id))
                     JOIN state.memberships m_1 ON (((m_1.account_id = o.account_id) AND (m_1.person_key = o.person_key) AND (m_1.group_id = d.group_id) AND (m_1.folded < o.mark))))
                  WHERE ((o.dropped <> '[]'::jsonb) AND m_1.added AND (m_1.user_id IS NOT NULL) AND m_1.in_set)) m
             LEFT JOIN state.users u ON (((u.account_id = m.account_id) AND (u.user_key = m.person_key))))
             LEFT JOIN state.groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
          WHERE (((g.cutoff IS NULL) OR (m.folded > g.cutoff)) AND (u.removed IS NOT TRUE) AND ((u.cutoff IS NULL) OR (m.folded > u.cutoff)))) x
  GROUP BY account_id, group_id;

CREATE FUNCTION state.memberships_ended_at(p_bound bytea) RETURNS SETOF state.memberships_ended
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT x.account_id,
     x.group_id,
     (sum(x.people))::bigint AS people
    FROM ( SELECT m.account_id,
             m.group_id,
             count(*) AS people
            FROM ((( SELECT past_users.account_id,
                     past_users.user_key,
                     past_users.folded,
                     past_users.until,
                     past_users.last_position,
                     past_users.user_id,
                     past_users.status,
                     past_users.pending_order,
                     past_users.profile,
                     past_users.custom_attributes,
                     past_users.creation_type,
                     past_users.created_ms,
                     past_users.removed,
                     past_users.removed_ms,
                     past_users.cutoff,
                     past_users.observed_created_ms,
                     past_users.email,
                     past_users.known
                    FROM state.past_users
                   WHERE ((past_users.folded < ( SELECT memberships_ended_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT memberships_ended_at.p_bound AS p_bound)))) u
              JOIN ( SELECT past_memberships.account_id,
                     past_memberships.person_key,
                     past_memberships.group_id,
                     past_memberships.folded,
                     past_memberships.until,
                     past_memberships.last_position,
                     past_memberships.user_id,
                     past_memberships.email,
                     past_memberships.email_order,
                     past_memberships.added,
                     past_memberships.by,
                     past_memberships.told,
                     past_memberships.told_added,
                     past_memberships.absent,
                     past_memberships.in_set,
                     past_memberships.happened_at,
                     past_memberships.told_at
                    FROM state.past_memberships
                   WHERE ((past_memberships.folded < ( SELECT memberships_ended_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_ended_at.p_bound AS p_bound)))) m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key))))
              LEFT JOIN ( SELECT past_groups.account_id,
                     past_groups.group_id,
                     past_groups.folded,
                     past_groups.until,
                     past_groups.last_position,
                     past_groups.profile,
                     past_groups.created_ms,
                     past_groups.removed,
                     past_groups.removed_ms,
                     past_groups.cutoff
                    FROM state.past_groups
                   WHERE ((past_groups.folded < ( SELECT memberships_ended_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT memberships_ended_at.p_bound AS p_bound)))) g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
           WHERE ((u.cutoff IS NOT NULL) AND (u.removed OR (m.folded < u.cutoff)) AND m.added AND (m.user_id IS NOT NULL) AND ((g.cutoff IS NULL) OR (m.folded > g.cutoff)))
           GROUP BY m.account_id, m.group_id
         UNION ALL
          SELECT m.account_id,
             m.group_id,
             1
            FROM ((( SELECT m_1.account_id,
                     m_1.group_id,
                     m_1.person_key,
                     m_1.folded
                    FROM (( SELECT past_memberships.account_id,
                             past_memberships.person_key,
                             past_memberships.group_id,
                             past_memberships.folded,
                             past_memberships.until,
                             past_memberships.last_position,
                             past_memberships.user_id,
                             past_memberships.email,
                             past_memberships.email_order,
                             past_memberships.added,
                             past_memberships.by,
                             past_memberships.told,
                             past_memberships.told_added,
                             past_memberships.absent,
                             past_memberships.in_set,
                             past_memberships.happened_at,
                             past_memberships.told_at
                            FROM state.past_memberships
                           WHERE ((past_memberships.folded < ( SELECT memberships_ended_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_ended_at.p_bound AS p_bound)))) m_1
                      JOIN ( SELECT past_observed_groups.account_id,
                             past_observed_groups.person_key,
                             past_observed_groups.folded,
                             past_observed_groups.until,
                             past_observed_groups.mark,
                             past_observed_groups.groups,
                             past_observed_groups.lacked,
                             past_observed_groups.dropped
                            FROM state.past_observed_groups
                           WHERE ((past_observed_groups.folded < ( SELECT memberships_ended_at.p_bound AS p_bound)) AND (past_observed_groups.until >= ( SELECT memberships_ended_at.p_bound AS p_bound)))) o ON (((o.account_id = m_1.account_id) AND (o.person_key = m_1.person_key) AND (o.mark > m_1.folded))))
                   WHERE (m_1.added AND (m_1.user_id IS NOT NULL) AND (NOT m_1.in_set))
                 UNION ALL
                  SELECT m_1.account_id,
                     m_1.group_id,
                     m_1.person_key,
                     m_1.folded
                    FROM ((( SELECT past_observed_groups.account_id,
                             past_observed_groups.person_key,
                             past_observed_groups.folded,
                             past_observed_groups.until,
                             past_observed_groups.mark,
                             past_observed_groups.groups,
                             past_observed_groups.lacked,
                             past_observed_groups.dropped
                            FROM state.past_observed_groups
                           WHERE ((past_observed_groups.folded < ( SELECT memberships_ended_at.p_bound AS p_bound)) AND (past_observed_groups.until >= ( SELECT memberships_ended_at.p_bound AS p_bound)))) o
                      CROSS JOIN LATERAL jsonb_array_elements_text(o.dropped) d(group_id))
                      JOIN ( SELECT past_memberships.account_id,
                             past_memberships.person_key,
                             past_memberships.group_id,
                             past_memberships.folded,
                             past_memberships.until,
                             past_memberships.last_position,
                             past_memberships.user_id,
                             past_memberships.email,
                             past_memberships.email_order,
                             past_memberships.added,
                             past_memberships.by,
                             past_memberships.told,
                             past_memberships.told_added,
                             past_memberships.absent,
                             past_memberships.in_set,
                             past_memberships.happened_at,
                             past_memberships.told_at
                            FROM state.past_memberships
                           WHERE ((past_memberships.folded < ( SELECT memberships_ended_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_ended_at.p_bound AS p_bound)))) m_1 ON (((m_1.account_id = o.account_id) AND (m_1.person_key = o.person_key) AND (m_1.group_id = d.group_id) AND (m_1.folded < o.mark))))
                   WHERE ((o.dropped <> '[]'::jsonb) AND m_1.added AND (m_1.user_id IS NOT NULL) AND m_1.in_set)) m
              LEFT JOIN ( SELECT past_users.account_id,
                     past_users.user_key,
                     past_users.folded,
                     past_users.until,
                     past_users.last_position,
                     past_users.user_id,
                     past_users.status,
                     past_users.pending_order,
                     past_users.profile,
                     past_users.custom_attributes,
                     past_users.creation_type,
                     past_users.created_ms,
                     past_users.removed,
                     past_users.removed_ms,
                     past_users.cutoff,
                     past_users.observed_created_ms,
                     past_users.email,
                     past_users.known
                    FROM state.past_users
                   WHERE ((past_users.folded < ( SELECT memberships_ended_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT memberships_ended_at.p_bound AS p_bound)))) u ON (((u.account_id = m.account_id) AND (u.user_key = m.person_key))))
              LEFT JOIN ( SELECT past_groups.account_id,
                     past_groups.group_id,
                     past_groups.folded,
                     past_groups.until,
                     past_groups.last_position,
                     past_groups.profile,
                     past_groups.created_ms,
                     past_groups.removed,
                     past_groups.removed_ms,
                     past_groups.cutoff
                    FROM state.past_groups
                   WHERE ((past_groups.folded < ( SELECT memberships_ended_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT memberships_ended_at.p_bound AS p_bound)))) g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
           WHERE (((g.cutoff IS NULL) OR (m.folded > g.cutoff)) AND (u.removed IS NOT TRUE) AND ((u.cutoff IS NULL) OR (m.folded > u.cutoff)))) x
   GROUP BY x.account_id, x.group_id;
END;

CREATE VIEW directory.groups AS
 SELECT g.account_id,
    g.group_id,
    (g.profile ->> 'name'::text) AS name,
    state.at(g.created_ms) AS created_at,
    (( SELECT c.people
           FROM state.memberships_counted c
          WHERE ((c.account_id = g.account_id) AND (c.group_id = g.group_id))) - COALESCE(m.people, (0)::bigint)) AS member_count,
    (( SELECT c.people
           FROM state.group_admins_counted c
          WHERE ((c.account_id = g.account_id) AND (c.group_id = g.group_id))) - COALESCE(a.people, (0)::bigint)) AS admin_count,
    state.time_of(g.folded) AS last_event_at,
    g.last_position
   FROM ((state.groups g
     LEFT JOIN state.memberships_ended m ON (((m.account_id = g.account_id) AND (m.group_id = g.group_id))))
     LEFT JOIN state.group_admins_ended a ON (((a.account_id = g.account_id) AND (a.group_id = g.group_id))))
  WHERE ((g.last_position > 0) AND (NOT g.removed));

COMMENT ON VIEW directory.groups IS 'Groups of the account that are not removed.';

COMMENT ON COLUMN directory.groups.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.groups.group_id IS 'Zoom''s group id.';

COMMENT ON COLUMN directory.groups.name IS 'Name of the group; null where no event named it.';

COMMENT ON COLUMN directory.groups.created_at IS 'Time of the first group.created of this life; null where that was not seen.';

COMMENT ON COLUMN directory.groups.member_count IS 'Number of its rows in memberships.';

COMMENT ON COLUMN directory.groups.admin_count IS 'Number of its rows in group_admins.';

COMMENT ON COLUMN directory.groups.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.groups.last_position IS 'Position in the log of that event.';

CREATE FUNCTION state.groups_at(p_bound bytea) RETURNS SETOF directory.groups
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT g.account_id,
     g.group_id,
     (g.profile ->> 'name'::text) AS name,
     state.at(g.created_ms) AS created_at,
     (( SELECT c.people
            FROM state.memberships_counted_at(groups_at.p_bound) c(account_id, group_id, people)
           WHERE ((c.account_id = g.account_id) AND (c.group_id = g.group_id))) - COALESCE(m.people, (0)::bigint)) AS member_count,
     (( SELECT c.people
            FROM state.group_admins_counted_at(groups_at.p_bound) c(account_id, group_id, people)
           WHERE ((c.account_id = g.account_id) AND (c.group_id = g.group_id))) - COALESCE(a.people, (0)::bigint)) AS admin_count,
     state.time_of(g.folded) AS last_event_at,
     g.last_position
    FROM ((( SELECT past_groups.account_id,
             past_groups.group_id,
             past_groups.folded,
             past_groups.until,
             past_groups.last_position,
             past_groups.profile,
             past_groups.created_ms,
             past_groups.removed,
             past_groups.removed_ms,
             past_groups.cutoff
            FROM state.past_groups
           WHERE ((past_groups.folded < ( SELECT groups_at.p_bound AS p_bound)) AND (past_groups.until >= ( SELECT groups_at.p_bound AS p_bound)))) g
      LEFT JOIN state.memberships_ended_at(groups_at.p_bound) m(account_id, group_id, people) ON (((m.account_id = g.account_id) AND (m.group_id = g.group_id))))
      LEFT JOIN state.group_admins_ended_at(groups_at.p_bound) a(account_id, group_id, people) ON (((a.account_id = g.account_id) AND (a.group_id = g.group_id))))
   WHERE ((g.last_position > 0) AND (NOT g.removed));
END;

CREATE FUNCTION directory.groups_at(t timestamp with time zone) RETURNS SETOF directory.groups
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT groups_at.account_id,
     groups_at.group_id,
     groups_at.name,
     groups_at.created_at,
     groups_at.member_count,
     groups_at.admin_count,
     groups_at.last_event_at,
     groups_at.last_position
    FROM state.groups_at(state.bound(groups_at.t)) groups_at(account_id, group_id, name, created_at, member_count, admin_count, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.groups_at(t timestamp with time zone) IS 'What the view groups would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE VIEW directory.lock_violations AS
 SELECT account_id,
    user_id,
    path,
    own AS own_value,
    decided AS locked_value,
    lock AS locked_by,
    source_group_id,
    confidence
   FROM state.settings_judged d
  WHERE ((lock = ANY (ARRAY['account'::text, 'group'::text])) AND (own IS NOT NULL) AND (decided IS NOT NULL) AND (state.compared_as(own) <> state.compared_as(decided)));

COMMENT ON VIEW directory.lock_violations IS 'People whose own value of a setting differs from the one that is locked above them, where that is exact or declared: what they run with is the locked one, or the lock came after their change. Ask for a person or for a path.';

COMMENT ON COLUMN directory.lock_violations.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.lock_violations.user_id IS 'Zoom''s user id, spelled as in users.';

COMMENT ON COLUMN directory.lock_violations.path IS 'Path of the setting, dotted, as in effective_user_settings.';

COMMENT ON COLUMN directory.lock_violations.own_value IS 'The person''s own value.';

COMMENT ON COLUMN directory.lock_violations.locked_value IS 'The locked value, which is in effect.';

COMMENT ON COLUMN directory.lock_violations.locked_by IS 'Who locks it: account or group.';

COMMENT ON COLUMN directory.lock_violations.source_group_id IS 'The group that locks it; null where the account does, or where several do alike.';

COMMENT ON COLUMN directory.lock_violations.confidence IS 'exact or declared, as in effective_user_settings.';

CREATE FUNCTION state.lock_violations_at(p_bound bytea) RETURNS SETOF directory.lock_violations
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT d.account_id,
     d.user_id,
     d.path,
     d.own AS own_value,
     d.decided AS locked_value,
     d.lock AS locked_by,
     d.source_group_id,
     d.confidence
    FROM state.settings_judged_at(lock_violations_at.p_bound) d(account_id, user_id, path, of_user, own, account, account_locks, model, primary_group, groups, missing, locking, may_lock, locker, lock_value, lockers_agree, a_group, any_value, all_agree, primary_value, top_locks, top_value, top_group, told, lock, decided, confidence, source_group_id)
   WHERE ((d.lock = ANY (ARRAY['account'::text, 'group'::text])) AND (d.own IS NOT NULL) AND (d.decided IS NOT NULL) AND (state.compared_as(d.own) <> state.compared_as(d.decided)));
END;

CREATE FUNCTION directory.lock_violations_at(t timestamp with time zone) RETURNS SETOF directory.lock_violations
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT lock_violations_at.account_id,
     lock_violations_at.user_id,
     lock_violations_at.path,
     lock_violations_at.own_value,
     lock_violations_at.locked_value,
     lock_violations_at.locked_by,
     lock_violations_at.source_group_id,
     lock_violations_at.confidence
    FROM state.lock_violations_at(state.bound(lock_violations_at.t)) lock_violations_at(account_id, user_id, path, own_value, locked_value, locked_by, source_group_id, confidence);
END;

COMMENT ON FUNCTION directory.lock_violations_at(t timestamp with time zone) IS 'What the view lock_violations would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE VIEW state.memberships_shown AS
 SELECT m.account_id,
    m.group_id,
    u.user_id,
    COALESCE(u.email,
        CASE
            WHEN (m.email_order > GREATEST(u.cutoff, g.cutoff)) THEN m.email
            ELSE NULL::text
        END) AS email,
    g.name AS group_name,
    u.status AS user_status,
        CASE
            WHEN w.told THEN m.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (w.told AND m.told_added) THEN m.by
            ELSE NULL::text
        END AS added_by,
    m.happened_at AS last_event_at,
    m.last_position,
    m.person_key AS entry_key
   FROM ((((state.people u
     JOIN state.memberships m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key))))
     LEFT JOIN state.known_groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
     LEFT JOIN state.observed_groups o ON (((o.account_id = m.account_id) AND (o.person_key = m.person_key))))
     CROSS JOIN LATERAL ( SELECT (m.told > GREATEST(u.cutoff, g.cutoff, m.absent, decode((o.lacked ->> m.group_id), 'hex'::text))) AS told) w)
  WHERE (m.added AND (m.user_id IS NOT NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND ((u.ended IS NULL) OR (m.folded > u.ended)) AND ((g.ended IS NULL) OR (m.folded > g.ended)) AND ((o.mark IS NULL) OR (m.folded >= o.mark)) AND (NOT (EXISTS ( SELECT
           FROM state.memberships e
          WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                CASE e.person_key
                    WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
                    ELSE NULL::text
                END = m.person_key))))) AND (NOT (EXISTS ( SELECT
           FROM state.memberships e
          WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(u.email))) AND (e.folded > m.folded) AND (
                CASE e.person_key
                    WHEN ('email:'::text || lower(u.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
                    ELSE NULL::text
                END = m.person_key))))))
UNION ALL
 SELECT e.account_id,
    e.group_id,
    u.user_id,
    u.email,
    g.name AS group_name,
    u.status AS user_status,
        CASE
            WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
            ELSE NULL::text
        END AS added_by,
    e.happened_at AS last_event_at,
    e.last_position,
    e.person_key AS entry_key
   FROM ((state.people u
     JOIN state.memberships e ON (((e.account_id = u.account_id) AND (e.person_key = ('email:'::text || lower(u.email))) AND (u.email_key = SUBSTRING(e.person_key FROM 7)))))
     LEFT JOIN state.known_groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND (e.user_id IS NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (
        CASE e.person_key
            WHEN ('email:'::text || lower(u.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
            ELSE NULL::text
        END = u.user_key))
UNION ALL
 SELECT e.account_id,
    e.group_id,
    u.user_id,
    COALESCE(u.email, e.email) AS email,
    g.name AS group_name,
    u.status AS user_status,
        CASE
            WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
            ELSE NULL::text
        END AS added_by,
    e.happened_at AS last_event_at,
    e.last_position,
    e.person_key AS entry_key
   FROM (((state.people u
     JOIN state.memberships m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key) AND (m.user_id IS NOT NULL))))
     JOIN state.memberships e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.person_key = ('email:'::text || lower(m.email))) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
     LEFT JOIN state.known_groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND (e.user_id IS NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (lower(u.email) IS DISTINCT FROM lower(m.email)) AND (
        CASE e.person_key
            WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
            ELSE NULL::text
        END = m.person_key))
UNION ALL
 SELECT m.account_id,
    m.group_id,
    m.user_id,
        CASE
            WHEN (m.email_order > COALESCE(g.cutoff, '\x'::bytea)) THEN m.email
            ELSE NULL::text
        END AS email,
    g.name AS group_name,
    NULL::text AS user_status,
        CASE
            WHEN (m.told > GREATEST(g.cutoff, m.absent)) THEN m.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (m.told_added AND (m.told > GREATEST(g.cutoff, m.absent))) THEN m.by
            ELSE NULL::text
        END AS added_by,
    m.happened_at AS last_event_at,
    m.last_position,
    m.person_key AS entry_key
   FROM (state.memberships m
     LEFT JOIN state.known_groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
  WHERE (m.added AND (m.user_id IS NOT NULL) AND (g.removed IS NOT TRUE) AND ((g.ended IS NULL) OR (m.folded > g.ended)) AND (NOT (EXISTS ( SELECT
           FROM state.people u
          WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key))))) AND (NOT (EXISTS ( SELECT
           FROM state.memberships e
          WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                CASE e.person_key
                    WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
                    ELSE NULL::text
                END = m.person_key))))))
UNION ALL
 SELECT e.account_id,
    e.group_id,
    m.user_id,
    e.email,
    g.name AS group_name,
    NULL::text AS user_status,
        CASE
            WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
            ELSE NULL::text
        END AS added_by,
    e.happened_at AS last_event_at,
    e.last_position,
    e.person_key AS entry_key
   FROM ((state.memberships m
     JOIN state.memberships e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.person_key = ('email:'::text || lower(m.email))) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
     LEFT JOIN state.known_groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND (e.user_id IS NULL) AND (m.user_id IS NOT NULL) AND (g.removed IS NOT TRUE) AND (NOT (EXISTS ( SELECT
           FROM state.people u
          WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key))))) AND (
        CASE e.person_key
            WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded)
            ELSE NULL::text
        END = m.person_key))
UNION ALL
 SELECT e.account_id,
    e.group_id,
    e.person_key AS user_id,
    e.email,
    g.name AS group_name,
    NULL::text AS user_status,
        CASE
            WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
            ELSE NULL::timestamp with time zone
        END AS added_at,
        CASE
            WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
            ELSE NULL::text
        END AS added_by,
    e.happened_at AS last_event_at,
    e.last_position,
    e.person_key AS entry_key
   FROM (state.memberships e
     LEFT JOIN state.known_groups g ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
  WHERE (e.added AND (e.user_id IS NULL) AND (g.removed IS NOT TRUE) AND (state.memberships_decides(e.account_id, e.group_id, e.person_key, e.folded) = e.person_key));

CREATE FUNCTION state.memberships_shown_at(p_bound bytea) RETURNS SETOF state.memberships_shown
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT m.account_id,
     m.group_id,
     u.user_id,
     COALESCE(u.email,
         CASE
             WHEN (m.email_order > GREATEST(u.cutoff, g.cutoff)) THEN m.email
             ELSE NULL::text
         END) AS email,
     g.name AS group_name,
     u.status AS user_status,
         CASE
             WHEN w.told THEN m.told_at
             ELSE NULL::timestamp with time zone
         END AS added_at,
         CASE
             WHEN (w.told AND m.told_added) THEN m.by
             ELSE NULL::text
         END AS added_by,
     m.happened_at AS last_event_at,
     m.last_position,
     m.person_key AS entry_key
    FROM ((((state.people_at(memberships_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
      JOIN ( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key))))
      LEFT JOIN state.known_groups_at(memberships_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
      LEFT JOIN ( SELECT past_observed_groups.account_id,
             past_observed_groups.person_key,
             past_observed_groups.folded,
             past_observed_groups.until,
             past_observed_groups.mark,
             past_observed_groups.groups,
             past_observed_groups.lacked,
             past_observed_groups.dropped
            FROM state.past_observed_groups
           WHERE ((past_observed_groups.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_observed_groups.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) o ON (((o.account_id = m.account_id) AND (o.person_key = m.person_key))))
      CROSS JOIN LATERAL ( SELECT (m.told > GREATEST(u.cutoff, g.cutoff, m.absent, decode((o.lacked ->> m.group_id), 'hex'::text))) AS told) w)
   WHERE (m.added AND (m.user_id IS NOT NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND ((u.ended IS NULL) OR (m.folded > u.ended)) AND ((g.ended IS NULL) OR (m.folded > g.ended)) AND ((o.mark IS NULL) OR (m.folded >= o.mark)) AND (NOT (EXISTS ( SELECT
            FROM ( SELECT past_memberships.account_id,
                     past_memberships.person_key,
                     past_memberships.group_id,
                     past_memberships.folded,
                     past_memberships.until,
                     past_memberships.last_position,
                     past_memberships.user_id,
                     past_memberships.email,
                     past_memberships.email_order,
                     past_memberships.added,
                     past_memberships.by,
                     past_memberships.told,
                     past_memberships.told_added,
                     past_memberships.absent,
                     past_memberships.in_set,
                     past_memberships.happened_at,
                     past_memberships.told_at
                    FROM state.past_memberships
                   WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) e
           WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                 CASE e.person_key
                     WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides_at(memberships_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
                     ELSE NULL::text
                 END = m.person_key))))) AND (NOT (EXISTS ( SELECT
            FROM ( SELECT past_memberships.account_id,
                     past_memberships.person_key,
                     past_memberships.group_id,
                     past_memberships.folded,
                     past_memberships.until,
                     past_memberships.last_position,
                     past_memberships.user_id,
                     past_memberships.email,
                     past_memberships.email_order,
                     past_memberships.added,
                     past_memberships.by,
                     past_memberships.told,
                     past_memberships.told_added,
                     past_memberships.absent,
                     past_memberships.in_set,
                     past_memberships.happened_at,
                     past_memberships.told_at
                    FROM state.past_memberships
                   WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) e
           WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(u.email))) AND (e.folded > m.folded) AND (
                 CASE e.person_key
                     WHEN ('email:'::text || lower(u.email)) THEN state.memberships_decides_at(memberships_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
                     ELSE NULL::text
                 END = m.person_key))))))
 UNION ALL
  SELECT e.account_id,
     e.group_id,
     u.user_id,
     u.email,
     g.name,
     u.status,
         CASE
             WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
             ELSE NULL::text
         END AS "case",
     e.happened_at,
     e.last_position,
     e.person_key
    FROM ((state.people_at(memberships_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
      JOIN ( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) e ON (((e.account_id = u.account_id) AND (e.person_key = ('email:'::text || lower(u.email))) AND (u.email_key = SUBSTRING(e.person_key FROM 7)))))
      LEFT JOIN state.known_groups_at(memberships_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND (e.user_id IS NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (
         CASE e.person_key
             WHEN ('email:'::text || lower(u.email)) THEN state.memberships_decides_at(memberships_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
             ELSE NULL::text
         END = u.user_key))
 UNION ALL
  SELECT e.account_id,
     e.group_id,
     u.user_id,
     COALESCE(u.email, e.email) AS "coalesce",
     g.name,
     u.status,
         CASE
             WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
             ELSE NULL::text
         END AS "case",
     e.happened_at,
     e.last_position,
     e.person_key
    FROM (((state.people_at(memberships_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
      JOIN ( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) m ON (((m.account_id = u.account_id) AND (m.person_key = u.user_key) AND (m.user_id IS NOT NULL))))
      JOIN ( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.person_key = ('email:'::text || lower(m.email))) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
      LEFT JOIN state.known_groups_at(memberships_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND (e.user_id IS NULL) AND (NOT u.removed) AND (g.removed IS NOT TRUE) AND (lower(u.email) IS DISTINCT FROM lower(m.email)) AND (
         CASE e.person_key
             WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides_at(memberships_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
             ELSE NULL::text
         END = m.person_key))
 UNION ALL
  SELECT m.account_id,
     m.group_id,
     m.user_id,
         CASE
             WHEN (m.email_order > COALESCE(g.cutoff, '\x'::bytea)) THEN m.email
             ELSE NULL::text
         END AS "case",
     g.name,
     NULL::text,
         CASE
             WHEN (m.told > GREATEST(g.cutoff, m.absent)) THEN m.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (m.told_added AND (m.told > GREATEST(g.cutoff, m.absent))) THEN m.by
             ELSE NULL::text
         END AS "case",
     m.happened_at,
     m.last_position,
     m.person_key
    FROM (( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) m
      LEFT JOIN state.known_groups_at(memberships_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
   WHERE (m.added AND (m.user_id IS NOT NULL) AND (g.removed IS NOT TRUE) AND ((g.ended IS NULL) OR (m.folded > g.ended)) AND (NOT (EXISTS ( SELECT
            FROM state.people_at(memberships_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
           WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key))))) AND (NOT (EXISTS ( SELECT
            FROM ( SELECT past_memberships.account_id,
                     past_memberships.person_key,
                     past_memberships.group_id,
                     past_memberships.folded,
                     past_memberships.until,
                     past_memberships.last_position,
                     past_memberships.user_id,
                     past_memberships.email,
                     past_memberships.email_order,
                     past_memberships.added,
                     past_memberships.by,
                     past_memberships.told,
                     past_memberships.told_added,
                     past_memberships.absent,
                     past_memberships.in_set,
                     past_memberships.happened_at,
                     past_memberships.told_at
                    FROM state.past_memberships
                   WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) e
           WHERE ((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.user_id IS NULL) AND (e.person_key = ('email:'::text || lower(m.email))) AND (e.folded > m.folded) AND (
                 CASE e.person_key
                     WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides_at(memberships_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
                     ELSE NULL::text
                 END = m.person_key))))))
 UNION ALL
  SELECT e.account_id,
     e.group_id,
     m.user_id,
     e.email,
     g.name,
     NULL::text,
         CASE
             WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
             ELSE NULL::text
         END AS "case",
     e.happened_at,
     e.last_position,
     e.person_key
    FROM ((( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) m
      JOIN ( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) e ON (((e.account_id = m.account_id) AND (e.group_id = m.group_id) AND (e.person_key = ('email:'::text || lower(m.email))) AND (hashtextextended(lower(m.email), hashtextextended(m.group_id, (0)::bigint)) = hashtextextended(SUBSTRING(e.person_key FROM 7), hashtextextended(e.group_id, (0)::bigint))))))
      LEFT JOIN state.known_groups_at(memberships_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND (e.user_id IS NULL) AND (m.user_id IS NOT NULL) AND (g.removed IS NOT TRUE) AND (NOT (EXISTS ( SELECT
            FROM state.people_at(memberships_shown_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
           WHERE ((u.account_id = m.account_id) AND (u.user_key = m.person_key))))) AND (
         CASE e.person_key
             WHEN ('email:'::text || lower(m.email)) THEN state.memberships_decides_at(memberships_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded)
             ELSE NULL::text
         END = m.person_key))
 UNION ALL
  SELECT e.account_id,
     e.group_id,
     e.person_key,
     e.email,
     g.name,
     NULL::text,
         CASE
             WHEN (e.told > GREATEST(g.cutoff, e.absent)) THEN e.told_at
             ELSE NULL::timestamp with time zone
         END AS "case",
         CASE
             WHEN (e.told_added AND (e.told > GREATEST(g.cutoff, e.absent))) THEN e.by
             ELSE NULL::text
         END AS "case",
     e.happened_at,
     e.last_position,
     e.person_key
    FROM (( SELECT past_memberships.account_id,
             past_memberships.person_key,
             past_memberships.group_id,
             past_memberships.folded,
             past_memberships.until,
             past_memberships.last_position,
             past_memberships.user_id,
             past_memberships.email,
             past_memberships.email_order,
             past_memberships.added,
             past_memberships.by,
             past_memberships.told,
             past_memberships.told_added,
             past_memberships.absent,
             past_memberships.in_set,
             past_memberships.happened_at,
             past_memberships.told_at
            FROM state.past_memberships
           WHERE ((past_memberships.folded < ( SELECT memberships_shown_at.p_bound AS p_bound)) AND (past_memberships.until >= ( SELECT memberships_shown_at.p_bound AS p_bound)))) e
      LEFT JOIN state.known_groups_at(memberships_shown_at.p_bound) g(account_id, group_id, name, removed, cutoff, ended) ON (((g.account_id = e.account_id) AND (g.group_id = e.group_id))))
   WHERE (e.added AND (e.user_id IS NULL) AND (g.removed IS NOT TRUE) AND (state.memberships_decides_at(memberships_shown_at.p_bound, e.account_id, e.group_id, e.person_key, e.folded) = e.person_key));
END;

CREATE VIEW directory.memberships AS
 SELECT account_id,
    group_id,
    user_id,
    email,
    group_name,
    user_status,
    added_at,
    added_by,
    last_event_at,
    last_position
   FROM state.memberships_shown s;

COMMENT ON VIEW directory.memberships IS 'The memberships of groups: one row a group and person. Removed users and removed groups are not in it.';

COMMENT ON COLUMN directory.memberships.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.memberships.group_id IS 'Zoom''s group id.';

COMMENT ON COLUMN directory.memberships.user_id IS 'Zoom''s user id, spelled as in users where the user is known there; email:<lower-cased e-mail> for an entry without an id that nobody known has.';

COMMENT ON COLUMN directory.memberships.email IS 'The person''s current e-mail in users; where none is known there, the newest that the list''s own events named.';

COMMENT ON COLUMN directory.memberships.group_name IS 'Current name of the group; null where the group is not in groups.';

COMMENT ON COLUMN directory.memberships.user_status IS 'Status of the user as in users; null where the person is not in users.';

COMMENT ON COLUMN directory.memberships.added_at IS 'Time of the newest delivery that added the person; null where only Zoom''s REST API told of it.';

COMMENT ON COLUMN directory.memberships.added_by IS 'E-mail of the operator of that delivery; null where it named none.';

COMMENT ON COLUMN directory.memberships.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.memberships.last_position IS 'Position in the log of that event.';

CREATE FUNCTION state.memberships_at(p_bound bytea) RETURNS SETOF directory.memberships
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT s.account_id,
     s.group_id,
     s.user_id,
     s.email,
     s.group_name,
     s.user_status,
     s.added_at,
     s.added_by,
     s.last_event_at,
     s.last_position
    FROM state.memberships_shown_at(memberships_at.p_bound) s(account_id, group_id, user_id, email, group_name, user_status, added_at, added_by, last_event_at, last_position, entry_key);
END;

CREATE FUNCTION directory.memberships_at(t timestamp with time zone) RETURNS SETOF directory.memberships
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT memberships_at.account_id,
     memberships_at.group_id,
     memberships_at.user_id,
     memberships_at.email,
     memberships_at.group_name,
     memberships_at.user_status,
     memberships_at.added_at,
     memberships_at.added_by,
     memberships_at.last_event_at,
     memberships_at.last_position
    FROM state.memberships_at(state.bound(memberships_at.t)) memberships_at(account_id, group_id, user_id, email, group_name, user_status, added_at, added_by, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.memberships_at(t timestamp with time zone) IS 'What the view memberships would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE FUNCTION state.memberships_page(p_account text, p_group text, p_after text, p_rows integer) RETURNS SETOF state.memberships_shown
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
                (SELECT m.person_key FROM state.memberships m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NOT NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
                UNION ALL
                (SELECT m.person_key FROM state.memberships m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
            ) k
            ORDER BY k.person_key LIMIT p_rows);
        RETURN QUERY
        SELECT v.*
        FROM unnest(v_keys) AS k (person_key)
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_shown s
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

CREATE FUNCTION directory.memberships_page(account text, "group" text, after text, most integer) RETURNS SETOF state.memberships_shown
    LANGUAGE sql STABLE ROWS 50 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT memberships_page.account_id,
     memberships_page.group_id,
     memberships_page.user_id,
     memberships_page.email,
     memberships_page.group_name,
     memberships_page.user_status,
     memberships_page.added_at,
     memberships_page.added_by,
     memberships_page.last_event_at,
     memberships_page.last_position,
     memberships_page.entry_key
    FROM state.memberships_page(memberships_page.account, memberships_page."group", memberships_page.after, memberships_page.most) memberships_page(account_id, group_id, user_id, email, group_name, user_status, added_at, added_by, last_event_at, last_position, entry_key);
END;

COMMENT ON FUNCTION directory.memberships_page(account text, "group" text, after text, most integer) IS 'Rows of memberships of one group of an account, at most so many, with entry_key: in its order, from the first row whose key is greater than the one given; '''' is the beginning.';

CREATE FUNCTION directory.memberships_page_at(t timestamp with time zone, account text, "group" text, after text, most integer) RETURNS SETOF state.memberships_shown
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY SELECT * FROM state.memberships_page_at(state.bound(t), account, "group", after, most);
END
$$;

COMMENT ON FUNCTION directory.memberships_page_at(t timestamp with time zone, account text, "group" text, after text, most integer) IS 'The same of memberships_at(t): what the list would show had exactly the events up to this moment been folded.';

CREATE FUNCTION directory.mentioned(words text) RETURNS TABLE(account_id text, user_id text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 2 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.account_id, coalesce(max(x.user_id), max(x.key))
    FROM (SELECT f.account_id FROM state.freshness f UNION SELECT c.account_id FROM state.coverage c) a
    CROSS JOIN (VALUES (lower(words)), ('email:' || lower(words))) k (key)
    CROSS JOIN LATERAL (
        SELECT m.user_id, k.key FROM state.memberships m
        WHERE m.account_id = a.account_id AND m.person_key = k.key
        UNION ALL
        SELECT m.user_id, k.key FROM state.group_admins m
        WHERE m.account_id = a.account_id AND m.person_key = k.key
        UNION ALL
        SELECT p.user_id, k.key FROM state.presence p WHERE p.account_id = a.account_id AND p.user_key = k.key
        UNION ALL
        SELECT n.user_id, k.key FROM state.notes n WHERE n.account_id = a.account_id AND n.user_key = k.key
        UNION ALL
        SELECT s.user_id, k.key FROM state.sign_ins s WHERE s.account_id = a.account_id AND s.user_key = k.key
        UNION ALL
        SELECT s.user_id, k.key FROM state.user_settings s
        WHERE s.account_id = a.account_id AND s.user_key = k.key
    ) x
    GROUP BY a.account_id, x.key;
END
$$;

COMMENT ON FUNCTION directory.mentioned(words text) IS 'Whom lists, presence, sign-ins and settings name by this id, in any case, or by this e-mail alone: those too whom users and former_users do not know.';

CREATE FUNCTION directory.mentioned_with(email text) RETURNS TABLE(account_id text, user_id text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 2 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT m.account_id, m.user_id FROM state.memberships m
    WHERE lower(m.email) = lower($1) AND m.user_id IS NOT NULL
    UNION
    SELECT m.account_id, m.user_id FROM state.group_admins m
    WHERE lower(m.email) = lower($1) AND m.user_id IS NOT NULL
    UNION
    SELECT p.account_id, p.user_id FROM state.presence p WHERE lower(p.email) = lower($1)
    UNION
    SELECT s.account_id, s.user_id FROM state.sign_ins s WHERE lower(s.email) = lower($1);
END
$_$;

COMMENT ON FUNCTION directory.mentioned_with(email text) IS 'Whom lists, presence and sign-ins name by an id together with this e-mail. It reads these tables whole: for whom nothing else finds.';

CREATE VIEW directory.people AS
 SELECT account_id,
    user_id,
    state.name_of(profile) AS name,
    NULLIF(email, ''::text) AS email,
        CASE
            WHEN ((status = 'pending'::text) AND state.signed_in_since(account_id, user_key, pending_order)) THEN 'active'::text
            ELSE status
        END AS status,
    removed,
    search,
    sort_key,
    user_key
   FROM state.users u
  WHERE known;

COMMENT ON VIEW directory.people IS 'Everybody who is known, present and former: one row a person. Quick to page through in the order of sort_key, account_id, user_key, and to search.';

COMMENT ON COLUMN directory.people.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.people.user_id IS 'Zoom''s user id, as in users and former_users.';

COMMENT ON COLUMN directory.people.name IS 'Name as shown in Zoom, else first and last name; null where none is known.';

COMMENT ON COLUMN directory.people.email IS 'E-mail as sent; null where the person has none.';

COMMENT ON COLUMN directory.people.status IS 'Status as in users; of removed people as in former_users.';

COMMENT ON COLUMN directory.people.removed IS 'Whether the person is in former_users and not in users.';

COMMENT ON COLUMN directory.people.search IS 'E-mail, id and names, without case and accents, to search in: search LIKE directory.searched(''any part''). Of very long texts only the beginning.';

COMMENT ON COLUMN directory.people.sort_key IS 'What lists are sorted by: the name without case and accents, else the e-mail, else the id; the beginning of it.';

COMMENT ON COLUMN directory.people.user_key IS 'The id in lower case: with account_id it is unique.';

CREATE FUNCTION directory.people_page(words text, of_status text, after_sort text, after_account text, after_key text, most integer) RETURNS SETOF directory.people
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
DECLARE
    v_pattern text := directory.searched(words);
BEGIN
    RETURN QUERY
    SELECT p.*
    FROM (
        SELECT u.account_id, u.user_key FROM state.users u
        WHERE u.known AND (v_pattern = '%%' OR u.search LIKE v_pattern)
          AND (of_status = '' OR u.status = of_status OR of_status = 'active' AND u.status = 'pending')
          AND (of_status = '' OR u.status <> 'pending' OR of_status = CASE
              WHEN state.signed_in_since(u.account_id, u.user_key, u.pending_order) THEN 'active' ELSE 'pending' END)
          AND (u.sort_key, u.account_id, u.user_key) > (after_sort, after_account, after_key)
        ORDER BY u.sort_key, u.account_id, u.user_key LIMIT most
    ) k
    CROSS JOIN LATERAL (
        SELECT * FROM directory.people p WHERE p.account_id = k.account_id AND p.user_key = k.user_key OFFSET 0
    ) p
    ORDER BY p.sort_key, p.account_id, p.user_key;
END
$$;

COMMENT ON FUNCTION directory.people_page(words text, of_status text, after_sort text, after_account text, after_key text, most integer) IS 'People whose names, e-mail or id contain a text and who have a status ('''' is any), at most so many, in the order of sort_key, account_id, user_key: from the first after the row whose values these are. '''' finds everybody, and is the beginning.';

CREATE FUNCTION directory.searched(words text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (('%'::text || regexp_replace(state.searchable(words), '([\\%_])'::text, '\\\1'::text, 'g'::text)) || '%'::text);

COMMENT ON FUNCTION directory.searched(words text) IS 'The pattern for people.search LIKE that finds a text at any place, in any case, with or without accents; nothing in the text is a wildcard.';

CREATE FUNCTION directory.spellings(account text, user_key text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 2 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.user_id FROM state.user_versions v
    WHERE v.account_id = $1 AND v.user_key = $2
    UNION
    SELECT v.user_id FROM state.memberships_versions v
    WHERE v.account_id = $1 AND v.person_key = $2 AND v.user_id IS NOT NULL
    UNION
    SELECT v.user_id FROM state.group_admins_versions v
    WHERE v.account_id = $1 AND v.person_key = $2 AND v.user_id IS NOT NULL
    UNION
    SELECT v.user_id FROM state.user_settings_versions v
    WHERE v.account_id = $1 AND v.user_key = $2
    UNION
    SELECT p.user_id FROM state.presence p WHERE p.account_id = $1 AND p.user_key = $2
    UNION
    SELECT n.user_id FROM state.notes n WHERE n.account_id = $1 AND n.user_key = $2
    UNION
    SELECT s.user_id FROM state.sign_ins s WHERE s.account_id = $1 AND s.user_key = $2;
END
$_$;

COMMENT ON FUNCTION directory.spellings(account text, user_key text) IS 'Every spelling that an id ever had, by the id in lower case: X_at(t) shows the one of that time.';

CREATE VIEW state.timeline AS
 SELECT entity,
    group_id,
    user_id,
    path,
    before,
    after,
    state.time_of(folded) AS changed_at,
    by AS changed_by,
    NULL::text AS event,
    "position",
    NULL::text AS source,
    NULL::timestamp with time zone AS received_at,
    late,
    ''::text AS event_order,
    (''::text COLLATE "C") AS place
   FROM state.all_changes c
  WHERE false;

CREATE FUNCTION state.timeline_page(p_group boolean, p_account text, p_key text, p_order text, p_place text, p_rows integer) RETURNS SETOF state.timeline
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
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

CREATE FUNCTION directory.timeline_of_group(account text, "group" text, before_order text, before_place text, most integer) RETURNS SETOF state.timeline
    LANGUAGE sql STABLE ROWS 50 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT timeline_page.entity,
     timeline_page.group_id,
     timeline_page.user_id,
     timeline_page.path,
     timeline_page.before,
     timeline_page.after,
     timeline_page.changed_at,
     timeline_page.changed_by,
     timeline_page.event,
     timeline_page."position",
     timeline_page.source,
     timeline_page.received_at,
     timeline_page.late,
     timeline_page.event_order,
     timeline_page.place
    FROM state.timeline_page(true, timeline_of_group.account, timeline_of_group."group", timeline_of_group.before_order, timeline_of_group.before_place, timeline_of_group.most) timeline_page(entity, group_id, user_id, path, before, after, changed_at, changed_by, event, "position", source, received_at, late, event_order, place);
END;

COMMENT ON FUNCTION directory.timeline_of_group(account text, "group" text, before_order text, before_place text, most integer) IS 'The same of one group: its own changes, and who came into its lists and left them. Whom the group''s removal ended, or its next life brought back, is not told one by one.';

CREATE FUNCTION directory.timeline_of_person(account text, person text, before_order text, before_place text, most integer) RETURNS SETOF state.timeline
    LANGUAGE sql STABLE ROWS 50 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT timeline_page.entity,
     timeline_page.group_id,
     timeline_page.user_id,
     timeline_page.path,
     timeline_page.before,
     timeline_page.after,
     timeline_page.changed_at,
     timeline_page.changed_by,
     timeline_page.event,
     timeline_page."position",
     timeline_page.source,
     timeline_page.received_at,
     timeline_page.late,
     timeline_page.event_order,
     timeline_page.place
    FROM state.timeline_page(false, timeline_of_person.account, lower(timeline_of_person.person), timeline_of_person.before_order, timeline_of_person.before_place, timeline_of_person.most) timeline_page(entity, group_id, user_id, path, before, after, changed_at, changed_by, event, "position", source, received_at, late, event_order, place);
END;

COMMENT ON FUNCTION directory.timeline_of_person(account text, person text, before_order text, before_place text, most integer) IS 'Changes and sign-ins of one person of an account, newest first, at most so many: from the first after the row with this event_order and place. '''' and '''' is the newest. The path of a sign-in is its client.';

CREATE FUNCTION directory.unresolved_users_page(after_account text, after_key text, most integer) RETURNS TABLE(account_id text, user_id text, email text, seen_in text[], person_key text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    SET enable_hashjoin TO 'off'
    SET enable_sort TO 'off'
    AS $$
#variable_conflict use_column
DECLARE
    v_account text := after_account;
    v_key text := after_key;
    v_left int := most;
    v_chunk int := greatest(most, 1) * 2;
    v_shown int;
    v_candidates jsonb;
BEGIN
    WHILE v_left > 0 LOOP
        v_candidates := coalesce((
            SELECT jsonb_agg(jsonb_build_array(c.account_id, c.person_key) ORDER BY c.account_id, c.person_key)
            FROM (
                SELECT DISTINCT c.account_id, c.person_key FROM (
                (SELECT DISTINCT p.account_id, p.user_key AS person_key
                 FROM state.presence p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.user_key
                 WHERE (p.account_id, p.user_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.user_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.user_key AS person_key
                 FROM state.notes p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.user_key
                 WHERE (p.account_id, p.user_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.user_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.user_key AS person_key
                 FROM state.sign_ins p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.user_key
                 WHERE (p.account_id, p.user_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.user_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.user_key AS person_key
                 FROM state.user_settings p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.user_key
                 WHERE (p.account_id, p.user_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.user_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.person_key AS person_key
                 FROM state.memberships p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.person_key
                 WHERE (p.account_id, p.person_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.person_key LIMIT v_chunk)
                UNION ALL
                (SELECT DISTINCT p.account_id, p.person_key AS person_key
                 FROM state.group_admins p LEFT JOIN state.users u ON u.account_id = p.account_id AND u.user_key = p.person_key
                 WHERE (p.account_id, p.person_key) > (v_account, v_key) AND (u.known IS NOT TRUE OR u.removed)
                 ORDER BY p.account_id, p.person_key LIMIT v_chunk)
                ) c
                ORDER BY c.account_id, c.person_key LIMIT v_chunk
            ) c
        ), '[]');
        RETURN QUERY
        SELECT r.*, c.value ->> 1
        FROM jsonb_array_elements(v_candidates) WITH ORDINALITY AS c (value, number)
        CROSS JOIN LATERAL (
            SELECT
                c.value ->> 0,
                coalesce(
                    max(x.known_as),
                    (array_agg(x.spelling ORDER BY x.spelled DESC) FILTER (WHERE x.spelling IS NOT NULL))[1]),
                (array_agg(x.email ORDER BY x.email_order DESC, x.spelling IS NOT NULL DESC)
                    FILTER (WHERE x.email IS NOT NULL))[1],
                array_agg(DISTINCT x.seen_in ORDER BY x.seen_in)
            FROM state.mentions_of(c.value ->> 0, c.value ->> 1) x
            HAVING count(*) > 0
        ) r
        ORDER BY c.number LIMIT v_left;
        GET DIAGNOSTICS v_shown = ROW_COUNT;
        EXIT WHEN jsonb_array_length(v_candidates) < v_chunk;
        v_left := v_left - v_shown;
        v_account := v_candidates -> (v_chunk - 1) ->> 0;
        v_key := v_candidates -> (v_chunk - 1) ->> 1;
    END LOOP;
END
$$;

COMMENT ON FUNCTION directory.unresolved_users_page(after_account text, after_key text, most integer) IS 'Rows of unresolved_users, at most so many, with person_key: in the order of account_id and person_key, from the first after these. '''' and '''' is the beginning.';

CREATE VIEW directory.user_settings AS
 SELECT s.account_id,
    u.user_id,
    NULLIF(s.settings, '{}'::jsonb) AS settings,
    state.time_of(s.changed_order) AS changed_at,
    s.changed_by,
    state.time_of(s.changed_order) AS last_event_at,
    s.last_position
   FROM (state.people u
     JOIN state.user_settings s ON (((s.account_id = u.account_id) AND (s.user_key = u.user_key) AND (s.changed_order > u.cutoff))))
  WHERE ((NOT u.removed) AND (NOT s.removed))
UNION ALL
 SELECT s.account_id,
    s.user_id,
    NULLIF(s.settings, '{}'::jsonb) AS settings,
    state.time_of(s.changed_order) AS changed_at,
    s.changed_by,
    state.time_of(s.changed_order) AS last_event_at,
    s.last_position
   FROM state.user_settings s
  WHERE ((s.changed_order IS NOT NULL) AND (NOT s.removed) AND (NOT (EXISTS ( SELECT
           FROM state.people u
          WHERE ((u.account_id = s.account_id) AND (u.user_key = s.user_key))))));

COMMENT ON VIEW directory.user_settings IS 'Settings of users, as far as settings events told them: one row for whoever such an event named, removed users excepted. A setting that no event has named is not in it.';

COMMENT ON COLUMN directory.user_settings.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.user_settings.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';

COMMENT ON COLUMN directory.user_settings.settings IS 'The settings known, nested as Zoom nests them; null where none is.';

COMMENT ON COLUMN directory.user_settings.changed_at IS 'Time of the newest settings event.';

COMMENT ON COLUMN directory.user_settings.changed_by IS 'E-mail of the operator of that event; null where it named none.';

COMMENT ON COLUMN directory.user_settings.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.user_settings.last_position IS 'Position in the log of that event.';

CREATE FUNCTION state.user_settings_at(p_bound bytea) RETURNS SETOF directory.user_settings
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT s.account_id,
     u.user_id,
     NULLIF(s.settings, '{}'::jsonb) AS settings,
     state.time_of(s.changed_order) AS changed_at,
     s.changed_by,
     state.time_of(s.changed_order) AS last_event_at,
     s.last_position
    FROM (state.people_at(user_settings_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
      JOIN ( SELECT past_user_settings.account_id,
             past_user_settings.user_key,
             past_user_settings.user_id,
             past_user_settings.folded,
             past_user_settings.until,
             past_user_settings.last_position,
             past_user_settings.settings,
             past_user_settings.changed_by,
             past_user_settings.removed,
             past_user_settings.changed_order
            FROM state.past_user_settings
           WHERE ((past_user_settings.folded < ( SELECT user_settings_at.p_bound AS p_bound)) AND (past_user_settings.until >= ( SELECT user_settings_at.p_bound AS p_bound)))) s ON (((s.account_id = u.account_id) AND (s.user_key = u.user_key) AND (s.changed_order > u.cutoff))))
   WHERE ((NOT u.removed) AND (NOT s.removed))
 UNION ALL
  SELECT s.account_id,
     s.user_id,
     NULLIF(s.settings, '{}'::jsonb) AS "nullif",
     state.time_of(s.changed_order) AS time_of,
     s.changed_by,
     state.time_of(s.changed_order) AS time_of,
     s.last_position
    FROM ( SELECT past_user_settings.account_id,
             past_user_settings.user_key,
             past_user_settings.user_id,
             past_user_settings.folded,
             past_user_settings.until,
             past_user_settings.last_position,
             past_user_settings.settings,
             past_user_settings.changed_by,
             past_user_settings.removed,
             past_user_settings.changed_order
            FROM state.past_user_settings
           WHERE ((past_user_settings.folded < ( SELECT user_settings_at.p_bound AS p_bound)) AND (past_user_settings.until >= ( SELECT user_settings_at.p_bound AS p_bound)))) s
   WHERE ((s.changed_order IS NOT NULL) AND (NOT s.removed) AND (NOT (EXISTS ( SELECT
            FROM state.people_at(user_settings_at.p_bound) u(account_id, user_key, user_id, email, status, folded, removed, cutoff, ended, email_key)
           WHERE ((u.account_id = s.account_id) AND (u.user_key = s.user_key))))));
END;

CREATE FUNCTION directory.user_settings_at(t timestamp with time zone) RETURNS SETOF directory.user_settings
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT user_settings_at.account_id,
     user_settings_at.user_id,
     user_settings_at.settings,
     user_settings_at.changed_at,
     user_settings_at.changed_by,
     user_settings_at.last_event_at,
     user_settings_at.last_position
    FROM state.user_settings_at(state.bound(user_settings_at.t)) user_settings_at(account_id, user_id, settings, changed_at, changed_by, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.user_settings_at(t timestamp with time zone) IS 'What the view user_settings would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE VIEW directory.users AS
 SELECT account_id,
    user_id,
    email,
    (profile ->> 'first_name'::text) AS first_name,
    (profile ->> 'last_name'::text) AS last_name,
    (profile ->> 'display_name'::text) AS display_name,
    ((profile ->> 'type'::text))::integer AS type,
        CASE
            WHEN ((status = 'pending'::text) AND state.signed_in_since(account_id, user_key, pending_order)) THEN 'active'::text
            ELSE status
        END AS status,
    (profile ->> 'role'::text) AS role,
    (profile ->> 'dept'::text) AS dept,
    (profile ->> 'company'::text) AS company,
    (profile ->> 'language'::text) AS language,
    (profile ->> 'timezone'::text) AS timezone,
    (profile ->> 'phone_number'::text) AS phone_number,
    (profile ->> 'phone_country'::text) AS phone_country,
    (profile ->> 'pic_url'::text) AS pic_url,
    ((profile ->> 'pmi'::text))::bigint AS pmi,
    ((profile ->> 'use_pmi'::text))::boolean AS use_pmi,
    (profile ->> 'vanity_name'::text) AS vanity_name,
    (profile ->> 'primary_group_id'::text) AS primary_group_id,
    NULLIF(custom_attributes, '[]'::jsonb) AS custom_attributes,
    NULLIF((profile -> 'settings'::text), 'null'::jsonb) AS profile_settings,
    creation_type,
    state.at(COALESCE(created_ms, observed_created_ms)) AS created_at,
    state.time_of(folded) AS last_event_at,
    last_position
   FROM state.users u
  WHERE (known AND (NOT removed));

COMMENT ON VIEW directory.users IS 'Users of the account who are not removed: one row a user, of every status.';

COMMENT ON COLUMN directory.users.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.users.user_id IS 'Zoom''s user id, as the newest lifecycle event spells it. Ids match case-insensitively.';

COMMENT ON COLUMN directory.users.email IS 'E-mail as sent. Look it up with lower(email) = lower(...): that uses an index.';

COMMENT ON COLUMN directory.users.first_name IS 'First name.';

COMMENT ON COLUMN directory.users.last_name IS 'Last name.';

COMMENT ON COLUMN directory.users.display_name IS 'Name as shown in Zoom.';

COMMENT ON COLUMN directory.users.type IS 'Licence, in Zoom''s code: 1 basic, 2 licensed, 4 unassigned, 99 none; other codes may come.';

COMMENT ON COLUMN directory.users.status IS 'pending (invited), active, inactive (deactivated), or unknown: seen in updates alone.';

COMMENT ON COLUMN directory.users.role IS 'Name of the account role.';

COMMENT ON COLUMN directory.users.dept IS 'Department.';

COMMENT ON COLUMN directory.users.company IS 'Company.';

COMMENT ON COLUMN directory.users.language IS 'Language code.';

COMMENT ON COLUMN directory.users.timezone IS 'Time zone name.';

COMMENT ON COLUMN directory.users.phone_number IS 'Phone number as sent.';

COMMENT ON COLUMN directory.users.phone_country IS 'Country of the phone number.';

COMMENT ON COLUMN directory.users.pic_url IS 'Address of the profile picture.';

COMMENT ON COLUMN directory.users.pmi IS 'Personal meeting id.';

COMMENT ON COLUMN directory.users.use_pmi IS 'Whether instant meetings use the personal meeting id.';

COMMENT ON COLUMN directory.users.vanity_name IS 'Personal link name.';

COMMENT ON COLUMN directory.users.primary_group_id IS 'Id of the primary group; memberships may not show it yet.';

COMMENT ON COLUMN directory.users.custom_attributes IS 'Array of {key, name, value}, sorted by key; null where there are none.';

COMMENT ON COLUMN directory.users.profile_settings IS 'Settings that profile updates carry, such as licence features. Settings proper are in user_settings.';

COMMENT ON COLUMN directory.users.creation_type IS 'How the user was created (create, autoCreate, custCreate, ssoCreate and so on).';

COMMENT ON COLUMN directory.users.created_at IS 'Time of the first user.created of this life; where that was not seen, what Zoom''s REST API says, or null.';

COMMENT ON COLUMN directory.users.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.users.last_position IS 'Position in the log of that event.';

CREATE FUNCTION state.users_at(p_bound bytea) RETURNS SETOF directory.users
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT u.account_id,
     u.user_id,
     u.email,
     (u.profile ->> 'first_name'::text) AS first_name,
     (u.profile ->> 'last_name'::text) AS last_name,
     (u.profile ->> 'display_name'::text) AS display_name,
     ((u.profile ->> 'type'::text))::integer AS type,
         CASE
             WHEN ((u.status = 'pending'::text) AND state.signed_in_since_at(users_at.p_bound, u.account_id, u.user_key, u.pending_order)) THEN 'active'::text
             ELSE u.status
         END AS status,
     (u.profile ->> 'role'::text) AS role,
     (u.profile ->> 'dept'::text) AS dept,
     (u.profile ->> 'company'::text) AS company,
     (u.profile ->> 'language'::text) AS language,
     (u.profile ->> 'timezone'::text) AS timezone,
     (u.profile ->> 'phone_number'::text) AS phone_number,
     (u.profile ->> 'phone_country'::text) AS phone_country,
     (u.profile ->> 'pic_url'::text) AS pic_url,
     ((u.profile ->> 'pmi'::text))::bigint AS pmi,
     ((u.profile ->> 'use_pmi'::text))::boolean AS use_pmi,
     (u.profile ->> 'vanity_name'::text) AS vanity_name,
     (u.profile ->> 'primary_group_id'::text) AS primary_group_id,
     NULLIF(u.custom_attributes, '[]'::jsonb) AS custom_attributes,
     NULLIF((u.profile -> 'settings'::text), 'null'::jsonb) AS profile_settings,
     u.creation_type,
     state.at(COALESCE(u.created_ms, u.observed_created_ms)) AS created_at,
     state.time_of(u.folded) AS last_event_at,
     u.last_position
    FROM ( SELECT past_users.account_id,
             past_users.user_key,
             past_users.folded,
             past_users.until,
             past_users.last_position,
             past_users.user_id,
             past_users.status,
             past_users.pending_order,
             past_users.profile,
             past_users.custom_attributes,
             past_users.creation_type,
             past_users.created_ms,
             past_users.removed,
             past_users.removed_ms,
             past_users.cutoff,
             past_users.observed_created_ms,
             past_users.email,
             past_users.known
            FROM state.past_users
           WHERE ((past_users.folded < ( SELECT users_at.p_bound AS p_bound)) AND (past_users.until >= ( SELECT users_at.p_bound AS p_bound)))) u
   WHERE (u.known AND (NOT u.removed));
END;

CREATE FUNCTION directory.users_at(t timestamp with time zone) RETURNS SETOF directory.users
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT users_at.account_id,
     users_at.user_id,
     users_at.email,
     users_at.first_name,
     users_at.last_name,
     users_at.display_name,
     users_at.type,
     users_at.status,
     users_at.role,
     users_at.dept,
     users_at.company,
     users_at.language,
     users_at.timezone,
     users_at.phone_number,
     users_at.phone_country,
     users_at.pic_url,
     users_at.pmi,
     users_at.use_pmi,
     users_at.vanity_name,
     users_at.primary_group_id,
     users_at.custom_attributes,
     users_at.profile_settings,
     users_at.creation_type,
     users_at.created_at,
     users_at.last_event_at,
     users_at.last_position
    FROM state.users_at(state.bound(users_at.t)) users_at(account_id, user_id, email, first_name, last_name, display_name, type, status, role, dept, company, language, timezone, phone_number, phone_country, pic_url, pmi, use_pmi, vanity_name, primary_group_id, custom_attributes, profile_settings, creation_type, created_at, last_event_at, last_position);
END;

COMMENT ON FUNCTION directory.users_at(t timestamp with time zone) IS 'What the view users would show had exactly the events up to this moment been folded, those that arrived late included.';

CREATE FUNCTION log.append(p_received_at timestamp with time zone[], p_event text[], p_event_ts bigint[], p_account_id text[], p_request_id text[], p_digest bytea[], p_source text, p_verified_by text[], p_body bytea[]) RETURNS TABLE(at_position bigint, duplicate boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '1500ms'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    v_head bigint;
    v_new_head bigint;
BEGIN
    PERFORM log.take_append_lock();
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'log.append() needs READ COMMITTED: a fixed snapshot would not see the head';
    END IF;
    -- Not the function's own SET clause: that would end with the function, before the commit.
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    -- A commit that is not replicated says so by a warning, which must reach the client.
    IF current_setting('client_min_messages') = 'error' THEN
        PERFORM set_config('client_min_messages', 'warning', true);
    END IF;
    -- Behind a pooler the commit is a call of its own. A client whose machine fails before it must not keep
    -- the lock until the network notices.
    PERFORM set_config('idle_in_transaction_session_timeout', '2s', true);
    SELECT coalesce(max(e.position), 0) INTO v_head FROM log.events e;

    -- A sub-select looks the index up once a row. A join, planned while the log is empty, would compare every
    -- row with every other, or read all digests.
    RETURN QUERY
    WITH incoming AS (
        SELECT u.*,
               CASE WHEN log.is_own(p_source) THEN -2 - coalesce(u.event_ts, 0)
                    ELSE coalesce(u.event_ts, -1) END AS ts_key,
               min(u.ord) OVER (PARTITION BY u.event_ts, u.digest) AS first_ord
        FROM unnest(p_received_at, p_event, p_event_ts, p_account_id, p_request_id, p_digest,
                    p_verified_by, p_body)
             WITH ORDINALITY AS u (received_at, event, event_ts, account_id, request_id, digest,
                                   verified_by, body, ord)
    ), looked_up AS MATERIALIZED (
        SELECT i.*, (SELECT d.position FROM log.digests d
                     WHERE d.event_ts = i.ts_key AND d.digest = i.digest) AS known_at
        FROM incoming i
    ), placed AS (
        SELECT l.*, l.known_at IS NULL AND l.ord = l.first_ord AS fresh,
               coalesce(l.known_at, v_head + dense_rank() OVER (
                   PARTITION BY l.known_at IS NULL ORDER BY l.first_ord)) AS position
        FROM looked_up l
    ), remembered AS (
        INSERT INTO log.digests (event_ts, digest, position)
        SELECT p.ts_key, p.digest, p.position FROM placed p WHERE p.fresh
    ), appended AS (
        INSERT INTO log.events (position, received_at, event, event_ts, account_id, request_id,
                                digest, source, verified_by, body)
        SELECT p.position, p.received_at, p.event, p.event_ts, p.account_id, p.request_id,
               p.digest, p_source, p.verified_by, p.body
        FROM placed p WHERE p.fresh
        ORDER BY p.position
    )
    SELECT p.position, NOT p.fresh FROM placed p ORDER BY p.ord;

    SELECT coalesce(max(e.position), 0) INTO v_new_head FROM log.events e;
    IF v_new_head > v_head THEN
        PERFORM pg_notify('projector_log', v_new_head::text);
    ELSE
        -- Nothing but duplicates, or the probe of a replica. A transaction that has written nothing waits for
        -- nobody at its commit: the first copy may be of an append that was cancelled while it waited, or from
        -- before a crash, and on this server alone. This record's commit comes after that of the first copy.
        PERFORM pg_logical_emit_message(true, 'projector', '');
    END IF;
END
$$;

CREATE FUNCTION log.append_webhooks(p_received_at timestamp with time zone[], p_event text[], p_event_ts bigint[], p_account_id text[], p_request_id text[], p_digest bytea[], p_verified_by text[], p_body bytea[]) RETURNS TABLE(at_position bigint, duplicate boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    SELECT a.at_position, a.duplicate
    FROM log.append(p_received_at, p_event, p_event_ts, p_account_id, p_request_id, p_digest, 'webhook',
                    p_verified_by, p_body) a;
END
$$;

CREATE FUNCTION log.as_jsonb(body bytea) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
BEGIN
    RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN data_exception OR statement_too_complex OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

CREATE FUNCTION log.block_digest(p_after bigint, p_until bigint, OUT digest bytea, OUT rows bigint) RETURNS record
    LANGUAGE sql STABLE
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
    SELECT sha256(coalesce(string_agg(r.digest, '' ORDER BY r.position), '')), count(*)
    FROM (
        SELECT e.position, sha256(
            int8send(e.position) || timestamptz_send(e.received_at)
            || coalesce('\x01'::bytea || int8send(e.event_ts), '\x00'::bytea) || e.digest
            || log.sealed_text(e.event) || log.sealed_text(e.account_id) || log.sealed_text(e.request_id)
            || log.sealed_text(e.source) || log.sealed_text(e.verified_by)) AS digest
        FROM log.events e
        WHERE e.position > p_after AND e.position <= p_until
        ORDER BY e.position
    ) r
$$;

CREATE FUNCTION log.chained(p_chain bytea, p_after bigint, p_until bigint, OUT chain bytea, OUT rows bigint) RETURNS record
    LANGUAGE sql STABLE
    AS $$SELECT sha256(p_chain || b.digest), b.rows FROM log.block_digest(p_after, p_until) b$$;

CREATE FUNCTION log.count_refusals(p_reason text[], p_refused bigint[], p_first_age double precision[], p_last_age double precision[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '1500ms'
    AS $$
    INSERT INTO log.refusals AS r (hour, reason, refused, first_at, last_at)
    SELECT date_trunc('hour', clock_timestamp(), 'UTC'), u.reason, u.refused,
           clock_timestamp() - make_interval(secs => greatest(u.first_age, 0)),
           clock_timestamp() - make_interval(secs => greatest(u.last_age, 0))
    FROM unnest(p_reason, p_refused, p_first_age, p_last_age) AS u (reason, refused, first_age, last_age)
    WHERE u.refused > 0
    ORDER BY u.reason
    ON CONFLICT (hour, reason) DO UPDATE
    SET refused = r.refused + excluded.refused,
        first_at = least(r.first_at, excluded.first_at),
        last_at = greatest(r.last_at, excluded.last_at)
$$;

CREATE FUNCTION log.epoch(p_gone uuid DEFAULT NULL::uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_number int;
    v_epoch uuid;
    v_place text;
    v_here text;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE EXCEPTION 'this server is a standby, which has no epoch of its own'
            USING ERRCODE = 'read_only_sql_transaction';
    END IF;
    v_here := log.place();
    FOR attempt IN 1 .. 2 LOOP
        SELECT e.number, e.epoch, e.place INTO v_number, v_epoch, v_place
        FROM log.epochs e ORDER BY e.number DESC LIMIT 1;
        IF v_place = v_here AND v_epoch IS DISTINCT FROM p_gone THEN
            RETURN v_epoch;
        END IF;
        -- Whoever comes second finds what the first has made.
        PERFORM pg_advisory_xact_lock(7017, 3);
    END LOOP;
    INSERT INTO log.epochs (number, epoch, place)
    VALUES (coalesce(v_number, 0) + 1, gen_random_uuid(), v_here)
    RETURNING epoch INTO v_epoch;
    RETURN v_epoch;
END
$$;

CREATE FUNCTION log.epoch_after(p_known uuid, p_position bigint, p_digest bytea) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
    v_epoch uuid := log.epoch();
BEGIN
    IF v_epoch = p_known AND NOT EXISTS (
        SELECT FROM log.events e WHERE e.position = p_position AND e.digest = p_digest
    ) THEN
        RETURN log.epoch(p_known);
    END IF;
    RETURN v_epoch;
END
$$;

CREATE FUNCTION log.forget_digests(p_before timestamp with time zone, p_limit integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    WITH old AS (
        SELECT event_ts, digest FROM log.digests
        WHERE event_ts BETWEEN 0 AND (extract(epoch FROM p_before) * 1000)::bigint + 86400000
          AND seen_at < p_before
          AND event_ts <= extract(epoch FROM seen_at) * 1000 + 86400000
        ORDER BY event_ts, digest LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM log.digests d USING old o
        WHERE d.event_ts = o.event_ts AND d.digest = o.digest RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

CREATE FUNCTION log.forget_refusals(p_before timestamp with time zone) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    WITH gone AS (
        DELETE FROM log.refusals r WHERE r.hour < p_before RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

CREATE FUNCTION log.is_own(source text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (source = ANY (ARRAY['rest'::text, 'declared'::text, 'operator'::text]));

CREATE FUNCTION log.keep(p_received_at timestamp with time zone[], p_reason text[], p_event text[], p_signed boolean[], p_request_id text[], p_timestamp text[], p_signature text[], p_digest bytea[], p_body bytea[], p_max_rows bigint, p_max_bytes bigint) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET lock_timeout TO '1500ms'
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_rows bigint;
    v_bytes bigint;
    v_size bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7017, 3);
    SELECT count(*), coalesce(sum(q.size), 0) INTO v_rows, v_bytes FROM log.quarantine q;
    FOR i IN 1 .. cardinality(p_digest) LOOP
        v_size := octet_length(p_body[i]);
        IF EXISTS (SELECT FROM log.quarantine q WHERE q.digest = p_digest[i]) THEN
            -- The same bytes with a right signature replace those with a wrong one.
            UPDATE log.quarantine q
            SET reason = p_reason[i], signed = true, request_id = p_request_id[i],
                timestamp_header = p_timestamp[i], signature_header = p_signature[i]
            WHERE q.digest = p_digest[i] AND p_signed[i] AND NOT q.signed;
            RETURN NEXT 'known';
            CONTINUE;
        END IF;
        IF p_signed[i] AND (v_rows + 1 > p_max_rows OR v_bytes + v_size > p_max_bytes) THEN
            PERFORM log.make_room(v_rows + 1 - p_max_rows, v_bytes + v_size - p_max_bytes);
            SELECT count(*), coalesce(sum(q.size), 0) INTO v_rows, v_bytes FROM log.quarantine q;
        END IF;
        IF v_rows + 1 > p_max_rows OR v_bytes + v_size > p_max_bytes THEN
            RETURN NEXT 'dropped';
            CONTINUE;
        END IF;
        INSERT INTO log.quarantine (received_at, reason, event, signed, request_id,
                                    timestamp_header, signature_header, digest, size, body)
        VALUES (p_received_at[i], p_reason[i], p_event[i], p_signed[i], p_request_id[i],
                p_timestamp[i], p_signature[i], p_digest[i], v_size, p_body[i]);
        v_rows := v_rows + 1;
        v_bytes := v_bytes + v_size;
        RETURN NEXT 'kept';
    END LOOP;
END
$$;

CREATE FUNCTION log.make_room(p_rows bigint, p_bytes bigint) RETURNS void
    LANGUAGE sql
    AS $$
    WITH unsigned AS (
        SELECT q.id, row_number() OVER newest AS row,
               sum(q.size) OVER newest - q.size AS bytes_before
        FROM log.quarantine q WHERE NOT q.signed
        WINDOW newest AS (ORDER BY q.id DESC ROWS UNBOUNDED PRECEDING)
    )
    DELETE FROM log.quarantine q USING unsigned u
    WHERE q.id = u.id AND (u.row <= p_rows OR u.bytes_before < p_bytes)
      AND (SELECT count(*) >= p_rows AND coalesce(sum(a.size), 0) >= p_bytes
           FROM log.quarantine a WHERE NOT a.signed)
$$;

CREATE FUNCTION log.microseconds(moment timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((date_part('epoch'::text, moment) * (1000000)::double precision))::bigint;

CREATE FUNCTION log.note_losses(p_replica text, p_received_at timestamp with time zone[], p_event_ts bigint[], p_digest bytea[]) RETURNS TABLE(place bigint, news boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
    v_epoch uuid := log.epoch();
BEGIN
    -- Those with an event_ts are looked up in the log itself, because log.digests forgets; the others it keeps.
    RETURN QUERY
    WITH missing AS MATERIALIZED (
        SELECT u.ord, u.received_at, coalesce(u.event_ts, -1) AS ts_key, u.digest,
               row_number() OVER (PARTITION BY u.event_ts, u.digest ORDER BY u.ord) AS copy
        FROM unnest(p_received_at, p_event_ts, p_digest)
             WITH ORDINALITY AS u (received_at, event_ts, digest, ord)
        WHERE CASE WHEN u.event_ts IS NULL THEN NOT EXISTS (
                       SELECT FROM log.digests d WHERE d.event_ts = -1 AND d.digest = u.digest)
                   ELSE NOT EXISTS (
                       SELECT FROM log.events e
                       WHERE e.event_ts = u.event_ts AND e.digest = u.digest AND NOT log.is_own(e.source))
              END
    ), noted AS (
        INSERT INTO log.lost_deliveries AS l (epoch, event_ts, digest, received_at, replica, noticed_at)
        SELECT v_epoch, m.ts_key, m.digest, m.received_at, p_replica, now()
        FROM missing m WHERE m.copy = 1
        ON CONFLICT DO NOTHING
        RETURNING l.event_ts, l.digest
    )
    SELECT m.ord, m.copy = 1 AND n.digest IS NOT NULL
    FROM missing m LEFT JOIN noted n ON n.event_ts = m.ts_key AND n.digest = m.digest
    ORDER BY m.ord;
END
$$;

CREATE FUNCTION log.place() RETURNS text
    LANGUAGE sql
    AS $$
    SELECT concat_ws('/',
        (SELECT system_identifier FROM pg_control_system()),
        substring(pg_walfile_name(pg_current_wal_lsn()) FOR 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()))
$$;

CREATE FUNCTION log.read(p_after bigint, p_limit integer, p_until bigint, p_bytes bigint, p_events text[] DEFAULT NULL::text[]) RETURNS TABLE(at_position bigint, received_us bigint, digest bytea, body bytea, own boolean)
    LANGUAGE sql STABLE
    SET enable_bitmapscan TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_sort TO 'off'
    AS $$
    SELECT r.position, log.microseconds(r.received_at), r.digest,
           CASE WHEN NOT EXISTS (
               SELECT FROM log.events earlier
               WHERE earlier.event_ts = r.event_ts AND earlier.position < r.position
                 AND earlier.digest = r.digest AND log.is_own(earlier.source) = log.is_own(r.source)
           ) THEN r.body END,
           log.is_own(r.source)
    FROM (
        SELECT e.position, e.received_at, e.digest, e.event_ts, e.source, e.body,
               coalesce(octet_length(e.body), 0) AS own,
               sum(coalesce(octet_length(e.body), 0))
                   OVER (ORDER BY e.position ROWS UNBOUNDED PRECEDING) AS bytes
        FROM (SELECT * FROM log.events
              WHERE position > p_after AND position <= p_until
                AND (p_events IS NULL OR event = ANY (p_events))
              ORDER BY position LIMIT p_limit) e
    ) r
    WHERE r.bytes <= p_bytes OR r.bytes = r.own
    ORDER BY r.position
$$;

CREATE FUNCTION log.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION log.seal(p_until bigint, p_rows integer DEFAULT 10000) RETURNS TABLE(at_position bigint, new_chain bytea)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_after bigint;
    v_chain bytea;
    v_until bigint;
    v_rows bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7017, 8) THEN
        RETURN;
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'log.seal() needs READ COMMITTED: a fixed snapshot would not see the last seal';
    END IF;
    SELECT s.position, s.chain INTO v_after, v_chain FROM log.seals s ORDER BY s.position DESC LIMIT 1;
    v_after := coalesce(v_after, 0);
    SELECT max(e.position) INTO v_until FROM log.events e WHERE e.position <= p_until;
    -- Nothing there is nothing to seal: least() would take a bound for it.
    v_until := least(coalesce(v_until, 0), v_after + greatest(1, least(p_rows, 10000)));
    IF v_until > v_after THEN
        SELECT c.chain, c.rows INTO v_chain, v_rows
        FROM log.chained(coalesce(v_chain, ''), v_after, v_until) c;
        INSERT INTO log.seals (position, chain, rows) VALUES (v_until, v_chain, v_rows);
        RETURN QUERY SELECT v_until, v_chain;
    END IF;
END
$$;

CREATE FUNCTION log.sealed_text(value text) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN COALESCE((int4send(octet_length(value)) || convert_to(value, 'UTF8'::name)), '\xffffffff'::bytea);

CREATE FUNCTION log.take_append_lock() RETURNS void
    LANGUAGE sql
    AS $$SELECT pg_advisory_xact_lock(7017, 1)$$;

CREATE FUNCTION projector.earlier_readers() RETURNS text[]
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT coalesce(array_agg(DISTINCT l.virtualtransaction), '{}')
    FROM pg_locks l
    JOIN pg_stat_activity a USING (pid)
    LEFT JOIN pg_class c ON c.oid = l.relation AND l.locktype = 'relation'
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
      AND a.application_name IS DISTINCT FROM 'projector fold'
      AND (c.relnamespace = 'directory'::regnamespace
           OR (a.backend_xmin IS NOT NULL AND coalesce(a.state LIKE 'idle in transaction%', true)))
$$;

CREATE FUNCTION state.before_change(p_document jsonb, p_delta jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog'
    AS $$
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

CREATE FUNCTION state.changes_between(p_after bigint, p_up_to bigint, p_late boolean) RETURNS SETOF state.all_changes
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
BEGIN
    IF p_late THEN
        RETURN QUERY
        SELECT c.account_id, c.entity, c.entity_key, c.entity_id, c.group_id, c.user_id, c.path, c.before, c.after,
            c.folded, c.by, c.position, c.late
        FROM state.value_changes c
        WHERE c.position > p_after AND c.position <= p_up_to AND c.late;
    ELSE
        RETURN QUERY
        SELECT c.account_id, c.entity, c.entity_key, c.entity_id, c.group_id, c.user_id, c.path, c.before, c.after,
            c.folded, c.by, c.position, false
        FROM state.value_changes c
        WHERE c.position > p_after AND c.position <= p_up_to;
    END IF;
    RETURN QUERY
    SELECT * FROM (
        SELECT
            c.account_id, c.entity, c.person_key, c.user_id, c.group_id, c.user_id, 'member',
            CASE WHEN NOT c.came THEN 'true'::jsonb END, CASE WHEN c.came THEN 'true'::jsonb END,
            c.folded, c.by, c.position,
            p_late AND CASE c.entity
                WHEN 'membership' THEN EXISTS (
                    SELECT FROM state.memberships_versions x
                    WHERE x.account_id = c.account_id AND x.person_key = c.person_key
                      AND x.group_id = c.group_id AND x.folded > c.folded AND x.last_position < c.position)
                ELSE EXISTS (
                    SELECT FROM state.group_admins_versions x
                    WHERE x.account_id = c.account_id AND x.person_key = c.person_key
                      AND x.group_id = c.group_id AND x.folded > c.folded AND x.last_position < c.position)
            END AS late
        FROM (
            SELECT 'membership' AS entity, m.* FROM state.memberships_between(p_after, p_up_to, p_late) m
            UNION ALL
            SELECT 'group_admin', a.* FROM state.group_admins_between(p_after, p_up_to, p_late) a
        ) c
    ) c
    WHERE NOT p_late OR c.late;
END
$$;

CREATE FUNCTION state.client_type_at(p_position bigint) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

CREATE FUNCTION state.group_admins_between(p_after bigint, p_up_to bigint, p_late boolean) RETURNS SETOF state.group_admins_changes
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    WITH told AS (
        SELECT m.last_position AS position, m.folded, m.by, m.account_id, m.person_key, m.group_id,
            m.user_id IS NULL AS nameless
        FROM state.group_admins_versions m
        WHERE m.last_position > p_after AND m.last_position <= p_up_to
    ), people AS (
        SELECT x.position, x.folded, x.by, x.account_id, x.user_key AS person_key,
            x.cutoff = x.folded OR NOT x.removed AND EXISTS (
                SELECT FROM state.user_versions o
                WHERE o.account_id = x.account_id AND o.user_key = x.user_key
                  AND o.folded < x.folded AND o.until = x.folded AND o.removed
            ) AS turns
        FROM state.user_versions x
        WHERE x.position > p_after AND x.position <= p_up_to
    ), groups AS (
        SELECT x.position, x.folded, x.by, x.account_id, x.group_id,
            x.cutoff = x.folded OR NOT x.removed AND EXISTS (
                SELECT FROM state.group_versions o
                WHERE o.account_id = x.account_id AND o.group_id = x.group_id
                  AND o.folded < x.folded AND o.until = x.folded AND o.removed
            ) AS turns
        FROM state.group_versions x
        WHERE x.position > p_after AND x.position <= p_up_to
    ), added AS (
        -- entries that an event added, and those that the next entry ended
        SELECT t.position, t.folded, m.account_id, m.person_key, m.group_id, m.folded AS added
        FROM told t
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_versions m
            WHERE m.account_id = t.account_id AND m.person_key = t.person_key AND m.group_id = t.group_id
              AND m.folded <= t.folded AND m.until >= t.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        UNION ALL
        SELECT p.position, p.folded, m.account_id, m.person_key, m.group_id, m.folded
        FROM people p
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_versions m
            WHERE m.account_id = p.account_id AND m.person_key = p.person_key
              AND m.folded < p.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        WHERE p.turns
        UNION ALL
        SELECT g.position, g.folded, m.account_id, m.person_key, m.group_id, m.folded
        FROM groups g
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_versions m
            WHERE m.group_id = g.group_id AND m.account_id = g.account_id
              AND m.folded < g.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        WHERE g.turns
    ), concerned AS (
        SELECT x.*
        FROM (
            SELECT t.position, t.folded, t.by, t.account_id, t.person_key, t.group_id FROM told t WHERE NOT t.nameless
            UNION ALL
            SELECT p.position, p.folded, p.by, p.account_id, p.person_key, NULL FROM people p
        ) x
        WHERE EXISTS (SELECT FROM state.group_admins_versions e WHERE e.user_id IS NULL)
    ), had AS (
        -- e-mails that somebody ever had: as a user, for every group, or in a group's list, for that group
        SELECT c.account_id, c.person_key, NULL::text AS group_id, lower(u.profile ->> 'email') AS email
        FROM (SELECT DISTINCT c.account_id, c.person_key FROM concerned c) c
        CROSS JOIN LATERAL (
            SELECT u.profile FROM state.user_versions u
            WHERE u.account_id = c.account_id AND u.user_key = c.person_key OFFSET 0
        ) u
        UNION
        SELECT c.account_id, c.person_key, m.group_id, lower(m.email)
        FROM (SELECT DISTINCT c.account_id, c.person_key FROM concerned c) c
        CROSS JOIN LATERAL (
            SELECT m.group_id, m.email FROM state.group_admins_versions m
            WHERE m.account_id = c.account_id AND m.person_key = c.person_key OFFSET 0
        ) m
    ), entries AS (
        -- Without an id is asked outside: for it there is an index, of all groups, which would be read as a whole.
        SELECT h.account_id, h.person_key, e.group_id, e.person_key AS entry_key
        FROM had h
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_versions e
            WHERE e.account_id = h.account_id AND e.person_key = 'email:' || h.email OFFSET 0
        ) e
        WHERE e.user_id IS NULL AND (h.group_id IS NULL OR e.group_id = h.group_id)
    ), nameless AS (
        -- entries that name only an e-mail, which an event may concern
        SELECT t.position, t.folded, t.by, t.account_id, t.group_id, t.person_key AS entry_key
        FROM told t WHERE t.nameless
        UNION
        SELECT c.position, c.folded, c.by, e.account_id, e.group_id, e.entry_key
        FROM concerned c
        JOIN entries e
            ON e.account_id = c.account_id AND e.person_key = c.person_key
            AND (c.group_id IS NULL OR e.group_id = c.group_id)
        UNION
        SELECT g.position, g.folded, g.by, e.account_id, e.group_id, e.person_key
        FROM groups g
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_versions e
            WHERE e.group_id = g.group_id AND e.account_id = g.account_id AND e.user_id IS NULL OFFSET 0
        ) e
        UNION
        SELECT r.position, r.folded, r.by, e.account_id, e.group_id, e.person_key
        FROM state.removed_email_versions r
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_versions e
            WHERE e.account_id = r.account_id AND e.person_key = 'email:' || r.email_key OFFSET 0
        ) e
        WHERE r.position > p_after AND r.position <= p_up_to AND e.user_id IS NULL
    ), meant AS (
        -- whomever those entries may ever have meant, once an event
        SELECT DISTINCT ON (n.account_id, n.group_id, l.person_key, n.folded)
            n.position, n.folded, n.by, n.account_id, n.group_id, l.person_key
        FROM nameless n
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_links l
            WHERE l.account_id = n.account_id AND l.group_id = n.group_id AND l.entry_key = n.entry_key OFFSET 0
        ) l
        ORDER BY n.account_id, n.group_id, l.person_key, n.folded, n.by
    )
    SELECT m.account_id, m.group_id, m.person_key, coalesce(u.user_id, m.user_id), s.came, s.at_order,
        s.at_position, s.at_by
    FROM (
        SELECT DISTINCT a.account_id, a.person_key, a.group_id, a.added FROM added a
        WHERE NOT p_late OR EXISTS (
            SELECT FROM state.group_admins_versions x
            WHERE x.account_id = a.account_id AND x.person_key = a.person_key AND x.group_id = a.group_id
              AND x.folded > a.folded AND x.last_position < a.position)
    ) a
    CROSS JOIN LATERAL (
        SELECT * FROM state.group_admins_versions m
        WHERE m.account_id = a.account_id AND m.person_key = a.person_key AND m.group_id = a.group_id
          AND m.folded = a.added OFFSET 0
    ) m
    CROSS JOIN LATERAL state.group_admins_moves(
        m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s
    LEFT JOIN LATERAL (
        SELECT * FROM state.users u
        WHERE u.account_id = m.account_id AND u.user_key = m.person_key AND u.known OFFSET 0
    ) u ON true
    WHERE s.at_position > p_after AND s.at_position <= p_up_to
    UNION ALL
    SELECT n.account_id, n.group_id, n.person_key,
        state.group_admins_spelled(n.account_id, n.group_id, n.person_key), x.after, n.folded, n.position, n.by
    FROM meant n
    CROSS JOIN LATERAL (
        SELECT
            state.group_admins_shows(n.folded, n.account_id, n.group_id, n.person_key) AS before,
            state.group_admins_shows(n.folded || '\x00', n.account_id, n.group_id, n.person_key) AS after
        OFFSET 0
    ) x
    WHERE x.before <> x.after AND (NOT p_late OR EXISTS (
        SELECT FROM state.group_admins_versions x
        WHERE x.account_id = n.account_id AND x.person_key = n.person_key AND x.group_id = n.group_id
          AND x.folded > n.folded AND x.last_position < n.position));
END
$$;

CREATE FUNCTION state.group_admins_meaning(p_account text, p_group text, p_key text, p_folded bytea) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_email text := substring(p_key FROM 7);
    v_group_cutoff bytea;
    v_email_cutoff bytea;
    v_person text;
BEGIN
    SELECT coalesce((
            SELECT g.cutoff FROM state.groups g
            WHERE g.account_id = p_account AND g.group_id = p_group), ''), (
            SELECT r.cutoff FROM state.removed_emails r
            WHERE r.account_id = p_account AND r.email_key = v_email)
    INTO v_group_cutoff, v_email_cutoff;
    IF p_folded < v_group_cutoff OR p_folded < v_email_cutoff THEN
        RETURN NULL;
    END IF;
    SELECT m.person_key INTO v_person
    FROM state.group_admins m
    LEFT JOIN state.users u ON u.account_id = m.account_id AND u.user_key = m.person_key
    WHERE hashtextextended(lower(m.email), hashtextextended(m.group_id, 0))
            = hashtextextended(v_email, hashtextextended(p_group, 0))
      AND m.account_id = p_account AND m.group_id = p_group
      AND m.user_id IS NOT NULL AND lower(m.email) = v_email
      AND least(m.folded, m.email_order) > greatest(u.cutoff, v_group_cutoff)
    ORDER BY m.folded DESC, m.person_key LIMIT 1;
    IF v_person IS NULL THEN
        SELECT u.user_key INTO v_person
        FROM state.users u
        WHERE u.account_id = p_account AND lower(u.email) = v_email
          AND u.known AND NOT u.removed
        ORDER BY u.folded DESC, u.user_key LIMIT 1;
    END IF;
    RETURN coalesce(v_person, p_key);
END
$$;

CREATE FUNCTION state.group_admins_meaning_at(p_bound bytea, p_account text, p_group text, p_key text, p_folded bytea) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_email text := substring(p_key FROM 7);
    v_group_cutoff bytea;
    v_email_cutoff bytea;
    v_person text;
BEGIN
    SELECT coalesce((
            SELECT g.cutoff FROM (SELECT * FROM state.past_groups WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) g
            WHERE g.account_id = p_account AND g.group_id = p_group), ''), (
            SELECT r.cutoff FROM (SELECT * FROM state.past_removed_emails WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) r
            WHERE r.account_id = p_account AND r.email_key = v_email)
    INTO v_group_cutoff, v_email_cutoff;
    IF p_folded < v_group_cutoff OR p_folded < v_email_cutoff THEN
        RETURN NULL;
    END IF;
    SELECT m.person_key INTO v_person
    FROM (SELECT * FROM state.past_group_admins WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) m
    LEFT JOIN (SELECT * FROM state.past_users WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) u ON u.account_id = m.account_id AND u.user_key = m.person_key
    WHERE hashtextextended(lower(m.email), hashtextextended(m.group_id, 0))
            = hashtextextended(v_email, hashtextextended(p_group, 0))
      AND m.account_id = p_account AND m.group_id = p_group
      AND m.user_id IS NOT NULL AND lower(m.email) = v_email
      AND least(m.folded, m.email_order) > greatest(u.cutoff, v_group_cutoff)
    ORDER BY m.folded DESC, m.person_key LIMIT 1;
    IF v_person IS NULL THEN
        SELECT u.user_key INTO v_person
        FROM (SELECT * FROM state.past_users WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) u
        WHERE u.account_id = p_account AND lower(u.email) = v_email
          AND u.known AND NOT u.removed
        ORDER BY u.folded DESC, u.user_key LIMIT 1;
    END IF;
    RETURN coalesce(v_person, p_key);
END
$$;

CREATE VIEW state.group_admins_mentions AS
 SELECT m.account_id,
    m.person_key,
    m.user_id AS spelling,
    m.folded,
        CASE
            WHEN (m.email_order > COALESCE(g.cutoff, '\x'::bytea)) THEN m.email
            ELSE NULL::text
        END AS email,
    m.email_order
   FROM (state.group_admins m
     LEFT JOIN state.known_groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
  WHERE ((m.user_id IS NOT NULL) AND (m.folded > COALESCE(g.cutoff, '\x'::bytea)))
UNION ALL
 SELECT e.account_id,
    w.means AS person_key,
        CASE
            WHEN (w.means = e.person_key) THEN e.person_key
            ELSE NULL::text
        END AS spelling,
    e.folded,
    e.email,
    e.email_order
   FROM (state.group_admins e
     CROSS JOIN LATERAL ( SELECT state.group_admins_meaning(e.account_id, e.group_id, e.person_key, e.folded) AS means
         OFFSET 0) w)
  WHERE ((e.user_id IS NULL) AND (w.means IS NOT NULL));

CREATE FUNCTION state.group_admins_mentions_of(p_account text, p_key text) RETURNS SETOF state.group_admins_mentions
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    SELECT m.account_id, m.person_key, m.user_id, m.folded,
        CASE WHEN m.email_order > coalesce(g.cutoff, '') THEN m.email END, m.email_order
    FROM state.group_admins m
    LEFT JOIN state.known_groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
    WHERE m.account_id = p_account AND m.person_key = p_key AND m.user_id IS NOT NULL
      AND m.folded > coalesce(g.cutoff, '')
    UNION ALL
    SELECT p_account, p_key, CASE WHEN e.person_key = p_key THEN p_key END, e.folded, e.email, e.email_order
    FROM (
        SELECT m.group_id, p_key AS entry_key FROM state.group_admins m
        WHERE m.account_id = p_account AND m.person_key = p_key AND m.user_id IS NULL
        UNION
        SELECT m.group_id, 'email:' || lower(m.email) FROM state.group_admins m
        WHERE m.account_id = p_account AND m.person_key = p_key AND m.user_id IS NOT NULL
    ) k
    CROSS JOIN LATERAL (
        SELECT * FROM state.group_admins e
        WHERE e.account_id = p_account AND e.person_key = k.entry_key AND e.group_id = k.group_id OFFSET 0
    ) e
    WHERE e.user_id IS NULL
      AND state.group_admins_meaning(e.account_id, e.group_id, e.person_key, e.folded) = p_key;
END
$$;

CREATE FUNCTION state.group_admins_of_group(p_account text, p_group text, p_from bytea, p_before bytea) RETURNS SETOF state.group_admins_changes
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    -- Of few people those who were ever removed are found quicker than all removals of that time.
    v_few boolean := NOT EXISTS (
        SELECT FROM state.group_admins_versions m
        WHERE m.group_id = p_group AND m.account_id = p_account OFFSET 1000);
BEGIN
    RETURN QUERY
    WITH added AS (
        SELECT m.person_key, m.folded
        FROM (
            SELECT t.person_key, t.folded FROM state.group_admins_versions t
            WHERE t.group_id = p_group AND t.account_id = p_account
              AND substring(t.folded FROM 1 FOR 8) >= substring(p_from FROM 1 FOR 8)
              AND substring(t.folded FROM 1 FOR 8) <= substring(p_before FROM 1 FOR 8)
              AND t.folded >= p_from AND t.folded < p_before
        ) t
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_versions m
            WHERE m.account_id = p_account AND m.person_key = t.person_key AND m.group_id = p_group
              AND m.folded <= t.folded AND m.until >= t.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        UNION
        SELECT m.person_key, m.folded FROM state.group_admins_versions m
        WHERE v_few AND m.group_id = p_group AND m.account_id = p_account
          AND m.folded < p_before AND m.added AND m.user_id IS NOT NULL
          AND (EXISTS (
                    SELECT FROM state.users u
                    WHERE u.account_id = p_account AND u.user_key = m.person_key AND u.cutoff IS NOT NULL)
              )
        UNION
        SELECT m.person_key, m.folded
        FROM (
            SELECT x.user_key AS person_key, x.folded FROM state.user_versions x
            WHERE x.account_id = p_account AND x.folded >= p_from AND x.folded < p_before
              AND x.cutoff IS NOT NULL AND (NOT x.removed OR x.cutoff = x.folded)
        ) x
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_versions m
            WHERE m.account_id = p_account AND m.person_key = x.person_key AND m.group_id = p_group
              AND m.folded < x.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        WHERE NOT v_few
    ), links AS MATERIALIZED (
        SELECT l.entry_key, l.person_key FROM state.group_admins_links l
        WHERE l.account_id = p_account AND l.group_id = p_group
    ), events AS (
        -- what could matter for whom an entry without an id means
        SELECT l.entry_key, c.folded, c.position, c.by
        FROM links l
        CROSS JOIN LATERAL (
            SELECT m.folded, m.last_position AS position, m.by FROM state.group_admins_versions m
            WHERE m.account_id = p_account AND m.person_key = l.person_key AND m.group_id = p_group
              AND m.folded >= p_from AND m.folded < p_before
            UNION ALL
            SELECT u.folded, u.position, u.by FROM state.user_versions u
            WHERE u.account_id = p_account AND u.user_key = l.person_key
              AND u.folded >= p_from AND u.folded < p_before
        ) c
        UNION ALL
        SELECT l.entry_key, r.folded, r.position, r.by
        FROM (SELECT DISTINCT l.entry_key FROM links l) l
        JOIN state.removed_email_versions r
            ON r.account_id = p_account AND r.email_key = substring(l.entry_key FROM 7)
            AND r.folded >= p_from AND r.folded < p_before
    ), meant AS (
        SELECT DISTINCT ON (l.person_key, e.folded) l.person_key, e.folded, e.position, e.by
        FROM events e JOIN links l ON l.entry_key = e.entry_key
        WHERE NOT EXISTS (
            SELECT FROM state.group_versions g
            WHERE g.account_id = p_account AND g.group_id = p_group AND g.folded = e.folded)
        ORDER BY l.person_key, e.folded, e.by
    )
    SELECT * FROM (
        SELECT m.account_id, m.group_id, m.person_key, coalesce(u.user_id, m.user_id), s.came, s.at_order AS folded,
            s.at_position, s.at_by
        FROM added a
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_versions m
            WHERE m.account_id = p_account AND m.person_key = a.person_key AND m.group_id = p_group
              AND m.folded = a.folded OFFSET 0
        ) m
        CROSS JOIN LATERAL state.group_admins_moves(
            m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s
        LEFT JOIN LATERAL (
            SELECT * FROM state.users u
            WHERE u.account_id = m.account_id AND u.user_key = m.person_key AND u.known OFFSET 0
        ) u ON true
        UNION ALL
        SELECT p_account, p_group, n.person_key, state.group_admins_spelled(p_account, p_group, n.person_key), x.after,
            n.folded, n.position, n.by
        FROM meant n
        CROSS JOIN LATERAL (
            SELECT
                state.group_admins_shows(n.folded, p_account, p_group, n.person_key) AS before,
                state.group_admins_shows(n.folded || '\x00', p_account, p_group, n.person_key) AS after
            OFFSET 0
        ) x
        WHERE x.before <> x.after
    ) c
    WHERE c.folded >= p_from AND c.folded < p_before
      AND NOT EXISTS (
            SELECT FROM state.group_versions g
            WHERE g.account_id = p_account AND g.group_id = p_group AND g.folded = c.folded);
END
$$;

CREATE FUNCTION state.group_admins_page_at(p_bound bytea, p_account text, p_group text, p_after text, p_rows integer) RETURNS SETOF state.group_admins_shown
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
                (SELECT m.person_key FROM (SELECT * FROM state.past_group_admins WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NOT NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
                UNION ALL
                (SELECT m.person_key FROM (SELECT * FROM state.past_group_admins WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
            ) k
            ORDER BY k.person_key LIMIT p_rows);
        RETURN QUERY
        SELECT v.*
        FROM unnest(v_keys) AS k (person_key)
        CROSS JOIN LATERAL (
            SELECT * FROM state.group_admins_shown_at(p_bound) s
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

CREATE FUNCTION state.group_between(p_account text, p_group text, p_from bytea, p_before bytea) RETURNS SETOF state.all_changes
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
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

CREATE FUNCTION state.group_stretch(p_account text, p_group text, p_before bytea, p_events integer) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

CREATE FUNCTION state.hold_leases(p_replica text, p_projections text[], p_versions integer[], p_ttl interval) RETURNS TABLE(projection text, version integer, at_position bigint, epoch bigint, held boolean)
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_share int;
    v_held int;
BEGIN
    INSERT INTO state.replicas AS r (replica) VALUES (p_replica)
    ON CONFLICT (replica) DO UPDATE SET heartbeat_at = clock_timestamp();

    DELETE FROM state.replicas r
    WHERE r.heartbeat_at NOT BETWEEN clock_timestamp() - 10 * p_ttl AND clock_timestamp() + 10 * p_ttl;

    UPDATE state.checkpoints c SET wanted = w.version
    FROM unnest(p_projections, p_versions) AS w (projection, version)
    WHERE c.projection = w.projection AND c.wanted < w.version;

    UPDATE state.checkpoints c SET owner = NULL, epoch = c.epoch + 1
    WHERE c.owner = p_replica AND NOT EXISTS (
        SELECT FROM unnest(p_projections, p_versions) AS w (projection, version)
        WHERE w.projection = c.projection AND w.version = c.version);
    IF FOUND THEN
        PERFORM pg_notify('projector_lease', '');
    END IF;

    SELECT ceil(count(*)::numeric / greatest(1, (
        SELECT count(*) FROM state.replicas r
        WHERE r.projects
          AND r.heartbeat_at BETWEEN clock_timestamp() - p_ttl AND clock_timestamp() + p_ttl))) INTO v_share
    FROM state.checkpoints c
    JOIN unnest(p_projections, p_versions) AS w (projection, version) USING (projection, version);

    SELECT count(*) INTO v_held FROM state.checkpoints c WHERE c.owner = p_replica;
    IF v_held > v_share THEN
        -- MATERIALIZED, here and below: a sub-select that locks and limits must run once.
        WITH surplus AS MATERIALIZED (
            SELECT s.projection FROM state.checkpoints s WHERE s.owner = p_replica
            ORDER BY s.projection DESC LIMIT v_held - v_share FOR UPDATE SKIP LOCKED
        )
        UPDATE state.checkpoints c SET owner = NULL, epoch = c.epoch + 1
        FROM surplus s WHERE c.projection = s.projection;
        PERFORM pg_notify('projector_lease', '');
    ELSIF v_held < v_share THEN
        WITH free AS MATERIALIZED (
            SELECT s.projection FROM state.checkpoints s
            JOIN unnest(p_projections, p_versions) AS w (projection, version)
                ON w.projection = s.projection AND w.version = s.version
            WHERE s.owner IS NULL OR NOT EXISTS (
                SELECT FROM state.replicas r
                WHERE r.replica = s.owner
                  AND r.heartbeat_at BETWEEN clock_timestamp() - p_ttl AND clock_timestamp() + p_ttl)
            ORDER BY s.projection LIMIT v_share - v_held FOR UPDATE OF s SKIP LOCKED
        )
        UPDATE state.checkpoints c SET owner = p_replica, epoch = c.epoch + 1
        FROM free f WHERE c.projection = f.projection;
    END IF;

    RETURN QUERY
    SELECT c.projection, c.version, c.position, c.epoch, c.owner IS NOT DISTINCT FROM p_replica
    FROM state.checkpoints c;
END
$$;

CREATE FUNCTION state.memberships_between(p_after bigint, p_up_to bigint, p_late boolean) RETURNS SETOF state.memberships_changes
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    WITH told AS (
        SELECT m.last_position AS position, m.folded, m.by, m.account_id, m.person_key, m.group_id,
            m.user_id IS NULL AS nameless
        FROM state.memberships_versions m
        WHERE m.last_position > p_after AND m.last_position <= p_up_to
    ), people AS (
        SELECT x.position, x.folded, x.by, x.account_id, x.user_key AS person_key,
            x.cutoff = x.folded OR NOT x.removed AND EXISTS (
                SELECT FROM state.user_versions o
                WHERE o.account_id = x.account_id AND o.user_key = x.user_key
                  AND o.folded < x.folded AND o.until = x.folded AND o.removed
            ) AS turns
        FROM state.user_versions x
        WHERE x.position > p_after AND x.position <= p_up_to
        UNION ALL
        SELECT x.position, x.folded, NULL, x.account_id, x.person_key, x.mark = x.folded
        FROM state.observed_group_versions x
        WHERE x.position > p_after AND x.position <= p_up_to
    ), groups AS (
        SELECT x.position, x.folded, x.by, x.account_id, x.group_id,
            x.cutoff = x.folded OR NOT x.removed AND EXISTS (
                SELECT FROM state.group_versions o
                WHERE o.account_id = x.account_id AND o.group_id = x.group_id
                  AND o.folded < x.folded AND o.until = x.folded AND o.removed
            ) AS turns
        FROM state.group_versions x
        WHERE x.position > p_after AND x.position <= p_up_to
    ), added AS (
        -- entries that an event added, and those that the next entry ended
        SELECT t.position, t.folded, m.account_id, m.person_key, m.group_id, m.folded AS added
        FROM told t
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_versions m
            WHERE m.account_id = t.account_id AND m.person_key = t.person_key AND m.group_id = t.group_id
              AND m.folded <= t.folded AND m.until >= t.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        UNION ALL
        SELECT p.position, p.folded, m.account_id, m.person_key, m.group_id, m.folded
        FROM people p
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_versions m
            WHERE m.account_id = p.account_id AND m.person_key = p.person_key
              AND m.folded < p.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        WHERE p.turns
        UNION ALL
        SELECT g.position, g.folded, m.account_id, m.person_key, m.group_id, m.folded
        FROM groups g
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_versions m
            WHERE m.group_id = g.group_id AND m.account_id = g.account_id
              AND m.folded < g.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        WHERE g.turns
    ), concerned AS (
        SELECT x.*
        FROM (
            SELECT t.position, t.folded, t.by, t.account_id, t.person_key, t.group_id FROM told t WHERE NOT t.nameless
            UNION ALL
            SELECT p.position, p.folded, p.by, p.account_id, p.person_key, NULL FROM people p
        ) x
        WHERE EXISTS (SELECT FROM state.memberships_versions e WHERE e.user_id IS NULL)
    ), had AS (
        -- e-mails that somebody ever had: as a user, for every group, or in a group's list, for that group
        SELECT c.account_id, c.person_key, NULL::text AS group_id, lower(u.profile ->> 'email') AS email
        FROM (SELECT DISTINCT c.account_id, c.person_key FROM concerned c) c
        CROSS JOIN LATERAL (
            SELECT u.profile FROM state.user_versions u
            WHERE u.account_id = c.account_id AND u.user_key = c.person_key OFFSET 0
        ) u
        UNION
        SELECT c.account_id, c.person_key, m.group_id, lower(m.email)
        FROM (SELECT DISTINCT c.account_id, c.person_key FROM concerned c) c
        CROSS JOIN LATERAL (
            SELECT m.group_id, m.email FROM state.memberships_versions m
            WHERE m.account_id = c.account_id AND m.person_key = c.person_key OFFSET 0
        ) m
    ), entries AS (
        -- Without an id is asked outside: for it there is an index, of all groups, which would be read as a whole.
        SELECT h.account_id, h.person_key, e.group_id, e.person_key AS entry_key
        FROM had h
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_versions e
            WHERE e.account_id = h.account_id AND e.person_key = 'email:' || h.email OFFSET 0
        ) e
        WHERE e.user_id IS NULL AND (h.group_id IS NULL OR e.group_id = h.group_id)
    ), nameless AS (
        -- entries that name only an e-mail, which an event may concern
        SELECT t.position, t.folded, t.by, t.account_id, t.group_id, t.person_key AS entry_key
        FROM told t WHERE t.nameless
        UNION
        SELECT c.position, c.folded, c.by, e.account_id, e.group_id, e.entry_key
        FROM concerned c
        JOIN entries e
            ON e.account_id = c.account_id AND e.person_key = c.person_key
            AND (c.group_id IS NULL OR e.group_id = c.group_id)
        UNION
        SELECT g.position, g.folded, g.by, e.account_id, e.group_id, e.person_key
        FROM groups g
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_versions e
            WHERE e.group_id = g.group_id AND e.account_id = g.account_id AND e.user_id IS NULL OFFSET 0
        ) e
        UNION
        SELECT r.position, r.folded, r.by, e.account_id, e.group_id, e.person_key
        FROM state.removed_email_versions r
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_versions e
            WHERE e.account_id = r.account_id AND e.person_key = 'email:' || r.email_key OFFSET 0
        ) e
        WHERE r.position > p_after AND r.position <= p_up_to AND e.user_id IS NULL
    ), meant AS (
        -- whomever those entries may ever have meant, once an event
        SELECT DISTINCT ON (n.account_id, n.group_id, l.person_key, n.folded)
            n.position, n.folded, n.by, n.account_id, n.group_id, l.person_key
        FROM nameless n
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_links l
            WHERE l.account_id = n.account_id AND l.group_id = n.group_id AND l.entry_key = n.entry_key OFFSET 0
        ) l
        ORDER BY n.account_id, n.group_id, l.person_key, n.folded, n.by
    )
    SELECT m.account_id, m.group_id, m.person_key, coalesce(u.user_id, m.user_id), s.came, s.at_order,
        s.at_position, s.at_by
    FROM (
        SELECT DISTINCT a.account_id, a.person_key, a.group_id, a.added FROM added a
        WHERE NOT p_late OR EXISTS (
            SELECT FROM state.memberships_versions x
            WHERE x.account_id = a.account_id AND x.person_key = a.person_key AND x.group_id = a.group_id
              AND x.folded > a.folded AND x.last_position < a.position)
    ) a
    CROSS JOIN LATERAL (
        SELECT * FROM state.memberships_versions m
        WHERE m.account_id = a.account_id AND m.person_key = a.person_key AND m.group_id = a.group_id
          AND m.folded = a.added OFFSET 0
    ) m
    CROSS JOIN LATERAL state.memberships_moves(
        m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s
    LEFT JOIN LATERAL (
        SELECT * FROM state.users u
        WHERE u.account_id = m.account_id AND u.user_key = m.person_key AND u.known OFFSET 0
    ) u ON true
    WHERE s.at_position > p_after AND s.at_position <= p_up_to
    UNION ALL
    SELECT n.account_id, n.group_id, n.person_key,
        state.memberships_spelled(n.account_id, n.group_id, n.person_key), x.after, n.folded, n.position, n.by
    FROM meant n
    CROSS JOIN LATERAL (
        SELECT
            state.memberships_shows(n.folded, n.account_id, n.group_id, n.person_key) AS before,
            state.memberships_shows(n.folded || '\x00', n.account_id, n.group_id, n.person_key) AS after
        OFFSET 0
    ) x
    WHERE x.before <> x.after AND (NOT p_late OR EXISTS (
        SELECT FROM state.memberships_versions x
        WHERE x.account_id = n.account_id AND x.person_key = n.person_key AND x.group_id = n.group_id
          AND x.folded > n.folded AND x.last_position < n.position));
END
$$;

CREATE FUNCTION state.memberships_meaning(p_account text, p_group text, p_key text, p_folded bytea) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_email text := substring(p_key FROM 7);
    v_group_cutoff bytea;
    v_email_cutoff bytea;
    v_person text;
BEGIN
    SELECT coalesce((
            SELECT g.cutoff FROM state.groups g
            WHERE g.account_id = p_account AND g.group_id = p_group), ''), (
            SELECT r.cutoff FROM state.removed_emails r
            WHERE r.account_id = p_account AND r.email_key = v_email)
    INTO v_group_cutoff, v_email_cutoff;
    IF p_folded < v_group_cutoff OR p_folded < v_email_cutoff THEN
        RETURN NULL;
    END IF;
    SELECT m.person_key INTO v_person
    FROM state.memberships m
    LEFT JOIN state.users u ON u.account_id = m.account_id AND u.user_key = m.person_key
    WHERE hashtextextended(lower(m.email), hashtextextended(m.group_id, 0))
            = hashtextextended(v_email, hashtextextended(p_group, 0))
      AND m.account_id = p_account AND m.group_id = p_group
      AND m.user_id IS NOT NULL AND lower(m.email) = v_email
      AND least(m.folded, m.email_order) > greatest(u.cutoff, v_group_cutoff)
    ORDER BY m.folded DESC, m.person_key LIMIT 1;
    IF v_person IS NULL THEN
        SELECT u.user_key INTO v_person
        FROM state.users u
        WHERE u.account_id = p_account AND lower(u.email) = v_email
          AND u.known AND NOT u.removed
        ORDER BY u.folded DESC, u.user_key LIMIT 1;
    END IF;
    RETURN coalesce(v_person, p_key);
END
$$;

CREATE FUNCTION state.memberships_meaning_at(p_bound bytea, p_account text, p_group text, p_key text, p_folded bytea) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_email text := substring(p_key FROM 7);
    v_group_cutoff bytea;
    v_email_cutoff bytea;
    v_person text;
BEGIN
    SELECT coalesce((
            SELECT g.cutoff FROM (SELECT * FROM state.past_groups WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) g
            WHERE g.account_id = p_account AND g.group_id = p_group), ''), (
            SELECT r.cutoff FROM (SELECT * FROM state.past_removed_emails WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) r
            WHERE r.account_id = p_account AND r.email_key = v_email)
    INTO v_group_cutoff, v_email_cutoff;
    IF p_folded < v_group_cutoff OR p_folded < v_email_cutoff THEN
        RETURN NULL;
    END IF;
    SELECT m.person_key INTO v_person
    FROM (SELECT * FROM state.past_memberships WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) m
    LEFT JOIN (SELECT * FROM state.past_users WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) u ON u.account_id = m.account_id AND u.user_key = m.person_key
    WHERE hashtextextended(lower(m.email), hashtextextended(m.group_id, 0))
            = hashtextextended(v_email, hashtextextended(p_group, 0))
      AND m.account_id = p_account AND m.group_id = p_group
      AND m.user_id IS NOT NULL AND lower(m.email) = v_email
      AND least(m.folded, m.email_order) > greatest(u.cutoff, v_group_cutoff)
    ORDER BY m.folded DESC, m.person_key LIMIT 1;
    IF v_person IS NULL THEN
        SELECT u.user_key INTO v_person
        FROM (SELECT * FROM state.past_users WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) u
        WHERE u.account_id = p_account AND lower(u.email) = v_email
          AND u.known AND NOT u.removed
        ORDER BY u.folded DESC, u.user_key LIMIT 1;
    END IF;
    RETURN coalesce(v_person, p_key);
END
$$;

CREATE VIEW state.memberships_mentions AS
 SELECT m.account_id,
    m.person_key,
    m.user_id AS spelling,
    m.folded,
        CASE
            WHEN (m.email_order > COALESCE(g.cutoff, '\x'::bytea)) THEN m.email
            ELSE NULL::text
        END AS email,
    m.email_order
   FROM (state.memberships m
     LEFT JOIN state.known_groups g ON (((g.account_id = m.account_id) AND (g.group_id = m.group_id))))
  WHERE ((m.user_id IS NOT NULL) AND (m.folded > COALESCE(g.cutoff, '\x'::bytea)))
UNION ALL
 SELECT e.account_id,
    w.means AS person_key,
        CASE
            WHEN (w.means = e.person_key) THEN e.person_key
            ELSE NULL::text
        END AS spelling,
    e.folded,
    e.email,
    e.email_order
   FROM (state.memberships e
     CROSS JOIN LATERAL ( SELECT state.memberships_meaning(e.account_id, e.group_id, e.person_key, e.folded) AS means
         OFFSET 0) w)
  WHERE ((e.user_id IS NULL) AND (w.means IS NOT NULL));

CREATE FUNCTION state.memberships_mentions_of(p_account text, p_key text) RETURNS SETOF state.memberships_mentions
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    SELECT m.account_id, m.person_key, m.user_id, m.folded,
        CASE WHEN m.email_order > coalesce(g.cutoff, '') THEN m.email END, m.email_order
    FROM state.memberships m
    LEFT JOIN state.known_groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
    WHERE m.account_id = p_account AND m.person_key = p_key AND m.user_id IS NOT NULL
      AND m.folded > coalesce(g.cutoff, '')
    UNION ALL
    SELECT p_account, p_key, CASE WHEN e.person_key = p_key THEN p_key END, e.folded, e.email, e.email_order
    FROM (
        SELECT m.group_id, p_key AS entry_key FROM state.memberships m
        WHERE m.account_id = p_account AND m.person_key = p_key AND m.user_id IS NULL
        UNION
        SELECT m.group_id, 'email:' || lower(m.email) FROM state.memberships m
        WHERE m.account_id = p_account AND m.person_key = p_key AND m.user_id IS NOT NULL
    ) k
    CROSS JOIN LATERAL (
        SELECT * FROM state.memberships e
        WHERE e.account_id = p_account AND e.person_key = k.entry_key AND e.group_id = k.group_id OFFSET 0
    ) e
    WHERE e.user_id IS NULL
      AND state.memberships_meaning(e.account_id, e.group_id, e.person_key, e.folded) = p_key;
END
$$;

CREATE FUNCTION state.memberships_of_group(p_account text, p_group text, p_from bytea, p_before bytea) RETURNS SETOF state.memberships_changes
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    -- Of few people those who were ever removed are found quicker than all removals of that time.
    v_few boolean := NOT EXISTS (
        SELECT FROM state.memberships_versions m
        WHERE m.group_id = p_group AND m.account_id = p_account OFFSET 1000);
BEGIN
    RETURN QUERY
    WITH added AS (
        SELECT m.person_key, m.folded
        FROM (
            SELECT t.person_key, t.folded FROM state.memberships_versions t
            WHERE t.group_id = p_group AND t.account_id = p_account
              AND substring(t.folded FROM 1 FOR 8) >= substring(p_from FROM 1 FOR 8)
              AND substring(t.folded FROM 1 FOR 8) <= substring(p_before FROM 1 FOR 8)
              AND t.folded >= p_from AND t.folded < p_before
        ) t
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_versions m
            WHERE m.account_id = p_account AND m.person_key = t.person_key AND m.group_id = p_group
              AND m.folded <= t.folded AND m.until >= t.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        UNION
        SELECT m.person_key, m.folded FROM state.memberships_versions m
        WHERE v_few AND m.group_id = p_group AND m.account_id = p_account
          AND m.folded < p_before AND m.added AND m.user_id IS NOT NULL
          AND (EXISTS (
                    SELECT FROM state.users u
                    WHERE u.account_id = p_account AND u.user_key = m.person_key AND u.cutoff IS NOT NULL)
               OR EXISTS (
                    SELECT FROM state.observed_groups o
                    WHERE o.account_id = p_account AND o.person_key = m.person_key)
              )
        UNION
        SELECT m.person_key, m.folded
        FROM (
            SELECT x.user_key AS person_key, x.folded FROM state.user_versions x
            WHERE x.account_id = p_account AND x.folded >= p_from AND x.folded < p_before
              AND x.cutoff IS NOT NULL AND (NOT x.removed OR x.cutoff = x.folded)
            UNION ALL
            SELECT x.person_key, x.folded FROM state.observed_group_versions x
            WHERE x.account_id = p_account AND x.folded >= p_from AND x.folded < p_before AND x.mark = x.folded
        ) x
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_versions m
            WHERE m.account_id = p_account AND m.person_key = x.person_key AND m.group_id = p_group
              AND m.folded < x.folded AND m.added AND m.user_id IS NOT NULL OFFSET 0
        ) m
        WHERE NOT v_few
    ), links AS MATERIALIZED (
        SELECT l.entry_key, l.person_key FROM state.memberships_links l
        WHERE l.account_id = p_account AND l.group_id = p_group
    ), events AS (
        -- what could matter for whom an entry without an id means
        SELECT l.entry_key, c.folded, c.position, c.by
        FROM links l
        CROSS JOIN LATERAL (
            SELECT m.folded, m.last_position AS position, m.by FROM state.memberships_versions m
            WHERE m.account_id = p_account AND m.person_key = l.person_key AND m.group_id = p_group
              AND m.folded >= p_from AND m.folded < p_before
            UNION ALL
            SELECT u.folded, u.position, u.by FROM state.user_versions u
            WHERE u.account_id = p_account AND u.user_key = l.person_key
              AND u.folded >= p_from AND u.folded < p_before
            UNION ALL
            SELECT o.folded, o.position, NULL FROM state.observed_group_versions o
            WHERE o.account_id = p_account AND o.person_key = l.person_key
              AND o.folded >= p_from AND o.folded < p_before
        ) c
        UNION ALL
        SELECT l.entry_key, r.folded, r.position, r.by
        FROM (SELECT DISTINCT l.entry_key FROM links l) l
        JOIN state.removed_email_versions r
            ON r.account_id = p_account AND r.email_key = substring(l.entry_key FROM 7)
            AND r.folded >= p_from AND r.folded < p_before
    ), meant AS (
        SELECT DISTINCT ON (l.person_key, e.folded) l.person_key, e.folded, e.position, e.by
        FROM events e JOIN links l ON l.entry_key = e.entry_key
        WHERE NOT EXISTS (
            SELECT FROM state.group_versions g
            WHERE g.account_id = p_account AND g.group_id = p_group AND g.folded = e.folded)
        ORDER BY l.person_key, e.folded, e.by
    )
    SELECT * FROM (
        SELECT m.account_id, m.group_id, m.person_key, coalesce(u.user_id, m.user_id), s.came, s.at_order AS folded,
            s.at_position, s.at_by
        FROM added a
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_versions m
            WHERE m.account_id = p_account AND m.person_key = a.person_key AND m.group_id = p_group
              AND m.folded = a.folded OFFSET 0
        ) m
        CROSS JOIN LATERAL state.memberships_moves(
            m.account_id, m.person_key, m.group_id, m.folded, m.until, m.last_position, m.by) s
        LEFT JOIN LATERAL (
            SELECT * FROM state.users u
            WHERE u.account_id = m.account_id AND u.user_key = m.person_key AND u.known OFFSET 0
        ) u ON true
        UNION ALL
        SELECT p_account, p_group, n.person_key, state.memberships_spelled(p_account, p_group, n.person_key), x.after,
            n.folded, n.position, n.by
        FROM meant n
        CROSS JOIN LATERAL (
            SELECT
                state.memberships_shows(n.folded, p_account, p_group, n.person_key) AS before,
                state.memberships_shows(n.folded || '\x00', p_account, p_group, n.person_key) AS after
            OFFSET 0
        ) x
        WHERE x.before <> x.after
    ) c
    WHERE c.folded >= p_from AND c.folded < p_before
      AND NOT EXISTS (
            SELECT FROM state.group_versions g
            WHERE g.account_id = p_account AND g.group_id = p_group AND g.folded = c.folded);
END
$$;

CREATE FUNCTION state.memberships_page_at(p_bound bytea, p_account text, p_group text, p_after text, p_rows integer) RETURNS SETOF state.memberships_shown
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
                (SELECT m.person_key FROM (SELECT * FROM state.past_memberships WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NOT NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
                UNION ALL
                (SELECT m.person_key FROM (SELECT * FROM state.past_memberships WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound)) m
                 WHERE m.group_id = p_group AND m.account_id = p_account
                   AND m.added AND m.user_id IS NULL AND m.person_key > v_after
                 ORDER BY m.person_key LIMIT p_rows)
            ) k
            ORDER BY k.person_key LIMIT p_rows);
        RETURN QUERY
        SELECT v.*
        FROM unnest(v_keys) AS k (person_key)
        CROSS JOIN LATERAL (
            SELECT * FROM state.memberships_shown_at(p_bound) s
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

CREATE TABLE state.presence (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    email text,
    email_order bytea NOT NULL,
    presence_status text,
    app_type text,
    app_presence_status text
)
WITH (fillfactor='70');

CREATE TABLE state.sign_ins (
    account_id text NOT NULL,
    user_key text NOT NULL,
    client_type text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    user_id text NOT NULL,
    email text,
    email_order bytea NOT NULL,
    signed_in boolean NOT NULL,
    signed_in_order bytea NOT NULL,
    login_type bigint,
    version text
)
WITH (fillfactor='85');

CREATE VIEW state.mentions AS
 SELECT x.account_id,
    x.person_key,
    u.user_id AS known_as,
    x.seen_in,
    x.spelling,
    x.spelled,
        CASE
            WHEN (x.email_order > COALESCE(u.cutoff, '\x'::bytea)) THEN x.email
            ELSE NULL::text
        END AS email,
    x.email_order
   FROM (( SELECT presence.account_id,
            presence.user_key AS person_key,
            'presence'::text AS seen_in,
            presence.user_id AS spelling,
            presence.folded AS spelled,
            presence.email,
            presence.email_order
           FROM state.presence
        UNION ALL
         SELECT notes.account_id,
            notes.user_key,
            'presence'::text,
            notes.user_id,
            notes.note_order,
            notes.email,
            notes.email_order
           FROM state.notes
          WHERE (notes.note_order IS NOT NULL)
        UNION ALL
         SELECT sign_ins.account_id,
            sign_ins.user_key,
            'sign_ins'::text,
            sign_ins.user_id,
            sign_ins.folded,
            sign_ins.email,
            sign_ins.email_order
           FROM state.sign_ins
        UNION ALL
         SELECT user_settings.account_id,
            user_settings.user_key,
            'settings'::text,
            user_settings.user_id,
            user_settings.changed_order,
            NULL::text,
            NULL::bytea
           FROM state.user_settings
          WHERE (user_settings.changed_order IS NOT NULL)
        UNION ALL
         SELECT memberships_mentions.account_id,
            memberships_mentions.person_key,
            'memberships'::text,
            memberships_mentions.spelling,
            memberships_mentions.folded,
            memberships_mentions.email,
            memberships_mentions.email_order
           FROM state.memberships_mentions
        UNION ALL
         SELECT group_admins_mentions.account_id,
            group_admins_mentions.person_key,
            'admins'::text,
            group_admins_mentions.spelling,
            group_admins_mentions.folded,
            group_admins_mentions.email,
            group_admins_mentions.email_order
           FROM state.group_admins_mentions) x
     LEFT JOIN state.people u ON (((u.account_id = x.account_id) AND (u.user_key = x.person_key))))
  WHERE ((u.user_key IS NULL) OR (u.removed AND ((x.spelling IS NULL) OR (x.spelled > u.cutoff))));

CREATE FUNCTION state.mentions_of(p_account text, p_key text) RETURNS SETOF state.mentions
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_known_as text;
    v_removed boolean;
    v_cutoff bytea;
BEGIN
    SELECT u.user_id, u.removed, u.cutoff INTO v_known_as, v_removed, v_cutoff FROM state.people u
    WHERE u.account_id = p_account AND u.user_key = p_key;
    IF v_known_as IS NOT NULL AND NOT v_removed THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT p_account, p_key, v_known_as, x.seen_in, x.spelling, x.spelled,
        CASE WHEN x.email_order > coalesce(v_cutoff, '') THEN x.email END, x.email_order
    FROM (
        SELECT 'presence' AS seen_in, p.user_id AS spelling, p.folded AS spelled, p.email, p.email_order
        FROM state.presence p WHERE p.account_id = p_account AND p.user_key = p_key
        UNION ALL
        SELECT 'presence', n.user_id, n.note_order, n.email, n.email_order
        FROM state.notes n WHERE n.account_id = p_account AND n.user_key = p_key AND n.note_order IS NOT NULL
        UNION ALL
        SELECT 'sign_ins', s.user_id, s.folded, s.email, s.email_order
        FROM state.sign_ins s WHERE s.account_id = p_account AND s.user_key = p_key
        UNION ALL
        SELECT 'settings', s.user_id, s.changed_order, NULL, NULL
        FROM state.user_settings s
        WHERE s.account_id = p_account AND s.user_key = p_key AND s.changed_order IS NOT NULL
        UNION ALL
        SELECT 'memberships', m.spelling, m.folded, m.email, m.email_order
        FROM state.memberships_mentions_of(p_account, p_key) m
        UNION ALL
        SELECT 'admins', m.spelling, m.folded, m.email, m.email_order
        FROM state.group_admins_mentions_of(p_account, p_key) m
    ) x
    WHERE v_known_as IS NULL OR x.spelling IS NULL OR x.spelled > v_cutoff;
END
$$;

CREATE FUNCTION state.person_between(p_account text, p_key text, p_from bytea, p_before bytea) RETURNS SETOF state.all_changes
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
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

CREATE FUNCTION state.person_stretch(p_account text, p_key text, p_before bytea, p_events integer) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

CREATE FUNCTION state.release_leases(p_replica text) RETURNS void
    LANGUAGE sql
    AS $$
    UPDATE state.checkpoints SET owner = NULL, epoch = epoch + 1 WHERE owner = p_replica;
    DELETE FROM state.replicas WHERE replica = p_replica;
    SELECT pg_notify('projector_lease', '');
$$;

CREATE TABLE state.acknowledged_drift (
    account_id text NOT NULL,
    entity_key text NOT NULL,
    entity text NOT NULL,
    path_digest text NOT NULL,
    digest text NOT NULL,
    folded bytea NOT NULL,
    acknowledged_by text,
    reason text
);

CREATE VIEW state.judged_drift AS
 SELECT f.account_id,
    f.entity,
    f.entity_id,
    f.entity_key,
    f.path,
    f.known,
    f.reported,
    f.event_ms,
    f."position",
    f.digest,
    a.folded AS acknowledged,
    a.acknowledged_by,
    a.reason
   FROM (( SELECT x.account_id,
            d.entity,
            x.entity_id,
            x.entity_key,
            d.path,
            d.known,
            d.reported,
            d.event_ms,
            d."position",
            ( SELECT encode(e.digest, 'hex'::text) AS encode
                   FROM log.events e
                  WHERE (e."position" = d."position")) AS digest
           FROM (( SELECT u.account_id,
                    u.user_id AS entity_id,
                    u.user_key AS entity_key,
                    u.drift
                   FROM state.users u
                  WHERE (u.drift <> '[]'::jsonb)
                UNION ALL
                 SELECT g.account_id,
                    g.group_id,
                    g.group_id,
                    g.drift
                   FROM state.groups g
                  WHERE (g.drift <> '[]'::jsonb)
                UNION ALL
                 SELECT s.account_id,
                    COALESCE(u.user_id, s.user_id) AS "coalesce",
                    s.user_key,
                    s.drift
                   FROM (state.user_settings s
                     LEFT JOIN state.people u USING (account_id, user_key))
                  WHERE (s.drift <> '[]'::jsonb)
                UNION ALL
                 SELECT s.account_id,
                    s.group_id,
                    s.group_id,
                    s.drift
                   FROM state.group_settings s
                  WHERE (s.drift <> '[]'::jsonb)
                UNION ALL
                 SELECT n.account_id,
                    COALESCE(u.user_id,
                        CASE
                            WHEN (p.folded > n.note_order) THEN p.user_id
                            ELSE n.user_id
                        END) AS "coalesce",
                    n.user_key,
                    n.drift
                   FROM ((state.notes n
                     LEFT JOIN state.people u USING (account_id, user_key))
                     LEFT JOIN state.presence p USING (account_id, user_key))
                  WHERE (n.drift <> '[]'::jsonb)) x
             CROSS JOIN LATERAL jsonb_to_recordset(x.drift) d(entity text, path text, known jsonb, reported jsonb, event_ms bigint, "position" bigint))) f
     LEFT JOIN state.acknowledged_drift a ON (((a.account_id = f.account_id) AND (a.entity_key = f.entity_key) AND (a.entity = f.entity) AND (a.path_digest = encode(sha256(convert_to(f.path, 'UTF8'::name)), 'hex'::text)) AND (a.digest = f.digest))));

CREATE VIEW directory.acknowledged_drift AS
 SELECT account_id,
    entity,
    entity_id,
    path,
    known,
    reported,
    state.at(event_ms) AS event_at,
    "position",
    state.time_of(acknowledged) AS acknowledged_at,
    acknowledged_by,
    reason
   FROM state.judged_drift d
  WHERE (acknowledged IS NOT NULL);

COMMENT ON VIEW directory.acknowledged_drift IS 'Drift that still stands and that somebody acknowledged: it is not in drift. What a later event reports at the same path is.';

COMMENT ON COLUMN directory.acknowledged_drift.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.acknowledged_drift.entity IS 'Kind of entity that is in doubt: user, group, user_settings, group_settings, group_locks or personal_note.';

COMMENT ON COLUMN directory.acknowledged_drift.entity_id IS 'User id or group id.';

COMMENT ON COLUMN directory.acknowledged_drift.path IS 'Field in doubt, dotted; profile settings start with "settings.".';

COMMENT ON COLUMN directory.acknowledged_drift.known IS 'Value in the directory before that event.';

COMMENT ON COLUMN directory.acknowledged_drift.reported IS 'Previous value according to that event.';

COMMENT ON COLUMN directory.acknowledged_drift.event_at IS 'Time of that event.';

COMMENT ON COLUMN directory.acknowledged_drift."position" IS 'Position in the log of that event.';

COMMENT ON COLUMN directory.acknowledged_drift.acknowledged_at IS 'When it was acknowledged, the last time.';

COMMENT ON COLUMN directory.acknowledged_drift.acknowledged_by IS 'Who did so.';

COMMENT ON COLUMN directory.acknowledged_drift.reason IS 'Why, in their words.';

CREATE TABLE state.activity (
    account_id text NOT NULL,
    event text NOT NULL,
    hour bigint NOT NULL,
    events bigint NOT NULL
);

CREATE VIEW directory.activity AS
 SELECT account_id,
    event,
    to_timestamp(((hour)::double precision * (3600.0)::double precision)) AS hour,
    events
   FROM state.activity a;

COMMENT ON VIEW directory.activity IS 'Deliveries counted by the hour of their receipt: one row for each account, event and hour in which some came. What an account''s silence means shows against it.';

COMMENT ON COLUMN directory.activity.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.activity.event IS 'Name of the event.';

COMMENT ON COLUMN directory.activity.hour IS 'Beginning of the hour of receipt, UTC.';

COMMENT ON COLUMN directory.activity.events IS 'Number of distinct events received within that hour.';

CREATE TABLE state.coverage (
    account_id text NOT NULL,
    section text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL,
    complete_order bytea NOT NULL,
    read bigint,
    new bigint,
    repaired bigint,
    gone bigint,
    unreadable text
)
WITH (fillfactor='50');

CREATE VIEW directory.coverage AS
 SELECT account_id,
    section,
        CASE
            WHEN (complete_order <> '\x'::bytea) THEN state.time_of(complete_order)
            ELSE NULL::timestamp with time zone
        END AS complete_at,
    read,
    repaired,
    unreadable,
    new,
    gone,
    state.time_of(folded) AS last_event_at,
    last_position
   FROM state.coverage c;

COMMENT ON VIEW directory.coverage IS 'What was read from Zoom''s REST API, by account and section: who was there before the first delivery, and what was lost, is known as of complete_at. No row: never read.';

COMMENT ON COLUMN directory.coverage.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.coverage.section IS 'deliveries (Zoom''s log of failed deliveries), groups, users or settings.';

COMMENT ON COLUMN directory.coverage.complete_at IS 'When the newest complete reading began, by Zoom''s clock; null where none was complete.';

COMMENT ON COLUMN directory.coverage.read IS 'How many entities the newest reading read.';

COMMENT ON COLUMN directory.coverage.repaired IS 'How many of them were in the directory and differed.';

COMMENT ON COLUMN directory.coverage.unreadable IS 'What could not be read, and why, such as a missing scope; null where nothing.';

COMMENT ON COLUMN directory.coverage.new IS 'How many of them the directory did not have.';

COMMENT ON COLUMN directory.coverage.gone IS 'How many the directory had and Zoom has no more.';

COMMENT ON COLUMN directory.coverage.last_event_at IS 'When the newest reading began.';

COMMENT ON COLUMN directory.coverage.last_position IS 'Position in the log of its record.';

CREATE TABLE state.dead_letters (
    "position" bigint NOT NULL,
    projection text NOT NULL,
    event text NOT NULL,
    error text NOT NULL,
    failed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE state.dismissed_dead_letters (
    digest text NOT NULL,
    projection text NOT NULL,
    folded bytea NOT NULL,
    dismissed_by text,
    reason text
);

CREATE VIEW state.judged_dead_letters AS
 SELECT f."position",
    f.projection,
    f.event,
    f.error,
    f.failed_at,
    f.digest,
    x.folded AS dismissed,
    x.dismissed_by,
    x.reason
   FROM (( SELECT d."position",
            d.projection,
            d.event,
            d.error,
            d.failed_at,
            ( SELECT encode(e.digest, 'hex'::text) AS encode
                   FROM log.events e
                  WHERE (e."position" = d."position")) AS digest
           FROM state.dead_letters d) f
     LEFT JOIN state.dismissed_dead_letters x ON (((x.digest = f.digest) AND (x.projection = f.projection))));

CREATE VIEW directory.dead_letters AS
 SELECT "position",
    projection,
    event,
    error,
    failed_at
   FROM state.dead_letters d
  WHERE (NOT (EXISTS ( SELECT
           FROM state.judged_dead_letters j
          WHERE ((j."position" = d."position") AND (j.projection = d.projection) AND (j.dismissed IS NOT NULL)))));

COMMENT ON VIEW directory.dead_letters IS 'Events that a projection could not fold and that nobody dismissed: one row an event and projection. Everything else of the log is folded all the same.';

COMMENT ON COLUMN directory.dead_letters."position" IS 'Position in the log of the event.';

COMMENT ON COLUMN directory.dead_letters.projection IS 'The projection that left it out.';

COMMENT ON COLUMN directory.dead_letters.event IS 'Name of the event.';

COMMENT ON COLUMN directory.dead_letters.error IS 'What is wrong with it; quotes nothing of its content.';

COMMENT ON COLUMN directory.dead_letters.failed_at IS 'When folding failed, by the clock of the database.';

CREATE VIEW directory.departed_group_admins AS
 SELECT a.account_id,
    a.group_id,
    u.user_id,
    NULLIF(u.email, ''::text) AS email,
    g.name AS group_name,
    u.status AS user_status,
    state.at(u.removed_ms) AS removed_at,
    state.time_of(a.folded) AS added_at,
    a.by AS added_by
   FROM ((state.users u
     JOIN state.group_admins a ON (((a.account_id = u.account_id) AND (a.person_key = u.user_key))))
     LEFT JOIN state.known_groups g ON (((g.account_id = a.account_id) AND (g.group_id = a.group_id))))
  WHERE ((u.cutoff IS NOT NULL) AND u.removed AND a.added AND (a.user_id IS NOT NULL) AND (g.removed IS NOT TRUE) AND (a.folded > COALESCE(g.cutoff, '\x'::bytea)));

COMMENT ON VIEW directory.departed_group_admins IS 'Former users who were admins of a group until they were removed, where the group is not removed itself. Their roles ended with them, so group_admins no longer shows them.';

COMMENT ON COLUMN directory.departed_group_admins.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.departed_group_admins.group_id IS 'Zoom''s group id.';

COMMENT ON COLUMN directory.departed_group_admins.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';

COMMENT ON COLUMN directory.departed_group_admins.email IS 'Last e-mail known of the former user.';

COMMENT ON COLUMN directory.departed_group_admins.group_name IS 'Current name of the group; null where the group is not in groups.';

COMMENT ON COLUMN directory.departed_group_admins.user_status IS 'deleted or disassociated.';

COMMENT ON COLUMN directory.departed_group_admins.removed_at IS 'Time of the newest removal.';

COMMENT ON COLUMN directory.departed_group_admins.added_at IS 'Time of the newest event that made the person an admin.';

COMMENT ON COLUMN directory.departed_group_admins.added_by IS 'E-mail of the operator of that event; null where it named none.';

CREATE VIEW directory.dismissed_dead_letters AS
 SELECT "position",
    projection,
    event,
    error,
    failed_at,
    state.time_of(dismissed) AS dismissed_at,
    dismissed_by,
    reason
   FROM state.judged_dead_letters d
  WHERE (dismissed IS NOT NULL);

COMMENT ON VIEW directory.dismissed_dead_letters IS 'Events that a projection could not fold and that somebody dismissed: they are not in dead_letters.';

COMMENT ON COLUMN directory.dismissed_dead_letters."position" IS 'Position in the log of the event.';

COMMENT ON COLUMN directory.dismissed_dead_letters.projection IS 'The projection that left it out.';

COMMENT ON COLUMN directory.dismissed_dead_letters.event IS 'Name of the event.';

COMMENT ON COLUMN directory.dismissed_dead_letters.error IS 'What is wrong with it; quotes nothing of its content.';

COMMENT ON COLUMN directory.dismissed_dead_letters.failed_at IS 'When folding failed, by the clock of the database.';

COMMENT ON COLUMN directory.dismissed_dead_letters.dismissed_at IS 'When it was dismissed, the last time.';

COMMENT ON COLUMN directory.dismissed_dead_letters.dismissed_by IS 'Who did so.';

COMMENT ON COLUMN directory.dismissed_dead_letters.reason IS 'Why, in their words.';

CREATE VIEW directory.drift AS
 SELECT account_id,
    entity,
    entity_id,
    path,
    known,
    reported,
    state.at(event_ms) AS event_at,
    "position"
   FROM state.judged_drift d
  WHERE (acknowledged IS NULL);

COMMENT ON VIEW directory.drift IS 'Where an event reported a previous value that differs from the directory''s: a delivery was lost, or is still to come, and then the row disappears. No rows: the events agree with one another, but for what somebody acknowledged.';

COMMENT ON COLUMN directory.drift.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.drift.entity IS 'Kind of entity that is in doubt: user, group, user_settings, group_settings, group_locks or personal_note.';

COMMENT ON COLUMN directory.drift.entity_id IS 'User id or group id.';

COMMENT ON COLUMN directory.drift.path IS 'Field in doubt, dotted; profile settings start with "settings.".';

COMMENT ON COLUMN directory.drift.known IS 'Value in the directory before that event.';

COMMENT ON COLUMN directory.drift.reported IS 'Previous value according to that event.';

COMMENT ON COLUMN directory.drift.event_at IS 'Time of that event.';

COMMENT ON COLUMN directory.drift."position" IS 'Position in the log of that event.';

CREATE TABLE state.freshness (
    account_id text NOT NULL,
    event text NOT NULL,
    last_event_ms bigint NOT NULL,
    last_received_us bigint NOT NULL,
    events bigint NOT NULL,
    first_received_us bigint NOT NULL
)
WITH (fillfactor='50');

CREATE VIEW directory.freshness AS
 SELECT a.account_id,
    e.event,
    state.at(f.last_event_ms) AS last_event_at,
    to_timestamp(((f.last_received_us)::double precision / (1000000.0)::double precision)) AS last_received_at,
    COALESCE(f.events, (0)::bigint) AS events
   FROM ((( SELECT freshness.account_id
           FROM state.freshness
        UNION
         SELECT coverage.account_id
           FROM state.coverage) a
     CROSS JOIN ( VALUES ('user.created'::text), ('user.invitation_accepted'::text), ('user.activated'::text), ('user.updated'::text), ('user.settings_updated'::text), ('user.presence_status_updated'::text), ('user.personal_notes_updated'::text), ('user.signed_in'::text), ('user.signed_out'::text), ('user.deactivated'::text), ('user.disassociated'::text), ('user.deleted'::text), ('group.created'::text), ('group.updated'::text), ('group.settings_updated'::text), ('group.lock_settings_updated'::text), ('group.member_added'::text), ('group.member_deleted'::text), ('group.admin_added'::text), ('group.admin_deleted'::text), ('group.deleted'::text)) e(event))
     LEFT JOIN state.freshness f ON (((f.account_id = a.account_id) AND (f.event = e.event))));

COMMENT ON VIEW directory.freshness IS 'When each event last came, by account: one row for every event of Zoom''s reference. Silence is the commonest failure of webhooks: where a usual event stays away, check the subscription in Zoom.';

COMMENT ON COLUMN directory.freshness.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.freshness.event IS 'Name of the event.';

COMMENT ON COLUMN directory.freshness.last_event_at IS 'Greatest event time; null where it never came.';

COMMENT ON COLUMN directory.freshness.last_received_at IS 'Greatest time of receipt; null where it never came.';

COMMENT ON COLUMN directory.freshness.events IS 'Number of distinct events folded so far.';

CREATE VIEW directory.group_setting_values AS
 SELECT s.account_id,
    s.group_id,
    v.path,
    v.value,
        CASE
            WHEN (jsonb_typeof(v.lock) = 'boolean'::text) THEN ((v.lock #>> '{}'::text[]))::boolean
            WHEN ((jsonb_typeof(v.lock) = 'string'::text) AND (lower((v.lock #>> '{}'::text[])) = ANY (ARRAY['true'::text, 'false'::text]))) THEN ((v.lock #>> '{}'::text[]))::boolean
            ELSE NULL::boolean
        END AS locked
   FROM (directory.group_settings s
     CROSS JOIN LATERAL ( WITH RECURSIVE walk AS (
                 SELECT e.key AS path,
                    e.value,
                    (s.locks -> e.key) AS lock
                   FROM jsonb_each(s.settings) e(key, value)
                UNION ALL
                 SELECT ((w_1.path || '.'::text) || e.key),
                    e.value,
                        CASE
                            WHEN (jsonb_typeof(w_1.lock) = 'object'::text) THEN (w_1.lock -> e.key)
                            ELSE w_1.lock
                        END AS lock
                   FROM (walk w_1
                     CROSS JOIN LATERAL jsonb_each(
                        CASE
                            WHEN (jsonb_typeof(w_1.value) = 'object'::text) THEN w_1.value
                            ELSE NULL::jsonb
                        END) e(key, value))
                )
         SELECT w.path,
            w.value,
            w.lock
           FROM walk w
          WHERE (jsonb_typeof(w.value) <> 'object'::text)) v);

COMMENT ON VIEW directory.group_setting_values IS 'Settings of groups, one row a setting: the leaves of group_settings.settings, with the lock that covers each.';

COMMENT ON COLUMN directory.group_setting_values.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.group_setting_values.group_id IS 'Zoom''s group id.';

COMMENT ON COLUMN directory.group_setting_values.path IS 'Path of the setting in the document, dotted.';

COMMENT ON COLUMN directory.group_setting_values.value IS 'Its value: a text, number, boolean, null or array.';

COMMENT ON COLUMN directory.group_setting_values.locked IS 'true: members may not change it, because of a lock at this path or above it; null where no lock is known.';

CREATE VIEW directory.observation AS
 SELECT account_id,
    to_timestamp(((min(first_received_us))::double precision / (1000000.0)::double precision)) AS since
   FROM state.freshness f
  GROUP BY account_id;

COMMENT ON VIEW directory.observation IS 'Since when each account is observed. What happened before is known only as far as later events repeat it: that somebody has no sign-in means little while this time is recent.';

COMMENT ON COLUMN directory.observation.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.observation.since IS 'Time of receipt of the first event of the account.';

CREATE VIEW directory.presence AS
 SELECT u.account_id,
    u.user_id,
    COALESCE(u.email,
        CASE
            WHEN (GREATEST(p.email_order, n.email_order) <= u.cutoff) THEN NULL::text
            WHEN ((n.email_order > p.email_order) OR (p.email_order IS NULL)) THEN n.email
            ELSE p.email
        END) AS email,
    p.presence_status,
    p.app_type,
    p.app_presence_status,
    state.time_of(p.folded) AS changed_at,
    n.note AS personal_note,
    state.time_of(n.note_order) AS personal_note_changed_at,
    state.time_of(GREATEST(p.folded, n.note_order)) AS last_event_at,
        CASE
            WHEN ((n.note_order > p.folded) OR (p.folded IS NULL)) THEN n.last_position
            ELSE p.last_position
        END AS last_position
   FROM ((state.people u
     LEFT JOIN state.presence p ON (((p.account_id = u.account_id) AND (p.user_key = u.user_key) AND (p.folded > u.cutoff))))
     LEFT JOIN state.notes n ON (((n.account_id = u.account_id) AND (n.user_key = u.user_key) AND (n.note_order > u.cutoff))))
  WHERE ((NOT u.removed) AND ((p.user_key IS NOT NULL) OR (n.user_key IS NOT NULL)))
UNION ALL
 SELECT p.account_id,
    p.user_id,
        CASE
            WHEN (n.email_order > p.email_order) THEN n.email
            ELSE p.email
        END AS email,
    p.presence_status,
    p.app_type,
    p.app_presence_status,
    state.time_of(p.folded) AS changed_at,
    n.note AS personal_note,
    state.time_of(n.note_order) AS personal_note_changed_at,
    state.time_of(p.folded) AS last_event_at,
    p.last_position
   FROM (state.presence p
     LEFT JOIN state.notes n ON (((n.account_id = p.account_id) AND (n.user_key = p.user_key) AND (n.note_order IS NOT NULL))))
  WHERE (((n.note_order IS NULL) OR (n.note_order < p.folded)) AND (NOT (EXISTS ( SELECT
           FROM state.people u
          WHERE ((u.account_id = p.account_id) AND (u.user_key = p.user_key))))))
UNION ALL
 SELECT n.account_id,
    n.user_id,
        CASE
            WHEN (p.email_order > n.email_order) THEN p.email
            ELSE n.email
        END AS email,
    p.presence_status,
    p.app_type,
    p.app_presence_status,
    state.time_of(p.folded) AS changed_at,
    n.note AS personal_note,
    state.time_of(n.note_order) AS personal_note_changed_at,
    state.time_of(n.note_order) AS last_event_at,
    n.last_position
   FROM (state.notes n
     LEFT JOIN state.presence p ON (((p.account_id = n.account_id) AND (p.user_key = n.user_key))))
  WHERE ((n.note_order IS NOT NULL) AND ((p.folded IS NULL) OR (p.folded < n.note_order)) AND (NOT (EXISTS ( SELECT
           FROM state.people u
          WHERE ((u.account_id = n.account_id) AND (u.user_key = n.user_key))))));

COMMENT ON VIEW directory.presence IS 'What people are doing now, and the note they show: one row for whoever a presence or note event named, removed users excepted.';

COMMENT ON COLUMN directory.presence.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.presence.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';

COMMENT ON COLUMN directory.presence.email IS 'The person''s current e-mail in users; where none is known there, the newest that this row''s own events named.';

COMMENT ON COLUMN directory.presence.presence_status IS 'Overall status as Zoom names it (Available, Away, In_Meeting and so on); null where only a note is known.';

COMMENT ON COLUMN directory.presence.app_type IS 'Kind of application that reported (desktop, mobile and so on); null where the newest event named none.';

COMMENT ON COLUMN directory.presence.app_presence_status IS 'Status in that application; it may differ from presence_status.';

COMMENT ON COLUMN directory.presence.changed_at IS 'Time of the newest presence event.';

COMMENT ON COLUMN directory.presence.personal_note IS 'The note; null where none is known or it was cleared.';

COMMENT ON COLUMN directory.presence.personal_note_changed_at IS 'Time of the newest note event.';

COMMENT ON COLUMN directory.presence.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.presence.last_position IS 'Position in the log of that event.';

CREATE TABLE state.checkpoints (
    projection text NOT NULL,
    version integer NOT NULL,
    wanted integer DEFAULT 0 NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    digest bytea,
    epoch bigint DEFAULT 0 NOT NULL,
    owner text,
    moved_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    error text,
    error_at timestamp with time zone
)
WITH (fillfactor='50');

CREATE TABLE state.rebuilds (
    projection text NOT NULL,
    owner text NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    digest bytea,
    epoch bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE state.replicas (
    replica text NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    projects boolean DEFAULT true NOT NULL
);

CREATE VIEW directory.projection_status AS
 SELECT c.projection,
    c."position",
    h.head,
    GREATEST((h.head - c."position"), (0)::bigint) AS lag_events,
    (COALESCE(GREATEST(EXTRACT(epoch FROM (clock_timestamp() - w.received_at)), (0)::numeric), (0)::numeric))::double precision AS lag_seconds,
        CASE
            WHEN (c."position" > h.head) THEN 'beyond head'::text
            WHEN ((c.wanted > c.version) AND (NOT o.alive)) THEN 'stale'::text
            WHEN (b.projection IS NOT NULL) THEN 'rebuilding'::text
            WHEN (NOT o.alive) THEN 'idle'::text
            WHEN (c.error IS NOT NULL) THEN 'waiting'::text
            ELSE 'live'::text
        END AS state,
    o.alive AS owned,
    c.moved_at,
    c.error,
    b."position" AS rebuild_position
   FROM ((((state.checkpoints c
     CROSS JOIN ( SELECT COALESCE(max(e."position"), (0)::bigint) AS head
           FROM log.events e) h)
     CROSS JOIN LATERAL ( SELECT (EXISTS ( SELECT
                   FROM state.replicas r
                  WHERE ((r.replica = c.owner) AND ((r.heartbeat_at >= (clock_timestamp() - '00:00:10'::interval)) AND (r.heartbeat_at <= (clock_timestamp() + '00:00:10'::interval)))))) AS alive) o)
     LEFT JOIN state.rebuilds b ON (((b.projection = c.projection) AND ((b.heartbeat_at >= (clock_timestamp() - '00:00:10'::interval)) AND (b.heartbeat_at <= (clock_timestamp() + '00:00:10'::interval))))))
     LEFT JOIN LATERAL ( SELECT e.received_at
           FROM log.events e
          WHERE (e."position" > c."position")
          ORDER BY e."position"
         LIMIT 1) w ON (true));

COMMENT ON VIEW directory.projection_status IS 'How far each projection has folded the log: one row a projection. The views that it feeds show the directory as of its position.';

COMMENT ON COLUMN directory.projection_status.projection IS 'Name of the projection.';

COMMENT ON COLUMN directory.projection_status."position" IS 'Position in the log up to which it has folded.';

COMMENT ON COLUMN directory.projection_status.head IS 'Greatest position of the log.';

COMMENT ON COLUMN directory.projection_status.lag_events IS 'Events that it has still to fold.';

COMMENT ON COLUMN directory.projection_status.lag_seconds IS 'Seconds since the receipt of the oldest of them; 0 where there is none.';

COMMENT ON COLUMN directory.projection_status.state IS 'live; waiting: after an error, to be tried again; idle: no replica has its lease; rebuilding: live, and being rebuilt beside; stale: a newer release rebuilds it and no replica of the older release keeps it up to date; beyond head: the log lacks events that it has folded, as after restoring a backup.';

COMMENT ON COLUMN directory.projection_status.owned IS 'Whether a live replica has its lease.';

COMMENT ON COLUMN directory.projection_status.moved_at IS 'When its position last moved, by the server''s clock.';

COMMENT ON COLUMN directory.projection_status.error IS 'What it waits for, or null.';

COMMENT ON COLUMN directory.projection_status.rebuild_position IS 'How far a rebuild is that runs now; null where none does.';

CREATE TABLE log.quarantine (
    id bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    event text,
    signed boolean NOT NULL,
    request_id text,
    timestamp_header text NOT NULL,
    signature_header text NOT NULL,
    digest bytea NOT NULL,
    size integer NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT quarantine_digest_check CHECK ((octet_length(digest) = 32))
);

COMMENT ON TABLE log.quarantine IS 'Refused deliveries that may be genuine; bounded. Written by log.keep() alone.';

COMMENT ON COLUMN log.quarantine.reason IS 'Why it was refused: wrong, stale (signature); not-an-event, media-type, other-event (form).';

COMMENT ON COLUMN log.quarantine.event IS 'Name of the event where it is a plain one; unverified unless signed.';

COMMENT ON COLUMN log.quarantine.signed IS 'Whether the signature was that of a live secret.';

COMMENT ON COLUMN log.quarantine.timestamp_header IS 'x-zm-request-timestamp, to check the signature again.';

COMMENT ON COLUMN log.quarantine.signature_header IS 'x-zm-signature, to check it again.';

COMMENT ON COLUMN log.quarantine.size IS 'Bytes of the body, so that bounds are checked without reading bodies.';

CREATE VIEW directory.quarantine AS
 SELECT id,
    received_at,
    reason,
        CASE
            WHEN (event ~ '^[a-z0-9_.]{1,64}$'::text) THEN event
            ELSE NULL::text
        END AS event,
    signed,
    size
   FROM log.quarantine q;

COMMENT ON VIEW directory.quarantine IS 'Deliveries that were refused and may be genuine all the same: one row each, until an operator has verified or purged it.';

COMMENT ON COLUMN directory.quarantine.id IS 'Number of the row, as the operators'' commands name it; grows with time.';

COMMENT ON COLUMN directory.quarantine.received_at IS 'Time of receipt.';

COMMENT ON COLUMN directory.quarantine.reason IS 'Why it was refused: wrong, stale (signature); not-an-event, media-type, other-event (form).';

COMMENT ON COLUMN directory.quarantine.event IS 'Name of the event that it claims to be; null where that is no plain name.';

COMMENT ON COLUMN directory.quarantine.signed IS 'Whether the signature was that of a live secret.';

COMMENT ON COLUMN directory.quarantine.size IS 'Bytes of the body.';

CREATE TABLE log.refusals (
    hour timestamp with time zone NOT NULL,
    reason text NOT NULL,
    refused bigint NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    CONSTRAINT refusals_reason_check CHECK ((reason ~ '^[a-z][a-z-]{0,39}$'::text))
)
WITH (fillfactor='50');

COMMENT ON TABLE log.refusals IS 'Deliveries refused or dropped, counted by hour and reason. Written by log.count_refusals() alone.';

COMMENT ON COLUMN log.refusals.hour IS 'Beginning of the hour in which they were counted, UTC.';

COMMENT ON COLUMN log.refusals.reason IS 'Why: missing, malformed, wrong, stale (the signature); not-an-event, media-type, other-event, no-plain-token, no-secret, too-large (the request); validation (a URL validation was refused); dropped-signed, dropped-unsigned (the quarantine had no room).';

COMMENT ON COLUMN log.refusals.refused IS 'How many.';

COMMENT ON COLUMN log.refusals.first_at IS 'When the first of them came.';

COMMENT ON COLUMN log.refusals.last_at IS 'When the last of them came.';

CREATE VIEW directory.refusals AS
 SELECT hour,
    reason,
    refused,
    first_at,
    last_at
   FROM log.refusals r;

COMMENT ON VIEW directory.refusals IS 'Deliveries refused or dropped: one row an hour of the server''s clock and a reason. Of most there is nothing else.';

COMMENT ON COLUMN directory.refusals.hour IS 'Beginning of the hour in which they were counted, UTC.';

COMMENT ON COLUMN directory.refusals.reason IS 'Why: missing, malformed, wrong, stale (the signature); not-an-event, media-type, other-event, no-plain-token, no-secret, too-large (the request); validation (a URL validation was refused); dropped-signed, dropped-unsigned (the quarantine had no room).';

COMMENT ON COLUMN directory.refusals.refused IS 'How many.';

COMMENT ON COLUMN directory.refusals.first_at IS 'When the first of them came.';

COMMENT ON COLUMN directory.refusals.last_at IS 'When the last of them came.';

CREATE VIEW state.sign_in_changes AS
 SELECT m.account_id,
    m.user_key,
    u.user_id,
    m.signed_in,
    m.folded,
    m."position"
   FROM (state.users u
     JOIN state.sign_in_moments m ON (((m.account_id = u.account_id) AND (m.user_key = u.user_key))))
  WHERE u.known
UNION ALL
 SELECT m.account_id,
    m.user_key,
    s.user_id,
    m.signed_in,
    m.folded,
    m."position"
   FROM (state.sign_ins s
     JOIN state.sign_in_moments m ON (((m.account_id = s.account_id) AND (m.user_key = s.user_key))))
  WHERE ((NOT (EXISTS ( SELECT
           FROM state.users u
          WHERE ((u.account_id = s.account_id) AND (u.user_key = s.user_key) AND u.known)))) AND (NOT (EXISTS ( SELECT
           FROM state.sign_ins n
          WHERE ((n.account_id = s.account_id) AND (n.user_key = s.user_key) AND (ROW(n.folded, n.client_type) > ROW(s.folded, s.client_type)))))));

CREATE VIEW directory.sign_in_changes AS
 SELECT account_id,
    user_id,
    state.client_type_at("position") AS client_type,
    signed_in,
    state.time_of(folded) AS changed_at,
    ( SELECT e.event
           FROM log.events e
          WHERE (e."position" = c."position")) AS event,
    "position",
    ( SELECT e.source
           FROM log.events e
          WHERE (e."position" = c."position")) AS source,
    encode(folded, 'hex'::text) AS event_order
   FROM state.sign_in_changes c;

COMMENT ON VIEW directory.sign_in_changes IS 'Every sign-in and sign-out: one row an event. A sign-out from all devices is a change of the profile and not in it; sign_ins heeds it.';

COMMENT ON COLUMN directory.sign_in_changes.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.sign_in_changes.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';

COMMENT ON COLUMN directory.sign_in_changes.client_type IS 'Kind of client as Zoom names it (win, mac, iphone and so on), or unknown.';

COMMENT ON COLUMN directory.sign_in_changes.signed_in IS 'Whether the person signed in; else they signed out.';

COMMENT ON COLUMN directory.sign_in_changes.changed_at IS 'Time of the event.';

COMMENT ON COLUMN directory.sign_in_changes.event IS 'Name of the event.';

COMMENT ON COLUMN directory.sign_in_changes."position" IS 'Position of the event in the log.';

COMMENT ON COLUMN directory.sign_in_changes.source IS 'How the event came, as in changes.';

COMMENT ON COLUMN directory.sign_in_changes.event_order IS 'Sorts as events happened, together with that of changes.';

CREATE TABLE state.sign_out_marks (
    account_id text NOT NULL,
    user_key text NOT NULL,
    folded bytea NOT NULL,
    last_position bigint NOT NULL
);

CREATE VIEW directory.sign_ins AS
 SELECT s.account_id,
    u.user_id,
    s.client_type,
    COALESCE(u.email,
        CASE
            WHEN (s.email_order > u.cutoff) THEN s.email
            ELSE NULL::text
        END) AS email,
    (s.signed_in AND (m.folded IS NULL)) AS signed_in,
    (s.login_type)::integer AS login_type,
    s.version,
    state.time_of(COALESCE(m.folded, s.folded)) AS changed_at,
    state.time_of(COALESCE(m.folded, s.folded)) AS last_event_at,
    COALESCE(m.last_position, s.last_position) AS last_position
   FROM ((state.people u
     JOIN state.sign_ins s ON (((s.account_id = u.account_id) AND (s.user_key = u.user_key) AND (s.folded > u.cutoff))))
     LEFT JOIN state.sign_out_marks m ON (((m.account_id = s.account_id) AND (m.user_key = s.user_key) AND (m.folded > s.folded))))
  WHERE (NOT u.removed)
UNION ALL
 SELECT s.account_id,
    s.user_id,
    s.client_type,
    s.email,
    (s.signed_in AND (m.folded IS NULL)) AS signed_in,
    (s.login_type)::integer AS login_type,
    s.version,
    state.time_of(COALESCE(m.folded, s.folded)) AS changed_at,
    state.time_of(COALESCE(m.folded, s.folded)) AS last_event_at,
    COALESCE(m.last_position, s.last_position) AS last_position
   FROM (state.sign_ins s
     LEFT JOIN state.sign_out_marks m ON (((m.account_id = s.account_id) AND (m.user_key = s.user_key) AND (m.folded > s.folded))))
  WHERE (NOT (EXISTS ( SELECT
           FROM state.people u
          WHERE ((u.account_id = s.account_id) AND (u.user_key = s.user_key)))));

COMMENT ON VIEW directory.sign_ins IS 'The newest sign-in or sign-out of each person on each kind of client, removed users excepted.';

COMMENT ON COLUMN directory.sign_ins.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.sign_ins.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';

COMMENT ON COLUMN directory.sign_ins.client_type IS 'Kind of client as Zoom names it (win, mac, iphone and so on), or unknown.';

COMMENT ON COLUMN directory.sign_ins.email IS 'The person''s current e-mail in users; where none is known there, the newest that this row''s own events named.';

COMMENT ON COLUMN directory.sign_ins.signed_in IS 'Whether the person is signed in there, as far as events tell: sessions that end by themselves send none.';

COMMENT ON COLUMN directory.sign_ins.login_type IS 'How the person signed in, in Zoom''s code: 0 Facebook, 1 Google, 11 Microsoft 365, 24 Apple, 97 mobile device, 98 RingCentral, 99 API, 100 Zoom, 101 single sign-on; other codes may come.';

COMMENT ON COLUMN directory.sign_ins.version IS 'Version of the client, as it reports it.';

COMMENT ON COLUMN directory.sign_ins.changed_at IS 'Time of that sign-in or sign-out.';

COMMENT ON COLUMN directory.sign_ins.last_event_at IS 'Event time of the newest event folded into this row.';

COMMENT ON COLUMN directory.sign_ins.last_position IS 'Position in the log of that event.';

CREATE VIEW state.group_admins_groups AS
 WITH RECURSIVE named AS (
        ( SELECT v.account_id,
            v.group_id
           FROM state.group_admins_versions v
          ORDER BY v.group_id, v.account_id
         LIMIT 1)
        UNION ALL
         SELECT v.account_id,
            v.group_id
           FROM (named n_1
             CROSS JOIN LATERAL ( SELECT v_1.account_id,
                    v_1.group_id
                   FROM state.group_admins_versions v_1
                  WHERE (ROW(v_1.group_id, v_1.account_id) > ROW(n_1.group_id, n_1.account_id))
                  ORDER BY v_1.group_id, v_1.account_id
                 LIMIT 1) v)
        )
 SELECT account_id,
    group_id
   FROM named n;

CREATE VIEW state.memberships_groups AS
 WITH RECURSIVE named AS (
        ( SELECT v.account_id,
            v.group_id
           FROM state.memberships_versions v
          ORDER BY v.group_id, v.account_id
         LIMIT 1)
        UNION ALL
         SELECT v.account_id,
            v.group_id
           FROM (named n_1
             CROSS JOIN LATERAL ( SELECT v_1.account_id,
                    v_1.group_id
                   FROM state.memberships_versions v_1
                  WHERE (ROW(v_1.group_id, v_1.account_id) > ROW(n_1.group_id, n_1.account_id))
                  ORDER BY v_1.group_id, v_1.account_id
                 LIMIT 1) v)
        )
 SELECT account_id,
    group_id
   FROM named n;

CREATE VIEW directory.unresolved_groups AS
 SELECT account_id,
    group_id,
    array_agg(DISTINCT seen_in ORDER BY x.seen_in) AS seen_in
   FROM ( SELECT s.account_id,
            s.group_id,
            'settings'::text AS seen_in
           FROM (state.group_settings s
             LEFT JOIN state.known_groups g ON (((g.account_id = s.account_id) AND (g.group_id = s.group_id))))
          WHERE ((s.changed_order IS NOT NULL) AND ((g.group_id IS NULL) OR (g.removed AND (s.changed_order > g.cutoff))))
        UNION ALL
         SELECT l.account_id,
            l.group_id,
            'memberships'::text
           FROM (state.memberships_groups l
             LEFT JOIN state.known_groups g ON (((g.account_id = l.account_id) AND (g.group_id = l.group_id))))
          WHERE ((g.group_id IS NULL) OR (g.removed AND (EXISTS ( SELECT
                   FROM state.memberships_versions m
                  WHERE ((m.group_id = l.group_id) AND (m.account_id = l.account_id) AND (m.folded > g.cutoff))))))
        UNION ALL
         SELECT l.account_id,
            l.group_id,
            'admins'::text
           FROM (state.group_admins_groups l
             LEFT JOIN state.known_groups g ON (((g.account_id = l.account_id) AND (g.group_id = l.group_id))))
          WHERE ((g.group_id IS NULL) OR (g.removed AND (EXISTS ( SELECT
                   FROM state.group_admins_versions m
                  WHERE ((m.group_id = l.group_id) AND (m.account_id = l.account_id) AND (m.folded > g.cutoff))))))) x
  GROUP BY account_id, group_id;

COMMENT ON VIEW directory.unresolved_groups IS 'Groups named by memberships, admins or settings of which no group.created or group.updated is known, or which were named again after their removal.';

COMMENT ON COLUMN directory.unresolved_groups.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.unresolved_groups.group_id IS 'Zoom''s group id.';

COMMENT ON COLUMN directory.unresolved_groups.seen_in IS 'Where they are named, an array of: admins, memberships, settings.';

CREATE VIEW directory.unresolved_users AS
 SELECT account_id,
    COALESCE(max(known_as), (array_agg(spelling ORDER BY spelled DESC) FILTER (WHERE (spelling IS NOT NULL)))[1]) AS user_id,
    (array_agg(email ORDER BY email_order DESC, (spelling IS NOT NULL) DESC) FILTER (WHERE (email IS NOT NULL)))[1] AS email,
    array_agg(DISTINCT seen_in ORDER BY m.seen_in) AS seen_in
   FROM state.mentions m
  GROUP BY account_id, person_key;

COMMENT ON VIEW directory.unresolved_users IS 'People named by memberships, admins, presence, sign-ins or settings of whom no lifecycle event or update is known, or who were named again after their removal.';

COMMENT ON COLUMN directory.unresolved_users.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.unresolved_users.user_id IS 'Zoom''s user id as the newest event that names the person spells it; email:<lower-cased e-mail> for an entry without an id that nobody known has.';

COMMENT ON COLUMN directory.unresolved_users.email IS 'The newest e-mail that those events named; null where they named none.';

COMMENT ON COLUMN directory.unresolved_users.seen_in IS 'Where they are named, an array of: admins, memberships, presence, settings, sign_ins.';

CREATE VIEW directory.user_setting_values AS
 SELECT s.account_id,
    s.user_id,
    v.path,
    v.value
   FROM (directory.user_settings s
     CROSS JOIN LATERAL ( WITH RECURSIVE walk AS (
                 SELECT e.key AS path,
                    e.value
                   FROM jsonb_each(s.settings) e(key, value)
                UNION ALL
                 SELECT ((w_1.path || '.'::text) || e.key),
                    e.value
                   FROM (walk w_1
                     CROSS JOIN LATERAL jsonb_each(
                        CASE
                            WHEN (jsonb_typeof(w_1.value) = 'object'::text) THEN w_1.value
                            ELSE NULL::jsonb
                        END) e(key, value))
                )
         SELECT w.path,
            w.value
           FROM walk w
          WHERE (jsonb_typeof(w.value) <> 'object'::text)) v);

COMMENT ON VIEW directory.user_setting_values IS 'Settings of users, one row a setting: the leaves of user_settings.settings.';

COMMENT ON COLUMN directory.user_setting_values.account_id IS 'Zoom account.';

COMMENT ON COLUMN directory.user_setting_values.user_id IS 'Zoom''s user id, spelled as in users where the user is known there.';

COMMENT ON COLUMN directory.user_setting_values.path IS 'Path of the setting in the document, dotted.';

COMMENT ON COLUMN directory.user_setting_values.value IS 'Its value: a text, number, boolean, null or array.';

CREATE VIEW log.deliveries AS
 SELECT "position",
    received_at,
    event,
    event_ts,
    account_id,
    request_id,
    digest,
    source,
    verified_by,
    log.as_jsonb(body) AS body
   FROM log.events e;

COMMENT ON VIEW log.deliveries IS 'The log with bodies as jsonb; null where they are erased or hold what jsonb cannot (U+0000, lone surrogates). Bodies hold secrets.';

COMMENT ON COLUMN log.deliveries."position" IS 'Place in the log.';

COMMENT ON COLUMN log.deliveries.received_at IS 'When the ingress received the delivery.';

COMMENT ON COLUMN log.deliveries.event IS 'Name of the event as sent.';

COMMENT ON COLUMN log.deliveries.event_ts IS 'The delivery''s own event_ts, epoch milliseconds, where it is an integer.';

COMMENT ON COLUMN log.deliveries.account_id IS 'payload.account_id as sent.';

COMMENT ON COLUMN log.deliveries.request_id IS 'x-zm-request-id: equal over the retries of one delivery.';

COMMENT ON COLUMN log.deliveries.digest IS 'SHA-256 of the body''s bytes.';

COMMENT ON COLUMN log.deliveries.source IS 'How it came: webhook, import, quarantine, recovered; or a fact of our own: rest, declared, operator.';

COMMENT ON COLUMN log.deliveries.verified_by IS 'Fingerprint of the secret that verified the delivery.';

COMMENT ON COLUMN log.deliveries.body IS 'The delivery as jsonb.';

CREATE TABLE log.digests (
    event_ts bigint NOT NULL,
    digest bytea NOT NULL,
    "position" bigint NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE log.epochs (
    number integer NOT NULL,
    epoch uuid NOT NULL,
    place text NOT NULL,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE log.epochs IS 'The epochs of the log; the one of the greatest number is in force.';

CREATE TABLE log.lost_deliveries (
    epoch uuid NOT NULL,
    event_ts bigint NOT NULL,
    digest bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    replica text NOT NULL,
    noticed_at timestamp with time zone NOT NULL,
    CONSTRAINT lost_deliveries_digest_check CHECK ((octet_length(digest) = 32))
);

COMMENT ON TABLE log.lost_deliveries IS 'Deliveries that were acknowledged, and that the log did not hold when an epoch began. Written by log.note_losses() alone.';

COMMENT ON COLUMN log.lost_deliveries.epoch IS 'The epoch that lacks it: log.epochs.epoch.';

COMMENT ON COLUMN log.lost_deliveries.event_ts IS 'Its event_ts as in log.digests: -1 where it has none.';

COMMENT ON COLUMN log.lost_deliveries.digest IS 'SHA-256 of its bytes.';

COMMENT ON COLUMN log.lost_deliveries.received_at IS 'When the ingress received it.';

COMMENT ON COLUMN log.lost_deliveries.replica IS 'The ingress replica that acknowledged it and told first.';

COMMENT ON COLUMN log.lost_deliveries.noticed_at IS 'When that replica told.';

CREATE VIEW log.losses AS
 SELECT epoch,
    replica,
    noticed_at,
    count(*) AS lost,
    min(received_at) AS first_received_at,
    max(received_at) AS last_received_at
   FROM log.lost_deliveries
  GROUP BY epoch, replica, noticed_at;

COMMENT ON VIEW log.losses IS 'What ingress replicas had acknowledged and a new epoch lacks: one row a report. No row: nothing lost, as far as a replica lived to tell.';

COMMENT ON COLUMN log.losses.epoch IS 'The epoch that lacks them: log.epochs.epoch.';

COMMENT ON COLUMN log.losses.replica IS 'The ingress replica that reported them.';

COMMENT ON COLUMN log.losses.noticed_at IS 'When it reported them.';

COMMENT ON COLUMN log.losses.lost IS 'How many; none is in another row of the same epoch.';

COMMENT ON COLUMN log.losses.first_received_at IS 'When the first of them was received.';

COMMENT ON COLUMN log.losses.last_received_at IS 'When the last of them was received.';

ALTER TABLE log.quarantine ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME log.quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE log.seals (
    "position" bigint NOT NULL,
    chain bytea NOT NULL,
    rows bigint NOT NULL,
    sealed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT seals_chain_check CHECK ((octet_length(chain) = 32)),
    CONSTRAINT seals_position_check CHECK (("position" > 0))
);

COMMENT ON TABLE log.seals IS 'A chain of digests over the log. `projector verify --log` compares it with the rows; written by log.seal() alone.';

COMMENT ON COLUMN log.seals."position" IS 'The last position of the block, which begins after the seal before.';

COMMENT ON COLUMN log.seals.chain IS 'SHA-256 of the chain before, and of the block''s rows; kept elsewhere it is what nobody here can forge.';

COMMENT ON COLUMN log.seals.rows IS 'Rows of the block when it was sealed.';

COMMENT ON COLUMN log.seals.sealed_at IS 'When it was sealed.';

CREATE TABLE observations.leases (
    account_id text NOT NULL,
    owner text NOT NULL,
    taken_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE observations.progress (
    run text NOT NULL,
    section text NOT NULL,
    step text NOT NULL,
    done bytea NOT NULL
);
ALTER TABLE ONLY observations.progress ALTER COLUMN done SET STORAGE EXTERNAL;

CREATE TABLE observations.runs (
    run text NOT NULL,
    account_id text NOT NULL,
    asked text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE projector.migrations (
    number integer NOT NULL,
    name text NOT NULL,
    serves integer NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE state.account_settings_history (
    account_id text NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE state.group_settings_history (
    account_id text NOT NULL,
    group_id text NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE state.groups_history (
    account_id text NOT NULL,
    group_id text NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE state.notes_history (
    account_id text NOT NULL,
    user_key text NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE state.observed_groups_history (
    account_id text NOT NULL,
    person_key text NOT NULL,
    "position" bigint NOT NULL
);

CREATE VIEW state.past_removed_emails AS
 SELECT account_id,
    email_key,
    folded,
    until,
    folded AS cutoff
   FROM state.removed_email_versions v;

CREATE VIEW state.past_sign_ins AS
 SELECT account_id,
    user_key,
    folded,
    '\xff'::bytea AS until,
    folded AS signed_in_order
   FROM state.sign_in_moments m
  WHERE signed_in;

CREATE TABLE state.removed_emails (
    account_id text NOT NULL,
    email_key text NOT NULL,
    cutoff bytea NOT NULL,
    last_position bigint NOT NULL,
    by text
);

CREATE TABLE state.user_settings_history (
    account_id text NOT NULL,
    user_key text NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE state.users_history (
    account_id text NOT NULL,
    user_key text NOT NULL,
    "position" bigint NOT NULL
);

ALTER TABLE ONLY log.digests
    ADD CONSTRAINT digests_pkey PRIMARY KEY (event_ts, digest);

ALTER TABLE ONLY log.epochs
    ADD CONSTRAINT epochs_pkey PRIMARY KEY (number);

ALTER TABLE ONLY log.events
    ADD CONSTRAINT events_pkey PRIMARY KEY ("position");

ALTER TABLE log.events
    ADD CONSTRAINT events_source_check CHECK ((source = ANY (ARRAY['webhook'::text, 'import'::text, 'quarantine'::text, 'recovered'::text, 'rest'::text, 'declared'::text, 'operator'::text]))) NOT VALID;

ALTER TABLE ONLY log.lost_deliveries
    ADD CONSTRAINT lost_deliveries_pkey PRIMARY KEY (epoch, event_ts, digest);

ALTER TABLE ONLY log.quarantine
    ADD CONSTRAINT quarantine_digest_key UNIQUE (digest);

ALTER TABLE ONLY log.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (id);

ALTER TABLE ONLY log.refusals
    ADD CONSTRAINT refusals_pkey PRIMARY KEY (hour, reason);

ALTER TABLE ONLY log.seals
    ADD CONSTRAINT seals_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY observations.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY observations.progress
    ADD CONSTRAINT progress_pkey PRIMARY KEY (run, section, step);

ALTER TABLE ONLY observations.runs
    ADD CONSTRAINT runs_account_id_asked_key UNIQUE (account_id, asked);

ALTER TABLE ONLY observations.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (run);

ALTER TABLE ONLY projector.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (number);

ALTER TABLE ONLY state.account_setting_paths
    ADD CONSTRAINT account_setting_paths_pkey PRIMARY KEY (account_id, path);

ALTER TABLE ONLY state.account_settings_history
    ADD CONSTRAINT account_settings_history_pkey PRIMARY KEY (account_id, "position");

ALTER TABLE ONLY state.account_settings
    ADD CONSTRAINT account_settings_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY state.account_settings_versions
    ADD CONSTRAINT account_settings_versions_pkey PRIMARY KEY (account_id, folded);

ALTER TABLE ONLY state.acknowledged_drift
    ADD CONSTRAINT acknowledged_drift_pkey PRIMARY KEY (account_id, entity_key, entity, path_digest, digest);

ALTER TABLE ONLY state.activity
    ADD CONSTRAINT activity_pkey PRIMARY KEY (account_id, event, hour);

ALTER TABLE ONLY state.checkpoints
    ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (projection);

ALTER TABLE ONLY state.coverage
    ADD CONSTRAINT coverage_pkey PRIMARY KEY (account_id, section);

ALTER TABLE ONLY state.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (projection, "position");

ALTER TABLE ONLY state.declared_model_versions
    ADD CONSTRAINT declared_model_versions_pkey PRIMARY KEY (account_id, folded);

ALTER TABLE ONLY state.declared_models
    ADD CONSTRAINT declared_models_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY state.declared_primary_group_versions
    ADD CONSTRAINT declared_primary_group_versions_pkey PRIMARY KEY (account_id, user_key, folded);

ALTER TABLE ONLY state.declared_primary_groups
    ADD CONSTRAINT declared_primary_groups_pkey PRIMARY KEY (account_id, user_key);

ALTER TABLE ONLY state.declared_ranking_versions
    ADD CONSTRAINT declared_ranking_versions_pkey PRIMARY KEY (account_id, folded);

ALTER TABLE ONLY state.declared_rankings
    ADD CONSTRAINT declared_rankings_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY state.dismissed_dead_letters
    ADD CONSTRAINT dismissed_dead_letters_pkey PRIMARY KEY (digest, projection);

ALTER TABLE ONLY state.freshness
    ADD CONSTRAINT freshness_pkey PRIMARY KEY (account_id, event);

ALTER TABLE ONLY state.group_admins
    ADD CONSTRAINT group_admins_pkey PRIMARY KEY (account_id, person_key, group_id);

ALTER TABLE ONLY state.group_admins_versions
    ADD CONSTRAINT group_admins_versions_pkey PRIMARY KEY (account_id, person_key, group_id, folded);

ALTER TABLE ONLY state.group_setting_paths
    ADD CONSTRAINT group_setting_paths_pkey PRIMARY KEY (account_id, path);

ALTER TABLE ONLY state.group_settings_history
    ADD CONSTRAINT group_settings_history_pkey PRIMARY KEY (account_id, group_id, "position");

ALTER TABLE ONLY state.group_settings
    ADD CONSTRAINT group_settings_pkey PRIMARY KEY (account_id, group_id);

ALTER TABLE ONLY state.group_settings_versions
    ADD CONSTRAINT group_settings_versions_pkey PRIMARY KEY (account_id, group_id, folded);

ALTER TABLE ONLY state.group_versions
    ADD CONSTRAINT group_versions_pkey PRIMARY KEY (account_id, group_id, folded);

ALTER TABLE ONLY state.groups_history
    ADD CONSTRAINT groups_history_pkey PRIMARY KEY (account_id, group_id, "position");

ALTER TABLE ONLY state.groups
    ADD CONSTRAINT groups_pkey PRIMARY KEY (account_id, group_id);

ALTER TABLE ONLY state.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (account_id, person_key, group_id);

ALTER TABLE ONLY state.memberships_versions
    ADD CONSTRAINT memberships_versions_pkey PRIMARY KEY (account_id, person_key, group_id, folded);

ALTER TABLE ONLY state.note_versions
    ADD CONSTRAINT note_versions_pkey PRIMARY KEY (account_id, user_key, folded);

ALTER TABLE ONLY state.notes_history
    ADD CONSTRAINT notes_history_pkey PRIMARY KEY (account_id, user_key, "position");

ALTER TABLE ONLY state.notes
    ADD CONSTRAINT notes_pkey PRIMARY KEY (account_id, user_key);

ALTER TABLE ONLY state.observed_group_versions
    ADD CONSTRAINT observed_group_versions_pkey PRIMARY KEY (account_id, person_key, folded);

ALTER TABLE ONLY state.observed_groups_history
    ADD CONSTRAINT observed_groups_history_pkey PRIMARY KEY (account_id, person_key, "position");

ALTER TABLE ONLY state.observed_groups
    ADD CONSTRAINT observed_groups_pkey PRIMARY KEY (account_id, person_key) INCLUDE (mark);

ALTER TABLE ONLY state.presence
    ADD CONSTRAINT presence_pkey PRIMARY KEY (account_id, user_key);

ALTER TABLE ONLY state.rebuilds
    ADD CONSTRAINT rebuilds_pkey PRIMARY KEY (projection);

ALTER TABLE ONLY state.removed_email_versions
    ADD CONSTRAINT removed_email_versions_pkey PRIMARY KEY (account_id, email_key, folded);

ALTER TABLE ONLY state.removed_emails
    ADD CONSTRAINT removed_emails_pkey PRIMARY KEY (account_id, email_key);

ALTER TABLE ONLY state.replicas
    ADD CONSTRAINT replicas_pkey PRIMARY KEY (replica);

ALTER TABLE ONLY state.setting_map
    ADD CONSTRAINT setting_map_account_path_key UNIQUE (account_path);

ALTER TABLE ONLY state.setting_map
    ADD CONSTRAINT setting_map_group_path_key UNIQUE (group_path);

ALTER TABLE ONLY state.setting_map
    ADD CONSTRAINT setting_map_pkey PRIMARY KEY (path);

ALTER TABLE ONLY state.sign_in_moments
    ADD CONSTRAINT sign_in_moments_pkey PRIMARY KEY (account_id, user_key, folded);

ALTER TABLE ONLY state.sign_ins
    ADD CONSTRAINT sign_ins_pkey PRIMARY KEY (account_id, user_key, client_type);

ALTER TABLE ONLY state.sign_out_marks
    ADD CONSTRAINT sign_out_marks_pkey PRIMARY KEY (account_id, user_key);

ALTER TABLE ONLY state.user_setting_paths
    ADD CONSTRAINT user_setting_paths_pkey PRIMARY KEY (account_id, path);

ALTER TABLE ONLY state.user_settings_history
    ADD CONSTRAINT user_settings_history_pkey PRIMARY KEY (account_id, user_key, "position");

ALTER TABLE ONLY state.user_settings
    ADD CONSTRAINT user_settings_pkey PRIMARY KEY (account_id, user_key);

ALTER TABLE ONLY state.user_settings_versions
    ADD CONSTRAINT user_settings_versions_pkey PRIMARY KEY (account_id, user_key, folded);

ALTER TABLE ONLY state.user_versions
    ADD CONSTRAINT user_versions_pkey PRIMARY KEY (account_id, user_key, folded);

ALTER TABLE ONLY state.users_history
    ADD CONSTRAINT users_history_pkey PRIMARY KEY (account_id, user_key, "position");

ALTER TABLE ONLY state.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (account_id, user_key) INCLUDE (user_id, email, status, pending_order, removed, cutoff, known);

CREATE INDEX events_event_ts ON log.events USING btree (event_ts, digest);

CREATE INDEX account_settings_versions_position ON state.account_settings_versions USING btree ("position");

CREATE INDEX activity_at ON state.activity USING btree (account_id, event, to_timestamp(((hour)::double precision * (3600.0)::double precision)));

CREATE INDEX group_admins_by_email ON state.group_admins USING btree (group_id, account_id, person_key) WHERE (user_id IS NULL);

CREATE INDEX group_admins_email ON state.group_admins USING btree (hashtextextended(lower(email), hashtextextended(group_id, (0)::bigint)));

CREATE INDEX group_admins_listed ON state.group_admins USING btree (group_id, account_id, person_key) WHERE (added AND (user_id IS NOT NULL));

CREATE INDEX group_admins_user_id ON state.group_admins USING btree (user_id);

CREATE INDEX group_admins_versions_by_email ON state.group_admins_versions USING btree (group_id, account_id, person_key) WHERE (user_id IS NULL);

CREATE INDEX group_admins_versions_email ON state.group_admins_versions USING btree (hashtextextended(lower(email), hashtextextended(group_id, (0)::bigint)));

CREATE INDEX group_admins_versions_group ON state.group_admins_versions USING btree (group_id, account_id, person_key);

CREATE INDEX group_admins_versions_position ON state.group_admins_versions USING btree (last_position);

CREATE INDEX group_admins_versions_time ON state.group_admins_versions USING btree (group_id, account_id, SUBSTRING(folded FROM 1 FOR 8));

CREATE INDEX group_admins_versions_user_id ON state.group_admins_versions USING btree (user_id);

CREATE INDEX group_settings_drift ON state.group_settings USING btree (group_id, account_id) WHERE (drift <> '[]'::jsonb);

CREATE INDEX group_settings_group_id ON state.group_settings USING btree (group_id);

CREATE INDEX group_settings_versions_group_id ON state.group_settings_versions USING btree (group_id);

CREATE INDEX group_settings_versions_position ON state.group_settings_versions USING btree ("position");

CREATE INDEX group_versions_group_id ON state.group_versions USING btree (group_id);

CREATE INDEX group_versions_position ON state.group_versions USING btree ("position");

CREATE INDEX groups_drift ON state.groups USING btree (group_id, account_id) WHERE (drift <> '[]'::jsonb);

CREATE INDEX groups_group_id ON state.groups USING btree (group_id);

CREATE INDEX memberships_by_email ON state.memberships USING btree (group_id, account_id, person_key) WHERE (user_id IS NULL);

CREATE INDEX memberships_email ON state.memberships USING btree (hashtextextended(lower(email), hashtextextended(group_id, (0)::bigint)));

CREATE INDEX memberships_listed ON state.memberships USING btree (group_id, account_id, person_key) WHERE (added AND (user_id IS NOT NULL));

CREATE INDEX memberships_told ON state.memberships USING btree (group_id, account_id) WHERE (added AND (user_id IS NOT NULL) AND (NOT in_set));

CREATE INDEX memberships_user_id ON state.memberships USING btree (user_id);

CREATE INDEX memberships_versions_by_email ON state.memberships_versions USING btree (group_id, account_id, person_key) WHERE (user_id IS NULL);

CREATE INDEX memberships_versions_email ON state.memberships_versions USING btree (hashtextextended(lower(email), hashtextextended(group_id, (0)::bigint)));

CREATE INDEX memberships_versions_group ON state.memberships_versions USING btree (group_id, account_id, person_key);

CREATE INDEX memberships_versions_position ON state.memberships_versions USING btree (last_position);

CREATE INDEX memberships_versions_time ON state.memberships_versions USING btree (group_id, account_id, SUBSTRING(folded FROM 1 FOR 8));

CREATE INDEX memberships_versions_user_id ON state.memberships_versions USING btree (user_id);

CREATE INDEX note_versions_position ON state.note_versions USING btree ("position");

CREATE INDEX notes_drift ON state.notes USING btree (user_key, account_id) WHERE (drift <> '[]'::jsonb);

CREATE INDEX notes_user_id ON state.notes USING btree (user_id);

CREATE INDEX observed_group_versions_position ON state.observed_group_versions USING btree ("position");

CREATE INDEX observed_group_versions_time ON state.observed_group_versions USING btree (account_id, folded) WHERE (mark = folded);

CREATE INDEX observed_groups_dropped ON state.observed_groups USING btree (account_id, person_key) WHERE (dropped <> '[]'::jsonb);

CREATE INDEX presence_user_id ON state.presence USING btree (user_id);

CREATE INDEX removed_email_versions_position ON state.removed_email_versions USING btree ("position");

CREATE INDEX sign_in_moments_position ON state.sign_in_moments USING btree ("position");

CREATE INDEX sign_ins_user_id ON state.sign_ins USING btree (user_id);

CREATE INDEX user_settings_drift ON state.user_settings USING btree (user_key, account_id) WHERE (drift <> '[]'::jsonb);

CREATE INDEX user_settings_user_id ON state.user_settings USING btree (user_id);

CREATE INDEX user_settings_versions_position ON state.user_settings_versions USING btree ("position");

CREATE INDEX user_settings_versions_user_id ON state.user_settings_versions USING btree (user_id);

CREATE INDEX user_versions_email ON state.user_versions USING btree (lower((profile ->> 'email'::text)));

CREATE INDEX user_versions_ended ON state.user_versions USING btree (account_id, folded) WHERE ((cutoff IS NOT NULL) AND ((NOT removed) OR (cutoff = folded)));

CREATE INDEX user_versions_position ON state.user_versions USING btree ("position");

CREATE INDEX user_versions_user_id ON state.user_versions USING btree (user_id);

CREATE INDEX users_drift ON state.users USING btree (user_key, account_id) WHERE (drift <> '[]'::jsonb);

CREATE INDEX users_email ON state.users USING btree (lower(email));

CREATE INDEX users_ended ON state.users USING btree (account_id, user_key) INCLUDE (cutoff, removed) WHERE (cutoff IS NOT NULL);

CREATE INDEX users_listed ON state.users USING btree (sort_key, account_id, user_key) INCLUDE (search, status, pending_order, removed) WHERE known;

CREATE INDEX users_pending ON state.users USING btree (account_id) WHERE (status = 'pending'::text);

CREATE INDEX users_user_id ON state.users USING btree (user_id);

CREATE TRIGGER events_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON log.events FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

ALTER TABLE log.events ENABLE ALWAYS TRIGGER events_are_append_only;

CREATE TRIGGER seals_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON log.seals FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

ALTER TABLE log.seals ENABLE ALWAYS TRIGGER seals_are_append_only;

ALTER TABLE ONLY observations.progress
    ADD CONSTRAINT progress_run_fkey FOREIGN KEY (run) REFERENCES observations.runs(run) ON DELETE CASCADE;

GRANT USAGE ON SCHEMA directory TO directory_reader;

GRANT USAGE ON SCHEMA log TO projector_ingress;
GRANT USAGE ON SCHEMA log TO projector_projector;
GRANT USAGE ON SCHEMA log TO projector_operator;

GRANT USAGE ON SCHEMA observations TO projector_projector;
GRANT USAGE ON SCHEMA observations TO projector_operator;

GRANT USAGE ON SCHEMA projector TO projector_ingress;
GRANT USAGE ON SCHEMA projector TO projector_projector;
GRANT USAGE ON SCHEMA projector TO projector_operator;

GRANT SELECT ON TABLE directory.account_settings TO directory_reader;

GRANT SELECT ON TABLE state.past_account_settings TO directory_reader;

REVOKE ALL ON FUNCTION directory.account_settings_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.account_settings_at(t timestamp with time zone) TO directory_reader;

GRANT SELECT ON TABLE directory.all_groups TO directory_reader;

GRANT SELECT ON TABLE state.past_groups TO directory_reader;

REVOKE ALL ON FUNCTION directory.all_groups_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.all_groups_at(t timestamp with time zone) TO directory_reader;

GRANT SELECT ON TABLE log.events TO projector_projector;

GRANT SELECT ON TABLE directory.changes TO directory_reader;

REVOKE ALL ON FUNCTION directory.changes_between(after bigint, up_to bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.changes_between(after bigint, up_to bigint) TO directory_reader;

GRANT SELECT ON TABLE directory.corrections TO directory_reader;

REVOKE ALL ON FUNCTION directory.corrections_between(after bigint, up_to bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.corrections_between(after bigint, up_to bigint) TO directory_reader;

GRANT SELECT ON TABLE state.past_users TO directory_reader;

GRANT SELECT ON TABLE directory.declarations TO directory_reader;

GRANT SELECT ON TABLE state.past_declared_models TO directory_reader;

GRANT SELECT ON TABLE state.past_declared_primary_groups TO directory_reader;

GRANT SELECT ON TABLE state.past_declared_rankings TO directory_reader;

REVOKE ALL ON FUNCTION directory.declarations_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.declarations_at(t timestamp with time zone) TO directory_reader;

REVOKE ALL ON FUNCTION directory.drift_page(after_key text, after_account text, after_entity text, after_path text, after_position bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.drift_page(after_key text, after_account text, after_entity text, after_path text, after_position bigint, most integer) TO directory_reader;

GRANT SELECT ON TABLE state.past_user_settings TO directory_reader;

GRANT SELECT ON TABLE state.past_group_settings TO directory_reader;

GRANT SELECT ON TABLE state.past_memberships TO directory_reader;

GRANT SELECT ON TABLE state.past_observed_groups TO directory_reader;

GRANT SELECT ON TABLE state.setting_map TO directory_reader;

GRANT SELECT ON TABLE state.setting_twins TO directory_reader;

GRANT SELECT ON TABLE state.setting_places TO directory_reader;

GRANT SELECT ON TABLE directory.effective_user_settings TO directory_reader;

REVOKE ALL ON FUNCTION directory.effective_user_settings_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.effective_user_settings_at(t timestamp with time zone) TO directory_reader;

GRANT SELECT ON TABLE directory.former_groups TO directory_reader;

REVOKE ALL ON FUNCTION directory.former_groups_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.former_groups_at(t timestamp with time zone) TO directory_reader;

GRANT SELECT ON TABLE directory.former_users TO directory_reader;

REVOKE ALL ON FUNCTION directory.former_users_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.former_users_at(t timestamp with time zone) TO directory_reader;

GRANT SELECT ON TABLE state.past_group_admins TO directory_reader;

GRANT SELECT ON TABLE directory.group_admins TO directory_reader;

REVOKE ALL ON FUNCTION directory.group_admins_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.group_admins_at(t timestamp with time zone) TO directory_reader;

REVOKE ALL ON FUNCTION directory.group_admins_page(account text, "group" text, after text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.group_admins_page(account text, "group" text, after text, most integer) TO directory_reader;

REVOKE ALL ON FUNCTION directory.group_admins_page_at(t timestamp with time zone, account text, "group" text, after text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.group_admins_page_at(t timestamp with time zone, account text, "group" text, after text, most integer) TO directory_reader;

GRANT SELECT ON TABLE directory.group_settings TO directory_reader;

REVOKE ALL ON FUNCTION directory.group_settings_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.group_settings_at(t timestamp with time zone) TO directory_reader;

GRANT SELECT ON TABLE directory.groups TO directory_reader;

REVOKE ALL ON FUNCTION directory.groups_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.groups_at(t timestamp with time zone) TO directory_reader;

GRANT SELECT ON TABLE directory.lock_violations TO directory_reader;

REVOKE ALL ON FUNCTION directory.lock_violations_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.lock_violations_at(t timestamp with time zone) TO directory_reader;

GRANT SELECT ON TABLE directory.memberships TO directory_reader;

REVOKE ALL ON FUNCTION directory.memberships_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.memberships_at(t timestamp with time zone) TO directory_reader;

REVOKE ALL ON FUNCTION directory.memberships_page(account text, "group" text, after text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.memberships_page(account text, "group" text, after text, most integer) TO directory_reader;

REVOKE ALL ON FUNCTION directory.memberships_page_at(t timestamp with time zone, account text, "group" text, after text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.memberships_page_at(t timestamp with time zone, account text, "group" text, after text, most integer) TO directory_reader;

REVOKE ALL ON FUNCTION directory.mentioned(words text) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.mentioned(words text) TO directory_reader;

REVOKE ALL ON FUNCTION directory.mentioned_with(email text) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.mentioned_with(email text) TO directory_reader;

GRANT SELECT ON TABLE directory.people TO directory_reader;

REVOKE ALL ON FUNCTION directory.people_page(words text, of_status text, after_sort text, after_account text, after_key text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.people_page(words text, of_status text, after_sort text, after_account text, after_key text, most integer) TO directory_reader;

REVOKE ALL ON FUNCTION directory.searched(words text) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.searched(words text) TO directory_reader;

REVOKE ALL ON FUNCTION directory.spellings(account text, user_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.spellings(account text, user_key text) TO directory_reader;

REVOKE ALL ON FUNCTION directory.timeline_of_group(account text, "group" text, before_order text, before_place text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.timeline_of_group(account text, "group" text, before_order text, before_place text, most integer) TO directory_reader;

REVOKE ALL ON FUNCTION directory.timeline_of_person(account text, person text, before_order text, before_place text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.timeline_of_person(account text, person text, before_order text, before_place text, most integer) TO directory_reader;

REVOKE ALL ON FUNCTION directory.unresolved_users_page(after_account text, after_key text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.unresolved_users_page(after_account text, after_key text, most integer) TO directory_reader;

GRANT SELECT ON TABLE directory.user_settings TO directory_reader;

REVOKE ALL ON FUNCTION directory.user_settings_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.user_settings_at(t timestamp with time zone) TO directory_reader;

GRANT SELECT ON TABLE directory.users TO directory_reader;

REVOKE ALL ON FUNCTION directory.users_at(t timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION directory.users_at(t timestamp with time zone) TO directory_reader;

REVOKE ALL ON FUNCTION log.append(p_received_at timestamp with time zone[], p_event text[], p_event_ts bigint[], p_account_id text[], p_request_id text[], p_digest bytea[], p_source text, p_verified_by text[], p_body bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.append(p_received_at timestamp with time zone[], p_event text[], p_event_ts bigint[], p_account_id text[], p_request_id text[], p_digest bytea[], p_source text, p_verified_by text[], p_body bytea[]) TO projector_operator;

REVOKE ALL ON FUNCTION log.append_webhooks(p_received_at timestamp with time zone[], p_event text[], p_event_ts bigint[], p_account_id text[], p_request_id text[], p_digest bytea[], p_verified_by text[], p_body bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.append_webhooks(p_received_at timestamp with time zone[], p_event text[], p_event_ts bigint[], p_account_id text[], p_request_id text[], p_digest bytea[], p_verified_by text[], p_body bytea[]) TO projector_ingress;
GRANT ALL ON FUNCTION log.append_webhooks(p_received_at timestamp with time zone[], p_event text[], p_event_ts bigint[], p_account_id text[], p_request_id text[], p_digest bytea[], p_verified_by text[], p_body bytea[]) TO projector_operator;

REVOKE ALL ON FUNCTION log.as_jsonb(body bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION log.as_jsonb(body bytea) TO projector_projector;

REVOKE ALL ON FUNCTION log.block_digest(p_after bigint, p_until bigint, OUT digest bytea, OUT rows bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION log.block_digest(p_after bigint, p_until bigint, OUT digest bytea, OUT rows bigint) TO projector_projector;

REVOKE ALL ON FUNCTION log.chained(p_chain bytea, p_after bigint, p_until bigint, OUT chain bytea, OUT rows bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION log.chained(p_chain bytea, p_after bigint, p_until bigint, OUT chain bytea, OUT rows bigint) TO projector_projector;

REVOKE ALL ON FUNCTION log.count_refusals(p_reason text[], p_refused bigint[], p_first_age double precision[], p_last_age double precision[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.count_refusals(p_reason text[], p_refused bigint[], p_first_age double precision[], p_last_age double precision[]) TO projector_ingress;

REVOKE ALL ON FUNCTION log.epoch(p_gone uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION log.epoch(p_gone uuid) TO projector_ingress;
GRANT ALL ON FUNCTION log.epoch(p_gone uuid) TO projector_projector;

REVOKE ALL ON FUNCTION log.epoch_after(p_known uuid, p_position bigint, p_digest bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION log.epoch_after(p_known uuid, p_position bigint, p_digest bytea) TO projector_ingress;

REVOKE ALL ON FUNCTION log.forget_digests(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION log.forget_digests(p_before timestamp with time zone, p_limit integer) TO projector_projector;

REVOKE ALL ON FUNCTION log.forget_refusals(p_before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION log.forget_refusals(p_before timestamp with time zone) TO projector_projector;

REVOKE ALL ON FUNCTION log.is_own(source text) FROM PUBLIC;
GRANT ALL ON FUNCTION log.is_own(source text) TO projector_projector;

REVOKE ALL ON FUNCTION log.keep(p_received_at timestamp with time zone[], p_reason text[], p_event text[], p_signed boolean[], p_request_id text[], p_timestamp text[], p_signature text[], p_digest bytea[], p_body bytea[], p_max_rows bigint, p_max_bytes bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION log.keep(p_received_at timestamp with time zone[], p_reason text[], p_event text[], p_signed boolean[], p_request_id text[], p_timestamp text[], p_signature text[], p_digest bytea[], p_body bytea[], p_max_rows bigint, p_max_bytes bigint) TO projector_ingress;

REVOKE ALL ON FUNCTION log.make_room(p_rows bigint, p_bytes bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION log.microseconds(moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION log.microseconds(moment timestamp with time zone) TO projector_projector;

REVOKE ALL ON FUNCTION log.note_losses(p_replica text, p_received_at timestamp with time zone[], p_event_ts bigint[], p_digest bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.note_losses(p_replica text, p_received_at timestamp with time zone[], p_event_ts bigint[], p_digest bytea[]) TO projector_ingress;

REVOKE ALL ON FUNCTION log.place() FROM PUBLIC;

REVOKE ALL ON FUNCTION log.read(p_after bigint, p_limit integer, p_until bigint, p_bytes bigint, p_events text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION log.read(p_after bigint, p_limit integer, p_until bigint, p_bytes bigint, p_events text[]) TO projector_projector;

REVOKE ALL ON FUNCTION log.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION log.seal(p_until bigint, p_rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION log.seal(p_until bigint, p_rows integer) TO projector_projector;

REVOKE ALL ON FUNCTION log.sealed_text(value text) FROM PUBLIC;
GRANT ALL ON FUNCTION log.sealed_text(value text) TO projector_projector;

REVOKE ALL ON FUNCTION log.take_append_lock() FROM PUBLIC;

REVOKE ALL ON FUNCTION projector.earlier_readers() FROM PUBLIC;
GRANT ALL ON FUNCTION projector.earlier_readers() TO projector_projector;

REVOKE ALL ON FUNCTION state.hold_leases(p_replica text, p_projections text[], p_versions integer[], p_ttl interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION state.release_leases(p_replica text) FROM PUBLIC;

GRANT SELECT ON TABLE directory.acknowledged_drift TO directory_reader;

GRANT SELECT ON TABLE directory.activity TO directory_reader;

GRANT SELECT ON TABLE directory.coverage TO directory_reader;

GRANT SELECT ON TABLE directory.dead_letters TO directory_reader;

GRANT SELECT ON TABLE directory.departed_group_admins TO directory_reader;

GRANT SELECT ON TABLE directory.dismissed_dead_letters TO directory_reader;

GRANT SELECT ON TABLE directory.drift TO directory_reader;

GRANT SELECT ON TABLE directory.freshness TO directory_reader;

GRANT SELECT ON TABLE directory.group_setting_values TO directory_reader;

GRANT SELECT ON TABLE directory.observation TO directory_reader;

GRANT SELECT ON TABLE directory.presence TO directory_reader;

GRANT SELECT ON TABLE directory.projection_status TO directory_reader;

GRANT SELECT,DELETE ON TABLE log.quarantine TO projector_operator;

GRANT SELECT(id) ON TABLE log.quarantine TO projector_projector;

GRANT SELECT(received_at) ON TABLE log.quarantine TO projector_projector;

GRANT SELECT(reason) ON TABLE log.quarantine TO projector_projector;

GRANT SELECT(event) ON TABLE log.quarantine TO projector_projector;

GRANT SELECT(signed) ON TABLE log.quarantine TO projector_projector;

GRANT SELECT(size) ON TABLE log.quarantine TO projector_projector;

GRANT SELECT ON TABLE directory.quarantine TO directory_reader;

GRANT SELECT ON TABLE log.refusals TO projector_projector;

GRANT SELECT ON TABLE directory.refusals TO directory_reader;

GRANT SELECT ON TABLE directory.sign_in_changes TO directory_reader;

GRANT SELECT ON TABLE directory.sign_ins TO directory_reader;

GRANT SELECT ON TABLE directory.unresolved_groups TO directory_reader;

GRANT SELECT ON TABLE directory.unresolved_users TO directory_reader;

GRANT SELECT ON TABLE directory.user_setting_values TO directory_reader;

GRANT SELECT ON TABLE log.deliveries TO projector_projector;

GRANT SELECT ON TABLE log.digests TO projector_projector;

GRANT SELECT ON TABLE log.epochs TO projector_projector;

GRANT SELECT ON TABLE log.lost_deliveries TO projector_projector;

GRANT SELECT ON TABLE log.losses TO projector_projector;

GRANT SELECT ON TABLE log.seals TO projector_projector;

GRANT SELECT ON TABLE observations.leases TO projector_projector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE observations.leases TO projector_operator;

GRANT SELECT ON TABLE observations.progress TO projector_projector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE observations.progress TO projector_operator;

GRANT SELECT ON TABLE observations.runs TO projector_projector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE observations.runs TO projector_operator;

GRANT SELECT ON TABLE projector.migrations TO projector_ingress;
GRANT SELECT ON TABLE projector.migrations TO projector_projector;
GRANT SELECT ON TABLE projector.migrations TO projector_operator;

GRANT SELECT ON TABLE state.past_removed_emails TO directory_reader;

GRANT SELECT ON TABLE state.past_sign_ins TO directory_reader;
