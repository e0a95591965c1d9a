"""Groups: their names, and when they began and ended."""

from typing import Any, Final, NamedTuple

from projector.folding import columns
from projector.folding.documents import EMPTY, Document, merge
from projector.folding.drift import Drift, drift_of, settled
from projector.folding.keys import account_and_entity
from projector.folding.tables import STANDS, Key, Projection, SequenceTable, StateVersions
from projector.folding.versions import NO_CHANGE, Delta, delta_of
from projector.zoom.events import Event


class Group(NamedTuple):
    """A group, present or former. `profile` holds the name where it is known.

    `cutoff` is the order of the newest removal. Times are epoch milliseconds.
    """

    account_id: str
    group_id: str
    folded: bytes = b""
    last_position: int = 0
    profile: Document = EMPTY
    created_ms: int | None = None
    removed: bool = False
    removed_ms: int | None = None
    cutoff: bytes | None = None
    drift: Drift = ()


def _start(key: Key) -> Group:
    return Group(*key)


def _profile(entity: dict[str, Any]) -> Document:
    return {"name": columns.text(entity["name"])} if "name" in entity else {}


def _updated(group: Group, event: Event) -> Group:
    entity = event.object or {}
    new, old = _profile(entity), _profile(event.old_object or {})
    columns.held(event, "groups.name", columns.text, entity.get("name"))
    drift = () if group.removed else drift_of("group", event, group.profile, old, new)
    return group._replace(
        last_position=event.position,
        profile=merge(group.profile, new, old),
        drift=group.drift + drift,
    )


def _revived(group: Group) -> Group:
    if group.removed:
        return group._replace(profile={}, created_ms=None, removed=False, removed_ms=None)
    return group


def _created(group: Group, event: Event) -> Group:
    group = _updated(_revived(group), event)
    return group if group.created_ms is not None else group._replace(created_ms=event.time_ms)


def _deleted(group: Group, event: Event) -> Group:
    return _updated(group, event)._replace(
        removed=True, removed_ms=event.time_ms, cutoff=event.order, drift=()
    )


def _observed(group: Group, event: Event) -> Group:
    """The group as an observation shows it, which settles the drift of its name."""
    group = _updated(_revived(group), event)
    return group._replace(drift=settled(group.drift, "group", _profile(event.object or {})))


def _gone(group: Group, event: Event) -> Group:
    """The group is no more; a deletion that an event told keeps its time."""
    group = group._replace(last_position=event.position, cutoff=event.order, drift=())
    return group if group.removed else group._replace(removed=True, removed_ms=event.time_ms)


class GroupVersion(NamedTuple):
    """What a group was from one event on. `delta`: what that event, at `position`, by `by`, changed."""

    account_id: str
    group_id: str
    folded: bytes
    until: bytes
    position: int
    by: str | None
    delta: Delta
    last_position: int
    profile: Document
    created_ms: int | None
    removed: bool
    removed_ms: int | None
    cutoff: bytes | None


def _told(group: Group) -> Document:
    """A group as a document whose leaves are what `changes` tells of; what is null is not there."""
    if not group.last_position:
        return EMPTY
    told = {name: value for name, value in group.profile.items() if value is not None}
    return {**told, "status": "removed" if group.removed else "active"}


def _version(before: Group, after: Group, event: Event) -> GroupVersion:
    changed = before.last_position != after.last_position
    return GroupVersion(
        after.account_id, after.group_id, after.folded, STANDS, event.position, event.operator,
        delta_of(_told(before), _told(after)) if changed else NO_CHANGE,
        after.last_position, after.profile, after.created_ms, after.removed, after.removed_ms,
        after.cutoff,
    )  # fmt: skip


GROUPS: Final = Projection(
    name="groups",
    version=4,
    tables=(
        SequenceTable(
            name="groups",
            row=Group,
            key=2,
            key_of=account_and_entity,
            start=_start,
            steps={
                "group.created": _created,
                "group.updated": _updated,
                "group.deleted": _deleted,
                "rest.group_observed": _observed,
                "rest.group_gone": _gone,
            },
            history="groups_history",
            versions=StateVersions("group_versions", GroupVersion, key=3, of=_version),
        ),
    ),
)
