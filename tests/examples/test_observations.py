"""What Zoom's REST API showed: true as of its time, later deliveries on top, earlier ones under it."""

from tests.examples.telling import (
    UMA,
    Then,
    Told,
    about_group,
    at,
    changed,
    event,
    given,
    row,
    seen,
    settings,
    when,
)

SEEN = UMA | {"status": "active", "dept": "Sales", "user_created_at": "2020-01-02T03:04:05Z"}


def members(what: str, ms: int, *people: str, group: str = "G") -> Told:
    """A change of a group's members, by id."""
    return about_group(f"member_{what}", ms, group, members=[{"id": person} for person in people])


@when(seen("user_observed", 1, SEEN))
def test_a_person_who_was_there_before_is_in_users(then: Then) -> None:
    assert then.users == [
        row(user_id="Uma", email="uma@x.test", dept="Sales", status="active", last_event_at=at(1))
    ]
    assert [str(created) for created in then.values("users", "created_at")] == [
        "2020-01-02 03:04:05+00:00"
    ]
    assert then.unresolved_users == []


@given(event("user.created", 0, {"id": "Uma"}))
@when(seen("user_observed", 1, SEEN))
def test_an_event_of_this_life_says_when_a_user_was_created(then: Then) -> None:
    assert then.values("users", "created_at") == [at(0)]


@given(changed(5, {"dept": "later"}), changed(1, {"dept": "earlier", "company": "X"}))
@when(seen("user_observed", 3, {"id": "E", "dept": "seen", "role": None}))
def test_later_changes_go_on_top_and_what_is_not_named_stays(then: Then) -> None:
    assert then.users == [row(dept="later", company="X", role=None, status="unknown")]


@given(seen("user_observed", 3, {"id": "E", "dept": "seen"}))
@when(changed(1, {"dept": "late", "company": "X"}))
def test_what_arrives_late_goes_under_an_observation(then: Then) -> None:
    assert then.users == [row(dept="seen", company="X")]


@given(event("user.deleted", 1, UMA))
@when(seen("user_observed", 2, {"id": "UMA", "status": "inactive"}))
def test_who_is_seen_is_there_again_with_what_is_seen(then: Then) -> None:
    assert then.former_users == []
    assert then.users == [row(user_id="Uma", email=None, status="inactive")]


@given(seen("user_observed", 2, SEEN))
@when(event("user.deleted", 1, UMA))
def test_a_removal_from_before_does_not_remove_whom_an_observation_shows(then: Then) -> None:
    assert then.users == [row(user_id="Uma", status="active")]


@given(event("user.activated", 1, UMA), members("added", 2, "Uma"))
@when(seen("user_gone", 3, {"id": "Uma"}))
def test_who_is_gone_is_a_former_user_and_nothing_of_them_stays(then: Then) -> None:
    assert then.users == then.memberships == []
    assert then.former_users == [row(user_id="Uma", status="gone", removed_at=at(3))]


@given(seen("user_gone", 3, {"id": "Uma"}))
@when(event("user.deleted", 2, UMA))
def test_gone_overrides_nothing_that_an_event_said_of_that_end(then: Then) -> None:
    assert then.former_users == [row(status="deleted", removed_at=at(2))]


@given(seen("user_gone", 3, {"id": "Uma"}))
@when(event("user.activated", 4, UMA))
def test_an_event_that_revives_revives_who_was_gone(then: Then) -> None:
    assert then.former_users == []
    assert then.users == [row(status="active")]


@given(event("user.deleted", 1, UMA), members("added", 2, "Uma"))
@when(seen("user_gone", 3, {"id": "Uma"}))
def test_gone_ends_what_named_a_former_user_again(then: Then) -> None:
    assert then.former_users == [row(status="deleted", removed_at=at(1))]
    assert then.memberships == then.unresolved_users == []


# ---- groups ---------------------------------------------------------------------------------------


@given(members("added", 1, "Uma"), members("added", 2, "Uma", group="H"))
@when(seen("user_observed", 3, SEEN | {"group_ids": ["G", "I"]}))
def test_the_set_of_groups_ends_others_and_keeps_when_somebody_was_added(then: Then) -> None:
    assert then.memberships == [
        row(group_id="G", user_id="Uma", added_at=at(1), added_by="op@x.test"),
        row(group_id="I", user_id="Uma", added_at=None, added_by=None),
    ]


@given(seen("user_observed", 3, SEEN | {"group_ids": ["G"]}))
@when(members("added", 1, "Uma", "Bo", group="H"))
def test_a_late_addition_goes_under_the_set_of_groups(then: Then) -> None:
    assert then.values("memberships", "group_id", "user_id") == [("G", "Uma"), ("H", "Bo")]


@given(seen("user_observed", 3, SEEN | {"group_ids": ["G"]}))
@when(members("deleted", 4, "Uma"), members("added", 5, "Uma", group="H"))
def test_later_changes_of_members_go_on_top(then: Then) -> None:
    assert then.memberships == [row(group_id="H", added_at=at(5))]


@given(members("added", 1, "Uma"), seen("user_observed", 2, SEEN | {"group_ids": []}))
@when(seen("user_observed", 3, SEEN | {"group_ids": ["G"]}))
def test_a_membership_that_begins_again_unseen_has_no_time_of_addition(then: Then) -> None:
    assert then.memberships == [row(group_id="G", added_at=None, last_event_at=at(3))]


