"""The naive fold: what a person's row takes from an entry without an id."""

from tests.oracle.story import clock, event, fold_all, only

UMA = {"id": "Uma", "email": "uma@x.test"}


def group_event(what: str, at: int, person: dict[str, str]) -> bytes:
    return event(f"group.member_{what}", at, {"id": "G", "members": [person]})


def test_the_newest_email_that_any_entry_of_the_person_named_is_shown_as_it_was_written() -> None:
    views = fold_all(
        [
            group_event("added", 1, UMA),
            group_event("deleted", 2, {"email": "UMA@x.test"}),
            group_event("added", 3, {"id": "uma"}),
        ]
    )
    assert only(views["memberships"], "added_at", "email") == (clock(3), "UMA@x.test")
