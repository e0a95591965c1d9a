"""Verification: a shadow folded to the live position, compared with the live rows."""

from collections.abc import Sequence

from projector.database import Database
from projector.errors import LogMismatch
from projector.folding.tables import Projection
from projector.rebuild.catch_up import Follower
from projector.rebuild.claim import claimed
from projector.rebuild.fill import Progress, fill
from projector.state.checkpoints import read_checkpoint
from projector.state.comparison import Verdict, compare
from projector.state.rebuilds import reads_no_view
from projector.state.versions import check_versions


async def verify(
    database: Database,
    projections: Sequence[Projection],
    progress: Progress,
    *,
    processes: int | None = None,
) -> list[Verdict]:
    """Compare live rows with a new fold of the log, each projection at its live position.

    Stops nothing: the live rows are read in one snapshot. Raises RebuildRefused if one of them is being
    rebuilt, SchemaMismatch if another release wrote its rows, LogMismatch if a checkpoint is of another
    log, and SideProcessFailed if a process was killed.
    """
    async with claimed(database, projections) as claim:
        await check_versions(database, projections)
        positions = [(await read_checkpoint(database, p.name)).position for p in projections]
        target = min(positions, default=0)
        followers = await fill(
            database, projections, claim, progress, target=target, processes=processes
        )
        return [await _verdict(database, follower) for follower in followers]


async def _verdict(database: Database, follower: Follower) -> Verdict:
    """Compare in one snapshot, whose rows are exactly those of its checkpoint."""
    projection = follower.projection
    await follower.up_to((await read_checkpoint(database, projection.name)).position)
    async with database.transaction(isolation="repeatable_read", readonly=True) as snapshot:
        await reads_no_view(snapshot)
        position, digest, _ = await read_checkpoint(snapshot, projection.name)
        await follower.up_to(position)
        if (follower.position, follower.digest) != (position, digest):
            raise LogMismatch(
                f"the checkpoint {position} of {projection.name} is of another log; this log's fold ends at "
                f"{follower.position}; run `projector rebuild {projection.name}`"
            )
        verdict = Verdict(projection.name, position)
        async with database.transaction() as fresh:
            await compare(snapshot, fresh, projection, follower.schema, verdict)
    return verdict
