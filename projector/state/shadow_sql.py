"""The statements of shadows: a projection's tables in a schema of their own, filled and then swapped in.

Identifiers come only from projections' row types and our own tokens; values are always parameters.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from projector.folding.tables import MergeTable, Projection, Rule, SequenceTable, With
from projector.state.codec import Codec, codec_of
from projector.state.table_sql import each

# For sorting runs and building indexes, until the transaction ends.
MORE_MEMORY: Final = "SET LOCAL work_mem = '64MB'; SET LOCAL maintenance_work_mem = '64MB'"


def history_columns(table: SequenceTable) -> tuple[str, ...]:
    """The columns of a sequence table's history."""
    return (*codec_of(table).key, "position")


def runs_of(table: MergeTable) -> str:
    """The table of a merge table's runs: each has a row per key; with versions, per key and event."""
    return f"{table.name}_runs"


def create_schema(schema: str) -> str:
    """Create a schema for the tables of a shadow, or for those that it replaces."""
    return f"CREATE SCHEMA {schema} AUTHORIZATION projector_projector"


def create_beside(schema: str, projection: Projection) -> str:
    """Create the tables for a shadow's runs and dead letters."""
    runs = "".join(
        f"CREATE UNLOGGED TABLE {schema}.{runs_of(table)} AS "
        f"SELECT {', '.join(codec_of(table).columns)} FROM {schema}.{table.name};"
        for table in projection.merging
    )
    return runs + f"CREATE TABLE {schema}.dead_letters (LIKE state.dead_letters INCLUDING ALL)"


def drop_schema(schema: str) -> str:
    """Drop a shadow, whatever is left of it."""
    return f"DROP SCHEMA IF EXISTS {schema} CASCADE"


def merge_runs(schema: str, table: MergeTable) -> str:
    """Merge the runs of one slice into their table. Parameters: the slice, the number of slices."""
    codec = codec_of(table)
    orders = {rule.column for rule in table.rules.values() if isinstance(rule, With)}
    # In most tables nearly all columns come from the newest row, which DISTINCT ON keeps.
    newest = "folded" if "folded" in orders else next(iter(orders), None)
    key = ", ".join(codec.key)
    values = ", ".join(_merged(name, rule, key, newest) for name, rule in table.rules.items())
    order = key if newest is None else f"{key}, {newest} DESC"
    return (
        f"INSERT INTO {schema}.{table.name} ({', '.join(codec.columns)}) "
        f"SELECT DISTINCT ON ({key}) {key}, {values} FROM {schema}.{runs_of(table)} "
        f"WHERE {_in_slice(codec)} ORDER BY {order}"
    )


def rows_of_runs(schema: str, table: MergeTable) -> str:
    """The rows of one slice's runs, key by key and in event order. Parameters as of `merge_runs`."""
    codec = codec_of(table)
    order = ", ".join(codec.columns[: table.key + 1])
    return (
        f"SELECT {', '.join(codec.columns)} FROM {schema}.{runs_of(table)} "
        f"WHERE {_in_slice(codec)} ORDER BY {order}"
    )


def _merged(name: str, rule: Rule | With, key: str, newest: str | None) -> str:
    """The merged value of a column over all rows of a key."""
    match rule:
        case With(column) if column == newest:
            return name
        case With(column):
            return f"first_value({name}) OVER (PARTITION BY {key} ORDER BY {column} DESC)"
        case Rule.GREATEST:
            return f"max({name}) OVER (PARTITION BY {key})"
        case Rule.LEAST:
            return f"min({name}) OVER (PARTITION BY {key})"
        case Rule.SUM:
            return f"(sum({name}) OVER (PARTITION BY {key}))::bigint"


def histories(schema: str, table: SequenceTable) -> str:
    """The events of one slice, entity by entity: the key's columns, then those of a row to decode.

    Parameters: the slice, the number of slices, bytes. A larger body is null; the last column is its size.
    """
    codec = codec_of(table)
    key = ", ".join(codec.key)
    keys = ", ".join(f"h.{name}" for name in codec.key)
    return (
        f"SELECT {keys}, h.position, log.microseconds(e.received_at), e.digest, "
        "CASE WHEN octet_length(e.body) <= $3 THEN e.body END AS body, log.is_own(e.source), "
        "octet_length(e.body) "
        f"FROM (SELECT {key}, position FROM {schema}.{table.history} "
        f"WHERE {_in_slice(codec)} ORDER BY {key}) h, "
        f"{each('log.events', 'h', ['position'])} e"
    )


def _in_slice(codec: Codec) -> str:
    """Whether a row is in slice $1 of $2, by a hash of account and entity."""
    account, entity = codec.key[0], codec.key[min(1, len(codec.key) - 1)]
    return f"($2 = 1 OR mod(hashtextextended({entity}, hashtextextended({account}, 0)) & 65535, $2) = $1)"


def analyze(schema: str, table: str) -> str:
    """Gather the planner's statistics of a shadow's table."""
    return f"ANALYZE {schema}.{table}"


def dead_letters(schema: str) -> str:
    """Write dead letters of projection $1, one array per column; an event keeps its first error."""
    return (
        f"INSERT INTO {schema}.dead_letters (projection, position, event, error) "
        "SELECT $1, r.* FROM unnest($2::bigint[], $3::text[], $4::text[]) AS r ON CONFLICT DO NOTHING"
    )


# ---- the swap --------------------------------------------------------------------------------------


def limit_lock_waits(milliseconds: int) -> str:
    """Limit each wait for a lock, until the transaction ends."""
    return f"SET LOCAL lock_timeout = {milliseconds}"


def retired(schema: str) -> str:
    """The schema that replaced live tables are moved to."""
    return f"{schema}_retired"


def point_view(view: str, definition: str, names: Sequence[str], source: str, target: str) -> str:
    """Make a view read these tables in schema `target` instead of `source`."""
    table = re.compile(rf"\b{source}\.({'|'.join(names)})\b")
    pointed = table.sub(rf"{target}.\1", definition)
    return f"CREATE OR REPLACE VIEW {view} AS {pointed}"


def change_places(schema: str, projection: Projection) -> Iterator[str]:
    """Retire the live tables, and put a shadow's tables and dead letters in their place."""
    for name in projection.table_names:
        # IF EXISTS: a new version may have a table that the old one lacks.
        yield f"ALTER TABLE IF EXISTS state.{name} SET SCHEMA {retired(schema)}"
        yield f"ALTER TABLE {schema}.{name} SET SCHEMA state"
    yield f"DELETE FROM state.dead_letters WHERE projection = '{projection.name}'"
    yield f"INSERT INTO state.dead_letters SELECT * FROM {schema}.dead_letters"


def drop_retired(schema: str, projection: Projection) -> Iterator[str]:
    """Drop the retired tables.

    Not CASCADE: what users built on a table of `state` must not vanish silently.
    """
    for name in projection.table_names:
        yield f"DROP TABLE IF EXISTS {retired(schema)}.{name}"
    yield f"DROP SCHEMA {retired(schema)}"
