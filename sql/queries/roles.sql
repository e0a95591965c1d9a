-- name: login
-- What is known of a role by its name, and whether it has role $2.
SELECT rolcanlogin, rolsuper, pg_has_role(oid, $2::name, 'USAGE') AS has
FROM pg_roles WHERE rolname = $1

-- name: made_by_migrate
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)

-- name: lacks_create
-- The statement that lets projectors make the schemas of a rebuild; no row where they may.
SELECT format('GRANT CREATE ON DATABASE %I TO projector_projector', current_database())
WHERE NOT has_database_privilege('projector_projector', current_database(), 'CREATE')

-- The statements below come with their names and values quoted: none of the three takes parameters. A password is
-- its verifier here, from which nobody learns it.

-- name: create_login
SELECT format('CREATE ROLE %I LOGIN', $1::text) || coalesce(format(' PASSWORD %L', $2::text), '')

-- name: set_password
SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)

-- name: grant
SELECT format('GRANT %I TO %I', $1::text, $2::text)
    || CASE WHEN current_setting('server_version_num')::int >= 160000
            THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END
