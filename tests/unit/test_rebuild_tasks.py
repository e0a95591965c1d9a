"""The tasks of a rebuild: every position, table and slice once."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.folding.tables import Projection
from projector.projections import PROJECTIONS
from projector.rebuild import tasks
from projector.rebuild.tasks import (
    Analyze,
    Build,
    FoldStates,
    MergeRuns,
    MergeVersions,
    scans,
    stages,
)
from projector.schema.ddl import projection_statements


@given(
    target=st.integers(0, 300),
    size=st.integers(1, 50),
    processes=st.integers(1, 9),
    repeated=st.sets(st.integers(1, 300)),
)
def test_every_position_is_in_one_scan(
    target: int, size: int, processes: int, repeated: set[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "SCAN_POSITIONS", size)
        cut = list(scans(target, processes, sorted(repeated)))
    read = Counter[int]()
    for scan in cut:
        assert 0 < scan.end - scan.start <= size
        positions = range(scan.start + 1, scan.end + 1)
        read.update(positions)
        assert scan.repeated == sorted(repeated.intersection(positions))
    assert read == Counter(range(1, target + 1))
    assert cut == sorted(cut, key=lambda scan: -scan.start), "the newest first"
    assert len(cut) >= min(target, processes), "nobody is without work"


@given(st.lists(st.sampled_from(PROJECTIONS), unique=True, min_size=1), st.integers(1, 16))
def test_every_slice_of_every_table_is_filled_once_between_its_key_and_its_indexes(
    projections: list[Projection], parts: int
) -> None:
    keys, filling, indexes, analyses = stages(projections, parts)
    for part, stage in (("keys", keys), ("indexes", indexes)):
        built = [
            projection_statements(projection, build.part)[build.number]
            for projection in projections
            for build in stage
            if isinstance(build, Build)
            and (build.projection, build.part) == (projection.name, part)
        ]
        assert len(built) == len(stage)
        assert built == [s for p in projections for s in projection_statements(p, part)]
    assert analyses == [Analyze(p.name, table) for p in projections for table in p.table_names]
    expected = [
        (MergeVersions if table.versions else MergeRuns)(projection.name, number, part, parts)
        for projection in projections
        for number, table in enumerate(projection.merging)
        for part in range(parts)
    ] + [
        FoldStates(projection.name, part, parts)
        for projection in projections
        if projection.sequence is not None
        for part in range(parts)
    ]
    assert sorted(map(repr, filling)) == sorted(map(repr, expected))
