"""Lives: what the events of a user's or group's coming and going mean."""

from typing import Final

REMOVALS: Final = frozenset({"user.deleted", "user.disassociated", "group.deleted"})

# Only these bring back what was removed.
REVIVALS: Final = frozenset(
    {"user.created", "user.invitation_accepted", "user.activated", "group.created"}
)

USER_LIVES: Final = (
    "user.created",
    "user.invitation_accepted",
    "user.activated",
    "user.disassociated",
    "user.deleted",
)
GROUP_LIVES: Final = ("group.created", "group.deleted")
