"""Whether the stored rows of projections are of the version that this code folds."""

from collections.abc import Iterable

from projector.database import Queryable
from projector.errors import SchemaMismatch
from projector.folding.tables import Projection


async def check_versions(
    database: Queryable, projections: Iterable[Projection], *, older_too: bool = False
) -> None:
    """Raise SchemaMismatch where the rows of a projection are another release's.

    `older_too`: an older release's are welcome.
    """
    rows = await database.fetch("SELECT projection, version FROM state.checkpoints")
    stored = {row[0]: row[1] for row in rows}
    for projection in projections:
        name, here = projection.name, projection.version
        there = stored.get(name, here)
        if there > here:
            raise SchemaMismatch(
                f"the rows of {name} are of version {there} and this code folds version {here}; "
                "run this command of the newer release"
            )
        if there < here and not older_too:
            raise SchemaMismatch(
                f"the rows of {name} are of version {there} still and this code folds version {here}; "
                f"let `projector project` or `projector rebuild {name}` renew them, then run this again"
            )
