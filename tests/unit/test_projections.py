"""The list of events: each is folded, owned by one projection, and has its own payload file."""

import json
from pathlib import Path

import pytest

from projector.folding.tables import MergeTable, SequenceTable
from projector.projections import IGNORED, PROJECTIONS, projection_named
from projector.zoom.catalogue import ALIASES, CATALOGUE, EVENTS
from projector.zoom.events import decode_event, digest_of
from tests.oracle.naive_events import (
    ACCEPTANCES,
    CREATIONS,
    DELIVERIES,
    OTHER_RANK,
    OWN,
    OWNERS,
    RANKS,
)

PAYLOADS = Path(__file__).parent.parent / "payloads"
OUR_OWN = {
    json.loads(line)["event"]: line
    for name in ("observations", "acts", "declarations")
    for line in (PAYLOADS / f"{name}.ndjson").read_bytes().splitlines()
}
DOMAIN = [projection for projection in PROJECTIONS if projection.name != "freshness"]


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def test_there_are_the_21_events_of_the_reference() -> None:
    assert len(set(EVENTS)) == len(EVENTS) == 21
    assert all(name.startswith(("user.", "group.")) for name in EVENTS)
    assert set(EVENTS) == set(DELIVERIES)
    assert {row.name for row in CATALOGUE.rows if row.own} == set(OWN)
    assert {row.name: row.rank for row in CATALOGUE.rows if row.name in RANKS} == RANKS
    assert all(row.rank == OTHER_RANK for row in CATALOGUE.rows if row.name not in RANKS)
    assert set(ALIASES.values()) <= set(EVENTS)
    assert not set(ALIASES) & set(EVENTS)


def test_lives_begin_and_end_where_the_contract_says() -> None:
    begins = {name for entity in ("user", "group") for name in CATALOGUE.beginning(entity)}
    assert begins == CREATIONS | ACCEPTANCES | {"rest.user_observed", "rest.group_observed"}
    assert CATALOGUE.beginning("group") == ("group.created", "rest.group_observed")
    assert set(CATALOGUE.ending("user")) == {
        "user.disassociated", "user.deleted", "rest.user_gone",
    }  # fmt: skip
    assert CATALOGUE.ending("group") == ("group.deleted", "rest.group_gone")


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_folded_or_deliberately_ignored(name: str) -> None:
    folding = {projection.name for projection in DOMAIN if name in projection.events}
    assert (name in IGNORED) != (OWNERS[name] in folding)
    assert name in projection_named("freshness").events


def test_no_projection_listens_to_what_there_is_not() -> None:
    for projection in PROJECTIONS:
        assert projection.events <= set(CATALOGUE.names), projection.name


def test_observations_are_no_deliveries_that_freshness_counts() -> None:
    assert projection_named("freshness").events == set(EVENTS)


@pytest.mark.parametrize("name", CATALOGUE.names)
def test_every_event_has_a_payload_that_changes_something(name: str) -> None:
    own = name in OUR_OWN
    body = OUR_OWN[name] if own else payload(name)
    event = decode_event(1, 2**60, digest_of(body), body, own)
    assert event is not None
    assert event.name == name
    assert event.account_id
    assert event.entity_id
    rows = 0
    for table in projection_named(OWNERS[name]).tables:
        if isinstance(table, MergeTable) and name in table.rows:
            rows += sum(isinstance(row, table.row) for row in table.rows[name]([event]))
        elif isinstance(table, SequenceTable) and name in table.steps:
            start = table.start(table.key_of(event))
            rows += table.steps[name](start, event) != start
    assert rows, "its owner makes nothing of it"


def test_the_story_has_every_event_once() -> None:
    lines = (PAYLOADS / "all.ndjson").read_bytes().splitlines()
    names = [json.loads(line)["event"] for line in lines]
    assert sorted(ALIASES.get(name, name) for name in names) == sorted(EVENTS)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_a_projection_is_a_value_with_a_version_and_tables(projection: object) -> None:
    assert projection.name.isidentifier()
    assert projection.version >= 1
    assert projection.tables
    for table in projection.tables:
        assert 0 < table.key < len(table.row._fields)


def test_a_name_that_there_is_not_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        projection_named("usres")
