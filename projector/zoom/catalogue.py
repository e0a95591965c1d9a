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

# Fields of a JSON object by name: single values, or the fields of an object or of an array of objects.
Fields: TypeAlias = dict[str, Union["Fields", None]]
VALUE: Final = None


class EventType(NamedTuple):
    """One row of the catalogue.

    `reads`: what folds read of `object` and `old_object` beside `id`. Decoding drops everything else, and so
    every secret and all deep nesting. None: the event carries documents, and is kept whole.
    `aliases`: other names under which Zoom sends it. `begins`, `ends`: whose life it begins or ends.
    """

    name: str
    rank: int = ORDINARY_RANK
    reads: Fields | None = None
    aliases: tuple[str, ...] = ()
    begins: Entity | None = None
    ends: Entity | None = None


class Catalogue:
    """A table of event types. `by_sent_name` finds a row by its name or an alias of it."""

    def __init__(self, rows: Iterable[EventType]) -> None:
        self.rows = tuple(rows)
        self.names = tuple(row.name for row in self.rows)
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

CATALOGUE: Final = Catalogue(
    (
        EventType("user.created", rank=0, begins="user"),
        EventType("user.invitation_accepted", rank=1, begins="user"),
        EventType("user.activated", rank=1, begins="user"),
        EventType("user.updated"),
        EventType("user.settings_updated"),
        EventType("user.presence_status_updated", reads=_PRESENCE),
        EventType("user.personal_notes_updated", reads=_NOTE),
        EventType("user.signed_in", reads=_SIGN_IN),
        EventType("user.signed_out", reads=_SIGN_IN),
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
    )
)
EVENTS: Final = CATALOGUE.names
ALIASES: Final = CATALOGUE.aliases
