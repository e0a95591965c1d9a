"""users: the people of an account, and in former_users those who were deleted or left it."""

from typing import Any

import pytest

from tests.examples.telling import ERASED, UMA, Then, Told, at, changed, event, given, row, when
from tests.oracle.story import T0_MS

INVITED = event("user.created", 1, UMA, creation_type="create")


# ---- a life ------------------------------------------------------------------------------------


@given(lambda kind: event("user.created", 1, UMA, **({"creation_type": kind} if kind else {})))
@pytest.mark.parametrize(
    ("kind", "status"), [("create", "pending"), ("ssoCreate", "active"), (None, "active")]
)
def test_creation_type_decides_the_first_status(then: Then, kind: str | None, status: str) -> None:
    assert then.users == [row(status=status, creation_type=kind)]


@given(INVITED)
@when(lambda what: event(f"user.{what}", 2, UMA))
@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("invitation_accepted", "active"),
        ("activated", "active"),
        ("deactivated", "inactive"),
        ("updated", "pending"),
        ("signed_in", "active"),
        ("signed_out", "pending"),
    ],
)
def test_what_follows_an_invitation(then: Then, what: str, status: str) -> None:
    assert then.users == [row(status=status)]


@given(INVITED, event("user.signed_in", 2, UMA))
@when(event("user.created", 3, {"id": "Uma", "dept": "x"}, creation_type="create"))
def test_a_reinvite_makes_pending_again_and_keeps_the_first_creation(then: Then) -> None:
    assert then.users == [row(status="pending", created_at=at(1), email="uma@x.test", dept="x")]


@given(changed(1, {"type": "2"}))
def test_known_only_from_updates_is_status_unknown(then: Then) -> None:
    assert then.users == [row(status="unknown", type=2, created_at=None)]


# ---- its end -----------------------------------------------------------------------------------


@given(
    event("user.created", 1, UMA),
    event("user.disassociated", 2, {"id": "Uma", "type": 1}),
    event("user.updated", 3, {"id": "Uma", "dept": "left"}),
    event("user.deactivated", 4, {"id": "Uma", "role": "none"}),
)
def test_a_former_user_keeps_the_profile_and_takes_late_news_into_it(then: Then) -> None:
    assert then.former_users == [
        row(
            status="disassociated",
            removed_at=at(2),
            email="uma@x.test",
            dept="left",
            role="none",
        )
    ]
    assert then.users == []


@given(event("user.disassociated", 1, UMA))
@when(event("user.deleted", 5, {"id": "uma"}))
def test_a_second_removal_takes_over_status_and_time(then: Then) -> None:
    assert then.former_users == [row(status="deleted", removed_at=at(5), user_id="uma")]


@given(
    event("user.created", 1, UMA | {"dept": "old"}, creation_type="create"),
    event("user.deleted", 2, UMA),
    event("user.updated", 3, {"id": "Uma", "role": "between"}),
)
@when(event("user.activated", 4, {"id": "Uma", "first_name": "U"}))
def test_revival_starts_an_empty_profile(then: Then) -> None:
    nothing = dict.fromkeys(("created_at", "creation_type", "dept", "role", "email"))
    assert then.users == [row(status="active", first_name="U", **nothing)]


@given(event("user.deleted", 1, UMA))
@when(
    *(
        event(f"user.{name}", 2 + n, {"id": "Uma"})
        for n, name in enumerate(["deactivated", "updated", "signed_in", "settings_updated"])
    )
)
def test_nothing_but_created_accepted_activated_revives(then: Then) -> None:
    assert then.users == then.sign_ins == then.user_settings == []


OF_UMA = ("memberships", "group_admins", "presence", "sign_ins", "user_settings")
GONE = (
    event("user.created", 1, UMA),
    event("group.member_added", 2, {"id": "G", "members": [UMA]}),
    event("user.signed_in", 2, UMA | {"client_type": "mac"}),
    event("user.presence_status_updated", 2, UMA | {"presence_status": "Away"}),
    event("user.settings_updated", 2, {"id": "Uma", "settings": {"a": 1}}),
    event("user.deleted", 3, UMA),
    event("user.settings_updated", 4, {"id": "Uma", "settings": {"b": 2}}),
    event("group.admin_added", 4, {"id": "G", "admins": [{"id": "UMA"}]}),
)


@given(*GONE)
def test_a_removal_ends_what_is_older_and_nothing_newer_shows(then: Then) -> None:
    assert [then.views[view] for view in OF_UMA] == [[], [], [], [], []]
    assert then.unresolved_users == [row(user_id="Uma", seen_in=["admins", "settings"])]


