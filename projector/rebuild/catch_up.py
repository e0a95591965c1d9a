"""Catching up: a filled shadow follows the log by the ordinary worker until it is at the live position."""

from typing import Final

from projector.database import Database
from projector.folding.tables import Projection
from projector.log import head
from projector.rebuild.shadow import Shadow
from projector.runtime.batch import make_batch
from projector.runtime.feed import Feed
from projector.runtime.metrics import RuntimeMetrics
from projector.runtime.worker import Lease, Worker
from projector.statements import queries

_SQL: Final = queries("log")

BATCH_ROWS: Final = 2000
BATCH_BYTES: Final = 2 * 1024 * 1024


class Follower:
    """A shadow with a position of its own, moved by compare-and-set like a checkpoint."""

    def __init__(
        self, database: Database, shadow: Shadow, position: int, digest: bytes | None, epoch: int
    ) -> None:
        self.projection: Projection = shadow.projection
        self.schema = shadow.schema
        self.digest = digest
        self._database = database
        self._worker = Worker(
            shadow.projection,
            shadow.store,
            Feed(database),
            Lease(position, epoch),
            RuntimeMetrics(),
        )

    @property
    def position(self) -> int:
        """How far the shadow has come."""
        return self._worker.lease.position

    async def to_head(self) -> None:
        """Follow until what was the head at the call."""
        await self.up_to(await head(self._database))

    async def up_to(self, target: int) -> None:
        """Follow exactly up to a position; nothing where the shadow is there or further already."""
        while self.position < target:
            rows = await self._database.fetch(
                _SQL["read"], self.position, BATCH_ROWS, target, BATCH_BYTES, timeout=60.0
            )
            if not rows:
                return
            batch = make_batch(self.position, rows, full=False)
            await self._worker.process(batch)
            self.digest = batch.digest
