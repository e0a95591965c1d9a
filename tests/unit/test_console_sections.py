"""Settings as pages show them: leaves in sections, each with the lock that covers it."""

from decimal import Decimal

import pytest

from projector.console.documents import NULL, parsed, written
from projector.console.sections import Setting, sections


def settings(document: object, locks: object = None) -> list[Setting]:
    return [one for section in sections(document, locks) for one in section.settings]  # type: ignore[arg-type]


def test_settings_are_in_sections_by_the_first_part_of_their_paths() -> None:
    found = sections({"b": {"y": 1, "x": {"z": [1]}}, "a": None})
    assert [(section.name, len(section.settings)) for section in found] == [("a", 1), ("b", 2)]
    assert settings({"b": {"y": 1, "x": {"z": [1]}}, "a": None}) == [
        Setting("a", NULL, None), Setting("b.x.z", [1], None), Setting("b.y", 1, None),
    ]  # fmt: skip
    assert sections(None) == []


@pytest.mark.parametrize(
    ("locks", "locked"),
    [
        ({"a": {"x": True}}, {"a.x": True, "a.y": None}),
        ({"a": True}, {"a.x": True, "a.y": True}),
        ({"a": {"x": "false", "y": "TRUE"}}, {"a.x": False, "a.y": True}),
        ({"a": {"x": {"deeper": True}}}, {"a.x": None, "a.x.deeper": True, "a.y": None}),
        ({"a": {"z": True}, "b": False}, {"a.x": None, "a.y": None, "a.z": True, "b": False}),
        ({"a": {"x": 1}}, {"a.x": None, "a.y": None}),
    ],
)
def test_a_lock_shows_at_the_settings_that_it_covers(locks: object, locked: object) -> None:
    found = settings({"a": {"x": 1, "y": 2}}, locks)
    assert {one.path: one.locked for one in found} == locked
    assert {one.path for one in found if one.value is None} == set(locked) - {"a.x", "a.y"}  # type: ignore[call-overload]


def test_values_keep_every_digit() -> None:
    text = '{"a":123456789012345678901234567890,"b":1.10,"c":1E+400,"d":null}'
    assert parsed(text)["b"] == Decimal("1.10")
    assert written(parsed(text)).replace("\n", "").replace(" ", "") == text


def test_a_null_that_is_there_is_not_what_is_not_there() -> None:
    assert parsed(None) is None
    assert parsed("null") is NULL
    assert written(NULL) == "null"
