-- The roles, before any migration, so that each may grant to them. Roles belong to the whole server: a migration of
-- another database may make the same one at the same moment, or have made it long ago.

DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY
        ARRAY['directory_reader', 'projector_ingress', 'projector_projector', 'projector_operator']
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = v_role);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            RAISE NOTICE 'role % was created meanwhile', v_role;
        END;
    END LOOP;
END
$$;

-- An operator reads what readers read, and mends what projectors fold.
DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['directory_reader', 'projector_projector'] LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_auth_members
            WHERE roleid = v_role::regrole AND member = 'projector_operator'::regrole);
        BEGIN
            EXECUTE format('GRANT %I TO projector_operator', v_role);
        EXCEPTION WHEN unique_violation THEN
            RAISE NOTICE 'role % was granted meanwhile', v_role;
        END;
    END LOOP;
END
$$;

-- Whoever migrates hands schemas over to projector_projector, and changes them later as one of its members. From
-- PostgreSQL 16 on, making a role gives its maker neither.
DO $$
DECLARE
    v_options text := '';
    v_may boolean := pg_has_role('projector_projector', 'USAGE');
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        v_options := ' WITH INHERIT TRUE, SET TRUE';
        v_may := v_may AND pg_has_role('projector_projector', 'SET');
    END IF;
    IF NOT v_may THEN
        EXECUTE format('GRANT projector_projector TO %I%s', current_user, v_options);
    END IF;
EXCEPTION WHEN unique_violation THEN
    RAISE NOTICE 'role projector_projector was granted meanwhile';
END
$$;
