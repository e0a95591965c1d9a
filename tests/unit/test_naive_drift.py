"""The oracle against hand-written answers: drift."""

from typing import Any

import pytest

from tests.oracle.story import clock, event, fold_all, only, pick

LOCKED = {"settings": {"a": False}}


def settings(at: int, new: Any = None, old: Any = None, who: str = "user") -> bytes:
    about = {"id": "E"} if new is None else {"id": "E", "settings": new}
    before = None if old is None else {"id": "other", "settings": old}
    return event(f"{who}.settings_updated", at, about, before, operator="op@x.test")


def locks(at: int, new: Any) -> bytes:
    return event("group.lock_settings_updated", at, {"id": "E", "settings": new})


def updated(at: int, new: dict[str, Any], old: dict[str, Any] | None = None) -> bytes:
    return event("user.updated", at, {"id": "E", **new}, old)


@pytest.mark.parametrize(
    ("known", "new", "old", "expected"),
    [
        ({"a": 1}, {"a": 3}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {}, {"a": 2}, [("a", 1, 2)]),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": 3}}, {"a": {"b": 2, "c": 1}}, [("a.b", 1, 2)]),
        ({"a": {"b": 1}}, {"a": 3}, {"a": "x"}, [("a", {"b": 1}, "x")]),
        ({"a": 1}, {"a": 3}, {"a": {"b": 1}}, [("a", 1, {"b": 1})]),
        ({"a": 1}, {"a": 3}, {"a": "1"}, [("a", 1, "1")]),
        ({"a": 1}, {"a": 3}, {"a": True}, [("a", 1, True)]),
        ({"a": None}, {"a": 3}, {"a": 2}, [("a", None, 2)]),
        ({"a": [1]}, {"a": 3}, {"a": [1, 2]}, [("a", [1], [1, 2])]),
        # As it was, as it becomes, blank, or not known.
        ({"a": 1}, {"a": 3}, {"a": 1.0}, []),
        ({"a": 1}, {"a": 1}, {"a": 2}, []),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {"a": {"b": 2}}, []),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": 1}}, {"a": {"b": 2}}, []),
        ({"a": 1}, {"a": 3}, {"a": ""}, []),
        ({"a": 1}, {"a": 3}, {"a": None}, []),
        ({"a": 1}, {"a": 3}, {"a": []}, []),
        ({"a": 1}, {"a": 3}, {"a": {}}, []),
        ({"a": 1}, {"b": 3}, {"b": 2}, []),
        ({"a": 1}, {"a": 3}, {"host_key": 2}, []),
    ],
)
def test_drift_in_settings(known: Any, new: Any, old: Any, expected: Any) -> None:
    for who, entity in (("user", "user_settings"), ("group", "group_settings")):
        drift = fold_all([settings(1, known, who=who), settings(2, new, old, who=who)])["drift"]
        assert pick(drift, "path", "known", "reported") == expected
        assert {row["entity"] for row in drift} <= {entity}


def test_a_drift_row() -> None:
    story = [updated(1, {"type": "1", "settings": {"a": 1}})]
    story.append(updated(2, {"type": 3}, {"type": 2, "settings": {"a": 2}, "dept": "unknown"}))
    drift = fold_all(story)["drift"]
    assert pick(drift, "path", "known", "reported") == [("settings.a", 1, 2), ("type", 1, 2)]
    assert only(drift[:1]) == {
        "account_id": "A",
        "entity": "user",
        "entity_id": "E",
        "path": "settings.a",
        "known": 1,
        "reported": 2,
        "event_at": clock(2),
        "position": 2,
    }


def test_the_late_event_makes_drift_disappear() -> None:
    story = [updated(1, {"dept": "a"}), updated(3, {"dept": "c"}, {"dept": "b"})]
    assert pick(fold_all(story)["drift"], "known", "reported") == [("a", "b")]
    assert fold_all([*story, updated(2, {"dept": "b"}, {"dept": "a"})])["drift"] == []


