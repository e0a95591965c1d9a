"""memberships: who is in a group; for each person and group the newest entry decides."""

from typing import Any

import pytest

from tests.examples.telling import UMA, Then, Told, about_group, at, event, given, row, when

UPPER = {"id": "Uma", "email": "UMA@x.test"}


def added(ms: int, *members: Any, group: str = "G") -> Told:
    return about_group("member_added", ms, group, members=list(members))


def deleted(ms: int, *members: Any) -> Told:
    return about_group("member_deleted", ms, members=list(members))


@given(
    added(1, {"id": "a"}, {"id": "b"}),
    added(3, {"id": "A"}),
    about_group("members_deleted", 2, members=[{"id": "a"}, {"id": "b"}]),
)
def test_the_newest_entry_of_a_person_decides(then: Then) -> None:
    assert then.memberships == [
        {
            "account_id": "A",
            "group_id": "G",
            "user_id": "A",
            "email": None,
            "group_name": None,
            "user_status": None,
            "added_at": at(3),
            "added_by": "op@x.test",
            "last_event_at": at(3),
            "last_position": 2,
        }
    ]


@given(
    about_group("created", 1, name="red"),
    event("user.created", 1, UMA, creation_type="create"),
)
@when(added(2, {"id": "uma"}))
def test_group_and_person_are_looked_up(then: Then) -> None:
    assert then.memberships == [
        row(user_id="Uma", email="uma@x.test", group_name="red", user_status="pending")
    ]


# ---- entries without an id ---------------------------------------------------------------------


@given(lambda before: before)
@when(added(2, {"email": "Uma@X.test"}))
@pytest.mark.parametrize(
    ("before", "user_id", "email"),
    [
        ([], "email:uma@x.test", "Uma@X.test"),
        ([event("user.created", 1, UPPER)], "Uma", "UMA@x.test"),
        ([event("user.deleted", 1, UPPER)], "email:uma@x.test", "Uma@X.test"),
        ([deleted(1, UMA)], "Uma", "Uma@X.test"),
        ([about_group("admin_added", 1, admins=[UMA])], "email:uma@x.test", "Uma@X.test"),
        ([added(1, UMA, group="H")], "email:uma@x.test", "Uma@X.test"),
    ],
    ids=["nobody", "a user", "a former user", "an entry with an id", "an admin", "another group"],
)
def test_an_entry_without_id_means_whoever_has_the_email(
    then: Then, before: list[Told], user_id: str, email: str
) -> None:
    of_the_group = [each for each in then.memberships if each["group_id"] == "G"]
    assert of_the_group == [row(user_id=user_id, email=email, added_at=at(2))]


REMOVED_BY_EMAIL = (added(1, UMA), deleted(2, {"email": "uma@x.test"}))


@given(added(1, UMA), deleted(2, {"email": "UMA@x.test"}))
def test_an_entry_without_an_id_removes_the_one_with_it(then: Then) -> None:
    assert then.memberships == []


@given(*REMOVED_BY_EMAIL)
@when(added(3, {"id": "uma"}))
def test_of_an_entry_with_and_one_without_id_the_newest_decides(then: Then) -> None:
    assert then.memberships == [row(added_at=at(3), email="uma@x.test")]


@given(added(1, UMA), added(2, {"id": "Uma", "email": "new@x.test"}))
@when(added(3, {"email": "uma@x.test"}))
def test_a_renamed_person_no_longer_holds_the_old_email_in_the_group(then: Then) -> None:
    assert then.values("memberships", "user_id") == ["Uma", "email:uma@x.test"]


@given(added(1, {"email": "uma@x.test"}))
@when(lambda name: event(name, 2, UMA, account="B"))
@pytest.mark.parametrize("name", ["user.created", "user.deleted"])
def test_accounts_do_not_share_people(then: Then, name: str) -> None:
    assert then.values("memberships", "user_id") == ["email:uma@x.test"]


@given(*(event("user.created", ms, UMA | {"id": who}) for ms, who in ((1, "Z"), (2, "Y"))))
@when(added(3, {"email": "uma@x.test"}))
def test_of_two_users_with_an_email_the_newest_is_meant(then: Then) -> None:
    assert then.values("memberships", "user_id") == ["Y"]


@given(
    *(event("user.created", ms, UMA | {"id": who}) for ms, who in ((1, "Z"), (2, "Y"))),
    deleted(2, {"id": "P", "email": "uma@x.test"}, {"id": "O", "email": "uma@x.test"}),
)
@when(added(3, {"email": "uma@x.test"}))
def test_whoever_held_the_email_in_the_group_goes_before_users(then: Then) -> None:
    assert then.values("memberships", "user_id") == ["O"]


# ---- what cannot be folded ---------------------------------------------------------------------


@given(added(1, {"id": None}, "x", UMA, {}))
def test_the_other_entries_of_a_dead_letter_fold(then: Then) -> None:
    assert then.values("memberships", "user_id") == ["Uma"]
    assert then.values("dead_letters", "projection") == ["memberships"]


@given(lambda members: about_group("member_added", 1, members=members))
@pytest.mark.parametrize("members", [None, []])
def test_no_members_at_all_is_nothing(then: Then, members: Any) -> None:
    assert then.memberships == then.dead_letters == []


@given(about_group("member_added", 1, members={}))
def test_members_that_are_no_list_are_one_dead_letter(then: Then) -> None:
    letter = {"position": 1, "projection": "memberships", "event": "group.member_added"}
    assert then.dead_letters == [letter]
    assert then.shown() - {"freshness", "activity"} == {"dead_letters"}