@given(*GONE)
@when(event("user.created", 5, {"id": "Uma"}))
def test_revival_shows_what_came_since_the_removal(then: Then) -> None:
    assert [len(then.views[view]) for view in OF_UMA] == [0, 1, 0, 0, 1]
    assert then.user_settings == [row(settings={"b": 2}, changed_at=at(4))]
    assert then.unresolved_users == []


# ---- the profile -------------------------------------------------------------------------------


@given(
    event("user.created", 1, {"id": "E", "email": "e@x.test", "type": 2, "dept": "d"}),
    event("user.deactivated", 2, {"id": "E", "type": 1}, {"type": 2, "dept": "d"}),
)
def test_lifecycle_events_merge_like_a_diff(then: Then) -> None:
    assert then.users == [row(email="e@x.test", type=1, dept=None)]


@given(changed(1, {"email": "e@x.test", "dept": "d"}))
@when(lambda blank: changed(2, {}, {"id": blank, "email": "other@x.test", "dept": "other"}))
@pytest.mark.parametrize("blank", ["", None])
def test_a_placeholder_clears_nothing_and_proves_nothing(then: Then, blank: Any) -> None:
    assert then.users == [row(email="e@x.test", dept="d")]
    assert then.drift == []


@given(changed(1, {"email": "e@x.test", "dept": "d"}))
@when(changed(2, {}, {"dept": ""}))
def test_a_blank_placeholder_without_an_id_is_a_plain_old_object(then: Then) -> None:
    assert then.users == [row(email="e@x.test", dept=None)]


def attribute(key: Any, value: Any) -> dict[str, Any]:
    return {"key": key, "name": "n", "value": value, "noise": 1}


ATTRIBUTES = (
    changed(1, {"custom_attributes": [attribute("b", 1), attribute("a", 2), attribute("", 3), 4]}),
    changed(
        2,
        {"custom_attributes": [attribute("b", 5)]},
        {"custom_attributes": [attribute("a", 2)]},
    ),
    changed(3, {"custom_attributes": "none"}),
    changed(4, {"custom_attributes": [{"key": 7}]}),
)


@given(*ATTRIBUTES)
def test_custom_attributes_merge_by_key(then: Then) -> None:
    merged = [{"key": "7", "name": None, "value": None}, {"key": "b", "name": "n", "value": 5}]
    assert then.users == [row(custom_attributes=merged)]


@given(*ATTRIBUTES)
@when(changed(5, {}, {"custom_attributes": [attribute("b", 5), attribute("7", 0)]}))
def test_custom_attributes_that_are_all_cleared_are_none(then: Then) -> None:
    assert then.users == [row(custom_attributes=None)]


LICENCES = (changed(1, {"settings": {"f": {"a": 1, "b": 2}}}),)
ONE_CLEARED = changed(2, {}, {"settings": {"f": {"a": 1}}})
ABSENT, NO_OBJECT = changed(3, {"settings": None}), changed(4, {"settings": "x"})


@given(*LICENCES)
@when(lambda since: since)
@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ([ONE_CLEARED], {"f": {"b": 2}}),
        ([ONE_CLEARED, ABSENT], {"f": {"b": 2}}),
        ([ONE_CLEARED, ABSENT, NO_OBJECT], None),
    ],
    ids=["one is cleared", "absent settings change nothing", "what is no object clears"],
)
def test_profile_settings_fold_in_the_profile(
    then: Then, since: list[Told], expected: dict[str, Any] | None
) -> None:
    assert then.users == [row(profile_settings=expected)]


@given(lambda column, value: changed(1, {column: value}))
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
def test_typed_columns_take_what_they_can_hold(
    then: Then, column: str, value: Any, expected: Any
) -> None:
    assert then.users == [row(**{column: expected})]


@given(changed(1, {"host_key": "1", "settings": {"a": {"pmi_password": "x"}}}))
def test_no_secret_is_shown(then: Then) -> None:
    assert then.users == [row(profile_settings=None)]
    assert "host_key" not in then.users[0]


# ---- who it is ---------------------------------------------------------------------------------


@given(
    event("user.created", 1, {"id": "uMA"}),
    event("user.updated", 3, {"id": "UMA"}),
    event("user.activated", 2, {"id": "Uma"}),
    event("user.presence_status_updated", 4, {"id": "uma"}),
)
def test_ids_match_in_any_case_and_show_the_newest_lifecycle_spelling(then: Then) -> None:
    assert then.users == [row(user_id="Uma")]
    assert then.presence == [row(user_id="Uma")]


@given(event("user.created", 1, {"id": 12}, account=7))
def test_integers_are_ids(then: Then) -> None:
    assert then.users == [row(account_id="7", user_id="12")]


