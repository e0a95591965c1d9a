"""Fill shadows from the log, in one or more processes."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from projector.database import Database
from projector.errors import LogMismatch
from projector.folding.tables import Projection
from projector.log import read as log
from projector.process import usable_processes
from projector.rebuild.catch_up import Follower
from projector.rebuild.claim import Claim
from projector.rebuild.side_process import side_workers
from projector.rebuild.tasks import FinishScan, Scan, Task, scans, stages
from projector.rebuild.worker import LocalWorker, Worker
from projector.state.folder import Lease
from projector.state.rebuilds import place_rebuild
from projector.state.shadow import STATEMENT_SECONDS, Shadow
from projector.tasks import side_by_side

# Bytes of rows that each process may hold, estimated.
MEMORY: Final = 48 * 1024 * 1024
# The most memory that a process takes (README, Speed); sets the default number of processes.
PROCESS_BYTES: Final = 150_000_000
# A process takes a second to start, which a short log does not repay.
POSITIONS_A_PROCESS: Final = 20_000

Progress = Callable[[int, int], None]


async def fill(
    database: Database,
    projections: Sequence[Projection],
    claim: Claim,
    progress: Progress,
    *,
    target: int,
    processes: int | None,
) -> list[Follower]:
    """Fold the log up to `target` into a new shadow of each projection.

    `progress` is called with (positions, target): the scan counts for two thirds of the positions, and
    the tasks after it for the rest. `processes` None: as many as are of use on this machine. Raises
    LogMismatch where the log may have gone back meanwhile.
    """
    shadows = [Shadow(database, p, claim.schema_of(p)) for p in projections]
    epoch = await log.read_epoch(database)
    await fill_shadows(database, shadows, progress, target=target, processes=processes)
    if await log.read_epoch(database) != epoch:
        raise LogMismatch("the database was promoted or restored meanwhile; rebuild again")
    position, digest = await log.end_of(database, target)
    followers = []
    for shadow in shadows:
        projection = shadow.projection
        await place_rebuild(database, projection.name, claim.owner, position, digest)
        lease = Lease(position, claim.epochs[projection.name])
        followers.append(Follower(database, projection, shadow.schema, lease, digest))
    return followers


async def fill_shadows(
    database: Database,
    shadows: Sequence[Shadow],
    progress: Progress,
    *,
    target: int,
    processes: int | None,
    until_ms: int | None = None,
) -> None:
    """Create the shadows, and fold the log up to `target` into them.

    `until_ms`: only of the events up to that time, in epoch milliseconds.
    """
    projections = [shadow.projection for shadow in shadows]
    for shadow in shadows:
        await shadow.create()
    wanted = processes or usable_processes(PROCESS_BYTES)
    extra = min(wanted, 1 + target // POSITIONS_A_PROCESS) - 1
    async with side_workers(extra, database.url, shadows, MEMORY) as others:
        workers: list[Worker] = [LocalWorker(database, shadows, MEMORY), *others]
        later = list(stages(projections, len(workers)))
        report = _reporter(progress, target, sum(map(len, later)))
        repeated = await log.repeated(database, target, timeout=STATEMENT_SECONDS)
        await _share_out(workers, scans(target, len(workers), repeated, until_ms), report)
        await side_by_side(*(worker.do(FinishScan()) for worker in workers))
        for stage in later:
            await _share_out(workers, stage, report)


async def _share_out(
    workers: Sequence[Worker], tasks: Iterable[Task], done: Callable[[Task], None]
) -> None:
    """Give each task to the next free worker."""
    waiting = deque(tasks)

    async def work(worker: Worker) -> None:
        while waiting:
            task = waiting.popleft()
            await worker.do(task)
            done(task)

    await side_by_side(*map(work, workers))


def _reporter(progress: Progress, target: int, later: int) -> Callable[[Task], None]:
    """Return a callback for each finished task; `later` tasks come after the scan."""
    scanned = done = 0

    def report(task: Task) -> None:
        nonlocal scanned, done
        if isinstance(task, Scan):
            scanned += task.end - task.start
        else:
            done += 1
        progress((2 * scanned + target * done // later) // 3, target)

    return report
