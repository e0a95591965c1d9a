"""The bulk of a rebuild: one pass over the log for several projections, with bounded memory."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from projector.database import Database
from projector.rebuild.shadow import Shadow
from projector.runtime.batch import Batch, make_batch
from projector.runtime.tasks import end
from projector.statements import queries

_SQL: Final = queries("log")

# Estimated bytes of rows in memory, over all projections of the rebuild. The estimate is high on purpose: a
# process peaked at 243 MB with it. Half of it costs 1.4 times the time.
MEMORY: Final = 192 * 1024 * 1024
READ_ROWS: Final = 4000
READ_BYTES: Final = 2 * 1024 * 1024

Progress = Callable[[int, int], None]


async def fill(
    database: Database, shadows: Sequence[Shadow], target: int, progress: Progress
) -> tuple[int, bytes | None]:
    """Fold the log up to `target` into shadows; answers the last position and its event's digest.

    `progress` is called with (position, target) as it goes.
    """
    position, digest = 0, None
    reading = asyncio.create_task(_read(database, 0, target))
    try:
        while (batch := await reading) is not None:
            reading = asyncio.create_task(_read(database, batch.end, target))
            await _fold(shadows, batch)
            position, digest = batch.end, batch.digest
            progress(position, target)
    finally:
        await end(reading)
    async with asyncio.TaskGroup() as tasks:  # the database builds indexes side by side
        for shadow in shadows:
            tasks.create_task(shadow.finish())
    return position, digest


async def _read(database: Database, position: int, target: int) -> Batch | None:
    rows = await database.fetch(_SQL["read"], position, READ_ROWS, target, READ_BYTES, timeout=60.0)
    return make_batch(position, rows, full=True) if rows else None


async def _fold(shadows: Sequence[Shadow], batch: Batch) -> None:
    for shadow in shadows:
        await shadow.fold(batch.events)
        await asyncio.sleep(0)  # heartbeats and the reader ahead get their turn
    while sum(shadow.weight for shadow in shadows) > MEMORY:
        await max(shadows, key=lambda shadow: shadow.weight).spill()
