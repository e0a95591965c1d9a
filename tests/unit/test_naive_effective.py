"""The naive effective settings, judged by hand: one rule a test. And what the play of settings reaches."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.oracle.naive_effective import effective_user_settings, judged, lock_violations
from tests.oracle.naive_events import Delivery
from tests.oracle.naive_fold import fold
from tests.oracle.naive_worlds import (
    ANSWERS,
    NOT_KNOWN,
    NOTHING_SAID,
    GroupSide,
    Question,
    Said,
    outcome,
    worlds,
)
from tests.oracle.settings_play import NOWHERE, settings_play

Row = dict[str, Any]
Facts = dict[str, list[Row]]


def mapped(path: str, levels: str = "uga", **columns: Any) -> Row:
    """A row of the map: `levels` that have the path, and what differs from "a flag stands at it"."""
    spelled = path.split(".")
    row: Row = {
        "path": path,
        "of_user": "u" in levels,
        "of_group": "g" in levels,
        "of_account": "a" in levels,
        "user_path": spelled if "u" in levels else None,
        "group_path": spelled if "g" in levels else None,
        "account_path": spelled if "a" in levels else None,
        "group_flag": None,
        "group_flag_2": None,
        "account_flag": None,
        "account_flag_2": None,
        "group_lockable": "g" in levels,
        "account_lockable": "a" in levels,
    }
    assert columns.keys() <= row.keys()
    return row | columns


PARTICIPANT = ["schedule_meeting", "participant_video"]
WAITING_FLAG = ["meeting_security", "waiting_room"]
MAP = [
    mapped("recording.cloud_recording"),
    mapped("in_meeting.language_interpretation.enable"),
    mapped("recording.archive.type", "ga"),
    mapped("schedule_meeting.participants_video", group_path=PARTICIPANT, account_path=PARTICIPANT),
    mapped("in_meeting.waiting_room", group_flag=WAITING_FLAG, account_flag=WAITING_FLAG),
    mapped("security.admin_change_name_pic", "a", account_lockable=False),
    mapped("feature.meeting_capacity", group_lockable=False, account_lockable=False),
]

CLOUD, ARCHIVE = "recording.cloud_recording", "recording.archive.type"
CAPACITY, NAME_PIC = "feature.meeting_capacity", "security.admin_change_name_pic"
WAITING_ROOM, BRAND_NEW = "in_meeting.waiting_room", "in_meeting.brand_new"
PARTICIPANTS = "schedule_meeting.participants_video"
INTERPRETATION = "in_meeting.language_interpretation"
UNKNOWN = (None, "default unknown", None, None, "unknown")


def document(leaf: Row | None) -> Row | None:
    """A document from dotted paths."""
    found: Row = {}
    for path, value in (leaf or {}).items():
        *above, last = path.split(".")
        inside = found
        for step in above:
            inside = inside.setdefault(step, {})
        inside[last] = value
    return found or None


def group(value: Any = ..., lock: Any = ..., path: str = CLOUD, flag: str | None = None) -> Row:
    settings = {} if value is ... else {path: value}
    locks = {} if lock is ... else {flag or path: lock}
    return {"settings": document(settings), "locks": document(locks)}


def facts(
    own: Row | None = None,
    account: Row | None = None,
    account_locks: Row | None = None,
    primary: str | None = None,
    model: str | None = None,
    ranking: list[str] | None = None,
    declared_primary: str | None = None,
    **groups: Row,
) -> Facts:
    """The views of one person, Ann, in account A and in the groups given."""
    at = {"account_id": "A"}
    said = (
        ("model", None, model),
        ("ranking", None, ranking),
        ("primary_group", "Ann", declared_primary),
    )
    return {
        "users": [at | {"user_id": "Ann", "primary_group_id": primary}],
        "memberships": [at | {"group_id": name, "user_id": "Ann"} for name in groups],
        "user_settings": [at | {"user_id": "Ann", "settings": document(own)}],
        "group_settings": [at | {"group_id": name, **row} for name, row in groups.items()],
        "account_settings": [
            at | {"settings": document(account), "locks": document(account_locks)}
        ],
        "declarations": [
            at | {"kind": kind, "user_id": user, "value": value}
            for kind, user, value in said
            if value is not None
        ],
    }


OPEN = {CLOUD: False}
"""The account's locks, where it does not lock the path of most tests."""


