"""The oracle against hand-written answers: newest-wins rows, groups and their people."""

from typing import Any

import pytest

from tests.oracle.story import clock, event, fold_all, only, pick

U = {"id": "Uma", "email": "uma@x.test"}
UPPER = {"id": "Uma", "email": "UMA@x.test"}


def group_event(what: str, at: int, group: str = "G", **about: Any) -> bytes:
    return event(f"group.{what}", at, {"id": group, **about}, operator="op@x.test")


# Presence, notes, sign-ins


def test_presence_and_note_are_two_newest_wins_facts_in_one_row() -> None:
    app = {"type": "mobile", "presence_status": "Offline"}
    views = fold_all(
        [
            event("user.presence_status_updated", 1, {"id": "U", "app": app, "email": "a@x.test"}),
            event("user.presence_status_updated", 3, {"id": "U", "presence_status": "Away"}),
            event("user.personal_notes_updated", 2, {"id": "U", "personal_notes": "hi"}),
        ]
    )
    assert only(views["presence"]) == {
        "account_id": "A",
        "user_id": "U",
        "email": "a@x.test",
        "presence_status": "Away",
        "app_type": None,
        "app_presence_status": None,
        "changed_at": clock(3),
        "personal_note": "hi",
        "personal_note_changed_at": clock(2),
        "last_event_at": clock(3),
        "last_position": 2,
    }


def test_the_newest_note_wins_even_without_a_note() -> None:
    notes = [
        event("user.personal_notes_updated", 1, {"id": "U", "personal_notes": "hi"}),
        event("user.personal_notes_updated", 2, {"id": "U"}),
    ]
    row = only(fold_all(notes)["presence"], "personal_note", "personal_note_changed_at")
    assert row == (None, clock(2))


def test_sign_ins_are_rows_by_client() -> None:
    def seen(what: str, at: int, client: Any, version: str) -> bytes:
        about = {"id": "U", "client_type": client, "version": version, "login_type": "101"}
        return event(f"user.{what}", at, about)

    views = fold_all([seen("signed_in", 2, "mac", "2"), seen("signed_out", 1, "mac", "1")])
    assert only(views["sign_ins"], "signed_in", "version", "login_type") == (True, "2", 101)
    views = fold_all([seen("signed_in", at, client, "1") for at, client in ((1, ""), (2, None))])
    assert only(views["sign_ins"], "client_type", "changed_at") == ("unknown", clock(2))


def test_signing_out_everywhere_signs_out_what_is_older() -> None:
    everywhere = event("user.updated", 5, {"id": "U"}, operation="sign_out_from_all_devices")
    views = fold_all(
        [
            everywhere,
            event("user.signed_in", 1, {"id": "u", "client_type": "mac", "version": "5"}),
            event("user.signed_in", 6, {"id": "u", "client_type": "win"}),
        ]
    )
    columns = ("client_type", "signed_in", "changed_at", "version", "last_position")
    assert pick(views["sign_ins"], *columns) == [
        ("mac", False, clock(5), "5", 1),
        ("win", True, clock(6), None, 3),
    ]


# Groups and their people


def test_a_group_is_removed_and_only_creation_revives_it() -> None:
    story = [
        group_event("created", 1, name="red"),
        group_event("member_added", 1, members=[U]),
        group_event("deleted", 2, name="red"),
        group_event("updated", 3, name="blue"),
        group_event("member_added", 3, members=[{"id": "Bo"}]),
    ]
    views = fold_all(story)
    assert views["groups"] == views["memberships"] == []
    row = only(views["former_groups"], "name", "created_at", "removed_at", "last_event_at")
    assert row == ("blue", clock(1), clock(2), clock(3))
    assert only(views["unresolved_groups"]) == {
        "account_id": "A",
        "group_id": "G",
        "seen_in": ["memberships"],
    }
    views = fold_all([*story, group_event("created", 4)])
    row = only(views["groups"], "name", "created_at", "member_count", "admin_count")
    assert row == (None, clock(4), 1, 0)
    assert pick(views["memberships"], "user_id") == ["Bo"]


