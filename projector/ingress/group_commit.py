"""Group commit: deliveries that arrive together share one append and one fsync.

Invariants
  1. A delivery is answered with a position only after its append has committed.
  2. Every delivery is answered by its deadline, whatever the database does.
  3. A row that PostgreSQL cannot take fails alone.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import asyncpg
import structlog

from projector.database import Appendable
from projector.database_reasons import REFUSED_ROW, reason_of
from projector.errors import AppendRefused
from projector.ingress.acknowledged import Acknowledged
from projector.ingress.metrics import Metrics
from projector.log.append import Appended, append
from projector.telemetry import Recurring
from projector.zoom.delivery import Delivery

BATCH_EVENTS: Final = 500
# What a socket buffers: the rest of a longer statement waits for this process's event loop, and
# PostgreSQL waits with it.
BATCH_BYTES: Final = 192 * 1024
QUEUE_BYTES: Final = 64 * 1024 * 1024

# An append that takes longer may hang: another lane is activated.
HANG_SECONDS: Final = 0.25
SWEEP_SECONDS: Final = 0.05

# A row's value is refused, not the append as such: by the server, or (ValueError, OverflowError) by
# asyncpg, which cannot encode it.
BAD_ROW: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
    OverflowError,
)

_logger = structlog.get_logger()


class Waiter(Protocol):
    """Receives the outcome of a delivery, once; an asyncio.Future is one."""

    def done(self) -> bool:
        """Whether it has the outcome already."""

    def set_result(self, appended: Appended, /) -> None:
        """The delivery is in the log."""

    def set_exception(self, refused: AppendRefused, /) -> None:
        """The delivery was not appended in time."""


class Queued:
    """A delivery in the queue, and its waiter. `deadline` is in seconds of the event loop's clock."""

    __slots__ = ("deadline", "delivery", "waiter")

    def __init__(self, delivery: Delivery, deadline: float, waiter: Waiter) -> None:
        self.delivery = delivery
        self.deadline = deadline
        self.waiter = waiter

    def refuse(self, why: str) -> None:
        """Tell the waiter that the delivery was refused, unless it has an outcome already."""
        if not self.waiter.done():
            self.waiter.set_exception(AppendRefused(why))