def effective(path: str = CLOUD, **known: Any) -> tuple[Any, ...] | None:
    """(value, source, locked_by, source_group_id, confidence) of a path; None where it has no row."""
    rows = [row for row in effective_user_settings(facts(**known), MAP) if row["path"] == path]
    columns = ("value", "source", "locked_by", "source_group_id", "confidence")
    return tuple(rows[0][column] for column in columns) if rows else None


# The account


def test_what_the_account_locks_beats_the_group_and_the_person_whatever_the_model() -> None:
    assert effective(
        own={CLOUD: 1}, account={CLOUD: 3}, account_locks={CLOUD: True}, G=group(2, True)
    ) == (3, "account", "account", None, "exact")


def test_a_lock_of_the_account_is_told_even_where_its_value_is_not_known() -> None:
    assert effective(own={CLOUD: 1}, account_locks={CLOUD: True}) == (
        None, "account", "account", None, "unknown",
    )  # fmt: skip


def test_a_lock_that_may_be_or_not_leaves_a_known_own_value_unknown() -> None:
    assert effective(own={CLOUD: 1}, account={CLOUD: 3}) == UNKNOWN


def test_a_lock_that_may_be_or_not_matters_even_where_the_values_agree_because_the_source_differs() -> (
    None
):
    assert effective(own={CLOUD: 1}, account={CLOUD: 1}) == UNKNOWN


def test_where_no_flag_covers_a_path_the_map_says_that_nobody_locks_it() -> None:
    assert effective(CAPACITY, own={CAPACITY: 300}, G=group(100, path=CAPACITY)) == (
        300, "user", None, None, "exact",
    )  # fmt: skip


def test_a_path_that_the_map_does_not_know_may_be_locked() -> None:
    assert effective(BRAND_NEW, own={BRAND_NEW: 1}) == UNKNOWN


def test_a_path_that_the_map_does_not_know_is_locked_by_a_flag_at_it() -> None:
    assert effective(
        BRAND_NEW, own={BRAND_NEW: 1}, account={BRAND_NEW: 2}, account_locks={BRAND_NEW: True}
    ) == (2, "account", "account", None, "exact")


def test_without_groups_what_only_accounts_have_is_the_accounts_default() -> None:
    assert effective(NAME_PIC, account={NAME_PIC: True}) == (True, "account", None, None, "exact")


def test_groups_that_do_not_have_a_path_do_not_count() -> None:
    assert effective(NAME_PIC, account={NAME_PIC: True}, primary="G", G=group(1), H=group(2)) == (
        True, "account", None, None, "exact",
    )  # fmt: skip


def test_a_group_that_does_not_have_a_path_does_not_lock_it_either() -> None:
    locking = group(lock=True, path=NAME_PIC)
    assert effective(NAME_PIC, account={NAME_PIC: True}, G=locking) == (
        True, "account", None, None, "exact",
    )  # fmt: skip


def test_a_group_that_has_a_value_of_a_path_counts_whatever_the_map_says() -> None:
    known = {"account": {NAME_PIC: True}, "G": group(False, False, path=NAME_PIC)}
    assert effective(NAME_PIC, **known) == UNKNOWN
    assert effective(NAME_PIC, **known, model="legacy") == (False, "group", None, "G", "declared")


# Flags


def test_a_flag_above_the_path_covers_it() -> None:
    path = f"{INTERPRETATION}.enable"
    assert effective(
        path, own={path: 1}, account={path: 2}, account_locks={INTERPRETATION: True}
    ) == (2, "account", "account", None, "exact")


def test_a_flag_below_the_path_does_not_cover_it() -> None:
    locks = {f"{BRAND_NEW}.inner": True}
    assert effective(BRAND_NEW, own={BRAND_NEW: 1}, account_locks=locks) == UNKNOWN


def test_an_extra_flag_locks_although_the_flag_at_the_path_is_false() -> None:
    locks = {WAITING_ROOM: False, "meeting_security.waiting_room": True}
    assert effective(WAITING_ROOM, account={WAITING_ROOM: "x"}, account_locks=locks) == (
        "x", "account", "account", None, "exact",
    )  # fmt: skip


def test_one_flag_that_is_false_is_enough_where_none_is_true() -> None:
    locks = {WAITING_ROOM: None, "meeting_security.waiting_room": False}
    assert effective(WAITING_ROOM, own={WAITING_ROOM: 1}, account_locks=locks) == (
        1, "user", None, None, "exact",
    )  # fmt: skip


