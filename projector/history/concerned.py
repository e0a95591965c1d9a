"""Whom an event concerns: the entities whose values, and the lists whose people, it may change. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from projector.folding.fold import contributed
from projector.folding.tables import MergeTable, SequenceTable
from projector.folding.unfoldable import Unfoldable
from projector.projections import PROJECTIONS
from projector.zoom.catalogue import CATALOGUE
from projector.zoom.events import Event


class Entity(NamedTuple):
    """An entity of the feed, by its kind, account and key."""

    entity: str
    account_id: str
    entity_key: str


class InLists(NamedTuple):
    """People in groups' lists: one in one group, one wherever (no group), or all of a group (no person).

    `lists`: which lists, by the names of their views. `by_email`: only where the person's e-mails may matter.
    """

    lists: tuple[str, ...]
    account_id: str
    person_key: str | None
    group_id: str | None
    by_email: bool = False


_BOTH: Final = ("memberships", "group_admins")

# The events that begin or end a life: whoever is in a list may come or go by them.
_LIVES: Final = frozenset(row.name for row in CATALOGUE.rows if row.begins or row.ends)

# The kinds of entities that a sequence table's states are of.
_ENTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "users": ("user",),
    "groups": ("group",),
    "user_settings": ("user_settings",),
    "group_settings": ("group_settings", "group_locks"),
    "account_settings": ("account_settings", "account_locks"),
    "notes": ("personal_note",),
}


def concerned(event: Event) -> Iterator[Entity | InLists]:
    """Yield whom an event may concern."""
    for projection in PROJECTIONS:
        if projection.sequence is not None and event.name in projection.sequence.steps:
            yield from _by_key(projection.sequence, event)
        for table in projection.merging:
            if event.name in table.rows:
                yield from _by_row(table, event)


def _by_key(table: SequenceTable, event: Event) -> Iterator[Entity | InLists]:
    try:
        key = table.key_of(event)
    except Unfoldable:
        return
    for entity in _ENTITIES.get(table.name, ()):
        yield Entity(entity, key[0], key[-1])
    match table.name:
        case "users" if event.name in _LIVES or _names_email(event):
            yield InLists(_BOTH, key[0], key[1], None, event.name not in _LIVES)
        case "groups" if event.name in _LIVES:
            yield InLists(_BOTH, key[0], None, key[1])
        case "observed_groups":
            yield InLists(("memberships",), key[0], key[1], None)


def _names_email(event: Event) -> bool:
    return any("email" in side for side in (event.object or {}, event.old_object or {}))


def _by_row(table: MergeTable, event: Event) -> Iterator[Entity | InLists]:
    rows, _ = contributed(table, {event.name: [event]})
    for row in rows:
        match table.name:
            case "memberships" | "group_admins":
                yield InLists((table.name,), row.account_id, row.person_key, row.group_id)
            case "removed_emails":
                yield InLists(_BOTH, row.account_id, f"email:{row.email_key}", None)
            case "sign_in_moments":
                yield Entity("user", row.account_id, row.user_key)
