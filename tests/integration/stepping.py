"""A runner that the test controls: any interleaving of projections, any batch size, faults."""

import random
from typing import Any

import asyncpg

from projector.database import Database
from projector.errors import Fenced
from projector.projections import PROJECTIONS
from projector.state.batch import make_batch
from projector.state.folder import Folder, Lease
from projector.state.store import Store
from projector.statements import queries

READ = queries("log")["read"]
CHECKPOINT = queries("state")["checkpoint"]


class Faulty:
    """A database whose connection breaks at random, before a statement or after it."""

    def __init__(self, database: Database, chance: random.Random, share: float) -> None:
        self._database = database
        self._chance = chance
        self._share = share
        self.faults = 0

    async def fetch(self, statement: str, *arguments: Any, timeout: float | None = None) -> Any:
        broken = self._chance.random() < self._share
        if broken and self._chance.random() < 0.5:
            self.faults += 1
            raise asyncpg.ConnectionDoesNotExistError("before the statement")
        rows = await self._database.fetch(statement, *arguments, timeout=timeout)
        if broken:
            self.faults += 1
            raise asyncpg.ConnectionDoesNotExistError("after the statement")
        return rows


class Stepper:
    """Folds in single steps; the projection and the batch size are drawn at random."""

    def __init__(self, database: Database, chance: random.Random, *, faults: float = 0.1) -> None:
        self._database = database
        self._chance = chance
        self.broken = Faulty(database, chance, faults)
        store = Store(self.broken)  # type: ignore[arg-type]
        self._folders = [Folder(projection, store, Lease(0, 0)) for projection in PROJECTIONS]

    async def run(self, *, most: int = 60) -> None:
        """Fold until every projection is at the head."""
        head = await self._database.fetchval(queries("log")["head"])
        for folder in self._folders:
            await self._reload(folder)
        behind = [w for w in self._folders if w.lease.position < head]
        while behind:
            await self._step(self._chance.choice(behind), self._chance.randint(1, most))
            behind = [w for w in self._folders if w.lease.position < head]

    async def some(self, steps: int, *, most: int = 60) -> None:
        """Fold a few steps."""
        for folder in self._folders:
            await self._reload(folder)
        for _ in range(steps):
            await self._step(self._chance.choice(self._folders), self._chance.randint(1, most))

    async def _step(self, folder: Folder, limit: int) -> None:
        rows = await self._database.fetch(READ, folder.lease.position, limit, 2**62, 2**24)
        if not rows:
            return
        batch = make_batch(folder.lease.position, rows, full=True)
        try:
            await folder.fold(batch)
        except (asyncpg.ConnectionDoesNotExistError, Fenced):
            await self._reload(folder)

    async def _reload(self, folder: Folder) -> None:
        row = (await self._database.fetch(CHECKPOINT, folder.projection.name))[0]
        folder.lease = Lease(row["position"], row["epoch"])
