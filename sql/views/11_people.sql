-- needs: users 4
-- Everybody who is known, present and former, to be listed and searched in. All columns that a list is filtered by and
-- sorted by are in one index, in its order: a page takes the keys from there, and then the rest of its few rows.

CREATE OR REPLACE FUNCTION directory.searched(words text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '%' || regexp_replace(state.searchable(words), '([\\%_])', '\\\1', 'g') || '%';
COMMENT ON FUNCTION directory.searched IS
    'The pattern for people.search LIKE that finds a text at any place, in any case, with or without accents; nothing in the text is a wildcard.';
REVOKE EXECUTE ON FUNCTION directory.searched FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.searched TO directory_reader;
GRANT EXECUTE ON FUNCTION state.searchable, state.name_of TO PUBLIC;

CREATE OR REPLACE VIEW directory.people AS
SELECT
    u.account_id,
    u.user_id,
    state.name_of(u.profile) AS name,
    nullif(u.email, '') AS email,
    CASE
        WHEN u.status = 'pending'
            AND state.signed_in_since(u.account_id, u.user_key, u.pending_order)
        THEN 'active' ELSE u.status
    END AS status,
    u.removed,
    u.search,
    u.sort_key,
    u.user_key
FROM state.users u
WHERE u.known;

COMMENT ON VIEW directory.people IS
    'Everybody who is known, present and former: one row a person. Quick to page through in the order of sort_key, account_id, user_key, and to search.';
COMMENT ON COLUMN directory.people.account_id IS 'Zoom account.';
COMMENT ON COLUMN directory.people.user_id IS 'Zoom''s user id, as in users and former_users.';
COMMENT ON COLUMN directory.people.name IS 'Name as shown in Zoom, else first and last name; null where none is known.';
COMMENT ON COLUMN directory.people.email IS 'E-mail as sent; null where the person has none.';
COMMENT ON COLUMN directory.people.status IS 'Status as in users; of removed people as in former_users.';
COMMENT ON COLUMN directory.people.removed IS 'Whether the person is in former_users and not in users.';
COMMENT ON COLUMN directory.people.search IS 'E-mail, id and names, without case and accents, to search in: search LIKE directory.searched(''any part''). Of very long texts only the beginning.';
COMMENT ON COLUMN directory.people.sort_key IS 'What lists are sorted by: the name without case and accents, else the e-mail, else the id; the beginning of it.';
COMMENT ON COLUMN directory.people.user_key IS 'The id in lower case: with account_id it is unique.';

GRANT SELECT ON directory.people TO directory_reader;

-- Without SET, the planner reads the whole table to find a text that few have: it takes an index's pages for slower
-- than they are. The keys of the rows come from the index alone, in order, until there are enough.
CREATE OR REPLACE FUNCTION directory.people_page(
    words text, of_status text, after_sort text, after_account text, after_key text, most int
) RETURNS SETOF directory.people
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
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
COMMENT ON FUNCTION directory.people_page IS
    'People whose names, e-mail or id contain a text and who have a status ('''' is any), at most so many, in the order of sort_key, account_id, user_key: from the first after the row whose values these are. '''' finds everybody, and is the beginning.';
REVOKE EXECUTE ON FUNCTION directory.people_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.people_page TO directory_reader;
