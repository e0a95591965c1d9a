-- name: nothing
SELECT 1

-- name: backend_pid
SELECT pg_backend_pid()

-- name: notify
SELECT pg_notify($1, $2)
