"""The tasks of a rebuild, in stages. Any process may do a task, in any order within a stage."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from projector.folding.tables import Projection
from projector.schema.ddl import projection_statements

# Positions of a scan, at most; and scans for each process, at least, so that all end together.
SCAN_POSITIONS: Final = 20_000
SCANS_A_PROCESS: Final = 8

Part = Literal["keys", "indexes"]


class Scan(Struct, tag=True):
    """Read the log after position `start` up to `end`, except the `repeated` positions.

    `until_ms`: only the events up to that time, in epoch milliseconds.
    """

    start: int
    end: int
    repeated: list[int]
    until_ms: int | None = None


class FinishScan(Struct, tag=True):
    """Write out what this process's scans left in memory. Every process does it once."""


class Build(Struct, tag=True):
    """Create one of a projection's keys or indexes."""

    projection: str
    part: Part
    number: int


class MergeRuns(Struct, tag=True):
    """Merge the runs of one slice (`part` of `parts`) of a merge table, given by its number."""

    projection: str
    table: int
    part: int
    parts: int


class MergeVersions(Struct, tag=True):
    """Merge one slice (`part` of `parts`) of a merge table that has versions, given by its number."""

    projection: str
    table: int
    part: int
    parts: int


class FoldStates(Struct, tag=True):
    """Fold the entities of one slice (`part` of `parts`) of the sequence table."""

    projection: str
    part: int
    parts: int


class Analyze(Struct, tag=True):
    """Gather the statistics of a table."""

    projection: str
    table: str


Task = Scan | FinishScan | Build | MergeRuns | MergeVersions | FoldStates | Analyze


def scans(
    target: int, processes: int, repeated: Sequence[int], until_ms: int | None = None
) -> Iterator[Scan]:
    """Yield scans of the log up to `target`, the newest first; `repeated` positions are sorted."""
    size = min(SCAN_POSITIONS, 1 + target // (SCANS_A_PROCESS * processes))
    for start in reversed(range(0, target, size)):
        end = min(start + size, target)
        here = repeated[bisect_right(repeated, start) : bisect_right(repeated, end)]
        yield Scan(start, end, list(here), until_ms)


def stages(projections: Sequence[Projection], parts: int) -> Iterator[list[Task]]:
    """Yield the stages after the scan, with tables cut into `parts` slices."""
    yield _builds(projections, "keys")
    states = [
        FoldStates(projection.name, part, parts)
        for projection in projections
        if projection.sequence is not None
        for part in range(parts)
    ]
    runs = [
        (MergeVersions if table.versions else MergeRuns)(projection.name, number, part, parts)
        for projection in projections
        for number, table in enumerate(projection.merging)
        for part in range(parts)
    ]
    yield [*states, *runs]
    yield _builds(projections, "indexes")
    yield [Analyze(p.name, table) for p in projections for table in p.table_names]


def _builds(projections: Sequence[Projection], part: Part) -> list[Task]:
    return [
        Build(projection.name, part, number)
        for projection in projections
        for number in range(len(projection_statements(projection, part)))
    ]
