"""groups: the groups of an account, and in former_groups those that were deleted."""

from tests.examples.telling import UMA, Then, about_group, at, event, given, row, when

DELETED = (
    about_group("created", 1, name="red"),
    about_group("member_added", 1, members=[UMA]),
    about_group("deleted", 2, name="red"),
    about_group("updated", 3, name="blue"),
    about_group("member_added", 3, members=[{"id": "Bo"}]),
)


@given(about_group("created", 1, name="red"))
@when(about_group("updated", 2, name="blue"))
def test_a_group_is_renamed(then: Then) -> None:
    assert then.groups == [
        {
            "account_id": "A",
            "group_id": "G",
            "name": "blue",
            "created_at": at(1),
            "member_count": 0,
            "admin_count": 0,
            "last_event_at": at(2),
            "last_position": 2,
        }
    ]


@given(about_group("updated", 1, name="red"))
def test_a_group_that_was_only_updated_is_a_group_all_the_same(then: Then) -> None:
    assert then.groups == [row(name="red", created_at=None)]
    assert then.unresolved_groups == []


@given(about_group("member_added", 1, members=[UMA]))
def test_a_group_known_only_by_its_members_is_unresolved(then: Then) -> None:
    assert then.groups == []
    assert then.unresolved_groups == [
        {"account_id": "A", "group_id": "G", "seen_in": ["memberships"]}
    ]


@given(*DELETED)
def test_a_deleted_group_is_a_former_one_with_its_late_news(then: Then) -> None:
    assert then.groups == then.memberships == []
    assert then.former_groups == [
        row(name="blue", created_at=at(1), removed_at=at(2), last_event_at=at(3))
    ]
    assert then.unresolved_groups == [
        {"account_id": "A", "group_id": "G", "seen_in": ["memberships"]}
    ]


@given(*DELETED)
@when(about_group("created", 4))
def test_only_a_creation_revives_a_group_and_shows_who_joined_since(then: Then) -> None:
    assert then.groups == [row(name=None, created_at=at(4), member_count=1, admin_count=0)]
    assert then.values("memberships", "user_id") == ["Bo"]
    assert then.former_groups == []


@given(about_group("created", 1, name="red"))
@when(about_group("created", 2))
def test_a_group_created_twice_keeps_its_first_creation(then: Then) -> None:
    assert then.groups == [row(name="red", created_at=at(1), last_event_at=at(2))]


@given(about_group("created", 1, "G", name="big"), about_group("created", 1, "g", name="small"))
def test_group_ids_are_exact(then: Then) -> None:
    assert then.values("groups", "group_id", "name") == [("G", "big"), ("g", "small")]


@given(
    about_group("created", 1, name="red"),
    about_group("member_added", 2, members=[UMA, {"id": "Bo"}]),
    about_group("admin_added", 2, admins=[UMA]),
    event("user.deleted", 3, {"id": "Bo"}),
)
def test_members_and_admins_are_counted_as_they_are_shown(then: Then) -> None:
    assert then.groups == [row(member_count=1, admin_count=1)]


@given(event("group.deleted", 1, {}))
def test_a_group_without_an_id_is_one_dead_letter(then: Then) -> None:
    letter = {"position": 1, "projection": "groups", "event": "group.deleted"}
    assert then.dead_letters == [letter]
    assert then.shown() - {"freshness", "activity"} == {"dead_letters"}