@pytest.mark.parametrize("flag", [True, "true", "TRUE", "True"])
def test_a_flag_is_true_as_a_boolean_or_as_text_in_any_case(flag: Any) -> None:
    assert effective(account={CLOUD: 3}, account_locks={CLOUD: flag}) == (
        3, "account", "account", None, "exact",
    )  # fmt: skip


@pytest.mark.parametrize("flag", [None, 1, 0, "on", "", []])
def test_a_flag_that_is_neither_true_nor_false_tells_nothing(flag: Any) -> None:
    assert effective(own={CLOUD: 1}, account={CLOUD: 3}, account_locks={CLOUD: flag}) == UNKNOWN


def test_a_flag_locks_even_a_path_of_which_the_map_says_that_no_flag_covers_it() -> None:
    assert effective(CAPACITY, account={CAPACITY: 9}, account_locks={CAPACITY: True}) == (
        9, "account", "account", None, "exact",
    )  # fmt: skip


def test_levels_that_spell_a_setting_otherwise_are_one_path_with_their_own_flags() -> None:
    spelled = ".".join(PARTICIPANT)
    known = {
        "own": {PARTICIPANTS: False},
        "account": {spelled: True},
        "account_locks": {spelled: False},
        "G": group("on", True, path=spelled),
    }
    assert effective(PARTICIPANTS, **known) == ("on", "group", "group", "G", "exact")
    assert effective(spelled, **known) is None


# A lock of a group


def test_the_only_group_locks_in_both_models() -> None:
    assert effective(own={CLOUD: 1}, account_locks=OPEN, G=group(2, True)) == (
        2, "group", "group", "G", "exact",
    )  # fmt: skip


def test_where_all_groups_lock_the_same_value_it_is_exact_and_of_no_one_group() -> None:
    assert effective(account_locks=OPEN, G=group(2, True), H=group("2", True)) == (
        2, "group", "group", None, "exact",
    )  # fmt: skip


def test_where_groups_lock_different_values_the_lock_is_known_and_the_value_is_not() -> None:
    assert effective(account_locks=OPEN, G=group(2, True), H=group(3, True)) == (
        None, "group", "group", None, "unknown",
    )  # fmt: skip


def test_in_the_legacy_model_any_one_of_the_groups_that_lock_may_decide() -> None:
    assert effective(
        account_locks=OPEN, model="legacy", primary="G", G=group(2, True), H=group(3, True)
    ) == (None, "group", "group", None, "unknown")


def test_in_the_legacy_model_a_lock_of_any_group_counts_and_not_only_of_the_primary_one() -> None:
    known = {"own": {CLOUD: 1}, "account_locks": OPEN, "G": group(2, True), "H": group(3, False)}
    assert effective(**known, primary="H") == UNKNOWN
    assert effective(**known, primary="H", model="legacy") == (
        2, "group", "group", "G", "declared",
    )  # fmt: skip


def test_in_the_priority_model_the_highest_group_decides_where_it_locks() -> None:
    known = {"own": {CLOUD: 1}, "account_locks": OPEN, "G": group(2, True), "H": group(3, True)}
    assert effective(**known, model="priority", ranking=["H", "G"]) == (
        3, "group", "group", "H", "declared",
    )  # fmt: skip


def test_in_the_priority_model_a_higher_group_that_does_not_lock_may_manage_or_not() -> None:
    known = {"own": {CLOUD: 1}, "account_locks": OPEN, "G": group(2, True), "H": group(3, False)}
    assert effective(**known, model="priority", ranking=["H", "G"]) == UNKNOWN
    assert effective(**known, model="priority", ranking=["G", "H"]) == (
        2, "group", "group", "G", "declared",
    )  # fmt: skip


def test_a_group_whose_lock_is_not_known_may_lock() -> None:
    assert effective(own={CLOUD: 1}, account_locks=OPEN, G=group(2)) == UNKNOWN


def test_a_group_of_which_nothing_was_ever_told_may_lock() -> None:
    assert effective(own={CLOUD: 1}, account_locks=OPEN, G=group()) == UNKNOWN


# Declarations


