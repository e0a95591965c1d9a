"""A worker: folds one projection for as long as this replica holds its lease."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog

from projector.database import UNAVAILABLE
from projector.errors import Fenced, ProjectorError
from projector.folding.tables import DeadLetter, Projection
from projector.runtime.batch import Batch
from projector.runtime.feed import Feed
from projector.runtime.metrics import RuntimeMetrics
from projector.runtime.store import Change, HistoryTooLong, Move, Store
from projector.statements import queries

_LOG_SQL: Final = queries("log")
_SQL: Final = queries("state")

LONGEST_WAIT: Final = 10.0

# What an event's own content can cause in a write. Anything else is the database's trouble: it is waited
# out, for a split would condemn innocent events.
SPOILED: Final = (
    ValueError,
    OverflowError,
    RecursionError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    asyncpg.StatementTooComplexError,
)

_log = structlog.get_logger()


class LogMismatch(ProjectorError):
    """The log is not the one that the checkpoint was made of."""


@dataclass
class Lease:
    """The right to fold a projection: lost as soon as the epoch in the database is another one."""

    position: int
    epoch: int


class Worker:
    """Folds batch after batch; waits out trouble and says why it waits."""

    def __init__(
        self,
        projection: Projection,
        store: Store,
        feed: Feed,
        lease: Lease,
        metrics: RuntimeMetrics,
    ) -> None:
        self.projection = projection
        self.lease = lease
        self.waiting: str | None = None
        self.moved_at = time.monotonic()
        self._store = store
        self._feed = feed
        self._metrics = metrics

    @property
    def behind(self) -> bool:
        """Whether events wait, as far as this replica knows."""
        return self._feed.head > self.lease.position

    async def run(self) -> None:
        """Fold until cancelled or fenced; raises Fenced."""
        failures = 0
        settled = False
        while True:
            try:
                if not settled:
                    await self._settle()
                    settled = True
                await self._fold_next()
                failures, self.waiting = 0, None
            except Fenced:
                raise
            except (*UNAVAILABLE, asyncpg.PostgresError, LogMismatch) as error:
                failures += 1
                settled = False
                await self._wait_out(error, failures)

    async def _settle(self) -> None:
        """Go on from the checkpoint as it stands: a write that seemed to fail may have been committed.

        Raises Fenced where the lease is over, LogMismatch where the log under it is another one.
        """
        row = (
            await self._store.database.fetch(_SQL["checkpoint"], self.projection.name, timeout=5)
        )[0]
        if row["epoch"] != self.lease.epoch:
            raise Fenced(f"the lease on {self.projection.name} is over")
        self.lease.position = row["position"]
        await self._check_log(row["position"], row["digest"])
        if self.waiting is not None and not self.behind:
            await self._note(None)  # no batch comes that would clear it

    async def _check_log(self, position: int, digest: bytes | None) -> None:
        """Raise LogMismatch unless the log under the checkpoint is the one that was folded."""
        if digest is None:
            return
        found = await self._store.database.fetch(_LOG_SQL["digest_at"], position, timeout=5)
        if not found or found[0][0] != digest:
            where = "is beyond the head of the log" if not found else "is of another log"
            raise LogMismatch(
                f"the checkpoint {position} of {self.projection.name} {where}; after restoring a "
                f"backup run `projector rebuild {self.projection.name}`"
            )

    async def _fold_next(self) -> None:
        if not self.behind:
            self._feed.note(self.projection.name, self.lease.position)
            await self._feed.beyond(self.lease.position)
            self.moved_at = time.monotonic()  # nothing waited until now
        batch = await self._feed.after(self.lease.position, self.projection.name)
        if batch is not None:
            await self.process(batch)

    async def process(self, batch: Batch) -> None:
        """Fold and write a batch; an event that spoils the write becomes a dead letter, alone.

        A batch whose late events would bring too much of the past into memory is folded in parts.
        """
        started = time.perf_counter()
        try:
            change = await self._store.fold(self.projection, batch.events)
            await self._write(batch, change)
        except asyncpg.UniqueViolationError:
            raise  # a row thought to be new stands there already: no event's fault, all is read afresh
        except (*SPOILED, HistoryTooLong) as error:
            if len(batch) > 1:
                for half in batch.halves():
                    await self.process(half)
                return
            await self._write(batch, self._condemned(batch, error))
        self._metrics.folded(self.projection.name, len(batch), time.perf_counter() - started)
        for name in self.projection.events:
            self._metrics.not_held(self.projection.name, batch.events.get(name, ()))

    def _condemned(self, batch: Batch, error: Exception) -> Change:
        dead = [
            DeadLetter(event.position, event.name, f"the write failed: {type(error).__name__}")
            for events in batch.events.values()
            for event in events
        ]
        _log.warning("dead_letter", projection=self.projection.name, position=batch.end)
        return Change(dead=dead)

    async def _write(self, batch: Batch, change: Change) -> None:
        move = Move(self.lease.position, self.lease.epoch, batch.end, batch.digest)
        await self._store.write(self.projection, change, move)
        self.lease.position = batch.end
        self.moved_at = time.monotonic()
        self._metrics.dead_letters(self.projection.name, len(change.dead))

    async def _wait_out(self, error: Exception, failures: int) -> None:
        reason = str(error) if isinstance(error, LogMismatch) else type(error).__name__
        pause = min(0.1 * 2 ** min(failures, 10), LONGEST_WAIT)
        self.waiting = reason
        self._metrics.waits(self.projection.name)
        self._feed.leave(self.projection.name)
        _log.warning(
            "projection_waits", projection=self.projection.name, reason=reason, seconds=pause
        )
        await self._note(reason)
        await asyncio.sleep(pause)

    async def _note(self, reason: str | None) -> None:
        """Leave the reason where `status` finds it, if the database can take it."""
        try:
            await self._store.database.fetch(
                _SQL["note_error"], self.projection.name, reason, self.lease.epoch, timeout=2
            )
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            _log.debug("error_not_noted", error=type(error).__name__)
