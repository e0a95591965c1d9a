"""presence: a person's presence and personal note; for each the newest event decides."""

from typing import Any

import pytest

from tests.examples.telling import UMA, Then, at, event, given, row, when

APP = {"type": "mobile", "presence_status": "Offline"}


def presence(ms: int, **about: Any) -> Any:
    return event("user.presence_status_updated", ms, {"id": "U", **about})


def note(ms: int, text: str | None = None) -> Any:
    about = {"id": "U"} if text is None else {"id": "U", "personal_notes": text}
    return event("user.personal_notes_updated", ms, about)


@given(
    presence(1, app=APP, email="a@x.test"),
    presence(3, presence_status="Away"),
    note(2, "hi"),
)
def test_presence_and_note_are_two_newest_wins_facts_in_one_row(then: Then) -> None:
    assert then.presence == [
        {
            "account_id": "A",
            "user_id": "U",
            "email": "a@x.test",
            "presence_status": "Away",
            "app_type": None,
            "app_presence_status": None,
            "changed_at": at(3),
            "personal_note": "hi",
            "personal_note_changed_at": at(2),
            "last_event_at": at(3),
            "last_position": 2,
        }
    ]


@given(presence(1, presence_status="Away", app=APP))
def test_the_app_shows_beside_the_person(then: Then) -> None:
    assert then.presence == [
        row(presence_status="Away", app_type="mobile", app_presence_status="Offline")
    ]


@given(presence(2, presence_status="Away"))
@when(presence(1, presence_status="Available"))
def test_what_arrives_late_overwrites_nothing_newer(then: Then) -> None:
    assert then.presence == [row(presence_status="Away", changed_at=at(2), last_position=1)]


@given(note(1, "hi"))
@when(note(2))
def test_the_newest_note_wins_even_without_a_note(then: Then) -> None:
    assert then.presence == [row(personal_note=None, personal_note_changed_at=at(2))]


@given(event("user.created", 1, UMA), event("user.presence_status_updated", 2, {"id": "uma"}))
def test_a_known_user_lends_spelling_and_email(then: Then) -> None:
    assert then.presence == [row(user_id="Uma", email="uma@x.test", presence_status=None)]


@given(lambda blank: event("user.personal_notes_updated", 1, {"id": blank}))
@pytest.mark.parametrize("blank", [False])
def test_a_note_of_nobody_is_one_dead_letter(then: Then, blank: Any) -> None:
    letter = {"position": 1, "projection": "presence", "event": "user.personal_notes_updated"}
    assert then.dead_letters == [letter]
    assert then.shown() - {"freshness", "activity"} == {"dead_letters"}
