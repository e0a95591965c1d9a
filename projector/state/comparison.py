"""Compare the rows of a projection in two schemas, table by table.

Both sides are read in the order of their keys, row by row, so memory does not grow with the directory.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from projector.database import Connection
from projector.folding.tables import Projection
from projector.state.codec import codec_of
from projector.state.shadow_sql import history_columns
from projector.state.store import LIVE
from projector.state.table_sql import in_key_order

EXAMPLES: Final = 5
FETCHED_AT_ONCE: Final = 500

Kind = Literal["missing", "extra", "different"]
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Difference:
    """A row that differs from a new fold: its table, key, kind, and the differing columns."""

    table: str
    key: tuple[str, ...]
    kind: Kind
    columns: tuple[str, ...] = ()


@dataclass
class Verdict:
    """The result of comparing a projection's live rows with a new fold, at one position."""

    projection: str
    position: int
    rows: int = 0
    differences: int = 0
    examples: list[Difference] = field(default_factory=list)

    def note(self, difference: Difference) -> None:
        """Count a difference; the first few are kept as examples."""
        self.differences += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(difference)


@dataclass(frozen=True)
class Compared:
    """A table, its columns, how many of them are the key; `of`: only the rows of this projection."""

    table: str
    columns: tuple[str, ...]
    key: int
    of: str | None = None


async def compare(
    live: Connection, fresh: Connection, projection: Projection, schema: str, verdict: Verdict
) -> None:
    """Compare a projection's live rows with those in a schema, and note the differences."""
    for compared in compared_tables(projection):
        await compare_rows(
            rows_of(live, compared, LIVE), rows_of(fresh, compared, schema), compared, verdict
        )


def compared_tables(projection: Projection) -> Iterator[Compared]:
    """Yield every table that a projection stores rows in."""
    for table in (*projection.tables, *projection.versions):
        codec = codec_of(table)
        yield Compared(table.name, codec.columns, len(codec.key))
    if projection.sequence is not None:
        columns = history_columns(projection.sequence)
        yield Compared(projection.sequence.history, columns, len(columns))
    yield Compared("dead_letters", ("position", "event", "error"), 1, projection.name)


async def rows_of(connection: Connection, compared: Compared, schema: str) -> AsyncIterator[Row]:
    """The rows of a table in the order of their keys."""
    statement = in_key_order(schema, compared.table, compared.columns, compared.key, compared.of)
    async for record in connection.cursor(statement, prefetch=FETCHED_AT_ONCE):
        yield tuple(record)


async def compare_rows(
    live: AsyncIterator[Row], fresh: AsyncIterator[Row], compared: Compared, verdict: Verdict
) -> None:
    """Compare two sorted streams of rows, as in a merge join."""
    one, other = await anext(live, None), await anext(fresh, None)
    while one is not None or other is not None:
        verdict.rows += one is not None
        order = _order(one, other, compared.key)
        if order == 0 and one != other:
            verdict.note(_difference(compared, one or (), other or ()))
        elif order < 0:
            verdict.note(Difference(compared.table, _key(one or (), compared), "extra"))
        elif order > 0:
            verdict.note(Difference(compared.table, _key(other or (), compared), "missing"))
        if order <= 0:
            one = await anext(live, None)
        if order >= 0:
            other = await anext(fresh, None)


def _order(one: Row | None, other: Row | None, width: int) -> int:
    """Which of two rows comes first by key: -1 `one`, 1 `other`, 0 neither (equal keys)."""
    if one is None or other is None:
        return 1 if one is None else -1
    left, right = ([_as_text(v) for v in row[:width]] for row in (one, other))
    return (left > right) - (left < right)


def _as_text(value: Any) -> bytes:
    """A part of a key as the database sorts it."""
    return value.hex().encode() if isinstance(value, bytes) else str(value).encode()


def _key(row: Row, compared: Compared) -> tuple[str, ...]:
    return tuple(str(value) for value in row[: compared.key])


def _difference(compared: Compared, one: Row, other: Row) -> Difference:
    columns = tuple(
        name
        for name, left, right in zip(compared.columns, one, other, strict=True)
        if left != right
    )
    return Difference(compared.table, _key(one, compared), "different", columns)
