"""Writes refused deliveries to the quarantine, within limits on memory and on rows per second.

It does not slow appends: it has a queue, a task and a connection of its own. What exceeds the queue or the
rate is dropped and counted.
"""

import asyncio
from collections import deque
from typing import Final

import structlog

from projector.config import Settings
from projector.database import Queryable
from projector.database_reasons import reason_of
from projector.errors import AppendRefused
from projector.ingress.metrics import Metrics
from projector.ingress.refusals import DROPPED_SIGNED, DROPPED_UNSIGNED, Refusals
from projector.log.quarantine import Suspect, keep
from projector.telemetry import Recurring

QUEUE_ROWS: Final = 100
QUEUE_BYTES: Final = 8 * 1024 * 1024
BATCH_ROWS: Final = 20
WRITE_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.1
# For this long after the quarantine was full, send it nothing unsigned.
FULL_SECONDS: Final = 2.0

_logger = structlog.get_logger()


class TokenBucket:
    """A token bucket: `rate` tokens per second, and at most one second's worth saved up."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(rate, 1.0) if rate > 0 else 0.0
        self._tokens = self._most
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take a token, if there is one. `now` is in seconds of a monotonic clock."""
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class QueuedSuspect:
    """A suspect in the queue, and the future of its outcome."""

    __slots__ = ("outcome", "suspect")

    def __init__(self, suspect: Suspect, outcome: "asyncio.Future[str]") -> None:
        self.suspect = suspect
        self.outcome = outcome


class QuarantineWriter:
    """A bounded queue of suspects and the one task that writes them.

    Signed suspects have a rate of their own and displace unsigned ones in a full queue, so a flood
    of false deliveries takes no room from them.
    """

    def __init__(
        self, lane: Queryable, settings: Settings, metrics: Metrics, refusals: Refusals
    ) -> None:
        self._lane = lane
        self._max_rows = settings.quarantine_rows
        self._max_bytes = settings.quarantine_bytes
        self._buckets = {
            signed: TokenBucket(settings.quarantine_per_second) for signed in (False, True)
        }
        self._metrics = metrics
        self._refusals = refusals
        self._queue: deque[QueuedSuspect] = deque()
        self._queued_bytes = 0
        self._full_until = 0.0
        self._trouble = Recurring(_logger, "quarantine failed")
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def admits(self, *, signed: bool) -> bool:
        """Whether the rate allows one more; counts it as dropped if not.

        Asked before a body is decoded, so that refusing a flood is cheap.
        """
        now = asyncio.get_running_loop().time()
        full = not signed and now < self._full_until
        granted = not full and self._buckets[signed].take(now)
        if not granted:
            self._dropped(signed=signed)
        return granted

    def offer(self, suspect: Suspect) -> "asyncio.Future[str]":
        """Queue an admitted suspect. The future's result: `kept`, `known`, `dropped`, or AppendRefused."""
        outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if not self._fits(suspect):
            self._dropped(signed=suspect.signed)
            outcome.set_result("dropped")
            return outcome
        self._queue.append(QueuedSuspect(suspect, outcome))
        self._queued_bytes += len(suspect.body)
        self._idle.clear()
        self._wake.set()
        return outcome

    def _fits(self, suspect: Suspect) -> bool:
        size = len(suspect.body)
        if suspect.signed:
            for queued in [queued for queued in self._queue if not queued.suspect.signed]:
                if self._has_room(size):
                    break
                self._queue.remove(queued)
                self._queued_bytes -= len(queued.suspect.body)
                self._settle(queued, "dropped")
        return self._has_room(size)

    def _has_room(self, size: int) -> bool:
        if not self._queue:
            return True
        return len(self._queue) < QUEUE_ROWS and self._queued_bytes + size <= QUEUE_BYTES

    async def run(self) -> None:
        """Write what is queued, until cancelled; drops what is left then."""
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
        """Wait at most `seconds` until everything queued is written or dropped."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return  # what is left is counted as dropped when `run` ends

    async def _write(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(BATCH_ROWS, len(self._queue)))]
        if not self._queue:
            self._wake.clear()
        self._queued_bytes -= sum(len(queued.suspect.body) for queued in batch)
        if not batch:
            return
        try:
            outcomes = await keep(
                self._lane,
                [queued.suspect for queued in batch],
                max_rows=self._max_rows,
                max_bytes=self._max_bytes,
                timeout=WRITE_SECONDS,
            )
        except asyncio.CancelledError:
            self._lose(batch)
            raise
        except Exception as error:  # noqa: BLE001  a suspect must never stop the writer
            reason = reason_of(error)
            self._trouble(reason.word, reason=reason.sentence, deliveries=len(batch))
            self._lose(batch)
        else:
            for queued, outcome in zip(batch, outcomes, strict=True):
                self._settle(queued, outcome)

    def _settle(self, queued: QueuedSuspect, outcome: str) -> None:
        if outcome == "kept":
            self._metrics.quarantined.labels(queued.suspect.reason).inc()
        elif outcome == "dropped":
            self._dropped(signed=queued.suspect.signed)
            if not queued.suspect.signed:
                self._full_until = asyncio.get_running_loop().time() + FULL_SECONDS
        if not queued.outcome.done():
            queued.outcome.set_result(outcome)

    def _lose(self, batch: list[QueuedSuspect]) -> None:
        for queued in batch:
            self._dropped(signed=queued.suspect.signed)
            if queued.outcome.done():
                continue
            if queued.suspect.signed:
                queued.outcome.set_exception(AppendRefused("the quarantine cannot be written"))
            else:
                queued.outcome.set_result("dropped")

    def _abandon(self) -> None:
        self._lose(list(self._queue))
        self._queue.clear()

    def _dropped(self, *, signed: bool) -> None:
        self._metrics.quarantine_dropped.labels("true" if signed else "false").inc()
        self._refusals.note(DROPPED_SIGNED if signed else DROPPED_UNSIGNED)
