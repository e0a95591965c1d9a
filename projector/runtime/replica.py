"""A projector replica: holds leases, runs a worker for each, and watches the log."""

import asyncio
import os
import socket
import time
import uuid
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from projector.database import UNAVAILABLE, Database
from projector.errors import Fenced
from projector.folding.tables import Projection
from projector.projections import PROJECTIONS
from projector.runtime.feed import Feed
from projector.runtime.metrics import RuntimeMetrics
from projector.runtime.store import Store
from projector.runtime.watch import Watch
from projector.runtime.worker import Lease, Worker
from projector.statements import queries

_SQL: Final = queries("state")

# A replica that is killed is replaced after at most TTL + HEARTBEAT: 8 seconds.
TTL: Final = timedelta(seconds=6)
HEARTBEAT_SECONDS: Final = 2.0
STUCK_SECONDS: Final = 60.0

_log = structlog.get_logger()


class Replica:
    """One of any number of replicas that share the projections among them."""

    def __init__(
        self,
        database: Database,
        *,
        projections: tuple[Projection, ...] = PROJECTIONS,
        batch_events: int = 5000,
        metrics: RuntimeMetrics | None = None,
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.metrics = metrics or RuntimeMetrics()
        self.workers: dict[str, Worker] = {}
        self._database = database
        self._projections = {projection.name: projection for projection in projections}
        self._feed = Feed(database, most=batch_events)
        self._watch = Watch(database, self._feed, self._wake)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lease_wake = asyncio.Event()
        self._newer: set[str] = set()

    def _wake(self) -> None:
        self._lease_wake.set()

    async def run(self) -> None:
        """Fold until cancelled; then give the leases back."""
        watch = asyncio.create_task(self._watch.run())
        try:
            while True:
                await self._hold()
                self._lease_wake.clear()
                try:
                    await asyncio.wait_for(self._lease_wake.wait(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    continue
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await self._stop()

    async def _hold(self) -> None:
        """Beat, and run exactly the workers whose leases this replica holds."""
        try:
            rows = await self._database.fetch(
                _SQL["hold_leases"], self.name, self._current(), TTL, timeout=TTL.total_seconds()
            )
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            _log.warning("leases_not_renewed", error=type(error).__name__)
            return
        held = {row[0]: (row[1], Lease(row[2], row[3])) for row in rows}
        for name in list(self._tasks):
            lease = held.get(name)
            if lease is None or lease[1].epoch != self.workers[name].lease.epoch:
                await self._end(name)
        for name, (version, lease) in held.items():
            if name in self._projections and name not in self._tasks and self._serves(name, version):
                self._begin(name, lease)

    def _current(self) -> list[str]:
        return [name for name in self._projections if name not in self._newer]

    def _serves(self, name: str, version: int) -> bool:
        """Whether the stored version is this code's; a newer release folds it otherwise."""
        if version == self._projections[name].version:
            return True
        self._newer.add(name)
        _log.warning(
            "projection_version", projection=name, stored=version,
            code=self._projections[name].version, next="left to replicas of that release",
        )  # fmt: skip
        return False

    def _begin(self, name: str, lease: Lease) -> None:
        worker = Worker(
            self._projections[name], Store(self._database), self._feed, lease, self.metrics
        )
        self.workers[name] = worker
        self._tasks[name] = asyncio.create_task(self._supervise(name, worker))
        _log.info("lease_taken", projection=name, position=lease.position, epoch=lease.epoch)

    async def _supervise(self, name: str, worker: Worker) -> None:
        """Run a worker's loop; start it again when it dies of what nobody foresaw."""
        while True:
            try:
                await worker.run()
            except Fenced:
                _log.info("lease_lost", projection=name)
                self._lease_wake.set()
                return
            except Exception:
                self.metrics.restarted(name)
                _log.exception("worker_died", projection=name, next="started again")
                await asyncio.sleep(1)

    async def _end(self, name: str) -> None:
        task = self._tasks.pop(name)
        self.workers.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _stop(self) -> None:
        for name in list(self._tasks):
            await self._end(name)
        self._feed.close()
        try:
            await self._database.fetch(_SQL["release_leases"], self.name, timeout=3)
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            _log.warning("leases_not_released", error=type(error).__name__)

    def stuck(self) -> list[str]:
        """Projections of this replica that have not moved for 60 s while events wait.

        Empty while the database does not answer: then no restart of this process would help.
        """
        if not self._watch.reachable:
            return []
        return [name for name, waits in self.waiting_seconds().items() if waits > STUCK_SECONDS]

    def waiting_seconds(self) -> dict[str, float]:
        """Seconds since each projection here moved while events wait; 0 where none wait."""
        now = time.monotonic()
        return {
            name: now - worker.moved_at if worker.behind else 0.0
            for name, worker in self.workers.items()
        }
