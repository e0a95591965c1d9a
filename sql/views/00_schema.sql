-- The SQL interface: views alone, over the tables of `state` and `log`. Every file here runs whole at every
-- migration and at the end of every rebuild, so each statement can run again. Views change by CREATE OR
-- REPLACE, with new columns at the end: what users built on them, and whom they granted them to, stays.

CREATE SCHEMA IF NOT EXISTS directory;
COMMENT ON SCHEMA directory IS
    'The directory of Zoom accounts, as their webhooks tell it. Views only; all times are event times unless a name says receipt.';

-- Roles belong to the whole cluster: another database of it may create this one at the same moment.
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

-- A function in a view is called with the rights of whoever reads the view. These two compute on their
-- arguments alone, and nobody outside can name them: schema `state` is closed.
GRANT EXECUTE ON FUNCTION state.at, state.time_of TO PUBLIC;
