"""The projections: one visible line each."""

from typing import Final

from projector.event_names import EVENTS
from projector.folding.tables import Projection
from projector.projections.freshness import FRESHNESS
from projector.projections.group_people import GROUP_ADMINS, MEMBERSHIPS
from projector.projections.group_settings import GROUP_SETTINGS
from projector.projections.groups import GROUPS
from projector.projections.presence import PRESENCE
from projector.projections.sign_ins import SIGN_INS
from projector.projections.user_settings import USER_SETTINGS
from projector.projections.users import USERS

PROJECTIONS: Final[tuple[Projection, ...]] = (
    USERS,
    GROUPS,
    MEMBERSHIPS,
    GROUP_ADMINS,
    PRESENCE,
    SIGN_INS,
    USER_SETTINGS,
    GROUP_SETTINGS,
    FRESHNESS,
)

# Events of the reference that are kept in the log and change nothing; none so far.
IGNORED: Final[frozenset[str]] = frozenset()


def projection_named(name: str) -> Projection:
    """The projection of that name; raises KeyError."""
    return {projection.name: projection for projection in PROJECTIONS}[name]


__all__ = ["EVENTS", "IGNORED", "PROJECTIONS", "projection_named"]
