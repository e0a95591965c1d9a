"""The pure folds: any order, duplicates and split into batches give the same states."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projector.folding.fold import contribute, fold_entity, group_by_entity
from projector.folding.tables import MergeTable
from projector.projections import IGNORED, PROJECTIONS
from projector.state.batch import by_name, decode_rows
from projector.zoom.catalogue import CATALOGUE, EVENTS
from projector.zoom.events import Event, digest_of
from tests.oracle.histories import as_log, histories

LogRow = tuple[int, int, bytes, bytes, bool]
Delivered = Any  # a body and its offset, as the strategy draws them


def log_rows(history: list[Delivered]) -> list[LogRow]:
    return [
        (d.position, round(d.received_at.timestamp() * 1e6), digest_of(d.body), d.body, d.own)
        for d in as_log(history)
    ]


def fold_all(rows_in_arrival_order: list[list[LogRow]]) -> dict[str, dict[Any, Any]]:
    """Fold one batch after another, as the runtime does; returns all states."""
    states: dict[str, dict[Any, Any]] = {}
    past: dict[Any, list[Event]] = {}
    for batch in rows_in_arrival_order:
        events = by_name(decode_rows(batch))
        for projection in PROJECTIONS:
            for table in projection.tables:
                rows = states.setdefault(table.name, {})
                if isinstance(table, MergeTable):
                    brought: dict[Any, Any] = {}
                    contribute(table, events, brought)
                    for key, row in brought.items():
                        rows[key] = table.merge(rows[key], row) if key in rows else row
                    continue
                for key, new in group_by_entity(table, events).events.items():
                    known = past.setdefault((table.name, key), [])
                    state = rows.get(key)
                    if state is not None and min(e.order for e in new) > state.folded:
                        rows[key], _ = fold_entity(table, state, new)
                    else:
                        rows[key], _ = fold_entity(table, table.start(key), known + new)
                    known += new
    return states


@given(histories(1, 80), st.integers(0, 2**32))
def test_any_order_and_split_gives_the_same_states(history: list[Delivered], seed: int) -> None:
    rows = log_rows(history)
    straight = fold_all([rows])
    chance = random.Random(seed)
    shuffled = rows[:]
    chance.shuffle(shuffled)
    split = []
    while shuffled:
        size = chance.randint(1, 7)
        split.append(shuffled[:size])
        shuffled = shuffled[size:]
    assert fold_all(split) == straight


def test_every_event_is_folded_or_ignored_on_purpose() -> None:
    folded = {name for p in PROJECTIONS if p.name != "freshness" for name in p.events}
    assert folded | IGNORED == set(CATALOGUE.names)
    assert len(EVENTS) == 21
