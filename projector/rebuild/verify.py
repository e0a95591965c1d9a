"""Verification: a shadow folded to the live position, compared with the live rows.

Both sides are read in the order of their keys, row by row, so memory does not grow with the directory.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from projector.database import Connection, Database
from projector.folding.tables import Projection, SequenceTable
from projector.rebuild.catch_up import Follower
from projector.rebuild.claim import claimed
from projector.rebuild.rebuild import Progress, shadows
from projector.rebuild.side_process import side_processes
from projector.runtime.codec import codec_of
from projector.runtime.store import LIVE
from projector.runtime.versions import check_versions
from projector.runtime.worker import LogMismatch
from projector.statements import queries

_SQL: Final = queries("state")

EXAMPLES: Final = 5
FETCHED_AT_ONCE: Final = 500

Kind = Literal["missing", "extra", "different"]


@dataclass(frozen=True)
class Difference:
    """One row that is not as the log says: its table, key, kind, and the columns that differ."""

    table: str
    key: tuple[str, ...]
    kind: Kind
    columns: tuple[str, ...] = ()


@dataclass
class Verdict:
    """What a fresh fold says of a projection's live rows, at one position."""

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


async def verify(
    database: Database,
    projections: Sequence[Projection],
    progress: Progress,
    *,
    processes: int = 1,
) -> list[Verdict]:
    """Compare live rows with a fresh fold of the log, each projection at its live position.

    Everything goes on meanwhile: the live rows are those of one snapshot. Raises RebuildRefused where one
    of them is being rebuilt, SchemaMismatch where its rows are another release's, and LogMismatch where a
    checkpoint is not of this log.
    """
    beside = min(processes, len(projections)) - 1
    async with claimed(database, projections) as claim, side_processes(beside) as others:
        await check_versions(database, projections)
        positions = [
            (await database.fetch(_SQL["checkpoint"], projection.name))[0]["position"]
            for projection in projections
        ]
        followers = await shadows(
            database, projections, others, claim, progress, target=min(positions, default=0)
        )
        return [await _compare(database, follower) for follower in followers]


async def _compare(database: Database, follower: Follower) -> Verdict:
    """Compare in a snapshot, which holds the rows of exactly its checkpoint's position."""
    projection = follower.projection
    live = (await database.fetch(_SQL["checkpoint"], projection.name))[0]["position"]
    await follower.up_to(live)
    async with database.transaction(isolation="repeatable_read", readonly=True) as snapshot:
        # It reads no view, so no swap need wait for it (queries/state.sql, earlier_readers).
        await snapshot.execute("SET LOCAL application_name = 'projector verify'")
        row = await snapshot.fetchrow(_SQL["checkpoint"], projection.name)
        assert row is not None  # noqa: S101  migrate made one for every projection
        await follower.up_to(row["position"])
        if (follower.position, follower.digest) != (row["position"], row["digest"]):
            raise LogMismatch(
                f"the checkpoint {row['position']} of {projection.name} is not of this log, whose fold ends "
                f"at {follower.position}; run `projector rebuild {projection.name}`"
            )
        verdict = Verdict(projection.name, row["position"])
        async with database.transaction() as other:
            for compared in _compared(projection):
                await _compare_rows(
                    _rows(snapshot, compared, LIVE),
                    _rows(other, compared, follower.schema),
                    compared,
                    verdict,
                )
    return verdict


@dataclass(frozen=True)
class _Compared:
    """A table, its columns, how many of them are the key, and which of its rows."""

    table: str
    columns: tuple[str, ...]
    key: int
    where: str = "true"


def _compared(projection: Projection) -> Iterator[_Compared]:
    for table in projection.tables:
        codec = codec_of(table)
        yield _Compared(table.name, codec.columns, len(codec.key))
        if isinstance(table, SequenceTable):
            yield _Compared(table.history, (*codec.key, "position"), len(codec.key) + 1)
    mine = f"projection = '{projection.name}'"
    yield _Compared("dead_letters", ("position", "event", "error"), 1, mine)


async def _rows(
    connection: Connection, compared: _Compared, schema: str
) -> AsyncIterator[tuple[Any, ...]]:
    """The rows of a table in the order of their keys, whatever the database's collation."""
    keys = ", ".join(f'{name}::text COLLATE "C"' for name in compared.columns[: compared.key])
    statement = (
        f"SELECT {', '.join(compared.columns)} FROM {schema}.{compared.table} "
        f"WHERE {compared.where} ORDER BY {keys}"
    )
    async for record in connection.cursor(statement, prefetch=FETCHED_AT_ONCE):
        yield tuple(record)


async def _compare_rows(
    live: AsyncIterator[tuple[Any, ...]],
    fresh: AsyncIterator[tuple[Any, ...]],
    compared: _Compared,
    verdict: Verdict,
) -> None:
    """Walk two streams of rows side by side, as in a merge."""
    one, other = await anext(live, None), await anext(fresh, None)
    while one is not None or other is not None:
        verdict.rows += one is not None
        order = _order(one, other, compared.key)
        if order == 0 and one != other:
            verdict.note(_difference(compared, one or (), other or ()))
        elif order:
            row, kind = (one, "extra") if order < 0 else (other, "missing")
            verdict.note(Difference(compared.table, _key(row or (), compared), kind))  # type: ignore[arg-type]
        if order <= 0:
            one = await anext(live, None)
        if order >= 0:
            other = await anext(fresh, None)


def _order(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None, width: int) -> int:
    """Which of two rows comes first: -1 the one, 1 the other, 0 neither."""
    if one is None or other is None:
        return 1 if one is None else -1
    left, right = ([str(v).encode() for v in row[:width]] for row in (one, other))
    return (left > right) - (left < right)


def _key(row: tuple[Any, ...], compared: _Compared) -> tuple[str, ...]:
    return tuple(str(value) for value in row[: compared.key])


def _difference(compared: _Compared, one: tuple[Any, ...], other: tuple[Any, ...]) -> Difference:
    columns = tuple(
        name
        for name, left, right in zip(compared.columns, one, other, strict=True)
        if left != right
    )
    return Difference(compared.table, _key(one, compared), "different", columns)
