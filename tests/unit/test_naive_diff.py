"""The oracle against hand-written answers: diffs, typed values, secrets, locks."""

from typing import Any

import pytest

from tests.oracle.naive_diff import merge, same
from tests.oracle.story import clock, event, fold_all, only, pick


def settings(at: int, new: Any = None, old: Any = None, who: str = "user") -> bytes:
    about = {"id": "E"} if new is None else {"id": "E", "settings": new}
    before = None if old is None else {"id": "other", "settings": old}
    return event(f"{who}.settings_updated", at, about, before, operator="op@x.test")


def locks(at: int, new: Any) -> bytes:
    return event("group.lock_settings_updated", at, {"id": "E", "settings": new})


def updated(at: int, new: dict[str, Any], old: dict[str, Any] | None = None) -> bytes:
    return event("user.updated", at, {"id": "E", **new}, old)


# Section 4: diffs


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
def test_merge(known: Any, new: Any, old: Any, expected: Any) -> None:
    assert merge(known, new, old) == expected


def test_settings_are_folded_by_diff_and_an_emptied_document_is_none() -> None:
    story = [settings(2, {"a": {"x": 1}}, {"b": 2}), settings(1, {"b": 2, "a": {"y": True}})]
    row = only(fold_all(story)["user_settings"], "settings", "changed_at", "changed_by")
    assert row == ({"a": {"x": 1, "y": True}}, clock(2), "op@x.test")
    emptied = [*story, settings(3, {}, {"a": {"x": 1, "y": True}})]
    assert only(fold_all(emptied)["user_settings"], "settings", "changed_at") == (None, clock(3))


@pytest.mark.parametrize("nothing", [None, {}])
def test_absent_and_empty_settings_change_nothing_but_the_time(nothing: Any) -> None:
    views = fold_all([settings(1, {"a": 1}), settings(2, nothing)])
    assert only(views["user_settings"], "settings", "last_position") == ({"a": 1}, 2)
    assert views["dead_letters"] == []


@pytest.mark.parametrize("blank", ["", None])
def test_a_placeholder_clears_nothing_and_proves_nothing(blank: Any) -> None:
    placeholder = {"id": blank, "email": "other@x.test", "dept": "other"}
    views = fold_all([updated(1, {"email": "e@x.test", "dept": "d"}), updated(2, {}, placeholder)])
    assert only(views["users"], "email", "dept") == ("e@x.test", "d")
    assert views["drift"] == []


def test_a_blank_placeholder_without_an_id_is_a_plain_old_object() -> None:
    views = fold_all([updated(1, {"email": "e@x.test", "dept": "d"}), updated(2, {}, {"dept": ""})])
    assert only(views["users"], "email", "dept") == ("e@x.test", None)


def test_lifecycle_events_merge_like_a_diff() -> None:
    story = [
        event("user.created", 1, {"id": "E", "email": "e@x.test", "type": 2, "dept": "d"}),
        event("user.deactivated", 2, {"id": "E", "type": 1}, {"type": 2, "dept": "d"}),
    ]
    assert only(fold_all(story)["users"], "email", "type", "dept") == ("e@x.test", 1, None)


def test_custom_attributes_merge_by_key() -> None:
    def one(key: Any, value: Any) -> dict[str, Any]:
        return {"key": key, "name": "n", "value": value, "noise": 1}

    story = [
        updated(1, {"custom_attributes": [one("b", 1), one("a", 2), one("", 3), 4]}),
        updated(2, {"custom_attributes": [one("b", 5)]}, {"custom_attributes": [one("a", 2)]}),
        updated(3, {"custom_attributes": "none"}),
        updated(4, {"custom_attributes": [{"key": 7}]}),
    ]
    assert only(fold_all(story)["users"], "custom_attributes") == [
        {"key": "7", "name": None, "value": None},
        {"key": "b", "name": "n", "value": 5},
    ]
    gone = {"custom_attributes": [one("b", 5), one("7", 0)]}
    assert only(fold_all([*story, updated(5, {}, gone)])["users"], "custom_attributes") is None


