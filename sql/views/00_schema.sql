-- The SQL interface: only views, over the tables of `state` and `log`. Every file here runs at every migration, and at
-- the end of some rebuilds as projector_projector: each statement can run again, and makes things in `state` and
-- `directory` alone. Views change by CREATE OR REPLACE, with new columns at the end: views and grants that users built
-- on them stay.

COMMENT ON SCHEMA directory IS
    'The directory of Zoom accounts, as their webhooks tell it. Views only; all times are event times unless a name says receipt.';

-- A function in a view is called with the rights of whoever reads the view. These two only compute on their
-- arguments, and readers cannot call them by name: they have no right to schema `state`.
GRANT EXECUTE ON FUNCTION state.at, state.time_of TO PUBLIC;
