"""The budget: even pacing, daily caps, and what each kind of 429 makes it wait for."""

import asyncio
import math

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from projector.config import Plan
from projector.rest.budget import LONGEST_BACKOFF, Budget
from projector.rest.endpoints import Label
from projector.rest.metrics import RestMetrics
from projector.rest.rate_limits import told_to_wait
from projector.rest.tally import Tally
from tests.turned_clock import NOON, TurnedClock

LIGHT, MEDIUM = Label.LIGHT, Label.MEDIUM
HALF_A_DAY = 43_200


def a_budget(plan: Plan, share: float = 1, utc: float = NOON) -> tuple[Budget, TurnedClock, Tally]:
    time, tally = TurnedClock(utc), Tally()
    return Budget(plan, share, tally, clock=time.clock), time, tally


async def admissions(budget: Budget, time: TurnedClock, calls: int, label: Label) -> list[float]:
    """When each of so many calls that ask at once may go, in seconds from now."""
    started = time.seconds

    async def one() -> float:
        await budget.admit(label)
        return time.seconds - started

    return await asyncio.gather(*[one() for _ in range(calls)])


@pytest.mark.parametrize(
    ("plan", "label", "rate"),
    [(Plan.FREE, LIGHT, 4), (Plan.FREE, MEDIUM, 2), (Plan.PRO, LIGHT, 30), (Plan.PRO, MEDIUM, 20),
     (Plan.BUSINESS, LIGHT, 80), (Plan.BUSINESS, MEDIUM, 60)],
)  # fmt: skip
async def test_no_second_holds_more_calls_than_the_share_of_the_rate(
    plan: Plan, label: Label, rate: int
) -> None:
    budget, time, tally = a_budget(plan, 0.5)
    went = await admissions(budget, time, 3 * rate, label)
    for start in went:
        assert sum(start <= moment < start + 0.999 for moment in went) <= rate / 2
    assert went[-1] == pytest.approx((3 * rate - 1) / (rate / 2))
    assert tally.seconds_waited > 0


async def test_labels_do_not_wait_for_each_other() -> None:
    budget, time, _ = a_budget(Plan.FREE)
    await admissions(budget, time, 20, MEDIUM)
    assert await admissions(budget, time, 1, LIGHT) == [0]


async def test_an_unlimited_plan_waits_for_nothing() -> None:
    budget, time, tally = a_budget(Plan.UNLIMITED, 0.5)
    assert set(await admissions(budget, time, 1000, MEDIUM)) == {0.0}
    assert (budget.left(MEDIUM), time.slept, tally.seconds_waited) == (math.inf, [], 0)


async def test_what_a_day_allows_is_shared_too_and_begins_again_at_midnight_utc() -> None:
    budget, time, _ = a_budget(Plan.FREE, 0.01)  # 20 Medium calls a day, one in 50 seconds
    went = await admissions(budget, time, 21, MEDIUM)
    assert went[19] < 1000
    assert HALF_A_DAY < went[20] < HALF_A_DAY + 60
    assert budget.left(MEDIUM) == 19


async def test_a_call_that_a_429_overtook_waits_with_the_others_and_uses_up_nothing() -> None:
    budget, time, _ = a_budget(Plan.FREE)
    waiting = asyncio.create_task(admissions(budget, time, 3, MEDIUM))
    while not time.slept:
        await asyncio.sleep(0)
    budget.refused(MEDIUM, 100)
    went = await waiting
    assert [moment >= 100 for moment in went] == [False, True, True]
    assert went[2] - went[1] >= 0.5
    assert budget.left(MEDIUM) == 1997


