"""Versions, pure: what an entity was from each event on, in whatever order the events came."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.folding.change import Change, Stored, asked_by, fold_batch
from projector.folding.documents import ABSENT, changed_leaves, merge
from projector.folding.fold import late_entities
from projector.folding.tables import STANDS, Key, Row, VersionsTable
from projector.history.cursor import Cursor, CursorRefused, folds_of, parsed_cursor
from projector.history.feed import TOLD
from projector.projections import PROJECTIONS
from projector.state.batch import by_name, decode_rows
from projector.zoom.events import Event
from tests.oracle.histories import histories
from tests.unit.test_folds_against_oracle import LogRow, log_rows

Delivered = Any
Tables = dict[VersionsTable, dict[tuple[Any, ...], Row]]


class Memory:
    """The tables of one projection, as the database would hold them."""

    def __init__(self) -> None:
        self.states: dict[Key, Row] = {}
        self.past: dict[Key, list[Event]] = {}
        self.versions: Tables = {}

    def write(self, change: Change) -> None:
        self.states |= change.new | change.changed
        for table, some in change.versions.items():
            held = self.versions.setdefault(table, {})
            for row in some.new:
                assert row[: table.key] not in held, "a version that was thought to be new"
            for row in (*some.new, *some.changed):
                held[row[: table.key]] = row
            for *key, until in some.ended:
                held[tuple(key)] = held[tuple(key)]._replace(until=until)


def fold_in(batches: list[list[LogRow]]) -> list[Tables]:
    """Fold batch after batch, as the store does; returns the versions of each projection."""
    memories = [Memory() for _ in PROJECTIONS]
    for batch in batches:
        events = by_name(decode_rows(batch))
        for projection, memory in zip(PROJECTIONS, memories, strict=True):
            asked = asked_by(projection, events)
            stored = Stored()
            grouped = asked.grouped.events
            stored.states = {k: memory.states[k] for k in grouped if k in memory.states}
            late = late_entities(stored.states, grouped)
            stored.past = {key: memory.past[key] for key in late}
            for table, rows in asked.rows.items():
                assert table.versions is not None
                held = memory.versions.get(table.versions, {})
                stored.versions[table] = {
                    key: [
                        row
                        for row in held.values()
                        if row[: table.key] == key and row.until > min(by_order)
                    ]
                    for key, by_order in rows.items()
                }
            memory.write(fold_batch(projection, events, asked, stored))
            for key, new in grouped.items():
                memory.past[key] = memory.past.get(key, []) + new
    return [memory.versions for memory in memories]


@given(histories(1, 60), st.integers(0, 2**32))
def test_any_order_and_split_gives_the_same_versions(history: list[Delivered], seed: int) -> None:
    rows = log_rows(history)
    straight = fold_in([rows])
    chance = random.Random(seed)
    shuffled = rows[:]
    chance.shuffle(shuffled)
    split = []
    while shuffled:
        size = chance.randint(1, 7)
        split.append(shuffled[:size])
        shuffled = shuffled[size:]
    assert fold_in(split) == straight


@given(histories(1, 60))
def test_versions_follow_one_another_and_the_last_stands(history: list[Delivered]) -> None:
    for tables in fold_in([[row] for row in log_rows(history)]):
        for table, held in tables.items():
            by_entity: dict[Any, list[Row]] = {}
            for row in held.values():
                by_entity.setdefault(row[: table.key - 1], []).append(row)
            for rows in by_entity.values():
                rows.sort(key=lambda row: row.folded)
                assert all(row.folded < row.until for row in rows)
                assert [row.until for row in rows] == [r.folded for r in rows[1:]] + [STANDS]


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.lists(st.integers(0, 1)))


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from("abc"), values, min_size=1, max_size=3)


DOCUMENTS = objects(LEAVES | objects(LEAVES | objects(LEAVES)))


@given(DOCUMENTS, DOCUMENTS)
def test_changed_leaves_are_all_that_differs(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Clearing what is not there any more, and setting what is, makes the one of the other."""
    made = merge(before, {}, {})
    told = list(changed_leaves(before, after))
    for path, old, new in told:
        assert old is not ABSENT or new is not ABSENT
        if new is ABSENT:
            made = merge(made, {}, nested(path, old))
    for path, _, new in told:
        if new is not ABSENT:
            made = merge(made, nested(path, new), {})
    assert made == after
    # As JSON: Python takes 0 and False for equal.
    assert bool(told) == (json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True))


def nested(path: tuple[str, ...], value: Any) -> Any:
    for name in reversed(path):
        value = {name: value}
    return value


@given(st.uuids(), st.integers(0, 2**62), st.binary(max_size=8), st.binary(min_size=9, max_size=9))
def test_a_cursor_comes_back_as_it_was(
    epoch: Any, position: int, digest: bytes, told: bytes
) -> None:
    cursor = Cursor(epoch, folds_of(TOLD), position, digest, told, position)
    assert parsed_cursor(f" {cursor}\n") == cursor


@pytest.mark.parametrize("text", ["", "c1", "c2.x", "c1.zz.1.2.3.4.5", "1; DROP TABLE x"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorRefused, match="--after takes a cursor"):
        parsed_cursor(text)
