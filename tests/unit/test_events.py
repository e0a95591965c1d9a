"""Events: any bytes are decoded or ignored, without an exception; each has its place in time."""

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.zoom.bodies import SECRETS, clean, decode_clean, decode_json
from projector.zoom.catalogue import ALIASES, CATALOGUE, EVENTS
from projector.zoom.delivery import delivery_of, head_of
from projector.zoom.event_time import DAY_MS, event_time
from projector.zoom.events import Event, decode_event, identifier
from tests.delivery_bodies import bodies
from tests.oracle import naive_values
from tests.oracle.naive_events import Delivery, in_event_order

RECEIVED = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
RECEIVED_US = 1_893_553_445_678_901
RECEIVED_MS = RECEIVED_US // 1000

names = st.sampled_from(["host_key", "pmi_password", "Host_Key", "email", "a\x00b", "a\ud800"])
texts = st.text(st.characters(exclude_categories=()), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | texts, inner, max_size=3),
    max_leaves=12,
)


def around(inside: bytes, event: str = "user.updated") -> bytes:
    """The bytes of a delivery whose object has one value, under the key `x`."""
    head = b'{"event":"%b","event_ts":1,"payload":{"account_id":"a","object":{"id":"u","x":' % (
        event.encode()
    )
    return head + inside + b"}}}"


def decoded(body: bytes) -> Event | None:
    """The event of a body."""
    return decode_event(1, RECEIVED_US, hashlib.sha256(body).digest(), body)


@pytest.mark.parametrize("levels", [101, 300, 600, 900])
@pytest.mark.parametrize("opening", [b'{"\\u0041":', b'{"a":', b"["])
def test_an_event_nested_too_deeply_is_told_from_none_whatever_its_spelling(
    opening: bytes, levels: int
) -> None:
    closing = b"]" if opening == b"[" else b"}"
    inside = opening * levels + b'"\\u0000"' + closing * levels
    deep = decoded(around(inside))
    assert deep is not None
    assert deep.too_deep
    assert (deep.account_id, deep.entity_id) == ("a", "u")
    shallow = decoded(around(inside, "user.signed_in"))
    assert shallow is not None
    assert not shallow.too_deep


@pytest.mark.parametrize("digits", [400, 4300, 4301, 100_000])
def test_a_number_of_any_length_is_folded_around(digits: int) -> None:
    event = decoded(around(b"7" * digits))
    assert event is not None
    assert event.entity_id == "u"
    assert (event.object or {})["x"] is None or digits <= 4300
    absurd = b'{"event":"user.updated","event_ts":%b,"payload":{"account_id":"a"}}' % (
        b"7" * digits
    )
    assert head_of(absurd).account_id == "a"
    assert delivery_of(absurd, head_of(absurd), received_at=RECEIVED).event_ts is None


def spelled(value: Any) -> str:
    """A value with its types: 1, 1.0 and True differ, NaN equals itself."""
    return repr(value)