class GroupCommit:
    """A bounded queue of deliveries, and the active lane that appends them, batch by batch.

    One lane at a time is active; if it hangs, another takes its place.
    """

    def __init__(self, lanes: Sequence[Appendable], *, bound: int, metrics: Metrics) -> None:
        self._idle = list(reversed(lanes))
        self._bound = bound
        self._metrics = metrics
        self.acknowledged = Acknowledged()
        self._queue: deque[Queued] = deque()
        self._queued_bytes = 0
        self._in_flight: dict[asyncio.Task[None], list[Queued]] = {}
        self._active: asyncio.Task[None] | None = None
        self._since = 0.0
        self._running = False
        self._sweeping: asyncio.TimerHandle | None = None
        self._trouble = Recurring(_logger, "append failed")

    @property
    def depth(self) -> int:
        """The number of deliveries that wait for an append to begin."""
        return len(self._queue)

    def submit(self, delivery: Delivery, deadline: float) -> "asyncio.Future[Appended]":
        """Queue a delivery as `put` does; the future's result is its position, or AppendRefused."""
        waiter: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self.put(delivery, deadline, waiter)
        return waiter

    def put(self, delivery: Delivery, deadline: float, waiter: Waiter) -> None:
        """Queue a delivery; its waiter gets the outcome.

        Raises AppendRefused at once if the queue is full. `deadline` is in seconds of the loop's clock.
        """
        size = len(delivery.body)
        if len(self._queue) >= self._bound or self._queued_bytes + size > QUEUE_BYTES:
            raise AppendRefused("the append queue is full")
        self._queue.append(Queued(delivery, deadline, waiter))
        self._queued_bytes += size
        if self._active is None:
            self._activate(asyncio.get_running_loop())
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    async def run(self) -> None:
        """Append what is queued, until cancelled; refuses what is still queued then."""
        loop = asyncio.get_running_loop()
        self._running = True
        self._activate(loop)
        try:
            await loop.create_future()
        finally:
            self._running = False
            await self._abandon()

    def _activate(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make an idle lane the active one; if all lanes hang, the last one stays active."""
        if self._running and self._idle:
            self._since = loop.time()
            self._active = loop.create_task(self._append_all(self._idle.pop()))
            self._in_flight[self._active] = []

    async def _append_all(self, lane: Appendable) -> None:
        """Append while deliveries wait and no other lane is active.

        The next batch is sent before the previous one is answered: PostgreSQL works on the one while
        this process answers the other.
        """
        me = asyncio.current_task()
        assert me is not None  # noqa: S101
        try:
            while self._active is me and (batch := self._next_batch()):
                self._in_flight[me] = batch
                self._since = asyncio.get_running_loop().time()
                await self._commit(lane, batch)
        finally:
            del self._in_flight[me]
            self._idle.append(lane)
            if self._active is me:
                self._active = None

    def _next_batch(self) -> list[Queued]:
        batch: list[Queued] = []
        size = 0
        queue = self._queue
        while queue and len(batch) < BATCH_EVENTS:
            size += len(queue[0].delivery.body)
            if batch and size > BATCH_BYTES:
                break
            each = queue.popleft()
            self._queued_bytes -= len(each.delivery.body)
            if not each.waiter.done():
                batch.append(each)
        return batch

    async def _commit(self, lane: Appendable, batch: list[Queued]) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        left = max(each.deadline for each in batch) - started
        try:
            appended = await append(
                lane, [each.delivery for each in batch], timeout=max(left, 0.01)
            )
        except BAD_ROW as error:
            await self._isolate(lane, batch, error)
        except asyncio.CancelledError:
            _refuse_all(batch, "the replica is stopping")
            raise
        except Exception as error:  # noqa: BLE001  whatever the error, the sender must retry
            reason = reason_of(error)
            self._metrics.append_failures.labels(reason.word).inc()
            self._trouble(reason.word, reason=reason.sentence, deliveries=len(batch))
            _refuse_all(batch, "the database did not take the append")
        else:
            self._metrics.append_seconds.observe(loop.time() - started)
            self._metrics.append_batch.observe(len(batch))
            loop.call_soon(self._tell, batch, appended)  # once the next batch is sent

    def _tell(self, batch: list[Queued], appended: list[Appended]) -> None:
        acknowledged = self.acknowledged
        for each, where in zip(batch, appended, strict=True):
            if each.waiter.done():
                continue
            try:
                each.waiter.set_result(where)
            except Exception as error:  # noqa: BLE001  the other answers must not be lost with it
                _logger.error("an answer failed", error=type(error).__name__)  # noqa: TRY400
            else:
                acknowledged.add(each.delivery, where)
        acknowledged.forget_old()

    async def _isolate(self, lane: Appendable, batch: list[Queued], error: Exception) -> None:
        """Append the halves of a batch that the database refused because of one of its rows."""
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._commit(lane, batch[:middle])
            await self._commit(lane, batch[middle:])
            return
        self._metrics.append_failures.labels(REFUSED_ROW).inc()
        _logger.error("the database refuses a delivery", error=type(error).__name__)
        batch[0].refuse("the database refuses this delivery")

    def _sweep(self) -> None:
        """Refuse deliveries past their deadline, whether queued or being appended."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for queued in (self._queue, *self._in_flight.values()):
            for each in queued:
                if each.deadline <= now:
                    each.refuse("the append did not commit in time")
        self._drop_answered()
        if self._queue and now - self._since > HANG_SECONDS:
            self._activate(loop)
        busy = self._queue or self._in_flight
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep) if busy else None

    def _drop_answered(self) -> None:
        """Drop answered deliveries from the head of the queue, which no lane may be free to do."""
        queue = self._queue
        while queue and queue[0].waiter.done():
            self._queued_bytes -= len(queue.popleft().delivery.body)

    async def _abandon(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        _refuse_all(self._queue, "the replica is stopping")
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)


def _refuse_all(batch: Sequence[Queued] | deque[Queued], why: str) -> None:
    for each in batch:
        each.refuse(why)
