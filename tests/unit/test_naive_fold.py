"""The oracle against hand-written answers: order, ids, lifecycle, what cannot be folded."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.oracle.naive_fold import Delivery, fold
from tests.oracle.story import RECEIVED, T0, T0_MS, clock, event, fold_all, only, pick

U = {"id": "Uma", "email": "uma@x.test"}


def group_event(what: str, at: int, group: str = "G", **about: Any) -> bytes:
    return event(f"group.{what}", at, {"id": group, **about}, operator="op@x.test")


def bare(body: dict[str, Any]) -> Any:
    """Return the event time of a user.created that carries these times."""
    payload = {"account_id": "A", **body.pop("payload", {})}
    payload["object"] = {"id": "U", **body.pop("object", {})}
    raw = json.dumps({"event": "user.created", "payload": payload, **body}).encode()
    return only(fold_all([raw])["users"], "created_at")


# Section 3: time, order, duplicates


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"event_ts": T0_MS + 5}, clock(5)),
        ({"event_ts": str(T0_MS + 5)}, clock(5)),
        ({"event_ts": 1.5, "payload": {"time_stamp": T0_MS}}, T0),
        ({"event_ts": True, "time_stamp": T0_MS}, T0),
        ({"event_ts": -1, "time_stamp": str(T0_MS), "object": {"date_time": 7}}, T0),
        ({"object": {"date_time": "2026-05-04T08:00:00.0019Z"}}, clock(1)),
        ({"object": {"date_time": "2026-05-04T10:00:00+02:00"}}, T0),
        ({"object": {"date_time": "2026-05-04T08:00:00"}}, T0),
        ({"object": {"date_time": "", "date-time": "2026-05-04T08:00:00Z"}}, T0),
        ({"object": {"date_time": str(T0_MS)}}, T0),
        ({"event_ts": "9" * 5000}, RECEIVED),
        ({"event_ts": "2026-05-04T08:00:00Z"}, RECEIVED),
        ({}, RECEIVED),
        ({"event_ts": T0_MS + 25 * 3600_000}, RECEIVED + timedelta(days=1)),
        ({"event_ts": T0_MS + 25 * 3600_000 + 1}, RECEIVED),
    ],
)
def test_event_time_is_the_first_place_that_holds_a_time(
    body: dict[str, Any], expected: Any
) -> None:
    assert bare(body) == expected


def test_receipt_is_floored_to_a_millisecond() -> None:
    raw = b'{"event": "user.created", "payload": {"account_id": "A", "object": {"id": "U"}}}'
    views = fold([Delivery(1, T0 + timedelta(microseconds=1999), raw)])
    assert only(views["users"], "created_at") == clock(1)


def test_events_apply_in_event_order_whatever_their_position() -> None:
    late_first = [
        event("user.updated", 2, {"id": "U", "dept": "new"}),
        event("user.updated", 1, {"id": "U", "dept": "old", "role": "Admin"}),
    ]
    assert only(fold_all(late_first)["users"], "dept", "role", "last_position") == (
        "new",
        "Admin",
        1,
    )


def test_in_one_millisecond_lifecycle_rank_decides() -> None:
    names = ["deleted", "disassociated", "deactivated", "updated", "activated", "created"]
    views = fold_all([event(f"user.{name}", 1, {"id": "U", "dept": name}) for name in names])
    assert views["users"] == []
    assert only(views["former_users"], "status", "dept", "last_position") == (
        "deleted",
        "deleted",
        1,
    )


def test_equal_bytes_count_once_at_their_smallest_position() -> None:
    body = event("user.created", 1, U)
    views = fold_all([body, body, body])
    assert only(views["users"], "last_position") == 1
    assert only(views["freshness"], "events", "last_received_at") == (1, RECEIVED)


def test_an_erased_body_folds_as_nothing() -> None:
    assert fold_all([None, event("user.created", 1, U)]) == fold_all(
        [b'{"event": "x"}', event("user.created", 1, U)]
    )


# Ids


def test_user_ids_match_in_any_case_and_show_the_newest_lifecycle_spelling() -> None:
    views = fold_all(
        [
            event("user.created", 1, {"id": "uMA"}),
            event("user.updated", 3, {"id": "UMA"}),
            event("user.activated", 2, {"id": "Uma"}),
            event("user.presence_status_updated", 4, {"id": "uma"}),
        ]
    )
    assert pick(views["users"], "user_id") == pick(views["presence"], "user_id") == ["Uma"]


def test_an_unknown_person_is_spelled_as_the_row_heard_it_last() -> None:
    views = fold_all([event("user.signed_in", 1, {"id": "Zed"})])
    assert only(views["sign_ins"], "user_id") == "Zed"
    assert only(views["unresolved_users"]) == {
        "account_id": "A",
        "user_id": "Zed",
        "email": None,
        "seen_in": ["sign_ins"],
    }


def test_accounts_and_group_ids_are_exact_and_integers_are_ids() -> None:
    views = fold_all(
        [
            group_event("created", 1, "G", name="big"),
            group_event("created", 1, "g", name="small"),
            event("user.created", 1, {"id": 12}, account=7),
        ]
    )
    assert pick(views["groups"], "group_id", "name") == [("G", "big"), ("g", "small")]
    assert only(views["users"], "account_id", "user_id") == ("7", "12")


# User lifecycle


@pytest.mark.parametrize(
    ("kind", "status"), [("create", "pending"), ("ssoCreate", "active"), (None, "active")]
)
def test_creation_type_decides_the_first_status(kind: str | None, status: str) -> None:
    given = {"creation_type": kind} if kind else {}
    views = fold_all([event("user.created", 1, U, **given)])
    assert only(views["users"], "status", "creation_type") == (status, kind)


@pytest.mark.parametrize(
    ("then", "status"),
    [
        ("invitation_accepted", "active"),
        ("activated", "active"),
        ("deactivated", "inactive"),
        ("updated", "pending"),
        ("signed_in", "active"),
        ("signed_out", "pending"),
    ],
)
def test_what_follows_an_invitation(then: str, status: str) -> None:
    views = fold_all(
        [event("user.created", 1, U, creation_type="create"), event(f"user.{then}", 2, U)]
    )
    assert only(views["users"], "status") == status


def test_a_reinvite_makes_pending_again_and_keeps_the_first_creation() -> None:
    views = fold_all(
        [
            event("user.created", 1, U, creation_type="create"),
            event("user.signed_in", 2, U),
            event("user.created", 3, {"id": "Uma", "dept": "x"}, creation_type="create"),
        ]
    )
    row = only(views["users"], "status", "created_at", "email", "dept")
    assert row == ("pending", clock(1), "uma@x.test", "x")


def test_known_only_from_updates_is_status_unknown() -> None:
    views = fold_all([event("user.updated", 1, {"id": "U", "type": "2"})])
    assert only(views["users"], "status", "type", "created_at") == ("unknown", 2, None)


def test_a_former_user_keeps_the_profile_and_takes_late_news_into_it() -> None:
    views = fold_all(
        [
            event("user.created", 1, U),
            event("user.disassociated", 2, {"id": "Uma", "type": 1}),
            event("user.updated", 3, {"id": "Uma", "dept": "left"}),
            event("user.deactivated", 4, {"id": "Uma", "role": "none"}),
        ]
    )
    row = only(views["former_users"], "status", "removed_at", "email", "dept", "role")
    assert row == ("disassociated", clock(2), "uma@x.test", "left", "none")
    assert views["users"] == []


def test_a_second_removal_takes_over_status_and_time() -> None:
    removals = [event("user.disassociated", 1, U), event("user.deleted", 5, {"id": "uma"})]
    row = only(fold_all(removals)["former_users"], "status", "removed_at", "user_id")
    assert row == ("deleted", clock(5), "uma")


def test_revival_starts_an_empty_profile() -> None:
    views = fold_all(
        [
            event("user.created", 1, U | {"dept": "old"}, creation_type="create"),
            event("user.deleted", 2, U),
            event("user.updated", 3, {"id": "Uma", "role": "between"}),
            event("user.activated", 4, {"id": "Uma", "first_name": "U"}),
        ]
    )
    row = only(views["users"], "status", "created_at", "creation_type", "dept", "role")
    assert row == ("active", None, None, None, None)
    assert only(views["users"], "first_name", "email") == ("U", None)


def test_nothing_but_created_accepted_activated_revives() -> None:
    others = ["deactivated", "updated", "signed_in", "settings_updated"]
    views = fold_all(
        [event("user.deleted", 1, U)]
        + [event(f"user.{name}", 2 + n, {"id": "Uma"}) for n, name in enumerate(others)]
    )
    assert views["users"] == views["sign_ins"] == views["user_settings"] == []


def test_a_removal_ends_what_is_older_and_revival_shows_what_came_since() -> None:
    gone = [
        event("user.created", 1, U),
        group_event("member_added", 2, members=[U]),
        event("user.signed_in", 2, U | {"client_type": "mac"}),
        event("user.presence_status_updated", 2, U | {"presence_status": "Away"}),
        event("user.settings_updated", 2, {"id": "Uma", "settings": {"a": 1}}),
        event("user.deleted", 3, U),
        event("user.settings_updated", 4, {"id": "Uma", "settings": {"b": 2}}),
        group_event("admin_added", 4, admins=[{"id": "UMA"}]),
    ]
    views = fold_all(gone)
    shown = ("memberships", "group_admins", "presence", "sign_ins", "user_settings")
    assert [views[view] for view in shown] == [[], [], [], [], []]
    assert only(views["unresolved_users"], "user_id", "seen_in") == ("Uma", ["admins", "settings"])
    views = fold_all([*gone, event("user.created", 5, {"id": "Uma"})])
    assert [len(views[view]) for view in shown] == [0, 1, 0, 0, 1]
    assert only(views["user_settings"], "settings", "changed_at") == ({"b": 2}, clock(4))
    assert views["unresolved_users"] == []


# What cannot be folded


@pytest.mark.parametrize(
    ("body", "projection"),
    [
        (event("user.updated", 1, {"id": ""}), "users"),
        (event("user.created", 1, None), "users"),
        (event("user.deleted", 1, {"id": "U"}, account=""), "users"),
        (event("user.personal_notes_updated", 1, {"id": False}), "presence"),
        (event("user.signed_out", 1, {"id": 1.0}), "sign_ins"),
        (event("user.settings_updated", 1, {"id": "U", "settings": []}), "user_settings"),
        (event("group.lock_settings_updated", 1, {"id": "G", "settings": ""}), "group_settings"),
        (event("group.deleted", 1, {}), "groups"),
        (event("group.member_added", 1, {"id": "G", "members": {}}), "memberships"),
        (event("group.admin_deleted", 1, {"id": "G", "admins": [{"id": ""}, 1]}), "group_admins"),
    ],
)
def test_what_cannot_be_folded_is_one_dead_letter(body: bytes, projection: str) -> None:
    views = fold_all([body])
    name = json.loads(body)["event"]
    assert views["dead_letters"] == [{"position": 1, "projection": projection, "event": name}]
    assert [view for view, rows in views.items() if rows and view != "freshness"] == [
        "dead_letters"
    ]


def test_the_other_entries_of_a_dead_letter_fold() -> None:
    views = fold_all([group_event("member_added", 1, members=[{"id": None}, "x", U, {}])])
    assert pick(views["memberships"], "user_id") == ["Uma"]
    assert pick(views["dead_letters"], "projection") == ["memberships"]


@pytest.mark.parametrize("members", [None, []])
def test_no_members_at_all_is_nothing(members: Any) -> None:
    views = fold_all([group_event("member_added", 1, members=members)])
    assert views["memberships"] == views["dead_letters"] == []


def test_events_outside_the_21_are_not_folded() -> None:
    assert not any(fold_all([event("meeting.started", 1, U), event("user.Created", 1, U)]).values())


def test_freshness_counts_distinct_events_by_account_and_name() -> None:
    story = [event("user.created", at, {"id": "U"}) for at in (1, 5, 3)]
    story += [event("user.created", 1, {}, account="B"), event("user.created", 1, U, account=None)]
    assert pick(fold_all(story)["freshness"], "account_id", "events", "last_event_at") == [
        ("A", 3, clock(5)),
        ("B", 1, clock(1)),
    ]
