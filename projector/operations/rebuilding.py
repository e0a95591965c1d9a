"""A rebuild that an operator asked for."""

from collections.abc import Sequence

from projector.database import Database
from projector.errors import ConfigurationError
from projector.folding.tables import Projection
from projector.operations.acts import About, Act, record
from projector.projections import PROJECTIONS
from projector.rebuild.fill import Progress
from projector.rebuild.rebuild import rebuild

# Connections: the workers of this process, the claim, and the swap.
POOL_SIZE = 16


def named(names: Sequence[str] | None) -> tuple[Projection, ...]:
    """Return projections by name, each once; all for None or none. Raises ConfigurationError."""
    known = {projection.name: projection for projection in PROJECTIONS}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ConfigurationError(
            f"there is no projection {', '.join(unknown)}; name some of {', '.join(known)}"
        )
    return tuple(known[name] for name in dict.fromkeys(names or known))


async def rebuild_asked(
    database: Database,
    projections: Sequence[Projection],
    progress: Progress,
    who: str,
    *,
    processes: int | None = None,
) -> tuple[dict[str, int], int]:
    """Rebuild as `rebuild` does; returns the position of each projection, and that of the act."""
    done = await rebuild(database, projections, progress, processes=processes)
    [act] = await record(database, Act.REBUILT, who, About({"projections": list(done)}))
    return done, act
