"""Catching up: a filled shadow folds the rest of the log, batch by batch, to the live position."""

from typing import Final

from projector.database import Database
from projector.folding.tables import Projection
from projector.log.read import read, read_head
from projector.state.batch import make_batch
from projector.state.folder import Folder, Lease
from projector.state.store import Store

BATCH_ROWS: Final = 2000
BATCH_BYTES: Final = 2 * 1024 * 1024


class Follower:
    """A shadow and its position, which is moved by compare-and-set like a checkpoint."""

    def __init__(
        self, database: Database, projection: Projection, schema: str, lease: Lease,
        digest: bytes | None,
    ) -> None:  # fmt: skip
        self.projection = projection
        self.schema = schema
        self.digest = digest
        self._database = database
        self._folder = Folder(projection, Store(database, schema, moves="move_rebuild"), lease)

    @property
    def position(self) -> int:
        """The position of the last event folded into the shadow."""
        return self._folder.lease.position

    async def to_head(self) -> None:
        """Fold up to the head as it is at the call."""
        await self.up_to(await read_head(self._database))

    async def up_to(self, target: int) -> None:
        """Fold exactly up to a position; does nothing if the shadow is already there or beyond."""
        while self.position < target:
            rows = await read(
                self._database, self.position,
                rows=BATCH_ROWS, size=BATCH_BYTES, until=target, timeout=60.0,
            )  # fmt: skip
            if not rows:
                return
            batch = make_batch(self.position, rows, full=False)
            await self._folder.fold(batch)
            self.digest = batch.digest
