"""How often the API may be asked: a rate a label, by the second and by the day."""

import time
from collections import Counter
from collections.abc import Callable

from projector.simulator.api.options import ApiOptions, Label, Rate
from projector.simulator.api.problems import too_many_a_day, too_many_a_second
from projector.zoom.event_time import DAY_MS


class Rates:
    """Counts what is asked and refuses what is too much. Seconds are real ones, days the account's."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        """`now_ms`: the account's time, in epoch milliseconds."""
        self._now_ms = now_ms
        self._second = 0
        self._this_second: Counter[Label] = Counter()
        self._day = 0
        self._today: Counter[Label] = Counter()

    def take(self, label: Label, options: ApiOptions) -> None:
        """Count one request; raises Problem where it is one too many."""
        rate = options.rates_in_force.get(label)
        if rate is None:
            return
        self._turn()
        now_ms = self._now_ms()
        if rate.a_day is not None and self._today[label] >= rate.a_day:
            raise too_many_a_day(label, rate, options.retry_after, now_ms)
        if self._this_second[label] >= rate.a_second:
            raise too_many_a_second(label, rate, options.retry_after, now_ms)
        self._this_second[label] += 1
        self._today[label] += 1

    def busy(self, label: Label, options: ApiOptions) -> Exception:
        """What refuses a request whatever the rate."""
        rate = options.rates_in_force.get(label) or Rate(1)
        return too_many_a_second(label, rate, options.retry_after, self._now_ms())

    def _turn(self) -> None:
        """Begin anew in a new second, and on a new day."""
        second, day = int(time.monotonic()), self._now_ms() // DAY_MS
        if second != self._second:
            self._second = second
            self._this_second.clear()
        if day != self._day:
            self._day = day
            self._today.clear()
