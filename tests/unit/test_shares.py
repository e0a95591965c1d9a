"""The projections of a rebuild are dealt out so that every event is folded once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.folding.tables import MergeTable, Projection
from projector.projections import PROJECTIONS
from projector.rebuild.shares import EVERYWHERE, deal

some_projections = st.lists(st.sampled_from(PROJECTIONS), unique=True, min_size=1)


@given(some_projections, st.integers(1, 5))
def test_every_event_of_every_projection_is_in_one_share(
    projections: list[Projection], most: int
) -> None:
    shares = deal(projections, most)
    assert 1 <= len(shares) <= most
    assert all(shares)
    for projection in projections:
        parts = [share[projection] for share in shares if projection in share]
        assert frozenset().union(*parts) == projection.events
        assert sum(map(len, parts)) == len(projection.events)
        if projection.name not in EVERYWHERE:
            assert len(parts) == 1
    assert {p for share in shares for p in share} == set(projections)


def test_only_rows_that_merge_are_dealt_out_by_event() -> None:
    chosen = [projection for projection in PROJECTIONS if projection.name in EVERYWHERE]
    assert len(chosen) == len(EVERYWHERE)
    for projection in chosen:
        assert all(isinstance(table, MergeTable) for table in projection.tables)


@pytest.mark.parametrize("most", [1, 2])
def test_no_event_is_decoded_for_the_sake_of_counting_it(most: int) -> None:
    shares = deal(PROJECTIONS, most)
    assert len(shares) == most
    others = [
        frozenset().union(*(e for p, e in share.items() if p.name not in EVERYWHERE))
        for share in shares
    ]
    for share, read in zip(shares, others, strict=True):
        counted = [events for p, events in share.items() if p.name in EVERYWHERE]
        assert all(events <= read for events in counted)