def test_typed_values_are_compared_as_their_columns_hold_them() -> None:
    story = [updated(1, {"type": "2", "pmi": 5}), updated(2, {}, {"type": 2, "pmi": "garbage"})]
    assert fold_all(story)["drift"] == []


def test_custom_attributes_and_cleared_fields_do_not_drift() -> None:
    attributes = [{"key": "k", "value": 1}]
    story = [
        updated(1, {"dept": "a", "custom_attributes": attributes}),
        updated(2, {}, {"dept": "a"}),
        updated(3, {"dept": "c"}, {"dept": "b", "custom_attributes": [{"key": "k", "value": 2}]}),
    ]
    assert fold_all(story)["drift"] == []


def test_drift_of_locks_notes_and_group_names() -> None:
    story = [
        locks(1, {"a": True}),
        event("group.lock_settings_updated", 2, {"id": "E"}, {"settings": {"a": False}}),
        event("group.created", 1, {"id": "E", "name": "red"}),
        event("group.updated", 2, {"id": "E", "name": "green"}, {"name": "blue"}),
        event("user.personal_notes_updated", 1, {"id": "E", "personal_notes": "x"}),
        event("user.personal_notes_updated", 2, {"id": "E"}, {"personal_notes": "y"}),
        event("user.personal_notes_updated", 3, {"id": "E"}, {"personal_notes": "z"}),
    ]
    assert pick(fold_all(story)["drift"], "entity", "path", "known", "reported") == [
        ("group", "name", "red", "blue"),
        ("group_locks", "a", True, False),
        ("personal_note", "personal_notes", "x", "y"),
    ]


def test_a_removal_ends_drift_and_while_removed_there_is_none() -> None:
    doubt = [updated(1, {"dept": "a"}), updated(2, {"dept": "c"}, {"dept": "b"})]
    doubt += [settings(1, {"a": 1}), settings(2, {}, {"a": 2})]
    assert len(fold_all(doubt)["drift"]) == 2
    removal = event("user.deleted", 3, {"id": "E", "dept": "y"}, {"dept": "x"})
    since = [settings(4, {"b": 1}), settings(5, {}, {"b": 2}), updated(4, {}, {"dept": "z"})]
    assert fold_all([*doubt, removal, *since])["drift"] == []
    back = [event("user.created", 6, {"id": "E"}, {"dept": "z"})]
    back += [settings(7, {"c": 1}), settings(8, {}, {"b": 3, "c": 4})]
    drift = fold_all([*doubt, removal, settings(4, {"b": 1}), *back])["drift"]
    assert pick(drift, "path", "known", "reported") == [("b", 1, 3), ("c", 1, 4)]


def test_a_groups_removal_ends_its_drift_and_while_removed_there_is_none() -> None:
    def named(what: str, at: int, old: str | None = None) -> bytes:
        about = {"id": "E", "name": f"name-{at}"}
        return event(f"group.{what}", at, about, {"name": old} if old else None)

    doubt = [named("created", 1), named("updated", 2, "lost")]
    doubt += [settings(1, {"a": 1, "z": 1}, who="group"), settings(2, {}, {"a": 2}, who="group")]
    doubt += [locks(1, {"a": True}), event("group.lock_settings_updated", 2, {"id": "E"}, LOCKED)]
    assert len(fold_all(doubt)["drift"]) == 3
    removed = [*doubt, named("deleted", 3, "lost"), named("updated", 4, "lost")]
    removed += [settings(5, {"b": 5}, who="group"), settings(6, {"b": 7}, {"b": 6}, who="group")]
    assert fold_all(removed)["drift"] == []
    views = fold_all([*removed, named("created", 7, "lost")])
    assert views["drift"] == []
    assert only(views["group_settings"], "settings", "locks") == ({"b": 7}, None)


def test_notes_of_a_removed_person_do_not_drift() -> None:
    story = [
        event("user.deleted", 1, {"id": "E"}),
        event("user.personal_notes_updated", 2, {"id": "E", "personal_notes": "x"}),
        event("user.personal_notes_updated", 3, {"id": "E"}, {"personal_notes": "y"}),
    ]
    assert fold_all(story)["drift"] == []
