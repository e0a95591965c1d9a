"""The catalogue of events: one row for each event of Zoom's "Users" reference.

Nothing else lists events: what needs their names, ranks, aliases or lives derives them from here. The
README ("How it is built") says how to add one.
"""

from collections.abc import Collection, Iterable
from typing import Final, Literal, NamedTuple, TypeAlias, Union

# Asks for an answer and tells nothing: it has no place in the log.
URL_VALIDATION: Final = "endpoint.url_validation"

# Events of one millisecond are folded in the order of their ranks.
ORDINARY_RANK: Final = 2

Entity = Literal["user", "group"]

# Fields of a JSON object by name: single values, arrays of them, or the fields of an object or of an array of
# objects.
Fields: TypeAlias = dict[str, Union["Fields", Literal["values"], None]]
VALUE: Final = None
VALUES: Final = "values"


class EventType(NamedTuple):
    """One row of the catalogue.

    `reads`: what folds read of `object` and `old_object` beside `id`. Decoding drops everything else, and so
    every secret and all deep nesting. None: the event carries documents, and is kept whole.
    `aliases`: other names under which Zoom sends it. `begins`, `ends`: whose life it begins or ends.
    `everyday`: an account of some people sends it within a week; others may stay away for months.
    `own`: it is a fact that we appended ourselves, and a delivery that bears its name is none.
    """

    name: str
    rank: int = ORDINARY_RANK
    reads: Fields | None = None
    aliases: tuple[str, ...] = ()
    begins: Entity | None = None
    ends: Entity | None = None
    everyday: bool = False
    own: bool = False


class Catalogue:
    """A table of event types. `by_sent_name` finds a row by its name or an alias of it."""

    def __init__(self, rows: Iterable[EventType]) -> None:
        self.rows = tuple(rows)
        self.names = tuple(row.name for row in self.rows)
        self.deliveries = tuple(row.name for row in self.rows if not row.own)
        self.aliases = {alias: row.name for row in self.rows for alias in row.aliases}
        self.by_sent_name = {name: row for row in self.rows for name in (row.name, *row.aliases)}
        if len(self.by_sent_name) != len(self.names) + sum(len(row.aliases) for row in self.rows):
            raise ValueError("two rows of the catalogue share a name")

    def sent_as(self, names: Collection[str]) -> list[str]:
        """The names under which Zoom sends these events, sorted."""
        return sorted(sent for sent, row in self.by_sent_name.items() if row.name in names)

    def beginning(self, entity: Entity) -> tuple[str, ...]:
        """The events that begin a life: nothing else brings back what was removed."""
        return tuple(row.name for row in self.rows if row.begins == entity)

    def ending(self, entity: Entity) -> tuple[str, ...]:
        """The events that end a life: the removals."""
        return tuple(row.name for row in self.rows if row.ends == entity)


_PRESENCE: Final[Fields] = {
    "email": VALUE,
    "presence_status": VALUE,
    "app": {"type": VALUE, "presence_status": VALUE},
}
_NOTE: Final[Fields] = {"email": VALUE, "personal_notes": VALUE}
_SIGN_IN: Final[Fields] = {
    "email": VALUE,
    "client_type": VALUE,
    "login_type": VALUE,
    "version": VALUE,
}
_PERSON: Final[Fields] = {"id": VALUE, "email": VALUE}

# What Zoom's REST API showed, as events of our own (contract, section 9).
USER_OBSERVED: Final = "rest.user_observed"
USER_GONE: Final = "rest.user_gone"
GROUP_OBSERVED: Final = "rest.group_observed"
GROUP_GONE: Final = "rest.group_gone"
GROUP_MEMBERS_OBSERVED: Final = "rest.group_members_observed"
GROUP_ADMINS_OBSERVED: Final = "rest.group_admins_observed"
USER_SETTINGS_OBSERVED: Final = "rest.user_settings_observed"
GROUP_SETTINGS_OBSERVED: Final = "rest.group_settings_observed"
ACCOUNT_SETTINGS_OBSERVED: Final = "rest.account_settings_observed"
SECTION_READ: Final = "rest.section_read"

# What an operator did about the directory's own troubles, as events of our own (contract, sections 2 and 13).
DEAD_LETTER_DISMISSED: Final = "operator.dead_letter_dismissed"
DRIFT_ACKNOWLEDGED: Final = "operator.drift_acknowledged"

