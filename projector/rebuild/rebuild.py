"""Rebuild projections while everything runs."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from projector.database import Database
from projector.folding.tables import Projection
from projector.log import head
from projector.rebuild.bulk import fill
from projector.rebuild.catch_up import Follower
from projector.rebuild.claim import Claim, claimed
from projector.rebuild.shadow import Shadow
from projector.rebuild.shares import deal
from projector.rebuild.side_process import Order, Part, SideProcess, side_processes
from projector.rebuild.swap import swap
from projector.runtime.tasks import side_by_side
from projector.runtime.versions import check_versions
from projector.statements import queries

_LOG_SQL: Final = queries("log")
_SQL: Final = queries("state")

# Estimated bytes of rows in memory, over all processes. The estimate is high on purpose.
MEMORY: Final = 112 * 1024 * 1024

Progress = Callable[[int, int], None]


def usable_processes() -> int:
    """How many processes a rebuild is best spread over here: two fit into its memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, 2)


async def rebuild(
    database: Database,
    projections: Sequence[Projection],
    progress: Progress,
    *,
    processes: int = 1,
) -> dict[str, int]:
    """Fold the log afresh and swap the result in; answers the position of each projection.

    `progress` is called with (position, target) during the pass over the log. Raises RebuildRefused
    where one of them is being rebuilt, SchemaMismatch where its rows are a newer release's, and SwapFailed
    where somebody's lock outlasts our patience.
    """
    beside = min(processes, len(projections)) - 1
    async with claimed(database, projections) as claim, side_processes(beside) as others:
        await check_versions(database, projections, older_too=True)
        followers = await shadows(
            database, projections, others, claim, progress, target=await head(database)
        )
        return {
            follower.projection.name: await swap(database, follower, claim.owner)
            for follower in followers
        }


async def shadows(
    database: Database,
    projections: Sequence[Projection],
    others: Sequence[SideProcess],
    claim: Claim,
    progress: Progress,
    *,
    target: int,
) -> list[Follower]:
    """Fill a shadow for each projection from position 0 up to `target`, here and in `others`."""
    made = {p: Shadow(database, p, claim.schema_of(p)) for p in projections}
    for shadow in made.values():
        await shadow.create()
    shares = [
        [Shadow(database, p, made[p].schema, events) for p, events in share.items()]
        for share in deal(projections, 1 + len(others))
    ]
    reached = [0] * len(shares)

    def reporter(number: int) -> Callable[[int], None]:
        def report(position: int) -> None:
            reached[number] = position
            progress(min(reached), target)

        return report

    memory = MEMORY // len(shares)
    await side_by_side(
        fill(database, shares[0], target, memory, reporter(0)),
        *(
            process.fill(_order(database, share, target, memory), reporter(number))
            for number, (process, share) in enumerate(
                zip(others, shares[1:], strict=False), start=1
            )
        ),
    )
    for shadow in _unfinished(made.values(), shares):
        shadow.expect_runs()
        await shadow.finish()
    last = await database.fetch(_LOG_SQL["end_of"], target)
    position, digest = last[0] if last else (0, None)
    followers = []
    for projection, shadow in made.items():
        name = projection.name
        await database.fetch(_SQL["place_rebuild"], name, claim.owner, position, digest)
        followers.append(Follower(database, shadow, position, digest, claim.epochs[name]))
    return followers


def _unfinished(whole: Iterable[Shadow], shares: Sequence[Sequence[Shadow]]) -> Iterable[Shadow]:
    """Those that several processes have filled."""
    partial = {s.schema for share in shares for s in share if s.events != s.projection.events}
    return (shadow for shadow in whole if shadow.schema in partial)


def _order(database: Database, share: Sequence[Shadow], target: int, memory: int) -> Order:
    parts = [Part(shadow.projection.name, shadow.schema, shadow.events) for shadow in share]
    return Order(database.url, parts, target, memory)
