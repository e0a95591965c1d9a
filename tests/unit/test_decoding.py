"""Both ways of decoding a body give the same event: its place, and all that a fold can read."""

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.zoom.bodies import SECRETS
from projector.zoom.catalogue import ALIASES, CATALOGUE, EVENTS
from projector.zoom.events import Decoder, Event, decode_event

PAYLOADS = [path.read_bytes() for path in sorted(Path("tests/payloads").glob("*.json"))]
OUR_OWN = [
    line
    for name in ("observations", "acts", "declarations")
    for line in Path(f"tests/payloads/{name}.ndjson").read_bytes().splitlines()
]
PAYLOADS += OUR_OWN
OWN = {row.name for row in CATALOGUE.rows if row.own}
RECEIVED_US = 1_893_553_445_678_901
DIGEST = hashlib.sha256(b"").digest()
DECODER = Decoder(CATALOGUE)


class Literal(NamedTuple):
    """A value given as JSON text, for text that no Python value is encoded to."""

    text: str


class Pairs(list[tuple[str, Any]]):
    """A JSON object as a list of pairs, which may repeat a key."""


def tree(value: Any) -> Any:
    """A JSON value with objects as pairs."""
    if isinstance(value, dict):
        return Pairs((key, tree(item)) for key, item in value.items())
    return [tree(item) for item in value] if isinstance(value, list) else value


class Spelling:
    """Writes a tree as JSON, in one of the many possible ways."""

    def __init__(self, data: st.DataObject, *, escapes: bool) -> None:
        self._data = data
        self._escapes = escapes
        self._blank = data.draw(st.sampled_from(["", " ", "\n\t"]))
        self._reversed = data.draw(st.booleans())

    def write(self, value: Any) -> str:
        between = f",{self._blank}"
        if isinstance(value, Literal):
            return value.text
        if isinstance(value, Pairs):
            pairs = list(value)
            if self._reversed and len({key for key, _ in pairs}) == len(pairs):
                pairs.reverse()
            inside = [f"{self.text(k)}:{self._blank}{self.write(v)}" for k, v in pairs]
            return f"{{{self._blank}{between.join(inside)}}}"
        if isinstance(value, list):
            return f"[{between.join(map(self.write, value))}{self._blank}]"
        return self.text(value) if isinstance(value, str) else json.dumps(value)

    def text(self, text: str) -> str:
        if self._escapes and text and self._data.draw(st.booleans()):
            units = text.encode("utf-16-be", "surrogatepass").hex(" ", 2).split()
            return '"' + "".join(f"\\u{unit}" for unit in units) + '"'
        return json.dumps(text, ensure_ascii=False)


def body(data: st.DataObject, value: Any, *, escapes: bool = False) -> bytes:
    """A tree as a delivery's bytes; `escapes`: with a backslash somewhere."""
    text = Spelling(data, escapes=escapes).write(value)
    if escapes:
        text = text.replace('"event"', '"\\u0065vent"')
    return text.encode("utf-8", "surrogatepass")


# ---- deliveries as Zoom documents them, and what may become of them -------------------------------

DECLARED = sorted({name for row in CATALOGUE.rows for name in row.reads or ()})
KEYS = st.sampled_from(
    ["id", "host_key", "pmi_password", "settings", "device_name", "operator", "event", "event_ts",
     "account_id", "object", "old_object", "payload", "time_stamp", "date_time", "a\x00", "\ud800",
     "ü", "", *DECLARED]
)  # fmt: skip
LITERALS = st.sampled_from(
    ["1e400", "-1e400", "NaN", "-Infinity", "-0", "-0.0", "1.0", "1E5", "7" * 400, "7" * 5000,
     "123456789012345678901234567890", "9007199254740993"]
).map(Literal)  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers(-1, 2**70) | st.floats(allow_nan=False).map(str)
    | st.text(st.characters(exclude_categories=()), max_size=4) | LITERALS
    | st.sampled_from(["", "17", "x", "\x00", "ü\ud83d", RECEIVED_US // 1000, str(RECEIVED_US)])
)  # fmt: skip
SMALL = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=3).map(Pairs)
    ),
    max_leaves=5,
)


@st.composite
def deep(draw: st.DrawFn) -> Any:
    """A value nested so deeply that its event may not be foldable."""
    value, arrays = draw(SCALARS), draw(st.booleans())
    for _ in range(draw(st.sampled_from([96, 101, 200]))):
        value = [value] if arrays else Pairs([("k", value)])
    return value