def test_a_ranking_counts_only_where_it_names_all_groups_that_have_the_path() -> None:
    known = {"account_locks": OPEN, "model": "priority", "G": group(2, True), "H": group(3, True)}
    assert effective(**known, ranking=["H"]) == (None, "group", "group", None, "unknown")


def test_a_ranking_need_not_name_groups_that_do_not_have_the_path_and_may_name_others() -> None:
    path = NAME_PIC
    known = {
        "G": group(2, True, path=path),
        "H": group(3, True, path=path),
        "other": group(4, True),
        "account_locks": {path: False},
        "model": "priority",
    }
    assert effective(path, **known, ranking=["elsewhere", "H", "G"]) == (
        3, "group", "group", "H", "declared",
    )  # fmt: skip


def test_a_ranking_alone_does_not_choose_among_several_locks_while_the_model_is_open() -> None:
    known = {"account_locks": OPEN, "G": group(2, True), "H": group(3, True)}
    assert effective(**known, ranking=["H", "G"]) == (None, "group", "group", None, "unknown")


def test_a_ranking_alone_is_enough_where_the_highest_group_alone_locks() -> None:
    known = {"account_locks": OPEN, "G": group(2, True), "H": group(3, False)}
    assert effective(**known, ranking=["G", "H"]) == (2, "group", "group", "G", "declared")


def test_a_declaration_of_another_account_or_person_is_not_heard() -> None:
    sides = {"G": group(2, False, path=ARCHIVE), "H": group(3, False, path=ARCHIVE)}
    known = facts(account_locks={ARCHIVE: False}, model="legacy", **sides)
    assert effective_user_settings(known, MAP)[0]["confidence"] == "unknown"
    primary = {"account_id": "A", "kind": "primary_group", "user_id": "Ann", "value": "G"}
    for others in ({"account_id": "B"}, {"user_id": "Bo"}):
        known["declarations"][1:] = [primary | others]
        assert effective_user_settings(known, MAP)[0]["confidence"] == "unknown"
    known["declarations"][1:] = [primary]
    assert effective_user_settings(known, MAP)[0]["confidence"] == "declared"


# What is not locked


def test_a_known_own_value_wins_where_nothing_is_locked() -> None:
    assert effective(own={CLOUD: 1}, account={CLOUD: 3}, account_locks=OPEN, G=group(2, False)) == (
        1,
        "user",
        None,
        None,
        "exact",
    )


def test_a_null_of_her_own_is_a_known_value() -> None:
    assert effective(own={CLOUD: None}, account={CLOUD: 3}, account_locks=OPEN) == (
        None, "user", None, None, "exact",
    )  # fmt: skip


def test_an_object_is_no_value() -> None:
    below = {f"{BRAND_NEW}.inner": 1}
    assert effective(BRAND_NEW, own=below) is None
    known = {"own": below, "account": {BRAND_NEW: 2}, "account_locks": {BRAND_NEW: False}}
    assert effective(BRAND_NEW, **known) == UNKNOWN


def test_who_may_have_a_value_of_her_own_that_is_not_known_may_have_changed_it() -> None:
    assert effective(account={CLOUD: 3}, account_locks=OPEN) == UNKNOWN


def test_in_the_legacy_model_the_primary_group_gives_the_default() -> None:
    known = {
        "account": {ARCHIVE: 1},
        "account_locks": {ARCHIVE: False},
        "G": group(2, False, path=ARCHIVE),
        "H": group(3, False, path=ARCHIVE),
        "model": "legacy",
    }
    assert effective(ARCHIVE, **known) == UNKNOWN
    assert effective(ARCHIVE, **known, primary="H") == (3, "group", None, "H", "declared")
    assert effective(ARCHIVE, **known, declared_primary="G") == (2, "group", None, "G", "declared")


def test_a_primary_group_that_an_event_told_beats_the_declared_one() -> None:
    known = {
        "account_locks": {ARCHIVE: False},
        "G": group(2, False, path=ARCHIVE),
        "H": group(3, False, path=ARCHIVE),
    }
    assert effective(ARCHIVE, **known, model="legacy", primary="H", declared_primary="G") == (
        3, "group", None, "H", "declared",
    )  # fmt: skip


def test_a_primary_group_that_is_none_of_hers_leaves_the_default_unknown() -> None:
    known = {"account_locks": {ARCHIVE: False}, "G": group(2, False, path=ARCHIVE)}
    assert effective(ARCHIVE, **known, model="legacy", primary="elsewhere") == UNKNOWN


