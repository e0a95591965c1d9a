"""The projections: one module an entity, one line each."""

from typing import Final

from projector.folding.tables import Projection
from projector.projections.account_settings import ACCOUNT_SETTINGS
from projector.projections.coverage import COVERAGE
from projector.projections.declarations import DECLARATIONS
from projector.projections.dismissals import DISMISSALS
from projector.projections.freshness import freshness
from projector.projections.group_people import GROUP_ADMINS, MEMBERSHIPS
from projector.projections.group_settings import group_settings
from projector.projections.groups import GROUPS
from projector.projections.presence import presence
from projector.projections.sign_ins import SIGN_INS
from projector.projections.user_settings import user_settings
from projector.projections.users import users
from projector.zoom.catalogue import CATALOGUE, Catalogue


def projections_of(catalogue: Catalogue) -> tuple[Projection, ...]:
    """The projections. Those that count every event, or heed every life, take the events' catalogue."""
    return (
        users(catalogue),
        GROUPS,
        MEMBERSHIPS,
        GROUP_ADMINS,
        presence(catalogue),
        SIGN_INS,
        user_settings(catalogue),
        group_settings(catalogue),
        ACCOUNT_SETTINGS,
        COVERAGE,
        DISMISSALS,
        DECLARATIONS,
        freshness(catalogue),
    )


PROJECTIONS: Final = projections_of(CATALOGUE)

# Events of the catalogue that are kept in the log and folded by nothing but freshness; none so far.
IGNORED: Final[frozenset[str]] = frozenset()


def projection_named(name: str) -> Projection:
    """The projection of that name; raises KeyError."""
    return {projection.name: projection for projection in PROJECTIONS}[name]
