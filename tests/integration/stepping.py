"""A runner under the test's control: projections in any interleaving, batches of any size, faults."""

import random
from typing import Any

import asyncpg

from projector.database import Database
from projector.errors import Fenced
from projector.projections import PROJECTIONS
from projector.runtime.batch import make_batch
from projector.runtime.feed import Feed
from projector.runtime.metrics import RuntimeMetrics
from projector.runtime.store import Store
from projector.runtime.worker import Lease, Worker
from projector.statements import queries

READ = queries("log")["read"]
CHECKPOINT = queries("state")["checkpoint"]


class Faulty:
    """A database whose connection breaks now and then, before a statement or after it."""

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
    """Folds by single steps; which projection and how much is drawn by chance."""

    def __init__(self, database: Database, chance: random.Random, *, faults: float = 0.1) -> None:
        self._database = database
        self._chance = chance
        self.broken = Faulty(database, chance, faults)
        store = Store(self.broken)  # type: ignore[arg-type]
        self._workers = [
            Worker(projection, store, Feed(database), Lease(0, 0), RuntimeMetrics())
            for projection in PROJECTIONS
        ]

    async def run(self, *, most: int = 60) -> None:
        """Fold until every projection is at the head."""
        head = await self._database.fetchval(queries("log")["head"])
        for worker in self._workers:
            await self._reload(worker)
        behind = [w for w in self._workers if w.lease.position < head]
        while behind:
            await self._step(self._chance.choice(behind), self._chance.randint(1, most))
            behind = [w for w in self._workers if w.lease.position < head]

    async def some(self, steps: int, *, most: int = 60) -> None:
        """Fold a few steps."""
        for worker in self._workers:
            await self._reload(worker)
        for _ in range(steps):
            await self._step(self._chance.choice(self._workers), self._chance.randint(1, most))

    async def _step(self, worker: Worker, limit: int) -> None:
        rows = await self._database.fetch(READ, worker.lease.position, limit, 2**62, 2**24)
        if not rows:
            return
        batch = make_batch(worker.lease.position, rows, full=True)
        try:
            await worker.process(batch)
        except (asyncpg.ConnectionDoesNotExistError, Fenced):
            await self._reload(worker)

    async def _reload(self, worker: Worker) -> None:
        row = (await self._database.fetch(CHECKPOINT, worker.projection.name))[0]
        worker.lease = Lease(row["position"], row["epoch"])