def test_any_group_may_be_the_primary_one_so_that_equal_defaults_are_of_no_one_group() -> None:
    known = {
        "account_locks": {ARCHIVE: False},
        "G": group(2, False, path=ARCHIVE),
        "H": group("2", False, path=ARCHIVE),
    }
    assert effective(ARCHIVE, **known, model="legacy") == (2, "group", None, None, "declared")


def test_in_the_priority_model_a_group_that_does_not_lock_may_leave_the_default_to_the_account() -> (
    None
):
    known = {
        "account": {ARCHIVE: 1},
        "account_locks": {ARCHIVE: False},
        "G": group(2, False, path=ARCHIVE),
    }
    assert effective(ARCHIVE, **known, model="priority", ranking=["G"]) == UNKNOWN


def test_a_default_that_is_not_known_is_unknown() -> None:
    known = {"account": {ARCHIVE: 1}, "account_locks": {ARCHIVE: False}, "G": group(lock=False)}
    assert effective(ARCHIVE, **known, model="legacy") == UNKNOWN


def outcomes(model: str, **groups: GroupSide) -> set[tuple[Any, ...]]:
    """What is in effect in the worlds of one model, of a path that people do not have."""
    asked = Question(NOT_KNOWN, 1, account_lock=False, groups=groups, user_has=False)
    return {tuple(outcome(asked, world)) for world in worlds(asked, Said(model))}


def test_in_the_priority_model_the_highest_group_that_manages_gives_the_default_else_the_account() -> (
    None
):
    both = {"G": GroupSide(2, lock=False), "H": GroupSide(3, lock=False)}
    assert outcomes("priority", **both) == {
        (2, "group", None, "G"),
        (3, "group", None, "H"),
        (1, "account", None, None),
    }
    assert outcomes("legacy", **both) == {(2, "group", None, "G"), (3, "group", None, "H")}


def test_a_default_that_is_not_known_is_not_said_to_be_of_the_group_but_a_locked_one_is() -> None:
    assert outcomes("legacy", G=GroupSide(lock=None)) == {
        (NOT_KNOWN, "default unknown", None, None),
        (NOT_KNOWN, "group", "group", "G"),
    }


# Confidence and rows


def test_exact_is_what_no_declaration_could_change() -> None:
    known = {"own": {CLOUD: 1}, "account_locks": OPEN, "G": group(2, True)}
    assert effective(**known, model="priority", ranking=["G"]) == effective(**known)


def test_a_path_has_a_row_where_any_level_has_a_value_and_only_there() -> None:
    known = facts(own={CLOUD: 1}, account={NAME_PIC: 1}, G=group(1, path=BRAND_NEW))
    rows = effective_user_settings(known, MAP)
    assert [row["path"] for row in rows] == [BRAND_NEW, CLOUD, NAME_PIC]
    assert effective_user_settings(facts(account_locks={CLOUD: True}), MAP) == []


def test_settings_of_other_accounts_people_and_groups_with_the_same_ids_are_not_hers() -> None:
    known = facts(own={CLOUD: 1}, account_locks=OPEN, G=group(lock=False))
    locking = group(3, True)
    other = facts({CLOUD: 2}, {CLOUD: 4}, {CLOUD: True}, G=locking, H=locking)
    for view, rows in other.items():
        known[view][:0] = [row | {"account_id": "B"} for row in rows]
    first, second = effective_user_settings(known, MAP)
    assert (first["account_id"], first["value"], first["source"]) == ("A", 1, "user")
    assert (second["account_id"], second["value"], second["locked_by"]) == ("B", 4, "account")


# Violations


def violated(**known: Any) -> list[tuple[Any, ...]]:
    columns = ("own_value", "locked_value", "locked_by", "source_group_id", "confidence")
    return [tuple(row[c] for c in columns) for row in lock_violations(facts(**known), MAP)]


def test_an_own_value_that_differs_from_the_locked_one_violates_the_lock() -> None:
    assert violated(own={CLOUD: 1}, account_locks=OPEN, G=group(2, True)) == [
        (1, 2, "group", "G", "exact")
    ]


def test_the_same_text_is_the_same_value_and_violates_nothing() -> None:
    assert violated(own={CLOUD: "true"}, account_locks=OPEN, G=group(True, True)) == []


