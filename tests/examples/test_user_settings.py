"""user_settings: a person's settings as one document, folded from diffs; user_setting_values by leaf."""

from typing import Any

import pytest

from tests.examples.telling import Then, Told, at, event, given, row, settings, when

TWO_DIFFS = (
    settings(2, {"a": {"x": 1}}, {"b": 2}),
    settings(1, {"b": 2, "a": {"y": True}}),
)


@given(*TWO_DIFFS)
def test_settings_are_folded_by_diff(then: Then) -> None:
    assert then.user_settings == [
        {
            "account_id": "A",
            "user_id": "E",
            "settings": {"a": {"x": 1, "y": True}},
            "changed_at": at(2),
            "changed_by": "op@x.test",
            "last_event_at": at(2),
            "last_position": 1,
        }
    ]


@given(*TWO_DIFFS)
@when(settings(3, {}, {"a": {"x": 1, "y": True}}))
def test_an_emptied_document_is_none(then: Then) -> None:
    assert then.user_settings == [row(settings=None, changed_at=at(3))]


@given(lambda known: settings(1, known))
@when(lambda new, old: settings(2, new, old))
@pytest.mark.parametrize(
    ("known", "new", "old", "expected"),
    [
        ({}, {"a": 1}, {}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 1}, {"a": 3, "b": 2}),
        ({"a": 1, "b": 2}, {}, {"a": 1}, {"b": 2}),
        ({"a": 1}, {}, {"b": 1}, {"a": 1}),
        ({"a": 1}, {"a": None}, {}, {"a": None}),
        ({"a": [1, 2]}, {"a": [3]}, {}, {"a": [3]}),
        # Both sides objects: key by key.
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}}, {"a": {"y": 2}}, {"a": {"x": 3}}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}}, {}, {"a": {"x": 3, "y": 2}}),
        ({"a": {"x": 1, "y": 2}}, {}, {"a": {"x": 1}}, {"a": {"y": 2}}),
        ({"a": {"x": {"y": 1}}}, {}, {"a": {"x": {"y": 1}}}, {}),
        ({"a": {"x": 1}}, {}, {"a": {}}, {"a": {"x": 1}}),
        # Otherwise the whole value is set or cleared.
        ({"a": {"x": 1, "y": 2}}, {"a": {"z": 3}}, {"a": 5}, {"a": {"z": 3}}),
        ({"a": {"x": 1}}, {"a": {"z": {}}}, {"a": 5}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": {"x": 1}}, {"a": 5}),
        ({"a": {"x": 1, "y": 2}}, {}, {"a": 5}, {}),
        ({"a": 5}, {}, {"a": {"x": 1}}, {}),
        # From a scalar to an object, and `{}` sets nothing.
        ({"a": 5}, {"a": {"x": 1}}, {}, {"a": {"x": 1}}),
        ({"a": 5}, {"a": {}}, {}, {"a": 5}),
        ({"a": {"x": 1}}, {"a": {}}, {}, {"a": {"x": 1}}),
        ({}, {"a": {"b": {}}}, {}, {}),
        ({}, {"a": [{}]}, {}, {"a": [{}]}),
    ],
)
def test_a_diff(then: Then, known: Any, new: Any, old: Any, expected: dict[str, Any]) -> None:
    assert then.user_settings == [row(settings=expected or None)]


@given(settings(1, {"a": 1}))
@when(lambda nothing: settings(2, nothing))
@pytest.mark.parametrize("nothing", [None, {}])
def test_absent_and_empty_settings_change_nothing_but_the_time(then: Then, nothing: Any) -> None:
    assert then.user_settings == [row(settings={"a": 1}, last_position=2)]
    assert then.dead_letters == []


@given(settings(1, {"k\x00": [float("nan"), "\udfff", {"host_key": 1}], "host_key": {"a": 1}}))
def test_documents_keep_no_nul_no_surrogate_no_nan_and_no_secret(then: Then) -> None:
    assert then.user_settings == [row(settings={"k\ufffd": [None, "\ufffd", {}]})]


def by(payloads: str | None, top: str) -> Told:
    """A change by an operator of the payload, of the top level, or of both."""
    body = settings(1, {}).body
    assert body is not None
    payload = {key: value for key, value in body["payload"].items() if key != "operator"}
    if payloads is not None:
        payload["operator"] = payloads
    return Told({**body, "operator": top, "payload": payload})


@given(lambda payloads: by(payloads, "top@x.test"))
@pytest.mark.parametrize(
    ("payloads", "expected"),
    [("op@x.test", "op@x.test"), ("", "top@x.test"), (None, "top@x.test")],
)
def test_the_operator_is_the_payloads_else_the_top_level_one(
    then: Then, payloads: str | None, expected: str
) -> None:
    assert then.user_settings == [row(changed_by=expected)]


@given(settings(1, {"a": {"b": None, "c": [{}]}}))
def test_setting_values_are_one_row_a_leaf(then: Then) -> None:
    assert then.user_setting_values == [
        {"account_id": "A", "user_id": "E", "path": "a.b", "value": None},
        {"account_id": "A", "user_id": "E", "path": "a.c", "value": [{}]},
    ]


@given(event("user.settings_updated", 1, {"id": "U", "settings": []}))
def test_settings_that_are_no_object_are_one_dead_letter(then: Then) -> None:
    letter = {"position": 1, "projection": "user_settings", "event": "user.settings_updated"}
    assert then.dead_letters == [letter]
    assert then.shown() - {"freshness", "activity"} == {"dead_letters"}