async def test_without_a_word_from_zoom_the_wait_doubles_up_to_a_minute_and_starts_afresh() -> None:
    budget, time, _ = a_budget(Plan.UNLIMITED)
    waits = []
    for _ in range(9):
        budget.refused(LIGHT, None)
        budget.refused(LIGHT, None)  # of calls under way at once, only the first counts
        waits += await admissions(budget, time, 1, LIGHT)
    for times, wait in enumerate(waits, 1):
        most = min(2**times, LONGEST_BACKOFF)
        assert most / 2 <= wait <= most
    budget.accepted(LIGHT)
    budget.refused(LIGHT, None)
    assert (await admissions(budget, time, 1, LIGHT))[0] <= 2


async def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    budget, time, _ = a_budget(Plan.UNLIMITED)
    budget.refused(LIGHT, 50)
    budget.refused(LIGHT, 1)
    assert await admissions(budget, time, 1, LIGHT) == [50]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "2026-09-21T12:00:30Z"}, 30),
        ({"Retry-After": "2026-09-21T14:00:30+02:00"}, 30),
        ({"Retry-After": "2026-09-21T12:00:30"}, 30),
        ({"Retry-After": "Mon, 21 Sep 2026 12:00:30 GMT"}, 30),
        ({"Retry-After": "Mon, 21 Sep 2026 11:00:00 GMT"}, None),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9999-01-01T00:00:00Z"}, 90_000),
        ({"Retry-After": "1e300"}, 90_000),
        ({}, None),
        ({"X-RateLimit-Type": "QPS"}, None),
        ({"X-RateLimit-Type": "Daily-limit"}, HALF_A_DAY + 1),
        ({"X-RateLimit-Type": "Daily-limit", "Retry-After": "2026-09-22T00:00:00Z"}, HALF_A_DAY + 1),
        ({"X-RateLimit-Type": "Daily-limit", "Retry-After": "1"}, HALF_A_DAY + 1),
    ],
)  # fmt: skip
def test_how_long_an_answer_says_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert NOON == 1_789_992_000  # 2026-09-21 12:00 UTC
    assert told_to_wait(headers, "per-second rate limit", NOON) == seconds


def test_a_message_may_be_all_that_tells_a_daily_limit() -> None:
    said = "You have reached the maximum daily rate limit for this API."
    assert told_to_wait({}, said, NOON) == HALF_A_DAY + 1
    assert told_to_wait({"X-RateLimit-Type": "QPS"}, said, NOON) is None


@pytest.mark.parametrize(
    "text", ["\x00", "1" * 5000, "Mon", "(", "2026-13-45", "Mon, 99 Sep 99999 1:1:1 X", ","]
)
def test_no_header_can_break_it(text: str) -> None:
    found = told_to_wait({"Retry-After": text}, "", NOON)
    assert found is None or found <= 90_000


async def test_metrics_show_the_tally_and_what_is_left_of_the_budget() -> None:
    budget, _, tally = a_budget(Plan.FREE, 0.5)
    registry = CollectorRegistry()
    RestMetrics(registry, tally, budget)
    await budget.admit(MEDIUM)
    tally.calls[MEDIUM] += 3
    tally.rate_limited = 2
    shown = generate_latest(registry).decode()
    assert 'projector_reconcile_calls_total{label="medium"} 3.0' in shown
    assert 'projector_reconcile_calls_total{label="light"} 0.0' in shown
    assert "projector_reconcile_429s_total 2.0" in shown
    assert 'projector_reconcile_budget_left{label="medium"} 999.0' in shown
    budget.refused(MEDIUM, 60)
    assert 'budget_left{label="medium"} 0.0' in generate_latest(registry).decode()


async def test_a_plan_without_days_says_what_may_go_in_the_next_second() -> None:
    budget, _, _ = a_budget(Plan.PRO, 0.5)
    assert budget.left(MEDIUM) == 10
    await budget.admit(MEDIUM)
    assert budget.left(MEDIUM) == 9


def test_an_unlimited_budget_shows_no_number() -> None:
    budget, _, tally = a_budget(Plan.UNLIMITED)
    registry = CollectorRegistry()
    RestMetrics(registry, tally, budget)
    assert "budget_left{" not in generate_latest(registry).decode()
