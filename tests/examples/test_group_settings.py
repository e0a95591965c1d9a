"""group_settings: a group's settings and its locks, two documents folded from diffs in one row."""

from tests.examples.telling import Then, about_group, at, event, given, locks, row, settings, when

SETTINGS_AND_LOCKS = (
    settings(1, {"rec": {"cloud": True, "auto": "x"}, "chat": [1], "tz": 1}, who="group"),
    locks(2, {"rec": {"cloud": "false"}, "chat": True, "tz": "sometimes", "more": True}),
)


@given(*SETTINGS_AND_LOCKS)
def test_settings_and_locks_are_two_documents_and_one_row(then: Then) -> None:
    assert then.group_settings == [row(changed_at=at(2), last_position=2)]
    assert then.values("group_setting_values", "path", "value", "locked") == [
        ("chat", [1], True),
        ("rec.auto", "x", None),
        ("rec.cloud", True, False),
        ("tz", 1, None),
    ]


@given(*SETTINGS_AND_LOCKS)
@when(locks(3, {"rec": True}))
def test_a_lock_covers_everything_under_it(then: Then) -> None:
    assert then.values("group_setting_values", "path", "locked")[1:3] == [
        ("rec.auto", True),
        ("rec.cloud", True),
    ]


@given(settings(1, {"a": {"x": 1, "y": 2}}, who="group"), locks(1, {"a": True, "b": True}))
@when(settings(2, {"a": {"x": 3}}, {"a": {"y": 2}}, who="group"), locks(3, {}, {"b": True}))
def test_both_are_folded_by_diff(then: Then) -> None:
    assert then.group_settings == [
        {
            "account_id": "A",
            "group_id": "E",
            "settings": {"a": {"x": 3}},
            "locks": {"a": True},
            "changed_at": at(3),
            "changed_by": None,
            "last_event_at": at(3),
            "last_position": 4,
        }
    ]


@given(settings(1, {"a": 1}, who="group"), about_group("deleted", 2, "E"))
def test_a_groups_end_is_its_settings_end(then: Then) -> None:
    assert then.group_settings == then.group_setting_values == []


@given(event("group.lock_settings_updated", 1, {"id": "G", "settings": ""}))
def test_locks_that_are_no_object_are_one_dead_letter(then: Then) -> None:
    letter = {
        "position": 1,
        "projection": "group_settings",
        "event": "group.lock_settings_updated",
    }
    assert then.dead_letters == [letter]
    assert then.shown() - {"freshness", "activity"} == {"dead_letters"}
