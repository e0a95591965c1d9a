"""The statements of the runtime that depend on a table's columns.

Identifiers come only from the row types in `projector.projections`; values are always parameters.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TypeAlias

from projector.folding.tables import (
    MergeTable,
    Projection,
    RowVersions,
    Rule,
    SequenceTable,
    Table,
    VersionsTable,
    With,
)
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


@cache
def versions(schema: str, table: RowVersions) -> str:
    """Read the versions of some keys that end after an order.

    Parameters: one array per column of the versions' key, the order last.
    """
    codec = codec_of(table)
    columns = ", ".join(f"v.{name}" for name in codec.columns)
    versions = each(f"{schema}.{table.name}", "k", codec.key[:-1])
    return (
        f"SELECT {columns} FROM {_keys(codec, 1)}, {versions} v WHERE v.until > k.{codec.key[-1]}"
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
    less = [name for name, rule in table.rules.items() if rule is Rule.LEAST]
    return " WHERE " + " OR ".join(
        [f"excluded.{order} > {table.name}.{order}" for order in orders]
        + [f"excluded.{name} < {table.name}.{name}" for name in less]
    )


def _merge(schema: str, codec: Codec, first: int) -> str:
    table = codec.table
    assert isinstance(table, MergeTable)  # noqa: S101  only such rows merge
    changes = ", ".join(
        f"{name} = {_merged(name, table.name, rule)}" for name, rule in table.rules.items()
    )
    return (
        f"{_insert(schema, codec, first)}ON CONFLICT ({', '.join(codec.key)}) DO UPDATE SET {changes}"
        f"{_changes(table)}"
    )


def _history(schema: str, codec: Codec, first: int) -> str:
    table = codec.table
    assert isinstance(table, SequenceTable)  # noqa: S101  only such tables have a history
    columns = [*zip(codec.key, codec.types, strict=False), ("position", "bigint")]
    return (
        f"INSERT INTO {schema}.{table.history} ({', '.join(codec.key)}, position) "
        f"SELECT {_unnested(columns, first)} FROM moved ON CONFLICT DO NOTHING"
    )


def _end_versions(schema: str, codec: Codec, first: int) -> str:
    """Let versions end: one array per column of their key, and one of their new `until`.

    Found as in `each`, and joined by their place: on the key, a plan made while the table is small would read
    the whole index for ever.
    """
    versions = f"{schema}.{codec.table.name}"
    columns = [*zip(codec.key, codec.types, strict=False), ("until", "bytea")]
    same = " AND ".join(f"{name} = k.{name}" for name in codec.key)
    return (
        f"UPDATE {versions} v SET until = e.until FROM (SELECT f.ctid, k.until "
        f"FROM (SELECT {_unnested(columns, first)} FROM moved) k, "
        f"LATERAL (SELECT ctid FROM {versions} WHERE {same} OFFSET 0) f) e WHERE v.ctid = e.ctid"
    )


def _dead_letters(schema: str, first: int) -> str:
    columns = (("position", "bigint"), ("event", "text"), ("error", "text"))
    return (
        f"INSERT INTO {schema}.dead_letters (projection, position, event, error) "
        f"SELECT $1, {_unnested(columns, first)} FROM moved ON CONFLICT DO NOTHING"
    )


# A part of the write statement: its name, what makes it, and the columns that it is about.
_Piece: TypeAlias = tuple[str, Callable[[str, Codec, int], str], Codec]


def _parameters(piece: Callable[[str, Codec, int], str], codec: Codec) -> int:
    """How many parameters a part takes: an array per column, or per column of the key and one more."""
    return len(codec.key) + 1 if piece in (_history, _end_versions) else len(codec.columns)


@cache
def write(
    schema: str,
    projection: Projection,
    *,
    new: bool,
    changed: bool,
    merged: tuple[MergeTable, ...],
    versions: tuple[tuple[VersionsTable, bool, bool, bool], ...],
    entries: bool,
    dead: bool,
    moves: str,
) -> str:
    """Write a batch in one statement: rows, history and dead letters depend on the moved checkpoint.

    New rows are inserted without ON CONFLICT, which would cost an eighth of the server's time. If such a row
    exists after all, the whole statement fails and nothing is written. `versions`: of which tables, whether
    there are new ones, some that may stand there otherwise, and some that end.

    The first five parameters are those of the statement `moves` (queries/state.sql); the others follow in
    the order of the arguments here. Returns the number of moved checkpoints: 0 if nothing was written.
    """
    sequence = projection.sequence
    pieces: list[_Piece] = []
    if sequence is not None:
        codec = codec_of(sequence)
        pieces += [("new", _insert, codec)] * new + [("changed", _upsert, codec)] * changed
    pieces += [(f"merged_{n}", _merge, codec_of(table)) for n, table in enumerate(merged)]
    for number, (versions_table, added, rewritten, ended) in enumerate(versions):
        codec = codec_of(versions_table)
        pieces += [(f"added_{number}", _insert, codec)] * added
        pieces += [(f"rewritten_{number}", _upsert, codec)] * rewritten
        pieces += [(f"ended_{number}", _end_versions, codec)] * ended
    if sequence is not None and entries:
        pieces.append(("entered", _history, codec_of(sequence)))
    parts, first = [f"moved AS ({queries('state')[moves]})"], 6
    for name, piece, codec in pieces:
        parts.append(f"{name} AS ({piece(schema, codec, first)})")
        first += _parameters(piece, codec)
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
