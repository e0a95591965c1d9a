"""Rebuild projections while ingress, projectors and readers go on."""

from collections.abc import Sequence

from projector.database import Database
from projector.folding.tables import Projection
from projector.log.read import read_head
from projector.rebuild.claim import claimed
from projector.rebuild.fill import Progress, fill
from projector.rebuild.swap import swap
from projector.state.versions import check_versions


async def rebuild(
    database: Database,
    projections: Sequence[Projection],
    progress: Progress,
    *,
    processes: int | None = None,
) -> dict[str, int]:
    """Fold the whole log again and swap the result in; returns the position of each projection.

    `progress` is called with (done, target) in positions. Raises RebuildRefused if one of them is being
    rebuilt, SchemaMismatch if a newer release wrote its rows, SideProcessFailed if a process was killed,
    and SwapFailed if the tables stay locked for minutes.
    """
    async with claimed(database, projections) as claim:
        await check_versions(database, projections, older_too=True)
        target = await read_head(database)
        followers = await fill(
            database, projections, claim, progress, target=target, processes=processes
        )
        return {
            follower.projection.name: await swap(database, follower, claim.owner)
            for follower in followers
        }
