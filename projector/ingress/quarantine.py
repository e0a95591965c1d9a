"""Between refused deliveries and the quarantine: bounds on memory and on writes a second.

Nothing here slows an append: it has a queue, a task and a connection of its own, and a full queue
or a spent allowance drops and counts.
"""

import asyncio
from collections import deque
from typing import Final

import structlog

from projector.config import Settings
from projector.database import Queryable
from projector.errors import AppendRefused
from projector.ingress.metrics import Metrics
from projector.quarantine import Suspect, keep

QUEUE_ROWS: Final = 100
QUEUE_BYTES: Final = 8 * 1024 * 1024
BATCH_ROWS: Final = 20
WRITE_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.1
# How long a full quarantine is taken to stay full: what would only be refused is not sent to it.
FULL_SECONDS: Final = 2.0

_logger = structlog.get_logger()


class Allowance:
    """A token bucket that holds one second's worth: at most `rate` grants a second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(rate, 1.0) if rate > 0 else 0.0
        self._tokens = self._most
        self._at = 0.0

    def grant(self, now: float) -> bool:
        """Take one, if there is one. `now` is in seconds of any clock that never steps back."""
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Held:
    """A suspect in the queue, and the future that tells what became of it."""

    __slots__ = ("answer", "suspect")

    def __init__(self, suspect: Suspect, answer: "asyncio.Future[str]") -> None:
        self.suspect = suspect
        self.answer = answer


class QuarantineWriter:
    """A bounded queue of suspects and the one task that writes them.

    Signed suspects have an allowance of their own and push unsigned ones out of a full queue, so a
    flood of false deliveries takes no room from them.
    """

    def __init__(self, lane: Queryable, settings: Settings, metrics: Metrics) -> None:
        self._lane = lane
        self._max_rows = settings.quarantine_rows
        self._max_bytes = settings.quarantine_bytes
        self._allowances = {
            signed: Allowance(settings.quarantine_per_second) for signed in (False, True)
        }
        self._metrics = metrics
        self._queue: deque[Held] = deque()
        self._queued_bytes = 0
        self._full_until = 0.0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def admits(self, *, signed: bool) -> bool:
        """Whether one more may be written this second; counts it as dropped where not.

        Asked before a body is looked at, so that refusing a flood costs nothing.
        """
        now = asyncio.get_running_loop().time()
        full = not signed and now < self._full_until
        granted = not full and self._allowances[signed].grant(now)
        if not granted:
            self._dropped(signed=signed)
        return granted

    def offer(self, suspect: Suspect) -> "asyncio.Future[str]":
        """Queue an admitted suspect. The future: `kept`, `known`, `dropped`, or AppendRefused."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if not self._fits(suspect):
            self._dropped(signed=suspect.signed)
            answer.set_result("dropped")
            return answer
        self._queue.append(Held(suspect, answer))
        self._queued_bytes += len(suspect.body)
        self._idle.clear()
        self._wake.set()
        return answer

    def _fits(self, suspect: Suspect) -> bool:
        size = len(suspect.body)
        if suspect.signed:
            for held in [held for held in self._queue if not held.suspect.signed]:
                if self._has_room(size):
                    break
                self._queue.remove(held)
                self._queued_bytes -= len(held.suspect.body)
                self._settle(held, "dropped")
        return self._has_room(size)

    def _has_room(self, size: int) -> bool:
        if not self._queue:
            return True
        return len(self._queue) < QUEUE_ROWS and self._queued_bytes + size <= QUEUE_BYTES

    async def run(self) -> None:
        """Write what is queued, until cancelled; what is left then is dropped."""
        try:
            while True:
                await self._wake.wait()
                await self._write()
                if not self._queue:
                    self._idle.set()
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._abandon()

    async def drain(self, seconds: float) -> None:
        """Wait until everything that is queued is written or lost, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return  # what is left is counted as dropped when `run` ends

    async def _write(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(BATCH_ROWS, len(self._queue)))]
        if not self._queue:
            self._wake.clear()
        self._queued_bytes -= sum(len(held.suspect.body) for held in batch)
        if not batch:
            return
        try:
            answers = await keep(
                self._lane,
                [held.suspect for held in batch],
                max_rows=self._max_rows,
                max_bytes=self._max_bytes,
                timeout=WRITE_SECONDS,
            )
        except asyncio.CancelledError:
            self._lose(batch)
            raise
        except Exception as error:  # noqa: BLE001  a suspect must never stop the writer
            _logger.warning("quarantine failed", error=type(error).__name__, deliveries=len(batch))
            self._lose(batch)
        else:
            for held, answer in zip(batch, answers, strict=True):
                self._settle(held, answer)

    def _settle(self, held: Held, answer: str) -> None:
        if answer == "kept":
            self._metrics.quarantined.labels(held.suspect.reason).inc()
        elif answer == "dropped":
            self._dropped(signed=held.suspect.signed)
            if not held.suspect.signed:
                self._full_until = asyncio.get_running_loop().time() + FULL_SECONDS
        if not held.answer.done():
            held.answer.set_result(answer)

    def _lose(self, batch: list[Held]) -> None:
        for held in batch:
            self._dropped(signed=held.suspect.signed)
            if held.answer.done():
                continue
            if held.suspect.signed:
                held.answer.set_exception(AppendRefused("the quarantine cannot be written"))
            else:
                held.answer.set_result("dropped")

    def _abandon(self) -> None:
        self._lose(list(self._queue))
        self._queue.clear()

    def _dropped(self, *, signed: bool) -> None:
        self._metrics.quarantine_dropped.labels("true" if signed else "false").inc()
