"""Group settings and their locks: what the diffs of one life of the group add up to."""

from typing import NamedTuple

from projector.folding.documents import EMPTY, Document, leaf_paths, merge
from projector.folding.drift import Drift, drift_of, settled
from projector.folding.keys import account_and_entity
from projector.folding.lives import life_steps
from projector.folding.settings_sides import named_document, settings_sides
from projector.folding.tables import Key, Projection, SequenceTable
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


def group_settings(catalogue: Catalogue) -> Projection:
    """The projection of the settings and locks of groups."""
    lives = life_steps(catalogue, "group", begun=_begun, ended=_ended)
    return Projection(
        name="group_settings",
        version=2,
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
                context=frozenset(lives),
            ),
        ),
    )