VALUES = st.one_of(SMALL, SMALL, SMALL, deep())


def containers(value: Any) -> Iterator[Any]:
    """Every object and array of a tree, the outermost first."""
    if isinstance(value, list):
        yield value
        for item in value:
            yield from containers(item[1] if isinstance(value, Pairs) else item)


def shallow(value: Any) -> list[Any]:
    return [some for _, some in zip(range(25), containers(value), strict=False)]


def change(data: st.DataObject, value: Any) -> None:
    """Replace, remove, add, duplicate or wrap a random part of a tree."""
    place = data.draw(st.sampled_from(shallow(value)))
    if isinstance(place, Pairs):
        what = data.draw(st.sampled_from(["replace", "remove", "add", "double", "first"]))
        new = data.draw(VALUES)
        if what in ("add", "first") or not place:
            place.insert(0 if what == "first" else len(place), (data.draw(KEYS), new))
            return
        at = data.draw(st.integers(0, len(place) - 1))
        if what == "remove":
            del place[at]
        elif what == "replace":
            place[at] = (place[at][0], new)
        else:
            place.append((place[at][0], data.draw(st.sampled_from([place[at][1], new]))))
    elif place and data.draw(st.booleans()):
        place[data.draw(st.integers(0, len(place) - 1))] = data.draw(VALUES)
    else:
        place.append(data.draw(VALUES))


@st.composite
def deliveries(draw: st.DrawFn) -> Any:
    """A documented delivery, changed in up to four places."""
    value = tree(json.loads(draw(st.sampled_from(PAYLOADS))))
    data = draw(st.data())
    for _ in range(draw(st.integers(0, 4))):
        change(data, value)
    return value


# ---- what has to be equal -------------------------------------------------------------------------


