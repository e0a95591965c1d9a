"""drift: an old_object contradicts what was known, because a delivery was lost or is late."""

from typing import Any

import pytest

from tests.examples.telling import Then, Told, at, changed, event, given, locks, row, settings, when


@given(lambda known, who: settings(1, known, who=who))
@when(lambda new, old, who: settings(2, new, old, who=who))
@pytest.mark.parametrize("who", ["user", "group"])
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
        # The old value, the new value, a blank, or unknown.
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
def test_drift_in_settings(
    then: Then, who: str, known: Any, new: Any, old: Any, expected: list[Any]
) -> None:
    entity = f"{who}_settings"
    assert then.drift == [
        row(entity=entity, path=path, known=was, reported=told) for path, was, told in expected
    ]


@given(changed(1, {"type": "1", "settings": {"a": 1}}))
@when(changed(2, {"type": 3}, {"type": 2, "settings": {"a": 2}, "dept": "unknown"}))
def test_a_drift_row(then: Then) -> None:
    assert then.drift == [
        {
            "account_id": "A",
            "entity": "user",
            "entity_id": "E",
            "path": "settings.a",
            "known": 1,
            "reported": 2,
            "event_at": at(2),
            "position": 2,
        },
        row(path="type", known=1, reported=2),
    ]


LOST = (changed(1, {"dept": "a"}), changed(3, {"dept": "c"}, {"dept": "b"}))


@given(*LOST)
def test_a_lost_delivery_is_drift(then: Then) -> None:
    assert then.drift == [row(known="a", reported="b")]


@given(*LOST)
@when(changed(2, {"dept": "b"}, {"dept": "a"}))
def test_the_late_event_makes_drift_disappear(then: Then) -> None:
    assert then.drift == []


@given(changed(1, {"type": "2", "pmi": 5}))
@when(changed(2, {}, {"type": 2, "pmi": "garbage"}))
def test_typed_values_are_compared_as_their_columns_hold_them(then: Then) -> None:
    assert then.drift == []


@given(
    changed(1, {"dept": "a", "custom_attributes": [{"key": "k", "value": 1}]}),
    changed(2, {}, {"dept": "a"}),
)
@when(changed(3, {"dept": "c"}, {"dept": "b", "custom_attributes": [{"key": "k", "value": 2}]}))
def test_custom_attributes_and_cleared_fields_do_not_drift(then: Then) -> None:
    assert then.drift == []


@given(
    locks(1, {"a": True}),
    event("group.lock_settings_updated", 2, {"id": "E"}, {"settings": {"a": False}}),
    event("group.created", 1, {"id": "E", "name": "red"}),
    event("group.updated", 2, {"id": "E", "name": "green"}, {"name": "blue"}),
    event("user.personal_notes_updated", 1, {"id": "E", "personal_notes": "x"}),
    event("user.personal_notes_updated", 2, {"id": "E"}, {"personal_notes": "y"}),
    event("user.personal_notes_updated", 3, {"id": "E"}, {"personal_notes": "z"}),
)
def test_drift_of_locks_notes_and_group_names(then: Then) -> None:
    assert then.values("drift", "entity", "path", "known", "reported") == [
        ("group", "name", "red", "blue"),
        ("group_locks", "a", True, False),
        ("personal_note", "personal_notes", "x", "y"),
    ]


# ---- removals ----------------------------------------------------------------------------------

DOUBTFUL_USER = (
    changed(1, {"dept": "a"}),
    changed(2, {"dept": "c"}, {"dept": "b"}),
    settings(1, {"a": 1}),
    settings(2, {}, {"a": 2}),
)
USER_REMOVED = event("user.deleted", 3, {"id": "E", "dept": "y"}, {"dept": "x"})


@given(*DOUBTFUL_USER)
def test_two_doubts_of_a_user(then: Then) -> None:
    assert len(then.drift) == 2


@given(*DOUBTFUL_USER)
@when(
    USER_REMOVED,
    settings(4, {"b": 1}),
    settings(5, {}, {"b": 2}),
    changed(4, {}, {"dept": "z"}),
)
def test_a_removal_ends_drift_and_while_removed_there_is_none(then: Then) -> None:
    assert then.drift == []


@given(*DOUBTFUL_USER, USER_REMOVED, settings(4, {"b": 1}))
@when(
    event("user.created", 6, {"id": "E"}, {"dept": "z"}),
    settings(7, {"c": 1}),
    settings(8, {}, {"b": 3, "c": 4}),
)
def test_a_revived_user_drifts_from_what_is_known_since_the_removal(then: Then) -> None:
    assert then.values("drift", "path", "known", "reported") == [("b", 1, 3), ("c", 1, 4)]


def named(what: str, ms: int, old: str | None = None) -> Told:
    about = {"id": "E", "name": f"name-{ms}"}
    return event(f"group.{what}", ms, about, {"name": old} if old else None)


DOUBTFUL_GROUP = (
    named("created", 1),
    named("updated", 2, "lost"),
    settings(1, {"a": 1, "z": 1}, who="group"),
    settings(2, {}, {"a": 2}, who="group"),
    locks(1, {"a": True}),
    event("group.lock_settings_updated", 2, {"id": "E"}, {"settings": {"a": False}}),
)
GROUP_REMOVED = (
    named("deleted", 3, "lost"),
    named("updated", 4, "lost"),
    settings(5, {"b": 5}, who="group"),
    settings(6, {"b": 7}, {"b": 6}, who="group"),
)


@given(*DOUBTFUL_GROUP)
def test_three_doubts_of_a_group(then: Then) -> None:
    assert len(then.drift) == 3


@given(*DOUBTFUL_GROUP)
@when(*GROUP_REMOVED)
def test_a_groups_removal_ends_its_drift_and_while_removed_there_is_none(then: Then) -> None:
    assert then.drift == []


@given(*DOUBTFUL_GROUP, *GROUP_REMOVED)
@when(named("created", 7, "lost"))
def test_a_revived_group_starts_without_doubts(then: Then) -> None:
    assert then.drift == []
    assert then.group_settings == [row(settings={"b": 7}, locks=None)]


@given(
    event("user.deleted", 1, {"id": "E"}),
    event("user.personal_notes_updated", 2, {"id": "E", "personal_notes": "x"}),
    event("user.personal_notes_updated", 3, {"id": "E"}, {"personal_notes": "y"}),
)
def test_notes_of_a_removed_person_do_not_drift(then: Then) -> None:
    assert then.drift == []
