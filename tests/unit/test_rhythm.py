"""Silence against an account's own rhythm: quiet nights and weekends raise nothing, real silence does."""

import math
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from projector.operations.rhythm import (
    DAY,
    HOUR,
    WEEK,
    History,
    expected,
    is_event_silent,
    is_silent,
    longest_gap,
)

# A Monday, 00:00 UTC.
MONDAY = 1_767_571_200
YEAR_HOURS = 365 * 24


def office(hour: int) -> float:
    """8 to 18 o'clock from Monday to Friday, and never else."""
    return float(hour % 24 in range(8, 18) and hour // 24 % 7 < 5)


def firm(hour: int) -> float:
    """The same, and a little at night and at weekends."""
    return 1.0 if office(hour) else 0.1


def always(_hour: int) -> float:
    """At any time."""
    return 1.0


def steady(shape: Callable[[int], float], rate: float, until: float, weeks: int = 5) -> History:
    """An account that sent `rate` in each hour of its shape, up to a time in seconds after the Monday."""
    first_hour = MONDAY // 3600 - weeks * 168
    hours = {
        hour: round(rate * shape(hour - MONDAY // 3600))
        for hour in range(first_hour, int((MONDAY + until) // 3600))
    }
    kept = {hour: count for hour, count in hours.items() if count}
    last = (max(kept) + 1) * HOUR - 1
    return History(min(kept) * HOUR, last, within(kept, last))


def within(hours: dict[int, float], last: float) -> dict[int, float]:
    """The four weeks before the last receipt, as they are read."""
    return {hour: count for hour, count in hours.items() if hour >= last // HOUR - 4 * 168 - 1}


FRIDAY_NIGHT = 4 * DAY + 20 * HOUR


@pytest.mark.parametrize("rate", [6, 20, 500])
def test_an_office_may_sleep_until_monday_and_not_longer(rate: int) -> None:
    history = steady(office, rate, FRIDAY_NIGHT)
    for hour in range(int((history.last - MONDAY) // HOUR), 7 * 24 + 8):
        assert not is_silent(history, MONDAY + hour * HOUR), hour
    assert is_silent(history, MONDAY + WEEK + 12.5 * HOUR)


def test_a_busy_account_is_found_silent_within_hours() -> None:
    history = steady(firm, 50, 2 * DAY + 10 * HOUR)
    assert not is_silent(history, history.last + HOUR)
    assert is_silent(history, history.last + 4.5 * HOUR)


def test_summer_time_ends_and_nobody_is_called() -> None:
    """Everybody comes an hour later by UTC than in all weeks before."""
    history = steady(office, 200, FRIDAY_NIGHT)
    assert not is_silent(history, MONDAY + WEEK + 9 * HOUR + 59 * 60)


def test_one_burst_is_no_rhythm() -> None:
    """Six are expected in six hours of the night, and 5,006 came in those of one week."""
    history = steady(always, 1, 2 * DAY)
    burst = {int(history.last // HOUR) - 168 + 2: 5000.0}
    assert not is_silent(
        history._replace(hours={**history.hours, **burst}), history.last + 6 * HOUR
    )


def test_a_nightly_synchronisation_that_found_nothing_to_do_is_no_silence() -> None:
    """300 at once, each night but one in a week: what was expected is 300, and one night without is usual."""
    first_hour = MONDAY // 3600 - 35 * 24
    nights = {first_hour + 24 * day + 2: 300.0 for day in range(35) if day % 8}
    last = max(nights) * HOUR + 60
    history = History(first_hour * HOUR, last, within(nights, last))
    assert expected(history, last + 26 * HOUR).deliveries > 100
    assert not is_silent(history, last + 26 * HOUR)
    assert is_silent(history, last + 4 * DAY)


def test_less_than_a_week_of_history_waits_out_a_weekend() -> None:
    history = steady(office, 20, FRIDAY_NIGHT, weeks=0)
    assert not is_silent(history, history.last + 62 * HOUR)
    assert is_silent(history, history.last + 73 * HOUR)
    few = history._replace(hours={int(history.last // HOUR): 14})
    assert not is_silent(few, history.last + 30 * DAY)


def test_a_small_account_has_three_days_and_three_times_its_longest_gap() -> None:
    hours = {MONDAY // 3600 - 24 * day: 1.0 for day in range(0, 28, 2)}
    history = History(MONDAY - 60 * DAY, MONDAY, hours)
    assert longest_gap(history) == 2 * DAY
    assert not is_silent(history, MONDAY + 5.9 * DAY)
    assert not is_silent(history, MONDAY + 17.9 * DAY)
    assert is_silent(history, MONDAY + 18.1 * DAY)
    rare = History(MONDAY - 60 * DAY, MONDAY, {MONDAY // 3600 - 24 * 9 * n: 1.0 for n in range(4)})
    assert not is_silent(rare, MONDAY + 365 * DAY)


def test_an_event_that_comes_in_clumps_is_no_rhythm_and_a_regular_one_is() -> None:
    clumps = {MONDAY // 3600 - 168 * week - 5: 400.0 for week in range(4)}
    history = History(MONDAY - 60 * DAY, max(clumps) * HOUR + 60, clumps)
    assert not is_event_silent(history, MONDAY + 10 * DAY)
    regular = steady(office, 3, FRIDAY_NIGHT)
    assert not is_event_silent(regular, MONDAY + WEEK + 17 * HOUR)
    assert is_event_silent(regular, MONDAY + WEEK + DAY + 15 * HOUR)


# A day's rhythm in 24 hours and a week's in 7 days.
RHYTHMS = st.tuples(
    st.lists(st.sampled_from([0.0, 0.05, 0.3, 1.0]), min_size=24, max_size=24).filter(any),
    st.lists(st.sampled_from([0.0, 0.2, 1.0]), min_size=7, max_size=7).filter(any),
)


@settings(max_examples=150)
@given(RHYTHMS, st.sampled_from([1, 5, 30, 1000]), st.integers(0, 167), st.integers(0, 400))
@example(([0.0] * 8 + [1.0] * 10 + [0.0] * 6, [1.0] * 5 + [0.0] * 2), 30, 4 * 24 + 18, 62)
def test_silence_that_every_week_has_says_nothing(
    rhythm: tuple[list[float], list[float]], rate: int, end: int, silent: int
) -> None:
    """Whatever the rhythm: whoever keeps to it exactly is never called silent between two deliveries."""
    day, week = rhythm

    def shape(hour: int) -> float:
        return day[hour % 24] * week[hour // 24 % 7]

    history = steady(shape, rate, end * HOUR) if _comes(shape, rate, end) else None
    if history is None:
        return
    hour = int(history.last // HOUR) + 1
    while not round(rate * shape(hour - MONDAY // 3600)):
        hour += 1
    assert not is_silent(history, hour * HOUR)
    assert not is_silent(history, min(hour * HOUR, history.last + silent * HOUR))


def _comes(shape: Callable[[int], float], rate: int, end: int) -> bool:
    return any(round(rate * shape(hour)) for hour in range(end - 168, end))


@settings(max_examples=60)
@given(RHYTHMS, st.sampled_from([30, 1000]), st.integers(0, 167))
def test_real_silence_is_found_within_a_week(
    rhythm: tuple[list[float], list[float]], rate: int, end: int
) -> None:
    day, week = rhythm

    def shape(hour: int) -> float:
        return max(day[hour % 24] * week[hour // 24 % 7], 0.02)

    history = steady(shape, rate, end * HOUR) if _comes(shape, rate, end) else None
    if history is not None:
        assert is_silent(history, history.last + 8 * DAY)


def arrivals(shape: Callable[[int], float], rate: float, seed: int) -> Iterator[float]:
    """A year and five weeks of independent deliveries with a rhythm, in seconds; summer time included."""
    chance = random.Random(seed)
    start = MONDAY // 3600
    for number in range(YEAR_HOURS + 35 * 24):
        summer = 1 if number % YEAR_HOURS > YEAR_HOURS // 2 else 0
        mean = rate * shape(number + summer)
        for moment in sorted(chance.random() for _ in range(poisson(mean, chance))):
            yield (start + number + moment) * HOUR


def poisson(mean: float, chance: random.Random) -> int:
    """A Poisson number; of a large mean, a normal one."""
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    count, left = 0, math.exp(-mean)
    product = chance.random()
    while product > left:
        count += 1
        product *= chance.random()
    return count


def false_alarms(shape: Callable[[int], float], rate: float, seed: int) -> int:
    """How often the account is called silent just before its next delivery, in a year."""
    hours: dict[int, float] = {}
    first = last = 0.0
    alarms = 0
    for at in arrivals(shape, rate, seed):
        if at - last > HOUR and last:
            alarms += is_silent(History(first, last, within(hours, last)), at)
        first, last = first or at, at
        hours[int(at // HOUR)] = hours.get(int(at // HOUR), 0) + 1
    return alarms


@pytest.mark.parametrize(
    ("shape", "rate", "accounts", "most"),
    [
        (office, 0.05, 40, 8),  # 2.5 a week
        (firm, 0.03, 40, 10),
        (always, 0.02, 40, 8),
        (office, 0.3, 10, 0),  # 15 a week
        (firm, 0.3, 6, 0),
        (always, 0.3, 3, 0),
        (office, 3, 2, 0),
        (firm, 3, 1, 0),
        (office, 15, 3, 0),
    ],
)
def test_false_alarms_of_independent_deliveries_in_a_year(
    shape: Callable[[int], float], rate: float, accounts: int, most: int
) -> None:
    """None of accounts with 15 a week and more; of tiny ones about one in ten years."""
    assert sum(false_alarms(shape, rate, seed) for seed in range(accounts)) <= most
