-- name: can_append
-- An append of nothing: takes the append lock and needs every right and table that an append needs.
SELECT count(*) FROM log.append('{}', '{}', '{}', '{}', '{}', '{}', 'webhook', '{}', '{}')