def strings(value: Any) -> list[str]:
    """Every text of a value, keys included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def read(body: bytes) -> Event | None:
    return decode_event(7, RECEIVED_US, hashlib.sha256(body).digest(), body)


# ---- decoding ------------------------------------------------------------------------------------


@given(values, st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-be"]))
def test_json_is_what_python_takes_for_it(value: Any, ascii_only: bool, encoding: str) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode(encoding, "surrogatepass")
    assert spelled(decode_json(body)) == spelled(json.loads(body))


@given(st.data())
def test_what_python_refuses_is_refused(data: st.DataObject) -> None:
    body = bytearray(data.draw(bodies))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + 1] = data.draw(st.binary(max_size=2))
    try:
        expected = spelled(json.loads(bytes(body)))
    except (ValueError, RecursionError):
        with pytest.raises(ValueError):  # noqa: PT011  any subclass
            decode_json(bytes(body))
    else:
        assert spelled(decode_json(bytes(body))) == expected


@pytest.mark.parametrize(
    "number",
    ["1e400", "-1e400", "1e-400", "0.1", "-0", "-0.0", "1E5", "123456789012345678901234567890"],
)
def test_numbers_are_exact(number: str) -> None:
    assert spelled(decode_json(number.encode())) == spelled(json.loads(number))


@given(st.binary(max_size=60) | bodies)
def test_no_bytes_make_it_raise(body: bytes) -> None:
    event = read(body)
    assert event is None or isinstance(event.name, str)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"7", b'"user.created"', b"{}", b'{"event": null}', b'{"event": 7}',
        b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"event": "user.created"',
    ],
)  # fmt: skip
def test_what_is_no_event_is_none(body: bytes) -> None:
    assert read(body) is None


def test_an_erased_body_is_none() -> None:
    assert decode_event(7, RECEIVED_US, b"\0" * 32, None) is None


@given(bodies)
def test_an_event_holds_nothing_that_the_database_could_not(body: bytes) -> None:
    event = read(body)
    assert event is not None
    held = [event.object, event.old_object, event.payload, event.operator]
    for text in (*strings(held), event.account_id or "", event.entity_id or ""):
        assert "\x00" not in text
        text.encode()  # no lone surrogate


# ---- cleaning ------------------------------------------------------------------------------------


@given(values)
def test_a_clean_value_has_no_secret_and_nothing_that_state_cannot_hold(value: Any) -> None:
    cleaned = clean(value)
    assert not keys(cleaned) & SECRETS
    for text in strings(cleaned):
        assert "\x00" not in text
        text.encode()
    json.dumps(cleaned, allow_nan=False)
    assert spelled(clean(cleaned)) == spelled(cleaned)


@given(values)
def test_cleaning_is_what_the_naive_reading_says(value: Any) -> None:
    assert spelled(clean(value)) == spelled(naive_values.clean(value))


@given(values)
def test_the_short_cut_changes_nothing(value: Any) -> None:
    body = json.dumps({"event": "user.updated", "payload": value}).encode()
    assert spelled(decode_clean(body)) == spelled(clean(json.loads(body)))
    escaped = body.replace(b"host_key", b"\\u0068ost_key")
    assert spelled(decode_clean(escaped)) == spelled(clean(json.loads(escaped)))


def test_texts_are_mended_a_character_at_a_time() -> None:
    assert clean("a\x00b\ud83dc\ude00") == "a\ufffdb\ufffdc\ufffd"
    assert clean({"k\x00": [math.nan, math.inf, 1.5]}) == {"k\ufffd": [None, None, 1.5]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("x", "x"), (" ", " "), ("", None), (17, "17"), (0, "0"), (True, None), (1.0, None),
     (None, None), ([], None), ({}, None)],
)  # fmt: skip
def test_an_id_is_a_text_or_an_integer(value: object, expected: str | None) -> None:
    assert identifier(value) == expected


# ---- time ----------------------------------------------------------------------------------------

LATEST = RECEIVED_MS + DAY_MS
instants = (
    st.none() | st.booleans() | st.floats() | st.integers(-1000, RECEIVED_MS)
    | st.integers(LATEST - 2, LATEST + 2) | st.integers(LATEST - 2, LATEST + 2).map(str)
    | st.datetimes(datetime(1960, 1, 1), datetime(2040, 1, 1)).map(datetime.isoformat)  # noqa: DTZ001
    | st.sampled_from(["", "x", "12 ", "+12", "1_000", "\u0663", "2030-01-01T00:00:00Z", "9" * 30])
)  # fmt: skip


@given(st.lists(instants, min_size=5, max_size=5))
def test_event_time_is_what_the_naive_reading_says(given: list[Any]) -> None:
    places = {"date_time": given[3], "date-time": given[4]}
    body = {
        "event_ts": given[0],
        "time_stamp": given[2],
        "payload": {"time_stamp": given[1], "object": places},
    }
    assert event_time(body, RECEIVED_MS) == naive_values.event_time(body, RECEIVED)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"event_ts": 5, "payload": {"time_stamp": 6}}, 5),
        ({"event_ts": "5"}, 5),
        ({"event_ts": 5.0, "payload": {"time_stamp": "6"}}, 6),
        ({"event_ts": True, "time_stamp": 7, "payload": {"object": {"date_time": "8"}}}, 7),
        ({"event_ts": -1, "payload": {"object": {"date_time": "1970-01-01T00:00:01Z"}}}, 1000),
        ({"payload": {"object": {"date_time": 9}}}, 9),
        ({"payload": {"object": {"date-time": "1970-01-01T01:00:00.0015+01:00"}}}, 1),
        ({"payload": {"object": {"date-time": "1970-01-01T00:00:02"}}}, 2000),
        ({"event_ts": LATEST}, LATEST),
        ({"event_ts": LATEST + 1}, RECEIVED_MS),
        ({"event_ts": LATEST + 1, "time_stamp": 3}, 3),
        ({"payload": []}, RECEIVED_MS),
        ({"payload": {"object": 7}}, RECEIVED_MS),
    ],
)
def test_event_time_is_the_first_plausible_of_five_places(
    body: dict[str, Any], expected: int
) -> None:
    assert event_time(body, RECEIVED_MS) == expected


@given(st.lists(st.sampled_from(EVENTS), min_size=2, max_size=6), st.integers(0, 2))
def test_events_sort_by_time_then_rank_then_digest(some: list[str], spread: int) -> None:
    sent = [
        json.dumps({"event": name, "event_ts": number % (spread + 1), "number": number}).encode()
        for number, name in enumerate(some)
    ]
    events = sorted((event for body in sent if (event := read(body))), key=lambda e: e.order)
    naive = in_event_order(Delivery(at, RECEIVED, body) for at, body in enumerate(sent, 1))
    assert [event.name for event in events] == [event.name for event in naive]
    assert [(e.time_ms, CATALOGUE.by_sent_name[e.name].rank, e.order[-32:]) for e in events] == [
        event.order for event in naive
    ]


# ---- what an event says --------------------------------------------------------------------------


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_its_event(alias: str) -> None:
    event = read(json.dumps({"event": alias}).encode())
    assert event is not None
    assert event.name == ALIASES[alias]


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        ({"id": "u", "dept": "x"}, {"id": "u", "dept": "x"}),
        ({"dept": "x"}, {"dept": "x"}),
        ({}, {}),
        ({"id": "", "dept": "x"}, None),
        ({"id": None, "dept": "x"}, None),
        ([], None),
        (None, None),
    ],
)
def test_an_old_object_with_a_blank_id_is_a_placeholder(old: object, expected: object) -> None:
    event = read(json.dumps({"event": "user.updated", "payload": {"old_object": old}}).encode())
    assert event is not None
    assert event.old_object == expected


def test_the_operator_is_the_payloads_and_else_the_top_level_one() -> None:
    for body, expected in (
        ({"operator": "top", "payload": {"operator": "inner"}}, "inner"),
        ({"operator": "top", "payload": {"operator": ""}}, "top"),
        ({"payload": {}}, None),
    ):
        event = read(json.dumps({"event": "user.updated", **body}).encode())
        assert event is not None
        assert event.operator == expected
