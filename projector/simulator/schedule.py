"""The schedule of deliveries: new ones at their rate, retries when they are due."""

import asyncio
import heapq
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from typing import Final

from projector.simulator.delivery import SimulatedEvent
from projector.simulator.sender import Outgoing

# A copy follows its original within this many deliveries.
COPY_WITHIN: Final = 100

# Waiting retries, at most: beyond them nothing new is sent, which bounds memory if nobody answers.
WAITING_RETRIES: Final = 10_000

_NEVER: Final = float("inf")


def outgoing(
    events: Iterable[SimulatedEvent], rng: random.Random, *, duplicates: float, disorder: int
) -> Iterator[Outgoing]:
    """Make deliveries of events, in order except for `duplicates` and `disorder`.

    A share `duplicates` (0 to 1) is sent twice; each delivery comes at most `disorder` places later
    than its turn.
    """
    waiting: list[tuple[float, int, Outgoing]] = []
    serial = count()
    for index, event in enumerate(events):
        while waiting and waiting[0][0] <= index:
            yield heapq.heappop(waiting)[2]
        original = Outgoing(event.raw(), request_id(rng), f"WEB_{rng.getrandbits(128):032x}")
        place = index + rng.random() * disorder
        heapq.heappush(waiting, (place, next(serial), original))
        if rng.random() < duplicates:
            place += rng.random() * COPY_WITHIN
            heapq.heappush(waiting, (place, next(serial), original._replace(copy=True)))
    while waiting:
        yield heapq.heappop(waiting)[2]


def request_id(rng: random.Random) -> str:
    """A request id in Zoom's format: 8, 4, 4, 4 and 12 hex digits, joined by underscores."""
    digits = f"{rng.getrandbits(128):032x}"
    return "_".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Schedule:
    """Gives attempts to concurrent workers.

    `rate` is in new deliveries per second (0: no limit); `gaps` are the seconds before each retry of
    a delivery.
    """

    def __init__(
        self, deliveries: Iterator[Outgoing], *, rate: float = 0, gaps: Sequence[float] = ()
    ) -> None:
        self._deliveries = deliveries
        self._upcoming = next(deliveries, None)
        self._rate = rate
        self._gaps = gaps
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._taken = 0
        self._retries: list[tuple[float, int, Outgoing]] = []
        self._serial = count()
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def take(self) -> Outgoing | None:
        """Wait for the next attempt; None if none is left, except those other workers are making.

        A worker offers a failed attempt to `retry` before it takes another, so no retry is missed.
        """
        async with self._turn:  # one worker waits for the next due time, the others for the lock
            while (due := min(self._retry_due(), self._new_due())) != _NEVER:
                if due <= self._loop.time():
                    return self._pop()
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(due):
                        await self._changed.wait()
            return None

    def retry(self, failed: Outgoing) -> bool:
        """Schedule the next attempt; False if all have been made."""
        if failed.attempts >= len(self._gaps):
            return False
        due = self._loop.time() + self._gaps[failed.attempts]
        again = failed._replace(attempts=failed.attempts + 1)
        heapq.heappush(self._retries, (due, next(self._serial), again))
        self._changed.set()
        return True

    def _retry_due(self) -> float:
        return self._retries[0][0] if self._retries else _NEVER

    def _new_due(self) -> float:
        if self._upcoming is None or len(self._retries) >= WAITING_RETRIES:
            return _NEVER
        return self._started + (self._taken / self._rate if self._rate else 0)

    def _pop(self) -> Outgoing | None:
        """Return what is due: retries first."""
        if self._retry_due() <= self._loop.time():
            return heapq.heappop(self._retries)[2]
        taken, self._upcoming = self._upcoming, next(self._deliveries, None)
        self._taken += 1
        return taken
