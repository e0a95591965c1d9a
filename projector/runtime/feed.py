"""The feed: the log's events in batches, read and decoded once for all workers of a process.

Workers ask for the batch after their own position. Those at one position share it; one that is a little
behind finds its batch in the small cache; one that is far behind reads its own. The next batch is read
ahead while workers fold.
"""

import asyncio
from collections import OrderedDict
from typing import Final

from projector.database import Database
from projector.runtime.batch import Batch, make_batch
from projector.statements import queries

_SQL: Final = queries("log")

FIRST_LIMIT: Final = 500
# Decoded events take about eight times their bytes, and a few batches are in memory at once.
BATCH_BYTES: Final = 2 * 1024 * 1024
KEPT_BATCHES: Final = 3


class Feed:
    """Batches of the log, and the head as far as it is known."""

    def __init__(self, database: Database, *, most: int = 5000) -> None:
        self.database = database
        self.head = 0
        self._most = most
        self._limit = min(FIRST_LIMIT, most)
        self._batches: OrderedDict[int, asyncio.Task[Batch | None]] = OrderedDict()
        self._grown = asyncio.Event()

    def advance(self, head: int) -> None:
        """Note that the log reaches up to `head`; wakes whoever waits for more."""
        if head > self.head:
            self.head = head
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()

    async def beyond(self, position: int) -> None:
        """Wait until the log is known to reach beyond a position."""
        while self.head <= position:
            await self._grown.wait()

    async def after(self, position: int) -> Batch | None:
        """The next batch after a position; None where the log ends there.

        Batches grow while they come back full, and shrink to the first size when the log is read up.
        """
        task = self._batches.get(position)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            self._batches.pop(position, None)
            task = self._read(position)
        batch = await asyncio.shield(task)
        if batch is None:
            self._batches.pop(position, None)
            return None
        self._limit = min(self._limit * 2, self._most) if batch.full else FIRST_LIMIT
        if batch.full and batch.end not in self._batches:
            self._read(batch.end)
        return batch

    def _read(self, position: int) -> asyncio.Task[Batch | None]:
        task = asyncio.create_task(self._fetch(position, self._limit))
        self._batches[position] = task
        self._evict()
        return task

    def _evict(self) -> None:
        """Drop the oldest batches; one that is still being read may have somebody waiting for it."""
        surplus = len(self._batches) - KEPT_BATCHES
        for position in [p for p, task in self._batches.items() if task.done()][: max(surplus, 0)]:
            task = self._batches.pop(position)
            if not task.cancelled():
                task.exception()  # a failed read ahead that nobody asked for is nobody's error

    async def _fetch(self, position: int, limit: int) -> Batch | None:
        rows = await self.database.fetch(
            _SQL["read"], position, limit, 2**62, BATCH_BYTES, timeout=30.0
        )
        if not rows:
            return None
        self.advance(rows[-1][0])
        return make_batch(position, rows, full=len(rows) == limit or rows[-1][0] < self.head)

    def close(self) -> None:
        """Stop reading ahead."""
        for task in self._batches.values():
            task.cancel()
        self._batches.clear()
