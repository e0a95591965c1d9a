-- serves: 1
-- What a search compares, and what lists of people are sorted by.

-- A text without its case and its accents: "Ärzte" and "ARZTE" are "arzte". The same whatever the database's own
-- collation; of letters other than ASCII the case is that of the best collation that the server has.
DO $$
DECLARE
    v_collation text := (
        SELECT collname FROM pg_collation
        WHERE collnamespace = 'pg_catalog'::regnamespace AND collname IN ('pg_c_utf8', 'und-x-icu')
        ORDER BY collname LIMIT 1);
BEGIN
    EXECUTE format($made$
        CREATE FUNCTION state.searchable(t text) RETURNS text
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN CASE
            WHEN octet_length(t) = char_length(t) THEN lower(t COLLATE "C") COLLATE "default"
            ELSE lower(regexp_replace(normalize(t, NFD), '[\u0300-\u036f]', '', 'g') COLLATE pg_catalog.%I) COLLATE "default"
        END
    $made$, coalesce(v_collation, 'default'));
END
$$;

-- The first characters of a text, so few that an index can hold their bytes.
CREATE FUNCTION state.capped(t text, bytes int) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN octet_length(t) <= bytes THEN t ELSE left(t, bytes / 4) END;

-- What people are called: as Zoom shows them, else by first and last name; null where neither is known.
CREATE FUNCTION state.name_of(profile jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN coalesce(
        nullif(btrim(profile ->> 'display_name'), ''),
        nullif(btrim(coalesce(profile ->> 'first_name', '') || ' ' || coalesce(profile ->> 'last_name', '')), ''));
