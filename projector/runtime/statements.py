"""The statements of the runtime that depend on a table's columns.

Identifiers come from the row types in `projector.projections` alone; values are always parameters.
"""

from collections.abc import Iterable, Sequence
from functools import cache

from projector.folding.tables import MergeTable, Rule, SequenceTable, Table, With
from projector.runtime.codec import Codec, codec_of
from projector.statements import queries


def _unnested(columns: Iterable[tuple[str, str]], first: int) -> str:
    """The columns of (name, type) that arrays numbered from `first` make, side by side.

    In a select list, not in FROM: there each array would pass through a buffer of its own, and a row of
    ten columns through ten.
    """
    return ", ".join(
        f"unnest(${number}::{kind}[]) AS {name}"
        for number, (name, kind) in enumerate(columns, start=first)
    )


def _keys(codec: Codec, first: int) -> str:
    """The rows `k` of a table's key columns, numbered from `first`."""
    columns = zip(codec.key, codec.types, strict=False)
    return f"(SELECT {_unnested(columns, first)}) AS k"


def _each(table: str, keys: str, names: Sequence[str]) -> str:
    """The rows of a table for each row of `keys`, found by these columns.

    OFFSET keeps it from becoming a join: planned while the table is small, and kept, that would read the
    whole of it for every batch.
    """
    same = " AND ".join(f"{name} = {keys}.{name}" for name in names)
    return f"LATERAL (SELECT * FROM {table} WHERE {same} OFFSET 0)"


@cache
def load(schema: str, tables: tuple[Table, ...]) -> str:
    """Read the rows of some keys of several tables at once.

    Parameters: one array per key column, table by table. Columns: the table's number, then the columns
    of all tables side by side, those of the others null.
    """
    codecs = [codec_of(table) for table in tables]
    branches, first = [], 1
    for number, codec in enumerate(codecs):
        columns = [str(number)]
        for other, sibling in enumerate(codecs):
            for name, kind in zip(sibling.columns, sibling.types, strict=True):
                columns.append(f"t.{name}::{kind}" if other == number else f"NULL::{kind}")
        wanted = _keys(codec, first)
        first += len(codec.key)
        branches.append(
            f"SELECT {', '.join(columns)} FROM {wanted}, "
            f"{_each(f'{schema}.{codec.table.name}', 'k', codec.key)} t"
        )
    return " UNION ALL ".join(branches)


@cache
def histories(schema: str, table: SequenceTable) -> str:
    """Read the events of some entities: the key's columns, then those of a row to decode.

    Parameters: one array per key column, how many rows at most, and how many bytes of bodies; the row that
    goes beyond these still comes.
    """
    codec = codec_of(table)
    names = ", ".join(codec.key)
    keys = ", ".join(f"h.{name}" for name in codec.key)
    most = len(codec.key) + 1
    return (
        f"SELECT {names}, position, received_us, digest, body FROM ("
        f"SELECT {keys}, e.position, log.microseconds(e.received_at) AS received_us, e.digest, e.body, "
        "sum(octet_length(e.body)) OVER (ROWS UNBOUNDED PRECEDING) - octet_length(e.body) AS before "
        f"FROM {_keys(codec, 1)}, {_each(f'{schema}.{table.history}', 'k', codec.key)} h, "
        f"{_each('log.events', 'h', ['position'])} e "
        f"LIMIT ${most}) AS past WHERE before <= ${most + 1} OR before IS NULL"
    )


def _insert(schema: str, codec: Codec, first: int, source: str = "FROM moved ") -> str:
    rows = _unnested(zip(codec.columns, codec.types, strict=True), first)
    return f"INSERT INTO {schema}.{codec.table.name} ({', '.join(codec.columns)}) SELECT {rows} {source}"


def _upsert(schema: str, codec: Codec, first: int, source: str = "FROM moved ") -> str:
    values = codec.columns[len(codec.key) :]
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    return (
        f"{_insert(schema, codec, first, source)}"
        f"ON CONFLICT ({', '.join(codec.key)}) DO UPDATE SET {changes}"
    )


