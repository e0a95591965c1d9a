"""Groups: name and lives."""

from typing import Any, Final, NamedTuple

from projector.events import Event
from projector.folding import columns
from projector.folding.documents import Document, merge
from projector.folding.tables import Key, Projection, SequenceTable
from projector.projections.drifting import Drift, drift_of
from projector.projections.newest import account_and_entity


class Group(NamedTuple):
    """A group, present or former. `profile` holds the name where it is known.

    `cutoff` is the order of the newest removal. Times are epoch milliseconds.
    """

    account_id: str
    group_id: str
    folded: bytes
    last_position: int
    profile: Document
    created_ms: int | None
    removed: bool
    removed_ms: int | None
    cutoff: bytes | None
    drift: Drift


def _start(key: Key) -> Group:
    account, group = key
    return Group(account, group, b"", 0, {}, None, False, None, None, ())


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


def _created(group: Group, event: Event) -> Group:
    if group.removed:
        group = group._replace(profile={}, created_ms=None, removed=False, removed_ms=None)
    group = _updated(group, event)
    return group if group.created_ms is not None else group._replace(created_ms=event.time_ms)


def _deleted(group: Group, event: Event) -> Group:
    return _updated(group, event)._replace(
        removed=True, removed_ms=event.time_ms, cutoff=event.order, drift=()
    )


GROUPS: Final = Projection(
    name="groups",
    version=1,
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
            },
            history="groups_history",
        ),
    ),
)