def test_null_and_the_text_null_differ() -> None:
    assert violated(own={CLOUD: "null"}, account={CLOUD: None}, account_locks={CLOUD: True}) == [
        ("null", None, "account", None, "exact")
    ]


def test_where_the_locked_value_is_not_known_nobody_is_said_to_violate_it() -> None:
    assert violated(own={CLOUD: 1}, account_locks={CLOUD: True}) == []


def test_who_has_no_value_of_her_own_violates_nothing() -> None:
    assert violated(account={CLOUD: 1}, account_locks={CLOUD: True}) == []


def test_where_nothing_is_locked_nothing_is_violated() -> None:
    assert violated(own={CLOUD: 1}, account={CLOUD: 2}, account_locks=OPEN) == []


# What the play reaches

SEEDS = range(300)


def declared(log: list[Delivery]) -> list[Row]:
    """The declarations of a play, which is in the order of events: the last one of each."""
    fields = {"model": "model", "ranking": "groups", "primary_group": "primary_group_id"}
    found: dict[tuple[Any, ...], Row] = {}
    for one in log:
        if one.source != "declared":
            continue
        body = json.loads(one.body or b"")
        about, kind = body["payload"]["object"], body["event"].partition(".")[2]
        user = about["id"] if kind == "primary_group" else None
        at = {"account_id": body["payload"]["account_id"], "kind": kind, "user_id": user}
        found[at["account_id"], kind, user and user.lower()] = at | {"value": about[fields[kind]]}
    return [row for row in found.values() if row["value"] is not None]


def test_the_play_reaches_every_answer_that_is_possible_and_no_row_needs_many_worlds() -> None:
    answers: Counter[tuple[Any, ...]] = Counter()
    violations: Counter[tuple[Any, ...]] = Counter()
    special: Counter[str] = Counter()
    for seed in SEEDS:
        log = settings_play(seed)
        views = fold(log) | {"declarations": declared(log)}
        found = judged(views, MAP)
        special["two accounts"] += len({one.account_id for one in found}) > 1
        for one in found:
            answer, question = one.answer, one.question
            answers[answer.confidence, answer.source, answer.locked_by] += 1
            if one.violation:
                violations[answer.confidence, answer.locked_by] += 1
            special["equal values of several types"] += len(answer.values) > 1
            no_one = answer.locked_by == "group" and answer.source_group_id is None
            special["locked by no one group"] += no_one and answer.values != ()
            special["null"] += answer.values == (None,)
            special["elsewhere"] += question.primary_group_id == NOWHERE
            special[f"{len(question.groups)} groups"] += 1
            special[one.path] += 1
            special[f"{one.path} {answer.confidence}"] += 1
            assert sum(1 for _ in worlds(question, NOTHING_SAID)) < 20_000
    assert set(answers) == ANSWERS
    assert min(answers.values()) >= 10, sorted(answers.items(), key=str)
    assert set(violations) == {("exact", "account"), ("exact", "group"), ("declared", "group")}
    for case in ("two accounts", "equal values of several types", "locked by no one group", "null"):
        assert special[case] >= 5, case
    for case in ("elsewhere", "0 groups", "1 groups", "2 groups", "3 groups"):
        assert special[case] >= 5, case
    for row in MAP:
        assert special[row["path"]] >= 10, row["path"]
    for path in (BRAND_NEW, "recording.fresh", "recording.fresh.inner"):
        assert special[path] >= 10, path


def test_a_play_is_the_same_for_the_same_seed_and_tells_each_event_from_its_source() -> None:
    assert settings_play(7) == settings_play(7)
    told = {
        (one.source, json.loads(one.body or b"")["event"])
        for seed in SEEDS
        for one in settings_play(seed)
    }
    assert {name for source, name in told if source == "declared"} == {
        "declared.model", "declared.ranking", "declared.primary_group",
    }  # fmt: skip
    assert {name for source, name in told if source == "rest"} == {
        "rest.account_settings_observed",
        "rest.group_settings_observed",
        "rest.user_settings_observed",
    }
    assert {name for source, name in told if source == "webhook"} == {
        "user.created", "user.updated", "user.settings_updated", "user.deleted",
        "group.created", "group.deleted", "group.member_added", "group.member_deleted",
        "group.settings_updated", "group.lock_settings_updated",
    }  # fmt: skip