def _merged(name: str, table: str, rule: Rule | With) -> str:
    """The value of a column of which the row that stands there and the one that comes each have one."""
    old, new = f"{table}.{name}", f"excluded.{name}"
    match rule:
        case With(column):
            return f"CASE WHEN excluded.{column} >= {table}.{column} THEN {new} ELSE {old} END"
        case Rule.GREATEST:
            return f"greatest({old}, {new})"
        case Rule.LEAST:
            return f"least({old}, {new})"
        case Rule.SUM:
            return f"{old} + {new}"


def _changes(table: MergeTable) -> str:
    """Whether a row that comes changes the one that stands there: what changes nothing is not written."""
    rules = set(table.rules.values())
    if Rule.SUM in rules:
        return ""
    orders = sorted({rule.column for rule in rules if isinstance(rule, With)})
    return " WHERE " + " OR ".join(f"excluded.{order} > {table.name}.{order}" for order in orders)


def _merge(schema: str, table: MergeTable, first: int) -> str:
    codec = codec_of(table)
    changes = ", ".join(
        f"{name} = {_merged(name, table.name, rule)}" for name, rule in table.rules.items()
    )
    return (
        f"{_insert(schema, codec, first)}ON CONFLICT ({', '.join(codec.key)}) DO UPDATE SET {changes}"
        f"{_changes(table)}"
    )


@cache
def upsert(schema: str, table: Table) -> str:
    """Write rows of one table, whatever any checkpoint says: for a shadow, which nobody reads."""
    return _upsert(schema, codec_of(table), 1, source="")


def _history(schema: str, table: SequenceTable, first: int) -> str:
    codec = codec_of(table)
    columns = [*zip(codec.key, codec.types, strict=False), ("position", "bigint")]
    return (
        f"INSERT INTO {schema}.{table.history} ({', '.join(codec.key)}, position) "
        f"SELECT {_unnested(columns, first)} FROM moved ON CONFLICT DO NOTHING"
    )


def _dead_letters(schema: str, first: int) -> str:
    columns = (("position", "bigint"), ("event", "text"), ("error", "text"))
    return (
        f"INSERT INTO {schema}.dead_letters (projection, position, event, error) "
        f"SELECT $1, {_unnested(columns, first)} FROM moved ON CONFLICT DO NOTHING"
    )


@cache
def write(
    schema: str,
    new: tuple[Table, ...],
    changed: tuple[Table, ...],
    merged: tuple[MergeTable, ...],
    histories: tuple[SequenceTable, ...],
    *,
    dead: bool,
    moves: str,
) -> str:
    """Write a batch in one statement: rows, histories and dead letters hang on the moved checkpoint.

    New rows are inserted outright: to look for a conflict first costs an eighth of the server's time. Were
    the table to hold such a row all the same, the whole statement would fail and nothing be written.

    The first five parameters are those of the statement `moves` (queries/state.sql); the others
    follow in the order of the arguments here. Answers the number of moved checkpoints: 0 means that
    nothing was written.
    """
    parts = [f"moved AS ({queries('state')[moves]})"]
    first = 6
    for number, table in enumerate(new):
        parts.append(f"new_{number} AS ({_insert(schema, codec_of(table), first)})")
        first += len(codec_of(table).columns)
    for number, table in enumerate(changed):
        parts.append(f"changed_{number} AS ({_upsert(schema, codec_of(table), first)})")
        first += len(codec_of(table).columns)
    for number, table in enumerate(merged):
        parts.append(f"merged_{number} AS ({_merge(schema, table, first)})")
        first += len(codec_of(table).columns)
    for number, table in enumerate(histories):
        parts.append(f"history_{number} AS ({_history(schema, table, first)})")
        first += len(codec_of(table).key) + 1
    if dead:
        parts.append(f"dead AS ({_dead_letters(schema, first)})")
    return f"WITH {', '.join(parts)} SELECT count(*) FROM moved"