# What an operator declared, because nothing else tells it, as events of our own (contract, section 12).
DECLARED_MODEL: Final = "declared.model"
DECLARED_RANKING: Final = "declared.ranking"
DECLARED_PRIMARY_GROUP: Final = "declared.primary_group"

_OBSERVED_USER: Final[Fields] = {
    "email": VALUE,
    "first_name": VALUE,
    "last_name": VALUE,
    "display_name": VALUE,
    "type": VALUE,
    "role": VALUE,
    "dept": VALUE,
    "company": VALUE,
    "language": VALUE,
    "timezone": VALUE,
    "phone_number": VALUE,
    "phone_country": VALUE,
    "pmi": VALUE,
    "use_pmi": VALUE,
    "vanity_name": VALUE,
    "custom_attributes": {"key": VALUE, "name": VALUE, "value": VALUE},
    "status": VALUE,
    "user_created_at": VALUE,
    "group_ids": VALUES,
}
_SECTION: Final[Fields] = {
    "complete": VALUE,
    "read": VALUE,
    "new": VALUE,
    "repaired": VALUE,
    "gone": VALUE,
    "unreadable": VALUE,
}
_DISMISSED: Final[Fields] = {"projection": VALUE, "reason": VALUE}
_ACKNOWLEDGED: Final[Fields] = {"entity": VALUE, "path": VALUE, "event": VALUE, "reason": VALUE}

CATALOGUE: Final = Catalogue(
    (
        EventType("user.created", rank=0, begins="user"),
        EventType("user.invitation_accepted", rank=1, begins="user"),
        EventType("user.activated", rank=1, begins="user"),
        EventType("user.updated", everyday=True),
        EventType("user.settings_updated"),
        EventType("user.presence_status_updated", reads=_PRESENCE, everyday=True),
        EventType("user.personal_notes_updated", reads=_NOTE),
        EventType("user.signed_in", reads=_SIGN_IN, everyday=True),
        EventType("user.signed_out", reads=_SIGN_IN, everyday=True),
        EventType("user.deactivated", rank=3),
        EventType("user.disassociated", rank=4, ends="user"),
        EventType("user.deleted", rank=5, ends="user"),
        EventType("group.created", rank=0, begins="group"),
        EventType("group.updated"),
        EventType("group.settings_updated"),
        EventType("group.lock_settings_updated"),
        EventType("group.member_added", reads={"members": _PERSON}),
        EventType(
            "group.member_deleted",
            reads={"members": _PERSON},
            aliases=("group.members_deleted",),  # as Zoom's own example of its body spells it
        ),
        EventType("group.admin_added", reads={"admins": _PERSON}),
        EventType("group.admin_deleted", reads={"admins": _PERSON}),
        EventType("group.deleted", rank=5, ends="group"),
        EventType(USER_OBSERVED, reads=_OBSERVED_USER, begins="user", own=True),
        EventType(USER_GONE, reads={}, ends="user", own=True),
        EventType(GROUP_OBSERVED, reads={"name": VALUE}, begins="group", own=True),
        EventType(GROUP_GONE, reads={}, ends="group", own=True),
        EventType(GROUP_MEMBERS_OBSERVED, reads={"members": _PERSON, "absent": _PERSON}, own=True),
        EventType(GROUP_ADMINS_OBSERVED, reads={"admins": _PERSON, "absent": _PERSON}, own=True),
        EventType(USER_SETTINGS_OBSERVED, own=True),
        EventType(GROUP_SETTINGS_OBSERVED, own=True),
        EventType(ACCOUNT_SETTINGS_OBSERVED, own=True),
        EventType(SECTION_READ, reads=_SECTION, own=True),
        EventType(DEAD_LETTER_DISMISSED, reads=_DISMISSED, own=True),
        EventType(DRIFT_ACKNOWLEDGED, reads=_ACKNOWLEDGED, own=True),
        EventType(DECLARED_MODEL, reads={"model": VALUE}, own=True),
        EventType(DECLARED_RANKING, reads={"groups": VALUES}, own=True),
        EventType(DECLARED_PRIMARY_GROUP, reads={"primary_group_id": VALUE}, own=True),
    )
)
# What Zoom delivers: the events of its reference.
EVENTS: Final = CATALOGUE.deliveries
ALIASES: Final = CATALOGUE.aliases
EVERYDAY: Final = frozenset(row.name for row in CATALOGUE.rows if row.everyday)
