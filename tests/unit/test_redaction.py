"""Redaction: what stays, what becomes a pseudonym, and that nothing else happens to a body."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.zoom.bodies import DEEPEST, decode_json, is_nested_too_deeply
from projector.zoom.delivery import LARGEST_INT8
from projector.zoom.redaction import Redactor
from tests.delivery_bodies import bodies


def redacted(document: Any) -> Any:
    return json.loads(Redactor().body(json.dumps(document).encode()) or b"null")


def value(name: str, what: Any, *, within: str | None = None) -> Any:
    """What becomes of a value under a name, within an object or not."""
    document = {name: what} if within is None else {within: {name: what}}
    found = redacted({"event": "user.updated", "payload": {"object": document}})
    inner = found["payload"]["object"]
    return (inner if within is None else inner[within])[name]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("id", "jN0s_Tq7VbXe3RfGy6UwLA"), ("account_id", "A/b+c=="), ("group_ids", ["g-1", "g_2"]),
        ("event_ts", 1772439245090), ("time_stamp", "1772439245090"),
        ("date_time", "2026-03-03T06:50:17Z"), ("date_time", "2026-03-03T06:50:17.123+01:00"),
        ("client_type", "win"), ("presence_status", "In_Meeting"), ("version", "6.3.11.50104"),
        ("status", "pending"), ("type", 2), ("type", "2"), ("login_type", 101), ("use_pmi", True),
        ("use_pmi", "true"), ("meeting_capacity", 300), ("data_center_regions", ["DE", "NL"]),
        ("first_name", ""), ("email", " "), ("dept", None), ("custom_attributes", []), ("x", 0.5),
        ("settings", {"in_meeting": {"chat": True, "auto_saving": {}}}),
        ("key", "none"), ("time_stamp", -1), ("pin_length", 12),
    ],
)  # fmt: skip
def test_what_says_nothing_of_anybody_stays(name: str, kept: Any) -> None:
    assert value(name, kept) == kept


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("first_name", "Jonas"), ("email", "jonas@werkhof.example"), ("name", "Glashütte"),
        ("id", "jonas@werkhof.example"), ("id", "Jonas Ödegaard"), ("host_key", "0718293"),
        ("host_key", 718293), ("pmi_password", 5), ("pmi", 6042117385), ("pmi", "6042117385"),
        ("phone_number", "+47 1234567"), ("extension_number", 4711), ("passcode", "047115"),
        ("password", 47115), ("event_ts", "Jonas"), ("date_time", "Jonas T"), ("version", "Jonas"),
        ("status", "Jonas"), ("unknown", "Jonas"), ("unknown", 4917212345), ("unknown", "4917212345"),
        ("unknown", -4917212345), ("unknown", 4917212345.5), ("key", "Jonas"), ("role", "Of Jonas"),
        ("timezone", "Europe/Oslo"), ("employee_unique_id", "jodegaard"), ("first_name", "None"),
        ("pic_url", "https://example.com/jonas.png"), ("dept", "\x00\ud800 Jonas"), ("dept", 7),
    ],
)  # fmt: skip
def test_what_may_tell_of_somebody_becomes_a_pseudonym(name: str, secret: Any) -> None:
    found = [value(name, secret) for _ in range(5)]
    assert {type(one) for one in found} == {int if isinstance(secret, float) else type(secret)}
    assert len(set(found)) > 1, "each redaction has a key of its own"
    if len(str(secret)) >= 6:  # fewer digits may come again by chance
        assert not [one for one in found if str(secret).strip("-") in str(one)]


def test_custom_attributes_keep_their_keys_and_nothing_else() -> None:
    entry = {"key": "cbf_kiln", "name": "Kiln", "value": 3, "Jonas": "x"}
    (found,) = value("custom_attributes", [entry])
    assert found["key"] == "cbf_kiln"
    assert found["name"] != "Kiln"
    assert isinstance(found["value"], int)
    assert found["value"] > 99_999_999
    assert "Jonas" not in found
    assert len(found) == 4
    assert value("custom_attributes", [{"key": "Jonas"}])[0]["key"] != "Jonas"


def test_names_that_are_no_fields_become_pseudonyms() -> None:
    found = redacted({"event": "e", "jonas@werkhof.example": 1, "Jonas Ö": 2, "fine": 3, "": 4})
    assert set(found.values()) == {"e", 1, 2, 3, 4}
    assert {"event", "fine", ""} < set(found)
    assert len([name for name in found if "redacted.invalid" in name]) == 1
    assert not [name for name in found if "onas" in name]


def test_equal_values_stay_equal_and_case_stays_case() -> None:
    one, redactor = "Jonas@Werkhof.example", Redactor()
    body = json.dumps([{"email": one}, {"operator": one}, {"x": one.lower()}, {"x": one.upper()}])
    found = json.loads(redactor.body(b'{"event":"e","all":' + body.encode() + b"}") or b"")["all"]
    first, second, lower, upper = (next(iter(item.values())) for item in found)
    assert first == second
    assert len({first, lower, upper}) == 3
    assert {first.lower(), upper.lower()} == {lower}
    assert lower == lower.lower()
    assert lower.endswith("@redacted.invalid")
    assert redactor.body(b'{"event":"e","all":' + body.encode() + b"}") is not None
    numbers = json.loads(redactor.body(b'{"event":"e","a":4917212345,"b":"004917212345"}') or b"")
    assert numbers["b"] == f"00{numbers['a']}"


@pytest.mark.parametrize("number", [10**6, 10**18, LARGEST_INT8, LARGEST_INT8 + 1, 10**19, 10**40])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_keeps_its_length_and_fits_as_before(number: int, sign: int) -> None:
    found = value("unknown", sign * number)
    assert found != sign * number
    assert len(str(found)) == len(str(sign * number))
    assert (abs(found) > LARGEST_INT8) is (number > LARGEST_INT8)


def test_an_id_that_is_too_long_stays_so() -> None:
    assert len(value("id", "é" * 101)) == 101
    assert len(value("id", "x" * 101)) == 101
    assert len(value("id", "é" * 100)) < 100
    redactor = Redactor()
    assert redactor.identifier("f2a3-b") == "f2a3-b"
    assert redactor.identifier(None) is None
    assert redactor.identifier("by Jonas") not in (None, "by Jonas")


@pytest.mark.parametrize(
    ("name", "kept"), [("user.hired", True), ("von Jonas", False), ("j@x", False)]
)
def test_the_name_of_an_event_stays_where_it_is_one(name: str, kept: bool) -> None:
    assert (redacted({"event": name})["event"] == name) is kept
    assert redacted({"event": "e", "payload": {"event": name}})["payload"]["event"] != name


@pytest.mark.parametrize(
    "body", [b"", b"Jonas", b"[1]", b'"Jonas"', b"\xff\xfe\xfd", b"[" * 10_000]
)
def test_what_is_no_object_has_no_redacted_form(body: bytes) -> None:
    assert Redactor().body(body) is None


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("levels", [DEEPEST - 1, DEEPEST, 400, 900])
def test_what_is_nested_too_deeply_stays_so(opening: str, levels: int) -> None:
    closing = "}" if opening.startswith("{") else "]"
    body = f'{{"event":"e","a":{opening * levels}"Jonas"{closing * levels}}}'.encode()
    found = Redactor().body(body)
    assert found is not None
    assert is_nested_too_deeply(json.loads(found), found) is (levels >= DEEPEST)
    assert b"Jonas" not in found


def test_odd_numbers_and_repeated_names() -> None:
    found = Redactor().body(b'{"event":"e","a":NaN,"b":1e999,"c":-Infinity,"d":"Jonas","d":1}')
    document = decode_json(found or b"")
    assert math.isnan(document.pop("a"))
    assert document == {"event": "e", "b": math.inf, "c": -math.inf, "d": 1}


@given(body=bodies)
def test_any_delivery_keeps_its_structure(body: bytes) -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return sorted(str(shape(item)) for item in value.values())
        return type(value).__name__

    found = Redactor().body(body)
    assert found is not None
    assert found.isascii()
    assert shape(decode_json(found)) == shape(decode_json(body))


@given(text=st.text(st.characters(exclude_categories=()), min_size=6))
def test_no_text_survives_in_a_personal_field(text: str) -> None:
    found = value("first_name", text)
    assert found == text if not text.strip() else text not in found
