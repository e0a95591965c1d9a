"""The events of Zoom's "Users" reference, as data."""

from typing import Final

# Asks for an answer and tells nothing: it has no place in the log.
URL_VALIDATION: Final = "endpoint.url_validation"

# Zoom's own example of a member removal carries this name in its body.
ALIASES: Final = {"group.members_deleted": "group.member_deleted"}

# The 21 events of Zoom's "Users" reference.
USER_EVENTS: Final = (
    "user.activated",
    "user.created",
    "user.deactivated",
    "user.deleted",
    "user.disassociated",
    "user.invitation_accepted",
    "user.personal_notes_updated",
    "user.presence_status_updated",
    "user.settings_updated",
    "user.signed_in",
    "user.signed_out",
    "user.updated",
)
GROUP_EVENTS: Final = (
    "group.admin_added",
    "group.admin_deleted",
    "group.created",
    "group.deleted",
    "group.lock_settings_updated",
    "group.member_added",
    "group.member_deleted",
    "group.settings_updated",
    "group.updated",
)
EVENTS: Final = USER_EVENTS + GROUP_EVENTS

# Events of which the fold reads single fields alone: no document of theirs, and so no secret and no deep
# nesting, gets into state. They are the flood.
WITHOUT_DOCUMENTS: Final = frozenset(
    {
        "user.presence_status_updated",
        "user.personal_notes_updated",
        "user.signed_in",
        "user.signed_out",
        "group.member_added",
        "group.member_deleted",
        "group.members_deleted",
        "group.admin_added",
        "group.admin_deleted",
    }
)

# Events of one millisecond are folded in this order; all others are of rank 2.
RANKS: Final = {
    "user.created": 0,
    "group.created": 0,
    "user.invitation_accepted": 1,
    "user.activated": 1,
    "user.deactivated": 3,
    "user.disassociated": 4,
    "user.deleted": 5,
    "group.deleted": 5,
}
ORDINARY_RANK: Final = 2
