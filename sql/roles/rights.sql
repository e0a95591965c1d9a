-- Who may do what: run at the end of every migration, when everything is there. A later migration's functions
-- are granted here by name; its tables of `log` and `observations` are covered.
--
-- Invariants
--   1. The log is written by log.append() alone, and nobody but the schema's owner can change a row, take one away or
--      lift the trigger that refuses it.
--   2. An ingress reads back no body, no suspect and no state, and appends as `webhook` alone: no fact of our own.
--   3. Everything in `state` and `directory` belongs to projector_projector, whoever made it: a rebuild replaces
--      tables and views, which only their owner may.

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA log, projector FROM PUBLIC;

GRANT USAGE ON SCHEMA log, projector TO projector_ingress, projector_projector, projector_operator;
GRANT SELECT ON projector.migrations TO projector_ingress, projector_projector, projector_operator;

GRANT EXECUTE ON FUNCTION
    log.append_webhooks, log.keep, log.count_refusals, log.epoch, log.epoch_after, log.note_losses
    TO projector_ingress;

GRANT EXECUTE ON FUNCTION
    log.read, log.is_own, log.microseconds, log.as_jsonb, log.epoch, log.forget_digests, log.forget_refusals, log.seal,
    log.chained, log.block_digest, log.sealed_text, projector.earlier_readers
    TO projector_projector;
GRANT EXECUTE ON FUNCTION log.append, log.append_webhooks TO projector_operator;

-- The projectors' metrics count the quarantine, and a view of theirs lists it; its bodies and signatures are the
-- operators'.
DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN
        SELECT c.oid FROM pg_class c
        WHERE c.relnamespace = 'log'::regnamespace AND c.relkind IN ('r', 'p', 'v')
    LOOP
        IF v_table <> 'log.quarantine'::regclass THEN
            EXECUTE format('GRANT SELECT ON %s TO projector_projector', v_table);
        END IF;
    END LOOP;
END
$$;
GRANT SELECT (id, received_at, reason, event, signed, size) ON log.quarantine TO projector_projector;
GRANT SELECT, DELETE ON log.quarantine TO projector_operator;

GRANT USAGE ON SCHEMA observations TO projector_projector, projector_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA observations TO projector_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA observations TO projector_operator;

GRANT USAGE ON SCHEMA directory TO directory_reader;

-- The schemas of rebuilds that were killed, too: the next rebuild drops them. Views before tables, as readers lock.
DO $$
DECLARE
    v_owner oid := 'projector_projector'::regrole;
    v_schemas oid[] := ARRAY(
        SELECT n.oid FROM pg_namespace n
        WHERE n.nspname IN ('state', 'directory')
           OR (n.nspname ~ '^rebuild_[a-z_]+_[0-9a-f]{8}(_retired)?$' AND NOT EXISTS (
               SELECT FROM state.rebuilds r
               WHERE starts_with(n.nspname, 'rebuild_' || r.projection || '_')
                 AND r.heartbeat_at > clock_timestamp() - interval '1 minute')));
    v_name text;
BEGIN
    FOR v_name IN
        SELECT n.oid::regnamespace FROM pg_namespace n WHERE n.oid = ANY (v_schemas) AND n.nspowner <> v_owner
    LOOP
        EXECUTE format('ALTER SCHEMA %s OWNER TO projector_projector', v_name);
    END LOOP;
    FOR v_name IN
        SELECT format('%s.%I', c.relnamespace::regnamespace, c.relname) FROM pg_class c
        WHERE c.relnamespace = ANY (v_schemas) AND c.relkind IN ('v', 'r', 'p') AND c.relowner <> v_owner
        ORDER BY c.relkind = 'v' DESC, c.oid
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO projector_projector', v_name);
    END LOOP;
    FOR v_name IN
        SELECT p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace = ANY (v_schemas) AND p.proowner <> v_owner
    LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO projector_projector', v_name);
    END LOOP;
END
$$;

-- Rebuilds make schemas for their shadows. Where whoever migrates may not grant this, `migrate` says so.
DO $$
BEGIN
    IF has_database_privilege(current_database(), 'CREATE WITH GRANT OPTION')
        AND NOT has_database_privilege('projector_projector', current_database(), 'CREATE')
    THEN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO projector_projector', current_database());
    END IF;
END
$$;
