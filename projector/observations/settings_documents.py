"""Settings and locks that were read, compared leaf by leaf with the directory's; what differs is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from projector.observations.documents import SeenDocument
from projector.observations.facts import Facts
from projector.observations.leaves import OTHERWISE_TYPED, differing, taken
from projector.observations.preview import Preview, previews
from projector.observations.rows import Json
from projector.state.store import Store
from projector.zoom.catalogue import (
    ACCOUNT_SETTINGS_OBSERVED,
    GROUP_SETTINGS_OBSERVED,
    USER_SETTINGS_OBSERVED,
)


class Kind(NamedTuple):
    """Whose settings: the event that observes them, its projection, and its documents.

    `documents`: by the document's name in the event, the name under which its drift and its types stand.
    """

    event: str
    projection: str
    documents: dict[str, str]


OF_USERS: Final = Kind(USER_SETTINGS_OBSERVED, "user_settings", {"settings": "user_settings"})
OF_GROUPS: Final = Kind(
    GROUP_SETTINGS_OBSERVED,
    "group_settings",
    {"settings": "group_settings", "locks": "group_locks"},
)
OF_ACCOUNT: Final = Kind(
    ACCOUNT_SETTINGS_OBSERVED,
    "account_settings",
    {"settings": "account_settings", "locks": "account_locks"},
)


@dataclass(frozen=True)
class SeenSettings:
    """The documents of one owner, by name: those that could be read."""

    owner: str
    documents: dict[str, SeenDocument]

    @property
    def as_of_ms(self) -> int:
        """Since when all of it is true at the latest, in epoch milliseconds."""
        return min(seen.as_of_ms for seen in self.documents.values())


class Told(NamedTuple):
    """An observation to append, whose it is, and whether the directory knew such settings of theirs."""

    owner: str
    body: bytes
    known: bool


async def told(store: Store, facts: Facts, kind: Kind, seen: Sequence[SeenSettings]) -> list[Told]:
    """The observations to append: they name the leaves that differ, or that are in doubt."""
    whole = [_whole(facts, kind, one) for one in seen if one.documents]
    found = []
    for preview in await previews(store, kind.projection, whole):
        if preview.changes and (documents := _differing(kind, preview)):
            about = {"id": preview.event.entity_id, **documents}
            body = facts.body(kind.event, preview.event.time_ms, about)
            found.append(Told(str(about["id"]), body, _knew(preview)))
    return found


def _knew(preview: Preview) -> bool:
    before = preview.before
    return before is not None and bool(before.settings or getattr(before, "locks", None))


def _whole(facts: Facts, kind: Kind, seen: SeenSettings) -> bytes:
    """The observation of everything that was read and is taken."""
    about: Json = {"id": seen.owner}
    for name, told_as in kind.documents.items():
        if name in seen.documents:
            about[name] = taken(seen.documents[name].document, OTHERWISE_TYPED[told_as])
    return facts.body(kind.event, seen.as_of_ms, about)


def _differing(kind: Kind, preview: Preview) -> Json:
    documents = {}
    for name, told_as in kind.documents.items():
        seen = (preview.event.object or {}).get(name)
        if not isinstance(seen, dict):
            continue
        before = {} if preview.before is None else getattr(preview.before, name)
        found = differing(seen, before, getattr(preview.after, name), _settled(preview, told_as))
        if found:
            documents[name] = found
    return documents


def _settled(preview: Preview, entity: str) -> set[str]:
    """The paths whose drift the observation ends."""

    def paths(row: Any) -> set[str]:
        drift = getattr(row, "drift", ()) if row is not None else ()
        return {found["path"] for found in drift if found["entity"] == entity}

    return paths(preview.before) - paths(preview.after)
