"""A folder: folds one projection's batches into a store, under a lease."""

from dataclasses import dataclass
from typing import Final

import asyncpg

from projector.folding.change import Change
from projector.folding.tables import DeadLetter, Projection
from projector.state.batch import Batch
from projector.state.store import HistoryTooLong, Move, Store

# Errors that an event's content can cause in a write. Any other error is the database's and is retried:
# to split the batch then would make dead letters of good events.
CONTENT_ERRORS: Final = (
    ValueError,
    OverflowError,
    RecursionError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    asyncpg.StatementTooComplexError,
)


def write_failed(error: Exception) -> str:
    """Why an event could not be folded that fails the write; quotes nothing of it."""
    return f"the write failed: {type(error).__name__}"


@dataclass
class Lease:
    """The right to fold a projection; lost as soon as the epoch in the database changes."""

    position: int
    epoch: int


class Folder:
    """Folds batch after batch from the lease's position on.

    `letters`, where given, gathers the dead letters as they are written.
    """

    def __init__(
        self,
        projection: Projection,
        store: Store,
        lease: Lease,
        letters: list[DeadLetter] | None = None,
    ) -> None:
        self.projection = projection
        self.store = store
        self.lease = lease
        self._letters = letters

    async def fold(self, batch: Batch) -> int:
        """Fold and write a batch; returns how many events became dead letters.

        Only the event that fails the write becomes a dead letter. A batch whose late events would load too
        much history into memory is folded in parts. Raises Fenced if the lease is lost.
        """
        try:
            change = await self.store.fold(self.projection, batch.events)
            return await self._write(batch, change)
        except asyncpg.UniqueViolationError:
            raise  # a row believed new exists: no event's fault; the caller reads all again
        except (*CONTENT_ERRORS, HistoryTooLong) as error:
            if len(batch) == 1:
                return await self._write(batch, _as_dead_letters(batch, error))
        first, second = batch.halves()
        return await self.fold(first) + await self.fold(second)

    async def _write(self, batch: Batch, change: Change) -> int:
        move = Move(self.lease.position, self.lease.epoch, batch.end, batch.digest)
        await self.store.write(self.projection, change, move)
        self.lease.position = batch.end
        if self._letters is not None:
            self._letters += change.dead
        return len(change.dead)


def _as_dead_letters(batch: Batch, error: Exception) -> Change:
    why = write_failed(error)
    return Change(
        dead=[
            DeadLetter(event.position, event.name, why)
            for events in batch.events.values()
            for event in events
        ]
    )
