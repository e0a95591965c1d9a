"""Checks that projections' stored rows are of the version that this code folds."""

from collections.abc import Iterable

from projector.database import Queryable
from projector.errors import SchemaMismatch
from projector.folding.tables import Projection
from projector.schema.migrate import stored_versions


async def check_versions(
    database: Queryable, projections: Iterable[Projection], *, older_too: bool = False
) -> None:
    """Raise SchemaMismatch if another release wrote a projection's rows.

    `older_too`: rows of an older release are accepted.
    """
    stored = await stored_versions(database)
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
                f"the rows of {name} are still of version {there} and this code folds version {here}; "
                f"let `projector project` or `projector rebuild {name}` renew them, then run this again"
            )
