"""A projector replica: holds leases, runs a worker for each of them, and watches the log."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog

from projector.database import TROUBLE, Database
from projector.database_reasons import reason_of
from projector.errors import Fenced
from projector.folding.tables import Projection
from projector.live.feed import Feed
from projector.live.metrics import RuntimeMetrics
from projector.live.upgrade import Upgrade
from projector.live.watch import Watch
from projector.live.worker import Worker
from projector.log.read import read_epoch
from projector.process import unique_name
from projector.projections import PROJECTIONS
from projector.state.checkpoints import LeaseState, hold_leases, release_leases
from projector.state.folder import Lease
from projector.state.store import Store
from projector.tasks import end, set_within
from projector.telemetry import Recurring

# A replica that is killed is replaced after at most TTL + HEARTBEAT: 8 seconds.
TTL: Final = timedelta(seconds=6)
HEARTBEAT_SECONDS: Final = 2.0
STUCK_SECONDS: Final = 60.0
RESTART_SECONDS: Final = 1.0

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
        self.name = unique_name()
        self.metrics = metrics or RuntimeMetrics()
        self.workers: dict[str, Worker] = {}
        self._database = database
        self._projections = {projection.name: projection for projection in projections}
        self._feed = Feed(database, most=batch_events)
        self._lease_wake = asyncio.Event()
        self._watch = Watch(database, self._feed, self._lease_wake.set)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._upgrade = Upgrade(database)
        self._newer: set[str] = set()
        self._renewed_at = time.monotonic()
        self._trouble = Recurring(_log, "leases_not_renewed")
        self._reached: dict[str, int] = {}
        self._epoch: uuid.UUID | None = None

    async def run(self) -> None:
        """Fold until cancelled; then give the leases back."""
        watch = asyncio.create_task(self._supervise("watch", self._watch.run))
        try:
            while True:
                self._lease_wake.clear()
                await self._hold()
                await set_within(self._lease_wake, HEARTBEAT_SECONDS)
        finally:
            await end(watch)
            await self._stop()

    async def _hold(self) -> None:
        """Renew the leases, and run exactly the workers whose leases this replica holds."""
        versions = {name: projection.version for name, projection in self._projections.items()}
        reached = {name: worker.lease.position for name, worker in self.workers.items()}
        try:
            leases = await hold_leases(self._database, self.name, versions, TTL)
            epoch = await read_epoch(self._database, timeout=TTL.total_seconds())
        except TROUBLE as error:
            reason = reason_of(error)
            self._trouble(reason.word, reason=reason.what)
            return
        self._renewed_at = time.monotonic()
        self._reached = {lease.projection: lease.position for lease in leases}
        back = any(lease.position < reached.get(lease.projection, 0) for lease in leases)
        if back or epoch != (self._epoch or epoch):
            await self._start_over(checkpoints_went_back=back)
        self._epoch = epoch
        await self._run_workers(leases, versions)

    async def _run_workers(self, leases: list[LeaseState], versions: dict[str, int]) -> None:
        held = {
            lease.projection: Lease(lease.position, lease.epoch) for lease in leases if lease.held
        }
        for name, task in list(self._tasks.items()):
            # A worker may have ended by itself, fenced by a change that left the lease here.
            if (
                name not in held
                or held[name].epoch != self.workers[name].lease.epoch
                or task.done()
            ):
                await self._end(name)
        stored = {lease.projection: lease.version for lease in leases}
        for name, lease in held.items():
            if name not in self._tasks and stored[name] == versions.get(name):
                self._begin(name, lease)
        self._compare_versions({name: stored[name] for name in versions if name in stored})

    async def _start_over(self, *, checkpoints_went_back: bool) -> None:
        """Forget what is known of the log: after a failover or a restore it may be another one."""
        _log.warning(
            "log_changed", checkpoints_went_back=checkpoints_went_back,
            next="folding goes on from where the checkpoints are now",
        )  # fmt: skip
        for name in list(self._tasks):
            await self._end(name)
        self._feed.start_over()

    def _compare_versions(self, stored: dict[str, int]) -> None:
        """Leave what a newer release folds to its replicas, and rebuild what an older one folded."""
        newer = {
            name for name, version in stored.items() if version > self._projections[name].version
        }
        for name in newer - self._newer:
            _log.warning(
                "projection_is_newer", projection=name, stored=stored[name],
                code=self._projections[name].version, next="left to replicas of that release",
            )  # fmt: skip
        self._newer = newer
        self._upgrade.begin(
            [
                projection
                for name, projection in self._projections.items()
                if name in stored and stored[name] < projection.version
            ]
        )

    def _begin(self, name: str, lease: Lease) -> None:
        worker = Worker(
            self._projections[name], Store(self._database), self._feed, lease, self.metrics
        )
        self.workers[name] = worker
        self._tasks[name] = asyncio.create_task(self._supervise(name, worker.run))
        _log.info("lease_taken", projection=name, position=lease.position, epoch=lease.epoch)

    async def _supervise(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run a loop; start it again after an unexpected error."""
        while True:
            try:
                await loop()
            except Fenced:
                _log.info("lease_lost", projection=name)
                self._feed.forget()
                self._lease_wake.set()
                return
            except Exception:  # noqa: BLE001  the other loops go on, and this one starts again
                self.metrics.restarted(name)
                _log.exception("loop_died", loop=name, next="started again")
                await asyncio.sleep(RESTART_SECONDS)

    async def _end(self, name: str) -> None:
        self.workers.pop(name)
        await end(self._tasks.pop(name))
        self._feed.leave(name)

    async def _stop(self) -> None:
        for name in list(self._tasks):
            await self._end(name)
        await self._upgrade.stop()
        self._feed.close()
        try:
            await release_leases(self._database, self.name, timeout=3)
        except TROUBLE as error:
            _log.warning("leases_not_released", reason=reason_of(error).what)

    def stuck(self) -> list[str]:
        """Return projections that have not moved or could not be leased here for 60 s while events wait.

        Empty until the database has been reachable for as long: before that no restart would help.
        """
        reachable_since = self._watch.reachable_since
        if reachable_since is None or time.monotonic() - reachable_since < STUCK_SECONDS:
            return []
        if time.monotonic() - self._renewed_at > STUCK_SECONDS:  # nobody can fold here
            return [
                name for name in self._projections if self._feed.head > self._reached.get(name, 0)
            ]
        return [name for name, waits in self.waiting_seconds().items() if waits > STUCK_SECONDS]

    def waiting_seconds(self) -> dict[str, float]:
        """Return the seconds since each projection here moved while events wait; 0 where none wait."""
        now = time.monotonic()
        return {
            name: now - worker.moved_at if worker.behind else 0.0
            for name, worker in self.workers.items()
        }
