"""The feed: the log's events in batches, read and decoded once for all workers of a process.

Workers ask for the batch after their own position. Those at one position share it; one that is a little
behind finds its batch in the small cache; one that is far behind reads its own. The next batch is read
ahead while workers fold.
"""

import asyncio
from typing import Final

from projector.database import Database
from projector.log.read import read
from projector.state.batch import Batch, make_batch
from projector.tasks import set_within

FIRST_LIMIT: Final = 500
# Decoded events take about eight times their bytes, and a few batches are in memory at once.
BATCH_BYTES: Final = 2 * 1024 * 1024
KEPT_BATCHES: Final = 3

# How long a reader waits for slower ones before it goes its own way.
PATIENCE_SECONDS: Final = 0.25


class Feed:
    """Batches of the log, and its head as far as this process knows."""

    def __init__(self, database: Database, *, most: int = 5000) -> None:
        self.database = database
        self.head = 0
        self._most = most
        self._limit = min(FIRST_LIMIT, most)
        self._batches: dict[int, asyncio.Task[Batch | None]] = {}
        self._grown = asyncio.Event()
        self._readers: dict[str, int] = {}
        self._moved = asyncio.Event()

    def advance(self, head: int) -> None:
        """Record that the log reaches up to `head`, and wake whoever waits for more."""
        if head > self.head:
            self.head = head
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()

    async def beyond(self, position: int) -> None:
        """Wait until the log is known to reach beyond a position."""
        while self.head <= position:
            await self._grown.wait()

    async def after(self, position: int, reader: str) -> Batch | None:
        """Return the next batch after a reader's position; None where the log ends there.

        Batches grow while they come back full, and shrink to the first size when the log is read up.
        """
        self.note(reader, position)
        task = self._batches.get(position)
        if task is None or _is_useless(task):
            await self._pace(position)
            task = self._batches.get(position)
        if task is None or _is_useless(task):
            self._batches.pop(position, None)
            task = self._read(position)
        batch = await asyncio.shield(task)
        if batch is None:
            return None
        if batch.full and batch.end not in self._batches and len(self._batches) < KEPT_BATCHES:
            self._read(batch.end)
        return batch

    def note(self, reader: str, position: int) -> None:
        """Record how far a reader has come."""
        if self._readers.get(reader) != position:
            self._readers[reader] = position
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()

    def leave(self, reader: str) -> None:
        """Forget a reader that waits or ends: the others need not wait for it."""
        self._readers.pop(reader, None)

    async def _pace(self, position: int) -> None:
        """Wait for readers that are a little behind, so that all go on sharing batches.

        A reader too far ahead evicts batches that others still need; each then reads and decodes its own,
        and they never share one again.
        """
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while (
            len(self._batches) >= KEPT_BATCHES
            and min(self._readers.values(), default=position) < position
            and asyncio.get_running_loop().time() < deadline
        ):
            self._evict()
            await set_within(self._moved, PATIENCE_SECONDS)

    def _read(self, position: int) -> asyncio.Task[Batch | None]:
        task = asyncio.create_task(self._fetch(position, self._limit))
        self._batches[position] = task
        self._evict()
        return task

    def _evict(self) -> None:
        """Drop what every reader has passed, then the oldest that are too many.

        One that is still being read may have somebody waiting for it.
        """
        slowest = min(self._readers.values(), default=0)
        done = sorted(position for position, task in self._batches.items() if task.done())
        surplus = len(self._batches) - KEPT_BATCHES
        for position in done:
            if position < slowest or surplus > 0:
                surplus -= 1
                task = self._batches.pop(position)
                if not task.cancelled():
                    task.exception()  # a failed read ahead that nobody asked for is nobody's error

    async def _fetch(self, position: int, limit: int) -> Batch | None:
        announced = self.head
        rows = await read(self.database, position, rows=limit, size=BATCH_BYTES, timeout=30.0)
        if not rows:
            if self.head == announced > position:
                self.head = position  # the log ends here, whatever was announced: do not ask again
            return None
        self.advance(rows[-1][0])
        full = len(rows) == limit or rows[-1][0] < self.head
        self._limit = min(self._limit * 2, self._most) if full else FIRST_LIMIT
        return make_batch(position, rows, full=full)

    def start_over(self) -> None:
        """Forget all that was read: the log is another one now."""
        self.close()
        self.head = 0

    def forget(self) -> None:
        """Forget what was read: it may be of a log that is no more. Whoever waits for a batch gets it."""
        for task in self._batches.values():
            task.add_done_callback(lambda read: read.cancelled() or read.exception())
        self._batches.clear()

    def close(self) -> None:
        """Stop reading ahead."""
        for task in self._batches.values():
            if not task.cancel() and not task.cancelled():
                task.exception()  # nobody asked for it
        self._batches.clear()


def _is_useless(task: "asyncio.Task[Batch | None]") -> bool:
    """Whether a read has failed, or found the end of a log that may have grown since."""
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or task.result() is None
