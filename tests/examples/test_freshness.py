"""freshness and activity: how many distinct events of each kind an account sent, and when."""

from datetime import timedelta

from tests.examples.telling import UMA, Then, Told, about_group, at, event, given, row, seen
from tests.oracle.story import RECEIVED


@given(
    *(event("user.created", ms, {"id": "U"}) for ms in (1, 5, 3)),
    event("user.created", 1, {}, account="B"),
    event("user.created", 1, UMA, account=None),
)
def test_events_are_counted_by_account_and_name(then: Then) -> None:
    """Also events that cannot be folded, but not those without an account."""
    assert then.heard == [
        {
            "account_id": "A",
            "event": "user.created",
            "last_event_at": at(5),
            "last_received_at": RECEIVED,
            "events": 3,
        },
        row(account_id="B", events=1, last_event_at=at(1)),
    ]


@given(*[event("user.created", 1, UMA)] * 3)
def test_equal_bytes_count_once(then: Then) -> None:
    assert then.heard == [row(events=1, last_received_at=RECEIVED)]


@given(
    about_group("member_added", 1, members=[UMA]),
    about_group("member_added", 3, members=[{"id": "A"}]),
    about_group("members_deleted", 2, members=[UMA]),
)
def test_an_event_of_another_name_counts_under_its_proper_one(then: Then) -> None:
    assert [(found["event"], found["events"]) for found in then.heard] == [
        ("group.member_added", 2),
        ("group.member_deleted", 1),
    ]


@given(
    Told({"event": "user.updated", "payload": {"account_id": "A", "object": {"id": "U"}}}, at(8)),
    event("user.updated", 5, {"id": "U"}),
)
def test_the_last_event_and_the_last_receipt_are_two_things(then: Then) -> None:
    assert then.heard == [row(last_event_at=at(8), last_received_at=RECEIVED, events=2)]


@given(event("meeting.started", 1, UMA))
def test_events_outside_the_21_are_not_counted(then: Then) -> None:
    assert then.freshness == []


@given(event("user.created", 1, UMA), seen("section_read", 1, {"id": "users"}, account="B"))
def test_an_event_that_never_came_has_a_row_for_every_account(then: Then) -> None:
    never = {"last_event_at": None, "last_received_at": None, "events": 0}
    assert len(then.freshness) == 2 * 21
    assert [found["account_id"] for found in then.freshness].count("B") == 21
    assert [found for found in then.freshness if found["events"]] == then.heard == [row(events=1)]
    assert all(row(**never) == found for found in then.freshness if found not in then.heard)


LATER = RECEIVED + timedelta(hours=1, minutes=59)


@given(
    *(event("user.created", ms, {"id": "U"}) for ms in (1, 5)),
    event("user.deleted", 6, {"id": "U"}),
    event("user.created", 1, {}, account="B"),
    *(Told(event("user.created", ms, {"id": "U"}).body, LATER) for ms in (2, 5)),
    event("meeting.started", 1, UMA),
)
def test_activity_counts_distinct_events_by_the_hour_of_receipt(then: Then) -> None:
    """The one that was there before counts in the hour in which it first came; others count nowhere."""
    first, second = (hour.replace(minute=0) for hour in (RECEIVED, LATER))
    assert then.values("activity", "account_id", "event", "hour", "events") == [
        ("A", "user.created", first, 2),
        ("A", "user.created", second, 1),
        ("A", "user.deleted", first, 1),
        ("B", "user.created", first, 1),
    ]
