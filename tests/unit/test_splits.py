"""However a rebuild splits, skims and skips the log, it gives the rows of one pass in order."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.folding.fold import contribute, telling
from projector.folding.tables import DeadLetter, Key, MergeTable, Row, SequenceTable
from projector.folding.unfoldable import Unfoldable
from projector.projections import PROJECTIONS
from projector.state.batch import by_name, decode_rows, skim_rows
from projector.zoom.events import Event, decode_event, digest_of, skim_event
from tests.oracle.histories import as_log, histories, source_of
from tests.oracle.naive_events import OWN_SOURCES
from tests.oracle.story import RECEIVED, event
from tests.unit.test_decoding import DIGEST, ODD, PAYLOADS, RECEIVED_US, body, deliveries

MERGING = [table for projection in PROJECTIONS for table in projection.merging]
SEQUENCES = [projection.sequence for projection in PROJECTIONS if projection.sequence is not None]

LogRow = tuple[int, int, bytes, bytes, bool]
Folded = dict[str, dict[Key, Row]]


# ---- runs ------------------------------------------------------------------------------------------


@st.composite
def activities(draw: st.DrawFn) -> bytes:
    """An event of a merge table that shares its key, perhaps also its time, with others."""
    at, user = draw(st.integers(0, 4)), draw(st.sampled_from(["u", "U", "v"]))
    person = {"id": user} | draw(st.sampled_from([{}, {}, {"email": "a@x"}, {"email": "b@x"}]))
    status = st.sampled_from(["Away", "Busy", "Offline"])
    match draw(st.sampled_from(["presence", "signs", "entries", "marks", "removals"])):
        case "presence":
            return event(
                "user.presence_status_updated", at, person | {"presence_status": draw(status)}
            )
        case "signs":
            name = draw(st.sampled_from(["user.signed_in", "user.signed_out"]))
            return event(name, at, person | {"client_type": "mac", "version": draw(status)})
        case "entries":
            name = draw(st.sampled_from(["group.member_added", "group.member_deleted"]))
            entries = [person, {"id": user, "email": draw(status)}]
            return event(name, at, {"id": "g", "members": entries}, operator=draw(status))
        case "marks":
            operation = "sign_out_from_all_devices"
            return event("user.updated", at, person, operation=operation, operator=draw(status))
        case _:
            return event("user.deleted", at, person, operator=draw(status))


@st.composite
def logs(draw: st.DrawFn) -> list[LogRow]:
    """Distinct events of a history and of activities, in any order."""
    history = as_log(draw(histories(0, 60)))
    known = [(d.body, round(d.received_at.timestamp() * 1e6)) for d in history]
    received_us = round(RECEIVED.timestamp() * 1e6)
    known += [(raw, received_us) for raw in draw(st.lists(activities(), max_size=25))]
    distinct = draw(st.permutations(sorted(dict(known).items())))
    return [
        (n, received, digest_of(raw), raw, source_of(raw) in OWN_SOURCES)
        for n, (raw, received) in enumerate(distinct, 1)
    ]


def in_one_pass(rows: list[LogRow]) -> tuple[Folded, set[DeadLetter]]:
    events = by_name(decode_rows(rows))
    folded: Folded = {}
    dead: set[DeadLetter] = set()
    for table in MERGING:
        dead.update(contribute(table, events, folded.setdefault(table.name, {})))
    return folded, dead


def run_of(
    table: MergeTable, rows: list[LogRow], chance: random.Random
) -> tuple[dict[Key, Row], list[DeadLetter]]:
    """The rows of a table that a process holds after it scanned these rows of the log, page by page."""
    found: dict[Key, Row] = {}
    dead: list[DeadLetter] = []
    read = chance.choice([decode_rows, skim_rows])
    superseding = chance.random() < 0.7
    left = rows[:]
    while left:
        size = chance.randint(1, 9)
        page, left = left[:size], left[size:]
        events = by_name(read(page))
        told = telling(table, events, found) if superseding else events
        dead += contribute(table, told, found)
    return found, dead


@given(logs(), st.integers(1, 6), st.randoms(use_true_random=False))
def test_any_runs_merged_in_any_order_are_the_rows_of_one_pass(
    rows: list[LogRow], count: int, chance: random.Random
) -> None:
    expected, expected_dead = in_one_pass(rows)
    dead: set[DeadLetter] = set()
    for table in MERGING:
        parts: list[list[LogRow]] = [[] for _ in range(count)]
        for row in chance.sample(rows, len(rows)):
            chance.choice(parts).append(row)
        if chance.random() < 0.5:
            for part in parts:
                part.sort(reverse=True)
        runs = []
        for part in parts:
            run, letters = run_of(table, part, chance)
            runs.append(run)
            dead.update(letters)
        while len(runs) > 1:
            one, other = (runs.pop(chance.randrange(len(runs))) for _ in range(2))
            for key, row in other.items():
                one[key] = table.merge(one[key], row) if key in one else row
            runs.append(one)
        assert runs == [expected[table.name]], table.name
    assert dead == expected_dead


# ---- skimming --------------------------------------------------------------------------------------


def key_or_reason(table: SequenceTable, event: Event) -> Any:
    try:
        return table.key_of(event)
    except Unfoldable as error:
        return str(error)


def told(event: Event | None) -> Any:
    """All that a scan takes from an event: rows and dead letters of merge tables, and its entity."""
    if event is None:
        return None
    rows = {
        table.name: list(table.rows[event.name]([event]))
        for table in MERGING
        if event.name in table.rows
    }
    keys = {
        table.name: key_or_reason(table, event)
        for table in SEQUENCES
        if event.name in table.steps
    }  # fmt: skip
    return event.name, event.position, event.order, event.too_deep, rows, keys


def assert_skimmed_is_enough(raw: bytes) -> None:
    row = (7, RECEIVED_US, DIGEST, raw)
    assert told(skim_event(*row)) == told(decode_event(*row))


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda raw: json.loads(raw)["event"])
def test_a_skimmed_delivery_tells_a_scan_all_that_it_needs(payload: bytes) -> None:
    assert_skimmed_is_enough(payload)
    value = json.loads(payload)
    assert_skimmed_is_enough(json.dumps(value | {"event_ts": 1}, ensure_ascii=False).encode())
    places = [
        (holder, name)
        for holder in (value, value["payload"], value["payload"].get("object", {}))
        for name in {*holder, "id", "email", "operation", "operator", "account_id", "old_object"}
    ]
    for holder, name in places:
        before = dict(holder)
        for odd in (*ODD, "sign_out_from_all_devices"):
            holder[name] = odd
            assert_skimmed_is_enough(json.dumps(value, ensure_ascii=False).encode())
        holder.pop(name)
        assert_skimmed_is_enough(json.dumps(value, ensure_ascii=False).encode())
        holder.clear()
        holder.update(before)


@given(st.data(), deliveries(), st.booleans())
def test_a_skimmed_delivery_of_any_shape_does_too(
    data: st.DataObject, value: Any, escapes: bool
) -> None:
    assert_skimmed_is_enough(body(data, value, escapes=escapes))
