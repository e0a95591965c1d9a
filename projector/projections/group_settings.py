"""Group settings and their locks, within one life of the group."""

from typing import Final, NamedTuple

from projector.events import Event
from projector.folding.documents import Document, merge
from projector.folding.tables import Key, Projection, SequenceTable
from projector.projections.drifting import Drift, drift_of
from projector.projections.lives import GROUP_LIVES
from projector.projections.newest import account_and_entity
from projector.projections.settings_sides import settings_sides


class GroupSettings(NamedTuple):
    """A group's settings and locks. `changed_order` is null where no such event was ever folded."""

    account_id: str
    group_id: str
    folded: bytes
    last_position: int
    settings: Document
    locks: Document
    changed_order: bytes | None
    changed_by: str | None
    removed: bool
    drift: Drift


def _start(key: Key) -> GroupSettings:
    account, group = key
    return GroupSettings(account, group, b"", 0, {}, {}, None, None, False, ())


def _changed(state: GroupSettings, event: Event) -> GroupSettings:
    return state._replace(
        last_position=event.position, changed_order=event.order, changed_by=event.operator
    )


def _settings(state: GroupSettings, event: Event) -> GroupSettings:
    new, old = settings_sides(event)
    drift = () if state.removed else drift_of("group_settings", event, state.settings, old, new)
    return _changed(state, event)._replace(
        settings=merge(state.settings, new, old), drift=state.drift + drift
    )


def _locks(state: GroupSettings, event: Event) -> GroupSettings:
    new, old = settings_sides(event)
    drift = () if state.removed else drift_of("group_locks", event, state.locks, old, new)
    return _changed(state, event)._replace(
        locks=merge(state.locks, new, old), drift=state.drift + drift
    )


def _life(state: GroupSettings, event: Event) -> GroupSettings:
    if event.name == "group.deleted":
        return state._replace(removed=True, settings={}, locks={}, drift=())
    return state._replace(removed=False)


GROUP_SETTINGS: Final = Projection(
    name="group_settings",
    version=1,
    tables=(
        SequenceTable(
            name="group_settings",
            row=GroupSettings,
            key=2,
            key_of=account_and_entity,
            start=_start,
            steps={
                "group.settings_updated": _settings,
                "group.lock_settings_updated": _locks,
                **dict.fromkeys(GROUP_LIVES, _life),
            },
            history="group_settings_history",
            context=frozenset(GROUP_LIVES),
        ),
    ),
)