@given(members("added", 1, "Uma"), event("group.created", 0, {"id": "G", "name": "Team"}))
@when(seen("user_observed", 2, SEEN), seen("user_observed", 3, SEEN | {"group_ids": []}))
def test_without_a_set_of_groups_nothing_is_said_of_them(then: Then) -> None:
    assert then.memberships == []
    assert then.groups == [row(member_count=0)]


@given(
    event("user.created", 0, UMA),
    seen("group_observed", 0, {"id": "G", "name": "Team"}),
    about_group("member_added", 1, members=[{"email": "UMA@x.test"}]),
)
@when(seen("user_observed", 2, SEEN | {"group_ids": []}))
def test_the_set_of_groups_ends_an_entry_by_email_too(then: Then) -> None:
    assert then.memberships == []
    assert then.groups == [row(member_count=0)]


@when(seen("group_observed", 1, {"id": "G", "name": "Team"}))
def test_a_group_that_was_there_before(then: Then) -> None:
    assert then.groups == [row(group_id="G", name="Team", created_at=None)]


@given(seen("group_observed", 1, {"id": "G", "name": "Team"}), members("added", 2, "Uma"))
@when(seen("group_gone", 3, {"id": "G"}))
def test_a_group_that_is_gone(then: Then) -> None:
    assert then.groups == then.memberships == []
    assert then.former_groups == [row(name="Team", removed_at=at(3))]


@given(about_group("deleted", 1, name="Team"))
@when(seen("group_observed", 2, {"id": "G", "name": "Other"}))
def test_a_deleted_group_that_is_seen_is_there_again(then: Then) -> None:
    assert then.former_groups == []
    assert then.groups == [row(name="Other")]


@given(
    about_group("admin_added", 1, admins=[{"id": "Bo", "email": "bo@x.test"}, {"id": "Al"}]),
    event("user.created", 0, UMA),
)
@when(
    seen(
        "group_admins_observed",
        2,
        {"id": "G", "admins": [{"email": "UMA@x.test"}], "absent": [{"id": "AL"}]},
    )
)
def test_admins_are_added_and_ended_as_seen_and_others_stay(then: Then) -> None:
    assert then.group_admins == [
        row(user_id="Bo", added_at=at(1)),
        row(user_id="Uma", added_at=None),
    ]


# ---- settings -------------------------------------------------------------------------------------


@given(settings(1, {"a": {"x": 1, "y": 1}}), settings(5, {"a": {"y": 5}}))
@when(seen("user_settings_observed", 3, {"id": "E", "settings": {"a": {"x": 3, "y": 3, "z": 3}}}))
def test_settings_are_set_leaf_by_leaf(then: Then) -> None:
    assert then.user_settings == [
        row(settings={"a": {"x": 3, "y": 5, "z": 3}}, changed_at=at(5)),
    ]


@when(
    seen("group_settings_observed", 1, {"id": "E", "settings": {"a": 1}, "locks": {"a": True}}),
    seen("account_settings_observed", 2, {"id": "A", "settings": {"b": 2}}),
    seen("account_settings_observed", 1, {"id": "A", "settings": {"b": 1}, "locks": {"b": True}}),
)
def test_settings_of_groups_and_of_the_account(then: Then) -> None:
    assert then.group_settings == [row(settings={"a": 1}, locks={"a": True}, changed_by=None)]
    assert then.account_settings == [
        row(account_id="A", settings={"b": 2}, locks={"b": True}, changed_at=at(2))
    ]


# ---- drift, kinds, coverage -----------------------------------------------------------------------


@given(
    changed(1, {"dept": "A", "company": "A"}),
    changed(3, {"dept": "C", "company": "C"}, {"dept": "B", "company": "B"}),
)
@when(seen("user_observed", 4, {"id": "E", "dept": "C"}))
def test_an_observation_ends_the_drift_of_what_it_names(then: Then) -> None:
    assert then.drift == [row(path="company", known="A", reported="B")]


@given(settings(1, {"a": {"x": 1}}), settings(3, {"a": {"x": 3}}, {"a": {"x": 2}}))
@when(seen("user_settings_observed", 2, {"id": "E", "settings": {"a": {"x": 2}}}))
def test_an_observation_before_a_contradiction_leaves_none(then: Then) -> None:
    assert then.drift == []


@given(settings(1, {"a": {"x": 1}}), settings(3, {"a": {"x": 3}}, {"a": {"x": 2}}))
@when(seen("user_settings_observed", 4, {"id": "E", "settings": {"b": 2}}))
def test_drift_stays_where_an_observation_names_something_else(then: Then) -> None:
    assert then.drift == [row(path="a.x")]


@when(
    seen("user_observed", 1, SEEN, source="webhook"),
    seen("group_observed", 1, {"id": "G", "name": "n"}, source="import"),
    seen("section_read", 1, {"id": "users", "complete": True}, source="quarantine"),
)
def test_a_delivery_that_bears_the_name_of_an_observation_is_none(then: Then) -> None:
    assert then.shown() == set()


@given(seen("section_read", 1, {"id": "users", "complete": True, "read": 5, "repaired": 1}))
@when(seen("section_read", 2, {"id": "users", "complete": False, "read": 2, "unreadable": "slow"}))
def test_coverage_is_of_the_newest_reading_and_of_the_newest_complete_one(then: Then) -> None:
    assert then.coverage == [
        row(section="users", complete_at=at(1), read=2, repaired=None, unreadable="slow")
    ]
