-- The SQL interface: only views, over the tables of `state` and `log`. Every file here runs at every migration
-- and at the end of some rebuilds, so each statement can run again. Views change by CREATE OR REPLACE, with new
-- columns at the end: views and grants that users built on them stay.

CREATE SCHEMA IF NOT EXISTS directory;
COMMENT ON SCHEMA directory IS
    'The directory of Zoom accounts, as their webhooks tell it. Views only; all times are event times unless a name says receipt.';

-- Roles belong to the whole server: a migration of another database may create this one at the same moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'directory_reader') THEN
        CREATE ROLE directory_reader NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    RAISE NOTICE 'role directory_reader was created meanwhile';
END
$$;
GRANT USAGE ON SCHEMA directory TO directory_reader;

-- A function in a view is called with the rights of whoever reads the view. These two only compute on their
-- arguments, and readers cannot call them by name: they have no right to schema `state`.
GRANT EXECUTE ON FUNCTION state.at, state.time_of TO PUBLIC;
