"""How many deliveries an account's own rhythm lets one expect, and when silence means something.

The yardstick is the account itself: the same stretch of the week, in up to four weeks before it fell silent.
An office sleeps at night and at weekends, and its silence then says nothing.

Why 15: were deliveries independent, none would come where 15 are expected with a probability of e^-15,
three in ten million. Who sends 10,000 in a year has as many chances of it, and the expectation itself is
only an estimate (from three weeks: 15, give or take 2), so 10 would raise a false alarm on a busy account
every year. Deliveries come in clumps as well, a nightly synchronisation of 300 people being one: so they must
have been expected in several different hours, and no earlier week may have been as silent.

Measured in simulated years of independent deliveries, with nights, weekends and summer time: no false alarm
of accounts of 15 deliveries a week and more, and of smaller ones one in eight years at most.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, NamedTuple

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

WEEKS: Final = 4
EXPECTED: Final = 15.0
EXPECTED_HOURS: Final = 3.0
# With less than a week of history nobody knows the account's weekends, of 62 hours in most offices.
UNKNOWN_RHYTHM: Final = 3 * DAY

# A small account: one that three times its longest silence, and so many deliveries at its usual pace, has not
# been heard of. Of five deliveries in four weeks the longest gap is by chance much too short, and of fifty
# none come for three days every year: hence both.
SMALL_SILENCE: Final = 3 * DAY
GAPS: Final = 3.0
FEWEST: Final = 5
SMALL_EXPECTED: Final = 9.0

# Summer time begins and ends, and people come an hour late.
SHIFTS: Final = (-HOUR, 0.0, HOUR)


class History(NamedTuple):
    """What came: the first and last receipt in epoch seconds, and counts by whole hours since 1970, UTC.

    `hours` reaches back four weeks and an hour from the last receipt, or to the first.
    """

    first: float
    last: float
    hours: Mapping[int, float]


class Expected(NamedTuple):
    """What the rhythm lets one expect since the last receipt: deliveries, and hours in which some come.

    `least`: how many came in the quietest of the earlier weeks, in the same stretch.
    """

    deliveries: float
    hours: float
    least: float


def expected(history: History, now: float) -> Expected:
    """What was to be expected between the last receipt and `now`, in epoch seconds; of a week at most.

    In the same stretch of earlier weeks, the fullest week left out: one burst is no rhythm.
    """
    silent = max(now - history.last, 0.0)
    weeks = min(WEEKS, int((history.last - history.first) // WEEK))
    if weeks == 0:
        share = silent / _span(history)
        total = sum(history.hours.values())
        return Expected(total * share, len(history.hours) * share, total * share)
    stretch = min(silent, WEEK)
    active = dict.fromkeys((hour for hour, count in history.hours.items() if count), 1.0)
    by_shift = [_by_week(history.hours, history.last + shift, stretch, weeks) for shift in SHIFTS]
    active_by_shift = [_by_week(active, history.last + shift, stretch, weeks) for shift in SHIFTS]
    return Expected(
        min(map(_usual, by_shift)), min(map(_usual, active_by_shift)), min(by_shift[1], default=0.0)
    )


def is_silent(history: History, now: float) -> bool:
    """Whether the silence since the last receipt is none that this account's rhythm explains."""
    silent = now - history.last
    due = expected(history, now)
    if history.last - history.first < WEEK:
        came = sum(history.hours.values())
        return silent >= UNKNOWN_RHYTHM and min(came, due.deliveries) >= EXPECTED
    if due.deliveries >= EXPECTED and due.hours >= EXPECTED_HOURS and due.least >= 1:
        return True
    return _is_long(history, silent, FEWEST, SMALL_EXPECTED)


def is_event_silent(history: History, now: float) -> bool:
    """The same for one event of an account that is not silent.

    Counted in hours in which it came: one event comes in clumps, as when a whole group is filled.
    """
    by_hour = history._replace(hours=dict.fromkeys(history.hours, 1.0))
    if history.last - history.first < WEEK:
        return False
    due = expected(by_hour, now)
    if due.hours >= EXPECTED and due.least >= 1:
        return True
    return _is_long(by_hour, now - history.last, 2 * FEWEST, EXPECTED)


def has_event_rhythm(history: History) -> bool:
    """Whether one event came so often and for so long that its silence could mean something at all."""
    came = sum(1 for count in history.hours.values() if count)
    return history.last - history.first >= WEEK and came >= 2 * FEWEST


def _is_long(history: History, silent: float, fewest: float, least_expected: float) -> bool:
    count = sum(history.hours.values())
    if count < fewest or silent < SMALL_SILENCE:
        return False
    due = count * silent / _span(history)
    return due >= least_expected and silent >= GAPS * longest_gap(history)


def longest_gap(history: History) -> float:
    """The longest time without a delivery in the four weeks before the last receipt: seconds, to the hour."""
    active = sorted(hour for hour, count in history.hours.items() if count)
    return HOUR * max((after - before for before, after in pairwise(active)), default=0)


def _span(history: History) -> float:
    """The seconds that the counts are of."""
    return max(min(history.last - history.first, WEEKS * WEEK), DAY)


def _by_week(hours: Mapping[int, float], began: float, stretch: float, weeks: int) -> list[float]:
    """How much came in the same stretch of each earlier week, the newest first."""
    return [
        _count(hours, began - week * WEEK, began - week * WEEK + stretch)
        for week in range(1, weeks + 1)
    ]


def _usual(by_week: list[float]) -> float:
    """The mean without the greatest."""
    kept = sorted(by_week)[: max(len(by_week) - 1, 1)]
    return sum(kept) / len(kept)


def _count(hours: Mapping[int, float], start: float, end: float) -> float:
    """What came between two times; of an hour that is in it partly, that part."""
    total = 0.0
    for hour in range(int(start // HOUR), int(end // HOUR) + 1):
        if count := hours.get(hour, 0.0):
            total += count * max(min(end, (hour + 1) * HOUR) - max(start, hour * HOUR), 0.0) / HOUR
    return total
