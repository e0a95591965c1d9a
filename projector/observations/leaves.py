"""Leaves of settings documents: which of those that REST shows are taken, and which are told. Pure."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, TypeAlias

from projector.folding.documents import same
from projector.folding.drift import is_named
from projector.observations.rows import Json

Path: TypeAlias = tuple[str, ...]

# Leaves whose documented type differs between REST and webhooks: one would contradict the other for ever.
# The account's documents have no twin among the webhooks, and are taken whole.
OTHERWISE_TYPED: Final[dict[str, frozenset[Path]]] = {
    "user_settings": frozenset(
        {
            ("schedule_meeting", "force_pmi_jbh_password"),
            ("schedule_meeting", "pstn_password_protected"),
            ("schedule_meeting", "default_password_for_scheduled_meetings"),
            ("tsp", "call_out_countries"),
        }
    ),
    "group_settings": frozenset(
        {
            ("in_meeting", "entry_exit_chime"),
            ("schedule_meeting", "audio_type"),
            ("recording", "auto_recording"),
        }
    ),
    # REST's second one is an object: it would take the place of the lock.
    "group_locks": frozenset(
        {("in_meeting", "entry_exit_chime"), ("recording", "ip_address_access_control")}
    ),
    "account_settings": frozenset(),
    "account_locks": frozenset(),
}

_ABSENT: Final = object()


def taken(document: Json, left_out: Collection[Path], path: Path = ()) -> Json:
    """A document without the leaves that are not taken; objects left empty disappear."""
    kept: Json = {}
    for key, value in document.items():
        here = (*path, key)
        if here in left_out:
            continue
        if not isinstance(value, dict):
            kept[key] = value
        elif inner := taken(value, left_out, here):
            kept[key] = inner
    return kept


def together(documents: Sequence[Json]) -> Json:
    """One document of the answers to several options; where two name a leaf, the later one wins."""
    merged: Json = {}
    for document in documents:
        for key, value in document.items():
            held = merged.get(key)
            if isinstance(held, dict) and isinstance(value, dict):
                merged[key] = together([held, value])
            else:
                merged[key] = value
    return merged


def leaves(document: Json, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf with its path: whatever is no object. Empty objects say nothing."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def differing(seen: Json, before: Json, after: Json, doubted: Collection[str]) -> Json:
    """The leaves of `seen` by which a document that stood as `before` came to stand as `after`.

    Also those that settle doubt: at, above or below one of the dotted paths in `doubted`.
    """
    found: Json = {}
    for path, value in leaves(seen):
        differs = not same(_at(before, path), _at(after, path))
        if differs or is_named(".".join(path), doubted):
            _put(found, path, value)
    return found


def _at(document: Json, path: Path) -> Any:
    value: Any = document
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return _ABSENT
        value = value[key]
    return value


def _put(document: Json, path: Path, value: Any) -> None:
    for key in path[:-1]:
        document = document.setdefault(key, {})
    document[path[-1]] = value
