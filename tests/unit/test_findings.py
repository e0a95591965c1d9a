"""Findings: their order and exit codes, the thresholds of a disk, and numbers in words."""

import pytest

from projector.operations.finding import (
    Finding,
    Level,
    exit_code,
    note,
    warning,
    worst_first,
    wrong,
)
from projector.operations.of_deliveries import accounts_of, of_quarantine, of_silence
from projector.operations.of_server import of_database, of_room, of_schema
from projector.operations.readings import Active, Heard, Quarantined, Room
from projector.operations.rhythm import DAY, HOUR
from projector.operations.words import ago, count, listed, size

GB = 10**9


def test_the_worst_comes_first_and_decides_the_exit_code() -> None:
    some = [note("c", "x", "", ""), warning("b", "x", "", ""), wrong("a", "y", "", ""),
            warning("b", "a", "", "")]  # fmt: skip
    assert [(one.level, one.subject) for one in worst_first(some)] == [
        (Level.WRONG, "y"), (Level.WARNING, "a"), (Level.WARNING, "x"), (Level.NOTE, "x"),
    ]  # fmt: skip
    assert [exit_code(part) for part in ([], some[:1], some[:2], some)] == [0, 0, 1, 2]


def test_a_finding_is_one_line_and_json_has_its_fields() -> None:
    one = Finding(Level.WRONG, "lag", "projection users", "is late", "start another")
    assert one.line() == "wrong: projection users: is late; start another"
    assert one.as_json() == {
        "level": "wrong", "code": "lag", "subject": "projection users", "says": "is late",
        "do": "start another",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("free", "total", "code"),
    [
        (99 * GB, 252 * GB, None),
        (26 * GB, 252 * GB, None),
        (25 * GB, 252 * GB, "disk-filling"),
        (4 * GB, 252 * GB, "disk-full"),
        (51 * GB, 8000 * GB, None),  # shares count up to 500 GB
        (49 * GB, 8000 * GB, "disk-filling"),
        (9 * GB, 8000 * GB, "disk-full"),
        (499 * 10**6, 2 * GB, "disk-full"),
        (501 * 10**6, 2 * GB, None),
        (0, 0, None),
    ],
)
def test_room_on_the_disk(free: int, total: int, code: str | None) -> None:
    assert [one.code for one in of_room(Room(free, total))] == ([code] if code else [])


def test_room_that_cannot_be_told_is_no_finding() -> None:
    assert list(of_room(None)) == []


def test_an_errors_sentence_is_split_into_what_is_and_what_to_do() -> None:
    found = of_database(RuntimeError("it is away (no host; no port); start it"))
    assert (found.says, found.do) == ("it is away (no host; no port)", "start it")
    assert of_database(RuntimeError("away")).do == "check that it runs"


@pytest.mark.parametrize(
    ("applied", "serves", "codes"),
    [(9, 1, []), (8, 1, ["schema-behind"]), (0, 0, ["schema-behind"]), (10, 1, ["schema-ahead"]),
     (10, 10, ["schema-newer"])],
)  # fmt: skip
def test_schemas(applied: int, serves: int, codes: list[str]) -> None:
    assert [one.code for one in of_schema(applied, serves, 9)] == codes


def test_a_quarantine_without_room_by_settings_is_left_to_the_settings() -> None:
    assert list(of_quarantine([], 0, 0, 0.0)) == []
    rows = [Quarantined("stale", signed=True, rows=8, bytes=1, since=0.0)]
    assert [one.code for one in of_quarantine(rows, 10, 0, 0.0)] == [
        "quarantined",
        "quarantine-full",
    ]


def test_a_silent_account_is_one_finding_whatever_its_events() -> None:
    """Not one for each of its events, and none before its rhythm has been made."""
    now = 1000 * DAY
    hours = [int((now - 2 * DAY) // HOUR) - back for back in range(28 * 24)]
    events = ("user.updated", "user.signed_in", "user.signed_out")
    heard = [Heard("A", event, 672, now - 2 * DAY, now - 60 * DAY) for event in events]
    activity = [Active("A", event, hour, 1) for event in events for hour in hours]
    assert [one.code for one in of_silence(accounts_of(heard, activity), now, ())] == [
        "silent-account"
    ]
    assert list(of_silence(accounts_of(heard, []), now, ())) == []


def test_words() -> None:
    assert [count(number, "event") for number in (0, 1, 2021)] == [
        "0 events",
        "1 event",
        "2,021 events",
    ]
    assert count(17.4, "delivery") == "17 deliveries"
    assert [ago(seconds) for seconds in (0.4, 90, 150, 7200, 3 * DAY)] == [
        "0 seconds", "90 seconds", "2 minutes", "2 hours", "3 days",
    ]  # fmt: skip
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a", "a and b", "a, b and c",
    ]  # fmt: skip
    assert [size(amount) for amount in (900, 5 * 10**6, 66 * GB, 2 * 10**12)] == [
        "1 kB", "5.0 MB", "66.0 GB", "2.0 TB",
    ]  # fmt: skip
