"""Our share of the rates that Zoom's plans allow: when the next call may go.

The rates are an account's, shared by all its apps; no endpoint tells which plan it is on.
"""

import math
import random
from typing import Final, NamedTuple

import structlog

from projector.config import Plan
from projector.rest.clock import REAL, Clock
from projector.rest.endpoints import Label
from projector.rest.rate_limits import DAY, seconds_to_midnight
from projector.rest.tally import Tally

_logger = structlog.get_logger()


class Rate(NamedTuple):
    """Calls a second and a day that a plan allows; infinite where it sets no such limit."""

    per_second: float = math.inf
    per_day: float = math.inf


RATES: Final[dict[Plan, dict[Label, Rate]]] = {
    Plan.FREE: {Label.LIGHT: Rate(4, 6000), Label.MEDIUM: Rate(2, 2000)},
    Plan.PRO: {Label.LIGHT: Rate(30), Label.MEDIUM: Rate(20)},
    Plan.BUSINESS: {Label.LIGHT: Rate(80), Label.MEDIUM: Rate(60)},
    Plan.UNLIMITED: {Label.LIGHT: Rate(), Label.MEDIUM: Rate()},
}

# Seconds. Without a word of Zoom's how long to wait, twice as long each time, up to this.
LONGEST_BACKOFF: Final = 60.0
# Seconds. A wait worth a line in the log.
_NOTABLE: Final = 5.0


class Budget:
    """Paces the calls of one account, however many ask at once; told of every 429."""

    def __init__(self, plan: Plan, share: float, tally: Tally, *, clock: Clock = REAL) -> None:
        """Take `share` (0 < share <= 1) of the plan's rates."""
        self._clock = clock
        self._tally = tally
        self._lanes = {label: _Lane(rate, share) for label, rate in RATES[plan].items()}

    async def admit(self, label: Label) -> None:
        """Return when a call of this label may go, and count it."""
        lane = self._lanes[label]
        while True:
            if (closed := lane.closed_for(self._clock)) > 0:
                await self._wait(closed)
                continue
            await self._wait(lane.take(self._clock))
            if not lane.is_paused(self._clock):
                return
            lane.give_back()  # a 429 came while this call waited for its turn

    def refused(self, label: Label, seconds: float | None) -> None:
        """A call was answered 429: nothing of its label goes for so long.

        None, where Zoom did not say: for a second or two, and twice as long each time it comes again.
        """
        lane, now = self._lanes[label], self._clock.monotonic()
        if seconds is None:
            if lane.is_paused(self._clock):
                return  # of several calls under way, the first has said it
            lane.refusals += 1
            most = min(2.0**lane.refusals, LONGEST_BACKOFF)
            seconds = random.uniform(most / 2, most)  # noqa: S311  jitter
        if now + seconds > lane.paused_until:
            lane.paused_until = now + seconds
            if seconds >= _NOTABLE:
                _logger.warning("rate_limited", label=label.value, wait_seconds=round(seconds))

    def accepted(self, label: Label) -> None:
        """A call was not answered 429."""
        self._lanes[label].refusals = 0

    def left(self, label: Label) -> float:
        """How many calls may still go: today where the plan counts days, else in the next second."""
        return self._lanes[label].left(self._clock)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._tally.seconds_waited += seconds
            await self._clock.sleep(seconds)


class _Lane:
    """The calls of one label: evenly spaced, so that no second holds more than the rate."""

    def __init__(self, rate: Rate, share: float) -> None:
        self._seconds_apart = 1 / (rate.per_second * share)
        self._a_day = (
            rate.per_day if rate.per_day == math.inf else max(1, rate.per_day * share // 1)
        )
        self._day, self._today = -1.0, 0
        self._next = 0.0
        self.paused_until = 0.0
        self.refusals = 0

    def is_paused(self, clock: Clock) -> bool:
        return clock.monotonic() < self.paused_until

    def closed_for(self, clock: Clock) -> float:
        """Seconds until anything may go at all; 0 or less: now."""
        if (utc := clock.utc()) // DAY != self._day:
            self._day, self._today = utc // DAY, 0
        if self._today >= self._a_day:
            return seconds_to_midnight(utc)
        return self.paused_until - clock.monotonic()

    def take(self, clock: Clock) -> float:
        """Take the next turn: how many seconds away it is."""
        now = clock.monotonic()
        turn = max(now, self._next)
        self._next = turn + self._seconds_apart
        self._today += 1
        return turn - now

    def give_back(self) -> None:
        """The turn was not used."""
        self._today = max(0, self._today - 1)

    def left(self, clock: Clock) -> float:
        if self.closed_for(clock) > 0:
            return 0
        if self._a_day != math.inf:
            return self._a_day - self._today
        if not self._seconds_apart:
            return math.inf
        free_from = max(clock.monotonic(), self._next)
        return max(0, round((clock.monotonic() + 1 - free_from) / self._seconds_apart))
