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

from projector import log
from projector.database import Queryable
from projector.errors import AppendRefused
from projector.ingress.metrics import Metrics
from projector.log import Appended, Delivery

BATCH_EVENTS: Final = 500
# What a socket takes at once: the rest of a longer statement waits for a turn of this process, and
# PostgreSQL with it.
BATCH_BYTES: Final = 192 * 1024
QUEUE_BYTES: Final = 64 * 1024 * 1024

# Past this the lane in charge may hang: another one is put in charge.
PATIENCE_SECONDS: Final = 0.25
SWEEP_SECONDS: Final = 0.05

# A value of some row is what is refused, not the append as such: by the server, or (ValueError) by
# asyncpg, which cannot send it.
BAD_ROW: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
    OverflowError,
)

_logger = structlog.get_logger()


class Answer(Protocol):
    """Who is told what became of a delivery, once; an asyncio.Future is one."""

    def done(self) -> bool:
        """Whether it was told already."""

    def set_result(self, appended: Appended, /) -> None:
        """It stands in the log."""

    def set_exception(self, refused: AppendRefused, /) -> None:
        """It was not acknowledged in time."""


class Waiting:
    """A delivery in the queue. `deadline` is in the event loop's time."""

    __slots__ = ("answer", "deadline", "delivery")

    def __init__(self, delivery: Delivery, deadline: float, answer: Answer) -> None:
        self.delivery = delivery
        self.deadline = deadline
        self.answer = answer

    def refuse(self, why: str) -> None:
        """Answer that nothing was acknowledged, unless it was answered already."""
        if not self.answer.done():
            self.answer.set_exception(AppendRefused(why))


class GroupCommit:
    """A bounded queue of deliveries, and the lane in charge that appends them, batch by batch.

    One lane at a time is in charge; the others stand in while it hangs.
    """

    def __init__(self, lanes: Sequence[Queryable], *, bound: int, metrics: Metrics) -> None:
        self._idle = list(reversed(lanes))
        self._bound = bound
        self._metrics = metrics
        self._queue: deque[Waiting] = deque()
        self._queued_bytes = 0
        self._in_flight: dict[asyncio.Task[None], list[Waiting]] = {}
        self._in_charge: asyncio.Task[None] | None = None
        self._since = 0.0
        self._running = False
        self._sweeping: asyncio.TimerHandle | None = None

    @property
    def depth(self) -> int:
        """Deliveries that wait for an append to begin."""
        return len(self._queue)

    def submit(self, delivery: Delivery, deadline: float) -> "asyncio.Future[Appended]":
        """Queue a delivery as `put` does; the future holds its position, or AppendRefused."""
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self.put(delivery, deadline, answer)
        return answer

    def put(self, delivery: Delivery, deadline: float, answer: Answer) -> None:
        """Queue a delivery whose answer is told.

        Raises AppendRefused at once where the queue is full. `deadline` is in the loop's time.
        """
        size = len(delivery.body)
        if len(self._queue) >= self._bound or self._queued_bytes + size > QUEUE_BYTES:
            raise AppendRefused("the append queue is full")
        self._queue.append(Waiting(delivery, deadline, answer))
        self._queued_bytes += size
        if self._in_charge is None:
            self._appoint(asyncio.get_running_loop())
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    async def run(self) -> None:
        """Append what is queued, until cancelled. What waits then is refused."""
        loop = asyncio.get_running_loop()
        self._running = True
        self._appoint(loop)
        try:
            await loop.create_future()
        finally:
            self._running = False
            await self._abandon()

    def _appoint(self, loop: asyncio.AbstractEventLoop) -> None:
        """Put an idle lane in charge; where all of them hang, the last one stays so."""
        if self._running and self._idle:
            self._since = loop.time()
            self._in_charge = loop.create_task(self._carry(self._idle.pop()))
            self._in_flight[self._in_charge] = []

    async def _carry(self, lane: Queryable) -> None:
        """Append while anything waits and nobody else is in charge.

        The next batch is sent before the answers to the last one are: PostgreSQL works on the one while
        this process is busy with the other.
        """
        me = asyncio.current_task()
        assert me is not None  # noqa: S101
        try:
            while self._in_charge is me and (batch := self._next_batch()):
                self._in_flight[me] = batch
                self._since = asyncio.get_running_loop().time()
                await self._commit(lane, batch)
        finally:
            del self._in_flight[me]
            self._idle.append(lane)
            if self._in_charge is me:
                self._in_charge = None

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        queue = self._queue
        while queue and len(batch) < BATCH_EVENTS:
            size += len(queue[0].delivery.body)
            if batch and size > BATCH_BYTES:
                break
            waiting = queue.popleft()
            self._queued_bytes -= len(waiting.delivery.body)
            if not waiting.answer.done():
                batch.append(waiting)
        return batch

    async def _commit(self, lane: Queryable, batch: list[Waiting]) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        left = max(waiting.deadline for waiting in batch) - started
        try:
            answers = await log.append(
                lane, [waiting.delivery for waiting in batch], timeout=max(left, 0.01)
            )
        except BAD_ROW as error:
            await self._isolate(lane, batch, error)
        except asyncio.CancelledError:
            _refuse_all(batch, "the replica is stopping")
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the sender shall try again
            self._metrics.append_failures.inc()
            _logger.warning("append failed", error=type(error).__name__, deliveries=len(batch))
            _refuse_all(batch, "the database did not take the append")
        else:
            self._metrics.append_seconds.observe(loop.time() - started)
            self._metrics.append_batch.observe(len(batch))
            loop.call_soon(_tell, batch, answers)  # once the next batch is sent

    async def _isolate(self, lane: Queryable, batch: list[Waiting], error: Exception) -> None:
        """Append the halves of a batch that the database refused for one of its rows."""
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._commit(lane, batch[:middle])
            await self._commit(lane, batch[middle:])
            return
        self._metrics.append_failures.inc()
        _logger.error("the database refuses a delivery", error=type(error).__name__)
        batch[0].refuse("the database refuses this delivery")

    def _sweep(self) -> None:
        """Answer what is past its deadline, whether it waits or is being appended."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for waitings in (self._queue, *self._in_flight.values()):
            for waiting in waitings:
                if waiting.deadline <= now:
                    waiting.refuse("the append did not commit in time")
        self._shed()
        if self._queue and now - self._since > PATIENCE_SECONDS:
            self._appoint(loop)
        busy = self._queue or self._in_flight
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep) if busy else None

    def _shed(self) -> None:
        """Free what stands answered at the head of the queue: no lane may come to take it."""
        queue = self._queue
        while queue and queue[0].answer.done():
            self._queued_bytes -= len(queue.popleft().delivery.body)

    async def _abandon(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        _refuse_all(self._queue, "the replica is stopping")
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)


def _tell(batch: list[Waiting], answers: list[Appended]) -> None:
    for waiting, appended in zip(batch, answers, strict=True):
        if waiting.answer.done():
            continue
        try:
            waiting.answer.set_result(appended)
        except Exception as error:  # noqa: BLE001  nobody else's answer shall be lost with it
            _logger.error("an answer failed", error=type(error).__name__)  # noqa: TRY400


def _refuse_all(batch: Sequence[Waiting] | deque[Waiting], why: str) -> None:
    for waiting in batch:
        waiting.refuse(why)
