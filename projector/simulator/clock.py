"""Event times of a simulated history: strictly increasing milliseconds within a given span."""

import random


class Clock:
    """Spreads `count` times over `span_ms`, with exponentially distributed gaps, as in real traffic."""

    def __init__(self, start_ms: int, span_ms: int, count: int, rng: random.Random) -> None:
        """Start at `start_ms` (epoch); raises ValueError if `span_ms` is less than `count`."""
        if span_ms < count:
            raise ValueError("the span needs at least one millisecond for each event")
        self.now_ms = start_ms
        self.remaining = count
        self._end_ms = start_ms + span_ms
        self._rng = rng

    def tick(self, after_ms: int | None = None) -> int:
        """Advance by a random gap, or by `after_ms`, and return the new time in milliseconds.

        The mean gap is the time left divided by the events left, so the last event falls on the end
        of the span (a little earlier if it was given `after_ms`).
        """
        left = self._end_ms - self.now_ms
        # Every later event still needs a millisecond of its own.
        room = left - max(self.remaining - 1, 0)
        if after_ms is not None:
            step = after_ms
        elif self.remaining <= 1:
            step = room
        else:
            step = 1 + int(self._rng.expovariate(1.0) * left / self.remaining)
        self.remaining -= 1
        self.now_ms += max(1, min(step, room))
        return self.now_ms
