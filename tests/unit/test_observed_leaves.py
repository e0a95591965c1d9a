"""Leaves of settings documents: what is taken of REST's answers, and what of it is told."""

from typing import Any

import pytest

from projector.observations.documents import placed
from projector.observations.leaves import OTHERWISE_TYPED, differing, leaves, taken, together


def test_what_webhooks_type_otherwise_is_left_out() -> None:
    document = {
        "schedule_meeting": {"pstn_password_protected": True, "host_video": True},
        "tsp": {"call_out_countries": [{"code": "1"}]},
    }
    kept = taken(document, OTHERWISE_TYPED["user_settings"])
    assert kept == {"schedule_meeting": {"host_video": True}}


def test_a_lock_that_rest_splits_in_two_is_left_out() -> None:
    split = {"enable": True, "ip_addresses_or_ranges": "192.0.2.0/24"}
    document = {"recording": {"ip_address_access_control": split, "auto_recording": True}}
    assert taken(document, OTHERWISE_TYPED["group_locks"]) == {
        "recording": {"auto_recording": True}
    }


def test_every_leaf_has_its_path() -> None:
    document = {"a": {"b": 1, "c": {"d": []}}, "e": None, "f": {}}
    assert list(leaves(document)) == [(("a", "b"), 1), (("a", "c", "d"), []), (("e",), None)]


@pytest.mark.parametrize(
    ("seen", "before", "after", "doubted", "told"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, (), {"a": {"c": 2}}),
        ({"a": 1}, {"a": True}, {"a": 1}, (), {"a": 1}),
        ({"a": None}, {}, {"a": None}, (), {"a": None}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {"a": {"b": 1}}, ("a.b",), {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {"a": {"b": 1}}, ("a",), {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {"a": {"b": 1}}, ("a.bc",), {}),
        # A newer delivery stands on top: what was read changes nothing.
        ({"a": 1}, {"a": 2}, {"a": 2}, (), {}),
    ],
)
def test_what_differs_is_told(seen: Any, before: Any, after: Any, doubted: Any, told: Any) -> None:
    assert differing(seen, before, after, doubted) == told


def test_answers_of_several_options_make_one_document() -> None:
    meeting = {"meeting_authentication": True, "authentication_options": [{"id": "m"}]}
    recording = {"recording_authentication": False, "authentication_options": [{"id": "r"}]}
    answers = [
        placed("", {"in_meeting": {"chat": True}}),
        placed("meeting_authentication", meeting),
        placed("recording_authentication", recording),
        placed("meeting_security", {"meeting_security": {"waiting_room": True}}),
    ]
    document = together(answers)
    assert document == {
        "in_meeting": {"chat": True},
        "authentication_options": {
            "meeting_authentication": meeting,
            "recording_authentication": recording,
        },
        "meeting_security": {"waiting_room": True},
    }


def test_the_other_form_of_authentication_stays_as_it_is() -> None:
    other = {"authentication_options": {"meeting_authentication": {"meeting_authentication": True}}}
    assert placed("meeting_authentication", other) == other
