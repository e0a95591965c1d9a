"""Rows to columns and back: how a projection's row type is laid out in its table."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from sys import getsizeof
from types import UnionType
from typing import Any, Final, get_args, get_type_hints

import msgspec

from projector.folding.tables import Row, Table

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

# Any other type is a document: jsonb.
_TYPES: Final = {str: "text", int: "bigint", bool: "boolean", bytes: "bytea"}


def _column_type(annotation: Any) -> str:
    if isinstance(annotation, UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    return _TYPES.get(annotation, "jsonb")


class Column:
    """A column of single values, as an array that asyncpg encodes in a third of the time.

    asyncpg iterates over an array twice, the first time to learn its shape: it checks whether any element
    is itself an array. No element is, so the first iteration yields only one. If a later asyncpg
    took that for the whole array, the array would be shorter than its header says: the server refuses it.
    """

    __slots__ = ("_asked", "_values")

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        self._asked = False

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        if self._asked:
            return iter(self._values)
        self._asked = True
        return iter(self._values[:1])


class Codec:
    """The columns of one table, in the order of its row type's fields."""

    def __init__(self, table: Table) -> None:
        hints = get_type_hints(table.row)
        self.table = table
        self.columns: tuple[str, ...] = table.row._fields
        self.key: tuple[str, ...] = self.columns[: table.key]
        self.types = tuple(_column_type(hints[name]) for name in self.columns)
        self._documents = [i for i, kind in enumerate(self.types) if kind == "jsonb"]
        self._sequences = {
            i for i in self._documents if "tuple" in str(hints[self.columns[i]]).lower()
        }

    def transpose(self, rows: Iterable[Row]) -> list[Column]:
        """Rows as one array per column, documents as JSON text, for unnest."""
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for i in self._documents:
            columns[i] = [None if v is None else _encode(v).decode() for v in columns[i]]
        return [Column(column) for column in columns]

    def record(self, row: Row) -> tuple[Any, ...]:
        """One row as COPY takes it."""
        if not self._documents:
            return tuple(row)
        values = list(row)
        for i in self._documents:
            if values[i] is not None:
                values[i] = _encode(values[i]).decode()
        return tuple(values)

    def documents_size(self, record: Sequence[Any]) -> int:
        """The bytes that the documents of a record take in memory."""
        return sum(getsizeof(record[i]) for i in self._documents)

    def row(self, values: Sequence[Any]) -> Row:
        """Decode the columns of a record into a row."""
        if not self._documents:
            return self.table.row._make(values)
        restored = list(values)
        for i in self._documents:
            if restored[i] is not None:
                value = _decode(restored[i])
                restored[i] = tuple(value) if i in self._sequences else value
        return self.table.row._make(restored)


@cache
def codec_of(table: Table) -> Codec:
    """The codec of a projection's table."""
    return Codec(table)