def test_profile_settings_fold_in_the_profile() -> None:
    story = [updated(1, {"settings": {"f": {"a": 1, "b": 2}}})]
    story.append(updated(2, {}, {"settings": {"f": {"a": 1}}}))
    assert only(fold_all(story)["users"], "profile_settings") == {"f": {"b": 2}}
    story.append(updated(3, {"settings": None}))
    assert only(fold_all(story)["users"], "profile_settings") == {"f": {"b": 2}}
    story.append(updated(4, {"settings": "x"}))
    assert only(fold_all(story)["users"], "profile_settings") is None


# Values


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("type", "2", 2), ("type", "+7", 7), ("type", 2.0, 2), ("type", 99, 99),
        ("type", 2.5, None), ("type", True, None), ("type", 2**31, None), ("type", "x", None),
        ("type", "", None), ("type", " 2", None), ("type", "2\n", None), ("type", "٢", None),
        ("pmi", "9876543210", 9876543210), ("pmi", 2**63, None), ("pmi", -(2**63), -(2**63)),
        ("use_pmi", True, True), ("use_pmi", "FALSE", False), ("use_pmi", 1, True),
        ("use_pmi", "0", False), ("use_pmi", 2, None), ("use_pmi", "", None),
        ("dept", "", ""), ("dept", 5, "5"), ("dept", False, None), ("dept", 1.5, None),
        ("dept", ["x"], None), ("dept", "a\x00\ud800b", "a\ufffd\ufffdb"), ("dept", "😀", "😀"),
    ],
)  # fmt: skip
def test_typed_columns(column: str, value: Any, expected: Any) -> None:
    found = only(fold_all([updated(1, {column: value})])["users"], column)
    assert same(found, expected)


def test_documents_keep_no_nul_no_surrogate_no_nan_and_no_secret() -> None:
    views = fold_all(
        [
            settings(1, {"k\x00": [float("nan"), "\udfff", {"host_key": 1}], "host_key": {"a": 1}}),
            updated(1, {"host_key": "1", "settings": {"a": {"pmi_password": "x"}}}),
        ]
    )
    assert only(views["user_settings"], "settings") == {"k\ufffd": [None, "\ufffd", {}]}
    assert only(views["users"], "profile_settings") is None


def test_operator_is_the_payloads_else_the_top_level_one() -> None:
    payload = '"payload": {"account_id": "A", %s "object": {"id": "E", "settings": {}}}}'
    top = '{"event": "user.settings_updated", "operator": "top@x.test", ' + payload
    for operator, expected in (
        ('"operator": "op@x.test",', "op@x.test"),
        ('"operator": "",', "top@x.test"),
        ("", "top@x.test"),
    ):
        views = fold_all([(top % operator).encode()])
        assert only(views["user_settings"], "changed_by") == expected


def test_group_settings_and_locks_are_two_documents_and_one_row() -> None:
    story = [
        settings(1, {"rec": {"cloud": True, "auto": "x"}, "chat": [1], "tz": 1}, who="group"),
        locks(2, {"rec": {"cloud": "false"}, "chat": True, "tz": "sometimes", "more": True}),
    ]
    views = fold_all(story)
    assert only(views["group_settings"], "changed_at", "last_position") == (clock(2), 2)
    assert pick(views["group_setting_values"], "path", "value", "locked") == [
        ("chat", [1], True),
        ("rec.auto", "x", None),
        ("rec.cloud", True, False),
        ("tz", 1, None),
    ]
    whole = fold_all([*story, locks(3, {"rec": True})])
    assert pick(whole["group_setting_values"], "path", "locked")[1:3] == [
        ("rec.auto", True),
        ("rec.cloud", True),
    ]


def test_setting_values_are_one_row_a_leaf() -> None:
    values = fold_all([settings(1, {"a": {"b": None, "c": [{}]}})])["user_setting_values"]
    assert values == [
        {"account_id": "A", "user_id": "E", "path": "a.b", "value": None},
        {"account_id": "A", "user_id": "E", "path": "a.c", "value": [{}]},
    ]