def test_the_newest_entry_of_a_person_decides() -> None:
    story = [
        group_event("member_added", 1, members=[{"id": "a"}, {"id": "b"}]),
        group_event("member_added", 3, members=[{"id": "A"}]),
        group_event("members_deleted", 2, members=[{"id": "a"}, {"id": "b"}]),
    ]
    views = fold_all(story)
    assert only(views["memberships"]) == {
        "account_id": "A",
        "group_id": "G",
        "user_id": "A",
        "email": None,
        "group_name": None,
        "user_status": None,
        "added_at": clock(3),
        "added_by": "op@x.test",
        "last_event_at": clock(3),
        "last_position": 2,
    }
    assert [f["event"] for f in views["freshness"]] == [
        "group.member_added",
        "group.member_deleted",
    ]


@pytest.mark.parametrize(
    ("before", "user_id", "email"),
    [
        ([], "email:uma@x.test", "Uma@X.test"),
        ([event("user.created", 1, UPPER)], "Uma", "UMA@x.test"),
        ([event("user.deleted", 1, UPPER)], "email:uma@x.test", "Uma@X.test"),
        ([group_event("member_deleted", 1, members=[U])], "Uma", "Uma@X.test"),
        ([group_event("admin_added", 1, admins=[U])], "email:uma@x.test", "Uma@X.test"),
        ([group_event("member_added", 1, "H", members=[U])], "email:uma@x.test", "Uma@X.test"),
    ],
)  # fmt: skip
def test_an_entry_without_id_means_whoever_has_the_email(
    before: list[bytes], user_id: str, email: str
) -> None:
    views = fold_all([*before, group_event("member_added", 2, members=[{"email": "Uma@X.test"}])])
    rows = [row for row in views["memberships"] if row["group_id"] == "G"]
    assert only(rows, "user_id", "email", "added_at") == (user_id, email, clock(2))


def test_of_an_entry_with_and_one_without_id_the_newest_decides() -> None:
    removed_by_email = [
        group_event("member_added", 1, members=[U]),
        group_event("member_deleted", 2, members=[{"email": "UMA@x.test"}]),
    ]
    assert fold_all(removed_by_email)["memberships"] == []
    since = group_event("member_added", 3, members=[{"id": "uma"}])
    row = only(fold_all([*removed_by_email, since])["memberships"], "added_at", "email")
    assert row == (clock(3), "UMA@x.test")


def test_a_renamed_person_no_longer_holds_the_old_email_in_the_group() -> None:
    views = fold_all(
        [
            group_event("member_added", 1, members=[U]),
            group_event("member_added", 2, members=[{"id": "Uma", "email": "new@x.test"}]),
            group_event("member_added", 3, members=[{"email": "uma@x.test"}]),
        ]
    )
    assert pick(views["memberships"], "user_id") == ["Uma", "email:uma@x.test"]


def test_a_removal_ends_the_entries_of_the_email_it_names() -> None:
    entries = [
        group_event("member_added", 1, members=[{"email": "UMA@x.test"}]),
        group_event("admin_added", 3, admins=[{"email": "uma@x.test"}]),
        event("user.deleted", 2, U),
    ]
    views = fold_all(entries)
    assert views["memberships"] == []
    assert only(views["group_admins"], "user_id") == "email:uma@x.test"
    assert only(views["unresolved_users"], "user_id", "email", "seen_in") == (
        "email:uma@x.test",
        "uma@x.test",
        ["admins"],
    )


def test_a_group_created_twice_keeps_its_first_creation() -> None:
    views = fold_all([group_event("created", 1, name="red"), group_event("created", 2)])
    assert only(views["groups"], "name", "created_at", "last_event_at") == (
        "red",
        clock(1),
        clock(2),
    )


def test_accounts_do_not_share_people() -> None:
    entry = group_event("member_added", 1, members=[{"email": "uma@x.test"}])
    for name in ("user.created", "user.deleted"):
        views = fold_all([entry, event(name, 2, U, account="B")])
        assert pick(views["memberships"], "user_id") == ["email:uma@x.test"]


def test_of_two_holders_of_an_email_the_newest_is_meant() -> None:
    entry = group_event("member_added", 3, members=[{"email": "uma@x.test"}])
    users = [event("user.created", at, U | {"id": who}) for at, who in ((1, "Z"), (2, "Y"))]
    assert pick(fold_all([*users, entry])["memberships"], "user_id") == ["Y"]
    holders = [{"id": "P", "email": "uma@x.test"}, {"id": "O", "email": "uma@x.test"}]
    listed = group_event("member_deleted", 2, members=holders)
    assert pick(fold_all([*users, listed, entry])["memberships"], "user_id") == ["O"]
