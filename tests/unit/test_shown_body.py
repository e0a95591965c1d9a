"""What a person sees of a body: structure and keys, no secret ever, personal values on demand."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.operations.shown_body import shown_body
from projector.zoom.bodies import SECRETS

PAYLOADS = Path(__file__).parent.parent / "payloads"
PERSON = {
    "id": "z8yAAAAA8bbbQ",
    "email": "uma@example.com",
    "first_name": "Uma",
    "phone_number": 4930123456,
    "personal_notes": "at the dentist",
    "pmi": "1234567890",
    "type": 2,
    "use_pmi": True,
    "dept": "",
    "custom_attributes": [{"key": "k", "name": "Cost centre", "value": "4711"}],
    "host_key": "123456",
    "settings": {"schedule": {"pmi_password": {"now": "99887766"}, "on": False, "none": None}},
}
BODY = {
    "event": "user.updated",
    "event_ts": 1772443800000,
    "payload": {"account_id": "abc", "operator": "ann@example.com", "object": PERSON},
}
SECRET = ("123456", "99887766")
PERSONAL = (
    "uma@example.com", "Uma", "4930123456", "dentist", "1234567890", "Cost centre", "4711",
    "ann@example.com",
)  # fmt: skip


def text_of(body: bytes | None, *, reveal: bool = False) -> str:
    return json.dumps(shown_body(body, reveal=reveal).value, ensure_ascii=False)


def test_structure_ids_times_and_flags_stay() -> None:
    shown = shown_body(json.dumps(BODY).encode(), reveal=False).value
    assert shown["event"] == "user.updated"
    assert shown["event_ts"] == 1772443800000
    about = shown["payload"]["object"]
    assert about.keys() == PERSON.keys()
    assert (about["id"], about["type"], about["use_pmi"], about["dept"]) == (
        "z8yAAAAA8bbbQ", 2, True, "",
    )  # fmt: skip
    assert about["settings"]["schedule"] == {"pmi_password": "[secret]", "on": False, "none": None}
    assert about["first_name"] == "[text of 3 characters]"
    assert about["phone_number"] == "[number]"


@pytest.mark.parametrize("reveal", [False, True])
def test_personal_values_show_on_demand_and_secrets_never(reveal: bool) -> None:
    text = text_of(json.dumps(BODY).encode(), reveal=reveal)
    assert [value for value in PERSONAL if (value in text) is not reveal] == []
    assert [value for value in SECRET if f'"{value}"' in text or value in text.split()] == []
    assert "99887766" not in text


@pytest.mark.parametrize(
    "value", ["uma@example.com", "Uma Ødegård", "+49 30 123456", "x" * 101, "two words"]
)
def test_a_plain_field_that_holds_no_word_is_hidden(value: str) -> None:
    text = text_of(json.dumps({"payload": {"object": {"id": value}}}).encode())
    assert value not in text
    assert f"{len(value)} characters" in text


def test_what_no_terminal_can_hold_is_replaced() -> None:
    raw = rb'{"event":"x","a\u0000b":{"HOST_KEY":"1","c":"\ud800 \u0000"},"n":NaN,"m":[1e999]}'
    shown = shown_body(raw, reveal=True).value
    assert shown == {
        "event": "x", "a\ufffdb": {"HOST_KEY": "[secret]", "c": "\ufffd \ufffd"}, "n": None, "m": [None],
    }  # fmt: skip
    json.dumps(shown, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "erased"),
        (b"{", "1 bytes"),
        (b"\xff\xfe\x00host_key", "cannot be read as JSON"),
        (b"[" * 200_000, "cannot be read as JSON"),
    ],
)
@pytest.mark.parametrize("reveal", [False, True])
def test_nothing_shows_of_what_is_no_json(body: bytes | None, why: str, reveal: bool) -> None:
    shown = shown_body(body, reveal=reveal)
    assert shown.value is None
    assert why in str(shown.why_not)


def test_deep_bodies_are_cut() -> None:
    text = text_of(b'{"a":' * 300 + b'"x@y"' + b"}" * 300, reveal=True)
    assert "nested deeper than 100 levels" in text
    assert "x@y" not in text


def test_a_list_of_secrets_is_one() -> None:
    assert text_of(b'{"host_key":["a1","b2"]}', reveal=True) == '{"host_key": "[secret]"}'


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_nothing_personal_shows_of_any_event(path: Path) -> None:
    text = text_of(path.read_bytes())
    assert "@" not in text
    assert not [name for name in ("Ødegård", "Example", "+1") if name in text]


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.sampled_from(sorted(SECRETS)), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_JSON, st.booleans())
def test_any_json_can_be_shown(value: object, reveal: bool) -> None:
    shown = shown_body(json.dumps(value).encode(), reveal=reveal)
    assert shown.why_not is None
    json.dumps(shown.value, allow_nan=False, ensure_ascii=False).encode()
