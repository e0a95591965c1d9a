"""How well a rebuild is split: CPU seconds of shares that are run one after another, in one process.

Tasks are distributed as among a rebuild's processes: each to the share with the least CPU time so far. So two
cores suffice to measure many shares; the speed-up of many cores is derived from it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Final

import pytest

from projector.database import Database, open_database
from projector.log.read import read_head, repeated
from projector.process import relax_gc
from projector.projections import PROJECTIONS
from projector.rebuild import fill
from projector.rebuild.claim import claimed
from projector.rebuild.rebuild import rebuild
from projector.rebuild.tasks import FinishScan, Task, scans, stages
from projector.rebuild.worker import LocalWorker
from projector.state.shadow import Shadow
from tests.benchmarks.bench import Bench
from tests.benchmarks.cpu import server_of, server_seconds
from tests.benchmarks.databases import settle
from tests.benchmarks.figures import Row, Target, spread
from tests.benchmarks.folding_speed import logged

SHARES: Final = 8
DERIVED: Final = (2, 4, 8, 16)

Clock = Callable[[], float]


@dataclass
class Split:
    """CPU seconds by share, over all stages, and of the longest share of each stage."""

    shares: list[float]
    longest: list[float] = field(default_factory=list)

    @property
    def balance(self) -> float:
        """The largest share over the mean."""
        return max(self.shares) / fmean(self.shares)


async def rebuild_shares(bench: Bench) -> list[Row]:
    """Balance, the part that is not split, and the speed-up derived for more cores than this machine has."""
    relax_gc()
    events = bench.scale.events
    async with logged(bench, events, bench.scale.users) as url:
        server = await server_of(url)
        database = await open_database(url, size=16)
        try:

            def clock() -> float:
                return time.process_time() + server_seconds(server)

            await settle(url)
            whole, alone = await _alone(database, clock)
            split = {n: await _measure(bench, database, n, clock) for n in (1, *DERIVED)}
        finally:
            await database.close()
    rows = [
        Row(
            "rebuild-balance", f"CPU seconds of the largest of {SHARES} shares over their mean", "",
            spread([split[SHARES].balance]), target=Target(1.20, 1.10, "lower"),
        ),
        Row(
            "rebuild-alone", "of the CPU seconds at one process, what is not split", "%",
            spread([100 * alone / whole]), target=Target(12, 6, "lower"),
        ),
    ]  # fmt: skip
    for processes in DERIVED:
        longest = alone + sum(split[processes].longest)
        rows.append(
            Row(
                f"rebuild-derived-{processes}", f"derived, not measured: {processes} cores against one", "",
                spread([(alone + sum(split[1].longest)) / longest]),
            )
        )  # fmt: skip
    return rows


async def _alone(database: Database, clock: Clock) -> tuple[float, float]:
    """CPU seconds of a whole rebuild in one process, and of what is no task of it."""
    in_tasks = 0.0

    class Timed(LocalWorker):
        async def do(self, task: Task) -> None:
            nonlocal in_tasks
            started = clock()
            await super().do(task)
            in_tasks += clock() - started

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fill, "LocalWorker", Timed)
        started = clock()
        await rebuild(database, PROJECTIONS, lambda _done, _target: None, processes=1)
        whole = clock() - started
    return whole, whole - in_tasks


async def _measure(bench: Bench, database: Database, shares: int, clock: Clock) -> Split:
    """Fill shadows as `shares` processes would, one task after another, without a swap."""
    bench.say(f"{shares} shares, one after another")
    async with claimed(database, PROJECTIONS) as claim:
        shadows = [Shadow(database, p, claim.schema_of(p)) for p in PROJECTIONS]
        for shadow in shadows:
            await shadow.create()
        workers = [LocalWorker(database, shadows, fill.MEMORY) for _ in range(shares)]
        split = Split([0.0] * shares)
        head = await read_head(database)
        scanning = list(scans(head, shares, await repeated(database, head, timeout=600)))
        await _stage(workers, scanning, split, clock, last=FinishScan())
        for stage in stages(PROJECTIONS, shares):
            await _stage(workers, stage, split, clock)
    return split


async def _stage(
    workers: Sequence[LocalWorker],
    tasks: Sequence[Task],
    split: Split,
    clock: Clock,
    last: Task | None = None,
) -> None:
    """Do a stage; every share does `last`."""
    done = [0.0] * len(workers)

    async def do(share: int, task: Task) -> None:
        started = clock()
        await workers[share].do(task)
        done[share] += clock() - started

    for task in tasks:
        await do(done.index(min(done)), task)
    if last is not None:
        for share in range(len(workers)):
            await do(share, last)
    split.longest.append(max(done))
    split.shares = [one + other for one, other in zip(split.shares, done, strict=True)]
