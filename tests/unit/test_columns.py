"""Typed columns: how values are converted; values that do not fit are counted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.folding import columns
from projector.zoom.events import decode_event
from tests.oracle import naive_values

anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(["+7", "-7", "007", "1" * 19, "1" * 20, "\u0663", " 7", "7\n", "TRUE", "False"])
    | st.sampled_from([2**31, -(2**31), 2**63, -(2**63), 2**31 - 1, 2**63 - 1])
    | st.integers(-(2**64), 2**64).map(str)
    | st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(max_size=2), st.integers())
)  # fmt: skip


@pytest.mark.parametrize("name", ["text", "int4", "int8", "boolean"])
@given(anything)
def test_a_column_holds_what_the_naive_reading_says(name: str, value: Any) -> None:
    ours, naive = getattr(columns, name)(value), getattr(naive_values, name)(value)
    assert (type(ours), ours) == (type(naive), naive)


@given(anything)
def test_an_integer_fits_its_column(value: Any) -> None:
    for coercion, bits in ((columns.int4, 32), (columns.int8, 64)):
        held = coercion(value)
        assert held is None or (type(held) is int and -(2 ** (bits - 1)) <= held < 2 ** (bits - 1))


@pytest.mark.parametrize(
    ("coercion", "value", "expected"),
    [
        (columns.text, 17, "17"),
        (columns.text, True, None),
        (columns.text, 1.5, None),
        (columns.text, "", ""),
        (columns.int4, "2147483647", 2147483647),
        (columns.int4, 2147483648, None),
        (columns.int4, 3.0, 3),
        (columns.int4, 3.5, None),
        (columns.int4, True, None),
        (columns.int4, "", None),
        (columns.int8, "-9223372036854775808", -(2**63)),
        (columns.int8, "9223372036854775808", None),
        (columns.boolean, "TrUe", True),
        (columns.boolean, "0", False),
        (columns.boolean, 1, True),
        (columns.boolean, 2, None),
        (columns.boolean, "yes", None),
        (columns.document, {"a": 1}, {"a": 1}),
        (columns.document, [], None),
        (columns.email, "A@example.com", "A@example.com"),
        (columns.email, "", None),
        (columns.email, "x" * 321, None),
    ],
)
def test_a_column_holds(coercion: columns.Coercion, value: object, expected: object) -> None:
    held = coercion(value)
    assert (type(held), held) == (type(expected), expected)


def test_what_a_column_cannot_hold_is_null_and_noted() -> None:
    event = decode_event(1, 0, b"\0" * 32, b'{"event": "user.updated"}')
    assert event is not None
    for held in (None, "", "4", 4):
        columns.held(event, "type", columns.int4, held)
    assert not event.unheld
    assert columns.held(event, "type", columns.int4, "four") is None
    assert columns.held(event, "type", columns.int4, "five") is None
    assert event.unheld == {"type"}
