"""group_admins: who may administer a group; folded like memberships, independently of them."""

from tests.examples.telling import UMA, Then, about_group, at, event, given, row, when

BY_EMAIL = {"email": "uma@x.test"}


@given(about_group("created", 1, name="red"), about_group("admin_added", 2, admins=[UMA]))
def test_an_admin_shows_without_being_a_member_or_a_known_user(then: Then) -> None:
    assert then.group_admins == [
        {
            "account_id": "A",
            "group_id": "G",
            "user_id": "Uma",
            "email": "uma@x.test",
            "group_name": "red",
            "user_status": None,
            "added_at": at(2),
            "added_by": "op@x.test",
            "last_event_at": at(2),
            "last_position": 2,
        }
    ]
    assert then.memberships == []
    assert then.unresolved_users == [row(user_id="Uma", email="uma@x.test", seen_in=["admins"])]


@given(about_group("admin_added", 2, admins=[UMA, {"id": "Bo"}]))
@when(
    about_group("admin_deleted", 3, admins=[{"id": "UMA"}]),
    about_group("admin_deleted", 1, admins=[{"id": "Bo"}]),
)
def test_the_newest_entry_decides_whenever_it_arrives(then: Then) -> None:
    assert then.values("group_admins", "user_id") == ["Bo"]


@given(about_group("admin_added", 1, admins=[UMA]))
@when(about_group("admin_added", 5, admins=[UMA]))
def test_a_repeated_add_moves_its_time(then: Then) -> None:
    assert then.group_admins == [row(added_at=at(5), last_position=2)]


@given(
    about_group("member_added", 1, members=[{"email": "UMA@x.test"}]),
    about_group("admin_added", 3, admins=[BY_EMAIL]),
    event("user.deleted", 2, UMA),
)
def test_a_removal_ends_the_entries_of_the_email_it_names(then: Then) -> None:
    assert then.memberships == []
    assert then.group_admins == [row(user_id="email:uma@x.test")]
    assert then.unresolved_users == [
        row(user_id="email:uma@x.test", email="uma@x.test", seen_in=["admins"])
    ]


@given(about_group("admin_deleted", 1, admins=[{"id": ""}, 1]))
def test_entries_without_id_and_email_are_one_dead_letter(then: Then) -> None:
    letter = {"position": 1, "projection": "group_admins", "event": "group.admin_deleted"}
    assert then.dead_letters == [letter]
    assert then.shown() - {"freshness", "activity"} == {"dead_letters"}
