"""The statements of the runtime that depend on a table's columns.

Identifiers come only from the row types in `projector.projections`; values are always parameters.
"""

from collections.abc import Iterable, Sequence
from functools import cache

from projector.folding.tables import MergeTable, Projection, Rule, SequenceTable, Table, With
from projector.state.codec import Codec, codec_of
from projector.statements import queries


def _unnested(columns: Iterable[tuple[str, str]], first: int) -> str:
    """A select list that unnests one array per column (name, type); parameters numbered from `first`.

    Not in FROM: there each array would pass through a buffer of its own, ten for a row of ten columns.
    """
    return ", ".join(
        f"unnest(${number}::{kind}[]) AS {name}"
        for number, (name, kind) in enumerate(columns, start=first)
    )


def _keys(codec: Codec, first: int) -> str:
    """A subquery `k` of a table's key columns; parameters numbered from `first`."""
    columns = zip(codec.key, codec.types, strict=False)
    return f"(SELECT {_unnested(columns, first)}) AS k"


def each(table: str, keys: str, names: Sequence[str]) -> str:
    """The rows of a table for each row of `keys`, in their order, found by these columns.

    OFFSET keeps the planner from making it a join: a plan made while the table is small, and cached,
    would read the whole table for every batch.
    """
    same = " AND ".join(f"{name} = {keys}.{name}" for name in names)
    return f"LATERAL (SELECT * FROM {table} WHERE {same} OFFSET 0)"


@cache
def load(schema: str, table: Table) -> str:
    """Read the rows of some keys. Parameters: one array per key column."""
    codec = codec_of(table)
    columns = ", ".join(f"t.{name}" for name in codec.columns)
    return f"SELECT {columns} FROM {_keys(codec, 1)}, {each(f'{schema}.{table.name}', 'k', codec.key)} t"


@cache
def histories(schema: str, table: SequenceTable) -> str:
    """Read the events of some entities: the key's columns, then those of a row to decode.

    Parameters: one array per key column, the most rows, and the most bytes of bodies; the row that
    exceeds the bytes is still returned.
    """
    codec = codec_of(table)
    names = ", ".join(codec.key)
    keys = ", ".join(f"h.{name}" for name in codec.key)
    most = len(codec.key) + 1
    return (
        f"SELECT {names}, position, received_us, digest, body, own FROM ("
        f"SELECT {keys}, e.position, log.microseconds(e.received_at) AS received_us, e.digest, e.body, "
        "log.is_own(e.source) AS own, "
        "sum(octet_length(e.body)) OVER (ROWS UNBOUNDED PRECEDING) - octet_length(e.body) AS before "
        f"FROM {_keys(codec, 1)}, {each(f'{schema}.{table.history}', 'k', codec.key)} h, "
        f"{each('log.events', 'h', ['position'])} e "
        f"LIMIT ${most}) AS past WHERE before <= ${most + 1} OR before IS NULL"
    )


def _insert(schema: str, codec: Codec, first: int) -> str:
    rows = _unnested(zip(codec.columns, codec.types, strict=True), first)
    columns = ", ".join(codec.columns)
    return f"INSERT INTO {schema}.{codec.table.name} ({columns}) SELECT {rows} FROM moved "


def _upsert(schema: str, codec: Codec, first: int) -> str:
    values = codec.columns[len(codec.key) :]
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    return (
        f"{_insert(schema, codec, first)}"
        f"ON CONFLICT ({', '.join(codec.key)}) DO UPDATE SET {changes}"
    )


def _merged(name: str, table: str, rule: Rule | With) -> str:
    """The merged value of a column: existing row against incoming row."""
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
    """A WHERE that skips incoming rows which change nothing in the existing ones."""
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
    projection: Projection,
    *,
    new: bool,
    changed: bool,
    merged: tuple[MergeTable, ...],
    entries: bool,
    dead: bool,
    moves: str,
) -> str:
    """Write a batch in one statement: rows, history and dead letters depend on the moved checkpoint.

    New rows are inserted without ON CONFLICT, which would cost an eighth of the server's time. If such a row
    exists after all, the whole statement fails and nothing is written.

    The first five parameters are those of the statement `moves` (queries/state.sql); the others follow in
    the order of the arguments here. Returns the number of moved checkpoints: 0 if nothing was written.
    """
    parts, first = [f"moved AS ({queries('state')[moves]})"], 6
    sequence = projection.sequence
    if sequence is not None:
        codec = codec_of(sequence)
        if new:
            parts.append(f"new AS ({_insert(schema, codec, first)})")
            first += len(codec.columns)
        if changed:
            parts.append(f"changed AS ({_upsert(schema, codec, first)})")
            first += len(codec.columns)
    for number, table in enumerate(merged):
        parts.append(f"merged_{number} AS ({_merge(schema, table, first)})")
        first += len(codec_of(table).columns)
    if sequence is not None and entries:
        parts.append(f"entered AS ({_history(schema, sequence, first)})")
        first += sequence.key + 1
    if dead:
        parts.append(f"dead AS ({_dead_letters(schema, first)})")
    return f"WITH {', '.join(parts)} SELECT count(*) FROM moved"


def in_key_order(
    schema: str, table: str, columns: tuple[str, ...], key: int, projection: str | None
) -> str:
    """The rows of a table, or of one projection in it, in byte order of their keys."""
    order = ", ".join(f'{name}::text COLLATE "C"' for name in columns[:key])
    where = "" if projection is None else f"WHERE projection = '{projection}' "
    return f"SELECT {', '.join(columns)} FROM {schema}.{table} {where}ORDER BY {order}"