@given(event("user.created", 1, UMA, account="A"), event("user.created", 1, UMA, account="a"))
def test_accounts_are_exact(then: Then) -> None:
    assert then.values("users", "account_id") == ["A", "a"]


# ---- when it happened --------------------------------------------------------------------------


@given(
    changed(2, {"dept": "new"}),
    changed(1, {"dept": "old", "role": "Admin"}),
)
def test_events_apply_in_event_order_whatever_their_position(then: Then) -> None:
    assert then.users == [row(dept="new", role="Admin", last_position=1)]


BY_RANK = ["deleted", "disassociated", "deactivated", "updated", "activated", "created"]


@given(*(event(f"user.{name}", 1, {"id": "U", "dept": name}) for name in BY_RANK))
def test_in_one_millisecond_lifecycle_rank_decides(then: Then) -> None:
    assert then.users == []
    assert then.former_users == [row(status="deleted", dept="deleted", last_position=1)]


@given(*[event("user.created", 1, UMA)] * 3)
def test_equal_bytes_count_once_at_their_smallest_position(then: Then) -> None:
    assert then.users == [row(last_position=1)]


@given(ERASED, event("user.created", 1, UMA))
def test_an_erased_body_folds_as_nothing(then: Then) -> None:
    assert then.users == [row(user_id="Uma", last_position=2)]
    assert then.shown() == {"users", "freshness", "activity"}
    assert then.heard == [row(event="user.created", events=1)]


def told_at(**times: Any) -> Told:
    """A creation with its time in several fields."""
    payload = {"account_id": "A", **times.pop("payload", {})}
    payload["object"] = {"id": "U", **times.pop("object", {})}
    return Told({"event": "user.created", "payload": payload, **times})


RECEIVED_AT = at(3_600_000)
A_DAY_LATER = at(25 * 3_600_000)


@given(lambda times: told_at(**times))
@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"event_ts": T0_MS + 5}, at(5)),
        ({"event_ts": str(T0_MS + 5)}, at(5)),
        ({"event_ts": 1.5, "payload": {"time_stamp": T0_MS}}, at(0)),
        ({"event_ts": True, "time_stamp": T0_MS}, at(0)),
        ({"event_ts": -1, "time_stamp": str(T0_MS), "object": {"date_time": 7}}, at(0)),
        ({"object": {"date_time": "2026-05-04T08:00:00.0019Z"}}, at(1)),
        ({"object": {"date_time": "2026-05-04T10:00:00+02:00"}}, at(0)),
        ({"object": {"date_time": "2026-05-04T08:00:00"}}, at(0)),
        ({"object": {"date_time": "", "date-time": "2026-05-04T08:00:00Z"}}, at(0)),
        ({"object": {"date_time": str(T0_MS)}}, at(0)),
        ({"event_ts": "9" * 5000}, RECEIVED_AT),
        ({"event_ts": "2026-05-04T08:00:00Z"}, RECEIVED_AT),
        ({}, RECEIVED_AT),
        ({"event_ts": T0_MS + 25 * 3_600_000}, A_DAY_LATER),
        ({"event_ts": T0_MS + 25 * 3_600_000 + 1}, RECEIVED_AT),
    ],
)
def test_event_time_is_the_first_place_that_holds_a_time(
    then: Then, times: dict[str, Any], expected: Any
) -> None:
    assert then.users == [row(created_at=expected)]


@given(
    Told(
        {"event": "user.created", "payload": {"account_id": "A", "object": {"id": "U"}}}, at(1.999)
    )
)
def test_the_time_of_receipt_is_floored_to_a_millisecond(then: Then) -> None:
    assert then.users == [row(created_at=at(1))]


# ---- what cannot be folded ---------------------------------------------------------------------


@given(lambda broken: broken)
@pytest.mark.parametrize(
    "broken",
    [
        event("user.updated", 1, {"id": ""}),
        event("user.created", 1, None),
        event("user.deleted", 1, {"id": "U"}, account=""),
    ],
    ids=["a blank id", "no object", "a blank account"],
)
def test_what_cannot_be_folded_is_one_dead_letter(then: Then, broken: Told) -> None:
    assert broken.body is not None
    letter = {"position": 1, "projection": "users", "event": broken.body["event"]}
    assert then.dead_letters == [letter]
    assert then.shown() - {"freshness", "activity"} == {"dead_letters"}


@given(event("meeting.started", 1, UMA), event("user.Created", 1, UMA))
def test_events_outside_the_21_are_not_folded(then: Then) -> None:
    assert then.shown() == set()