def exact(value: Any) -> Any:
    """A value with its types: 1, 1.0 and True differ, and the order of keys does not matter."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    assert not isinstance(value, float) or math.isfinite(value)
    return repr(value)


def whole(event: Event | None, *, size: bool = True) -> Any:
    """Everything about an event."""
    if event is None:
        return None
    found = exact({name: getattr(event, name) for name in event.__struct_fields__})
    return found if size else found | {"size": None}


def both(raw: bytes) -> tuple[Any, Any]:
    """The results of the two ways for the same bytes."""
    rows = [(7, RECEIVED_US, DIGEST, raw, own) for own in (False, True)]
    usual = [whole(DECODER.usual(*row)) for row in rows]
    general = [whole(DECODER.general(*row)) for row in rows]
    assert usual.count(None) >= 1
    assert general.count(None) >= 1
    kind = int(usual[1] is not None or general[1] is not None)
    return usual[kind], general[kind]


def decoded(raw: bytes, *, own: bool = False) -> Event | None:
    return decode_event(7, RECEIVED_US, DIGEST, raw, own)


def delivery(name: str, inside: bytes) -> bytes:
    return b'{"event":"%b","event_ts":5,"payload":{"account_id":"a","object":{"id":"u",%b}}}' % (
        name.encode(), inside,
    )  # fmt: skip


@given(st.data(), deliveries())
def test_the_usual_way_refuses_a_body_or_makes_the_event_of_the_general_way(
    data: st.DataObject, value: Any
) -> None:
    usual, general = both(body(data, value))
    assert usual is None or usual == general


@given(st.data(), deliveries())
def test_the_same_delivery_spelled_otherwise_is_the_same_event(
    data: st.DataObject, value: Any
) -> None:
    plain, escaped = body(data, value), body(data, value, escapes=True)
    assert DECODER.usual(7, RECEIVED_US, DIGEST, escaped) is None or b"\\" not in escaped
    assert whole(decoded(plain), size=False) == whole(decoded(escaped), size=False)


@given(st.data(), st.sampled_from(PAYLOADS))
def test_damaged_bytes_are_the_same_event_or_none_in_both_ways(
    data: st.DataObject, payload: bytes
) -> None:
    raw = bytearray(json.dumps(json.loads(payload), ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    usual, general = both(bytes(raw))
    assert usual is None or usual == general


ODD = (
    None, "", "x", "17", 0, -1, 17, 1.0, True, [], {}, [{}], {"id": "x"}, 2**64, "\u0000",
    RECEIVED_US // 1000 + 86_400_000, RECEIVED_US // 1000 + 86_400_001,
)  # fmt: skip


@pytest.mark.parametrize("name", [*EVENTS, *ALIASES])
def test_oddities_where_the_place_of_an_event_is_said(name: str) -> None:
    places: tuple[tuple[str, ...], ...] = (
        ("event_ts",), ("operator",), ("payload",), ("payload", "account_id"),
        ("payload", "operator"), ("payload", "object"), ("payload", "object", "id"),
        ("payload", "old_object"), ("payload", "time_stamp"), ("payload", "object", "date_time"),
    )  # fmt: skip
    usual_ones = 0
    for *path, last in places:
        for odd in ODD:
            value = json.loads(delivery(name, b'"email":"e"'))
            place = value
            for key in path:
                place = place[key]
            place[last] = odd
            usual, general = both(json.dumps(value, ensure_ascii=False).encode())
            usual_ones += usual is not None
            assert usual is None or usual == general, (path, last, odd)
    assert usual_ones > len(places)


@pytest.mark.parametrize("name", [*EVENTS, *ALIASES])
@pytest.mark.parametrize(
    "inside",
    [
        b'"device_name":"x"',
        b'"device":{"host_key":"1"},"email":"x"',
        b'"email":{"host_key":"1"}',
        b'"app":{"host_key":"1","type":"desktop"},"members":[{"id":"m","pmi_password":"1"}]',
        b'"app":[{"type":1,"x":1}],"admins":{"id":"m","host_key":"1"}',
        b'"members":[[{"id":"m","x":1}],null,7]',
        b'"personal_notes":"a","personal_notes":7,"id":"v"',
        b'"x":"\xff"',
        b'"x":"\xed\xa0\x80"',
        b'"x":1e400',
        b'"x":' + b"[" * 300 + b"]" * 300,
        b'"object":1},"old_object":{"id":"u","x":1,"personal_notes":"b"},"x":{"y":1',
        b'"object":1},"old_object":{"id":"","personal_notes":"b"},"x":{"y":1',
        b'"object":1},"old_object":[],"operator":7,"x":{"y":1',
    ],
)
def test_what_no_fold_reads_is_dropped_in_both_ways(name: str, inside: bytes) -> None:
    raw = delivery(name, inside)
    usual, general = both(raw)
    assert usual is None or usual == general
    escaped = decoded(raw.replace(b'"event"', b'"\\u0065vent"'))
    assert whole(escaped, size=False) == whole(decoded(raw), size=False)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda raw: json.loads(raw)["event"])
def test_a_delivery_as_documented_goes_the_usual_way(
    payload: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = json.loads(payload)
    for holder in (value["payload"].get("object", {}), value["payload"].get("old_object", {})):
        for secret in SECRETS:
            holder.pop(secret, None)
    raw = json.dumps(value | {"event_ts": 1}, ensure_ascii=False).encode()
    general: list[bytes] = []
    monkeypatch.setattr(Decoder, "general", lambda *row: general.append(row[-2]))
    assert (decoded(raw, own=value["event"] in OWN) is not None) == (not general)
    assert not general or any(secret.encode() in raw for secret in SECRETS)


def test_an_event_without_documents_holds_what_the_catalogue_declares_and_no_more() -> None:
    for row in CATALOGUE.rows:
        event = decoded(delivery(row.name, b'"device_name":"x","host_key":"1"'), own=row.own)
        assert event is not None
        expected = {"id": "u"} if row.reads is not None else {"id": "u", "device_name": "x"}
        assert event.object == expected
        assert (event.payload == {}) == (row.reads is not None)


@pytest.mark.parametrize("raw", OUR_OWN)
def test_an_observation_is_an_event_of_our_own_and_nothing_by_http(raw: bytes) -> None:
    assert decoded(raw) is None
    event = decoded(raw, own=True)
    assert event is not None
    assert event.name in OWN


@pytest.mark.parametrize("name", [*EVENTS, "rest.unheard_of", "meeting.started"])
def test_nothing_else_is_a_fact_of_our_own(name: str) -> None:
    assert decoded(delivery(name, b'"email":"e"'), own=True) is None


def test_every_fact_of_our_own_has_a_payload() -> None:
    assert {json.loads(raw)["event"] for raw in OUR_OWN} == OWN
