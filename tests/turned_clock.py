"""A clock that stands still until somebody sleeps."""

import asyncio

from projector.rest.clock import Clock

NOON = 1_790_000_000 // 86_400 * 86_400 + 43_200  # epoch seconds of some day's 12:00 UTC


class TurnedClock:
    """`clock` reads it; sleeping turns it forward at once."""

    def __init__(self, utc: float = NOON) -> None:
        self._utc_at_zero = utc
        self.seconds = 0.0
        self.slept: list[float] = []
        self.clock = Clock(lambda: self.seconds, lambda: self.utc, self.sleep)

    @property
    def utc(self) -> float:
        return self._utc_at_zero + self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.seconds + seconds
        await asyncio.sleep(0)
        self.seconds = max(self.seconds, until)
