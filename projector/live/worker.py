"""A worker: folds one projection for as long as this replica holds its lease."""

import asyncio
import time
from typing import Final

import structlog

from projector.database import TROUBLE
from projector.database_reasons import reason_of
from projector.errors import Fenced, LogMismatch
from projector.folding.tables import DeadLetter, Projection
from projector.live.feed import Feed
from projector.live.metrics import RuntimeMetrics
from projector.log.read import digest_at
from projector.state.batch import Batch
from projector.state.checkpoints import note_error, read_checkpoint
from projector.state.folder import Folder, Lease
from projector.state.store import Store
from projector.telemetry import Recurring

LONGEST_WAIT: Final = 10.0

_log = structlog.get_logger()


class Worker:
    """Folds batch after batch; after an error it waits, says why, and tries again."""

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
        self._letters: list[DeadLetter] = []
        self._folder = Folder(projection, store, lease, self._letters)
        self._database = store.database
        self._feed = feed
        self._metrics = metrics
        self._trouble = Recurring(_log, "projection_waits")

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
            except (*TROUBLE, LogMismatch) as error:
                failures += 1
                settled = False
                await self._wait_out(error, failures)

    async def _settle(self) -> None:
        """Read the checkpoint again: a write that seemed to fail may have been committed.

        Raises Fenced where the lease is over, LogMismatch where the log is not the one that was folded.
        """
        found = await read_checkpoint(self._database, self.projection.name, timeout=5)
        if found.epoch != self.lease.epoch:
            raise Fenced(f"the lease on {self.projection.name} is over")
        self.lease.position = found.position
        await self._check_log(found.position, found.digest)
        if self.waiting is not None and not self.behind:
            await self._note(None)  # no batch comes that would clear it

    async def _check_log(self, position: int, digest: bytes | None) -> None:
        """Raise LogMismatch unless the log under the checkpoint is the one that was folded."""
        if digest is None:
            return
        found = await digest_at(self._database, position, timeout=5)
        if found != digest:
            where = "is beyond the head of the log" if found is None else "is of another log"
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
            await self._process(batch)

    async def _process(self, batch: Batch) -> None:
        name = self.projection.name
        started = time.perf_counter()
        try:
            await self._folder.fold(batch)
        finally:
            self._tell_letters()
        self.moved_at = time.monotonic()
        self._metrics.folded(name, len(batch), time.perf_counter() - started)
        for event in self.projection.events:
            self._metrics.not_held(name, batch.events.get(event, ()))

    def _tell_letters(self) -> None:
        """Count and log the dead letters that a batch made: one line a batch, without their content."""
        letters = self._letters
        if not letters:
            return
        first = min(letters)
        self._metrics.dead_letters(self.projection.name, len(letters))
        _log.warning(
            "dead_letters",
            projection=self.projection.name,
            count=len(letters),
            position=first.position,
            name=first.event,
            error=first.error,
        )
        letters.clear()

    async def _wait_out(self, error: Exception, failures: int) -> None:
        found = reason_of(error)
        is_ours = isinstance(error, LogMismatch)
        kind, reason = ("log", str(error)) if is_ours else (found.word, found.what)
        pause = min(0.1 * 2 ** min(failures, 10), LONGEST_WAIT)
        self.waiting = reason
        self._metrics.waits(self.projection.name)
        self._feed.leave(self.projection.name)
        self._trouble(kind, projection=self.projection.name, reason=reason, seconds=pause)
        await self._note(reason)
        await asyncio.sleep(pause)

    async def _note(self, reason: str | None) -> None:
        """Write the reason where `status` reads it, if the database takes it."""
        try:
            await note_error(
                self._database, self.projection.name, reason, self.lease.epoch, timeout=2
            )
        except TROUBLE as error:
            _log.debug("error_not_noted", reason=reason_of(error).what)
