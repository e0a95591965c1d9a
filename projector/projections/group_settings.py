"""Group settings and their locks: what the diffs of one life of the group add up to."""

from typing import NamedTuple

from projector.folding.documents import EMPTY, Document, leaf_paths, merge
from projector.folding.drift import Drift, drift_of, settled
from projector.folding.keys import account_and_entity
from projector.folding.lives import life_steps
from projector.folding.setting_paths import paths_named, setting_paths
from projector.folding.settings_sides import named_document, settings_sides
from projector.folding.tables import STANDS, Key, Projection, SequenceTable, StateVersions
from projector.folding.versions import Delta, delta_of, shown_delta, since, whole_now_and_then
from projector.zoom.catalogue import Catalogue
from projector.zoom.events import Event


class GroupSettings(NamedTuple):
    """A group's settings and locks. `changed_order` is the order of the newest event of either."""

    account_id: str
    group_id: str
    folded: bytes = b""
    last_position: int = 0
    settings: Document = EMPTY
    locks: Document = EMPTY
    changed_order: bytes | None = None
    changed_by: str | None = None
    removed: bool = False
    drift: Drift = ()


def _start(key: Key) -> GroupSettings:
    return GroupSettings(*key)


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


def _observed(state: GroupSettings, event: Event) -> GroupSettings:
    """The leaves that an observation names are set, and their drift is settled; the others stay."""
    settings, locks = named_document(event, "settings"), named_document(event, "locks")
    drift = settled(state.drift, "group_settings", list(leaf_paths(settings)))
    return _changed(state, event)._replace(
        settings=merge(state.settings, settings, EMPTY),
        locks=merge(state.locks, locks, EMPTY),
        drift=settled(drift, "group_locks", list(leaf_paths(locks))),
    )


def _begun(state: GroupSettings, _event: Event) -> GroupSettings:
    return state._replace(removed=False)


def _ended(state: GroupSettings, _event: Event) -> GroupSettings:
    return state._replace(removed=True, settings={}, locks={}, drift=())


class GroupSettingsVersion(NamedTuple):
    """What a group's settings and locks were from one event on; the deltas: what that event changed in them.

    `shown`, `locks_shown`: what it changed of what views show, where that differs, as around a removal.
    `settings`, `locks`: the whole documents, in a few versions alone (`whole_now_and_then`). `changed_order`
    is empty where it is that event's.
    """

    account_id: str
    group_id: str
    folded: bytes
    until: bytes
    position: int
    by: str | None
    delta: Delta
    locks_delta: Delta
    shown: Delta | None
    locks_shown: Delta | None
    settings: Document | None
    locks: Document | None
    last_position: int
    changed_order: bytes | None
    changed_by: str | None
    removed: bool


def _version(before: GroupSettings, after: GroupSettings, event: Event) -> GroupSettingsVersion:
    return GroupSettingsVersion(
        after.account_id, after.group_id, after.folded, STANDS, event.position, event.operator,
        delta_of(before.settings, after.settings),
        delta_of(before.locks, after.locks),
        shown_delta(before, after, "settings"),
        shown_delta(before, after, "locks"),
        whole_now_and_then(event, after.settings),
        whole_now_and_then(event, after.locks),
        after.last_position, since(event, after.changed_order), after.changed_by, after.removed,
    )  # fmt: skip


def group_settings(catalogue: Catalogue) -> Projection:
    """The projection of the settings and locks of groups."""
    lives = life_steps(catalogue, "group", begun=_begun, ended=_ended)
    return Projection(
        name="group_settings",
        version=5,
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
                    "rest.group_settings_observed": _observed,
                    **lives,
                },
                history="group_settings_history",
                versions=StateVersions(
                    "group_settings_versions", GroupSettingsVersion, key=3, of=_version
                ),
                context=frozenset(lives),
            ),
            setting_paths(
                "group_setting_paths",
                {
                    "group.settings_updated": paths_named,
                    "rest.group_settings_observed": paths_named,
                },
            ),
        ),
    )
