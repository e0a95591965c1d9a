"""Rebuild projections while everything runs."""

from collections.abc import Sequence
from typing import Final

from projector.database import Database
from projector.folding.tables import Projection
from projector.log import head
from projector.rebuild.bulk import Progress, fill
from projector.rebuild.catch_up import Follower
from projector.rebuild.claim import Claim, claimed
from projector.rebuild.shadow import Shadow
from projector.rebuild.swap import swap
from projector.runtime.versions import check_versions
from projector.statements import queries

_SQL: Final = queries("state")


async def rebuild(
    database: Database, projections: Sequence[Projection], progress: Progress
) -> dict[str, int]:
    """Fold the log afresh and swap the result in; answers the position of each projection.

    `progress` is called with (position, target) during the pass over the log. Raises RebuildRefused
    where one of them is being rebuilt, SchemaMismatch where its rows are a newer release's, and SwapFailed
    where somebody's lock outlasts our patience.
    """
    async with claimed(database, projections) as claim:
        await check_versions(database, projections, older_too=True)
        followers = await shadows(
            database, projections, claim, progress, target=await head(database)
        )
        return {
            follower.projection.name: await swap(database, follower, claim.owner)
            for follower in followers
        }


async def shadows(
    database: Database,
    projections: Sequence[Projection],
    claim: Claim,
    progress: Progress,
    *,
    target: int,
) -> list[Follower]:
    """Fill a shadow for each projection from position 0 up to `target`."""
    made = [Shadow(database, projection, claim.schema_of(projection)) for projection in projections]
    for shadow in made:
        await shadow.create()
    position, digest = await fill(database, made, target, progress)
    followers = []
    for shadow in made:
        name = shadow.projection.name
        await database.fetch(_SQL["place_rebuild"], name, claim.owner, position, digest)
        followers.append(Follower(database, shadow, position, digest, claim.epochs[name]))
    return followers
