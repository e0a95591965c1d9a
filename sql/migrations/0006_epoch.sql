-- serves: 1
-- The log's epoch: a random id under which positions mean something. Whatever leaves the database with a position
-- carries it.
--
-- Invariant: two logs that may differ below a position that somebody has seen are of different epochs. Where a database
-- came from shows in its place: the server's own id, its timeline, which a promotion and a point-in-time recovery
-- raise, and the database's oid, which a restored dump gets anew. A copy of files put back in place shows in none of
-- these; whoever finds it, by an event that is not at its position any more, begins a new epoch.

CREATE TABLE log.epochs (
    number   int PRIMARY KEY,
    epoch    uuid NOT NULL,
    place    text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE log.epochs IS 'The epochs of the log; the one of the greatest number is in force.';

CREATE FUNCTION log.place() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT concat_ws('/',
        (SELECT system_identifier FROM pg_control_system()),
        substring(pg_walfile_name(pg_current_wal_lsn()) FOR 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()))
$$;

-- The epoch in force; a new one where the database's place has changed, or where `p_gone` is the one in force and
-- somebody has found that the log has gone back.
CREATE FUNCTION log.epoch(p_gone uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_number int;
    v_epoch uuid;
    v_place text;
    v_here text := log.place();
BEGIN
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

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA log FROM PUBLIC;
