"""User settings: the document that the settings diffs of one life of the user add up to."""

from typing import NamedTuple

from projector.folding.documents import EMPTY, Document, leaf_paths, merge
from projector.folding.drift import Drift, drift_of, settled
from projector.folding.keys import account_and_user, person
from projector.folding.lives import life_steps
from projector.folding.setting_paths import paths_named, setting_paths
from projector.folding.settings_sides import named_document, settings_sides
from projector.folding.tables import STANDS, Key, Projection, SequenceTable, StateVersions
from projector.folding.versions import Delta, delta_of, shown_delta, since, whole_now_and_then
from projector.zoom.catalogue import Catalogue
from projector.zoom.events import Event


class UserSettings(NamedTuple):
    """A user's settings. `changed_order` is the order of the newest settings event."""

    account_id: str
    user_key: str
    folded: bytes = b""
    last_position: int = 0
    user_id: str = ""
    settings: Document = EMPTY
    changed_order: bytes | None = None
    changed_by: str | None = None
    removed: bool = False
    drift: Drift = ()


def _start(key: Key) -> UserSettings:
    account, user = key
    return UserSettings(account, user, user_id=user)


def _changed(state: UserSettings, event: Event) -> UserSettings:
    _, _, user = person(event)
    new, old = settings_sides(event)
    drift = () if state.removed else drift_of("user_settings", event, state.settings, old, new)
    return state._replace(
        last_position=event.position,
        user_id=user,
        settings=merge(state.settings, new, old),
        changed_order=event.order,
        changed_by=event.operator,
        drift=state.drift + drift,
    )


def _observed(state: UserSettings, event: Event) -> UserSettings:
    """The leaves that an observation names are set, and their drift is settled; the others stay."""
    _, _, user = person(event)
    named = named_document(event, "settings")
    return state._replace(
        last_position=event.position,
        user_id=user,
        settings=merge(state.settings, named, EMPTY),
        changed_order=event.order,
        changed_by=event.operator,
        drift=settled(state.drift, "user_settings", list(leaf_paths(named))),
    )


def _begun(state: UserSettings, _event: Event) -> UserSettings:
    return state._replace(removed=False)


def _ended(state: UserSettings, _event: Event) -> UserSettings:
    return state._replace(removed=True, settings={}, drift=())


class UserSettingsVersion(NamedTuple):
    """What a user's settings were from one event on. `delta`: what that event changed in them.

    `shown`: what it changed of what views show, where that differs, as around a removal.
    `settings`: the whole document, in a few versions alone (`whole_now_and_then`). `changed_order` is empty
    where it is that event's.
    """

    account_id: str
    user_key: str
    folded: bytes
    until: bytes
    position: int
    by: str | None
    delta: Delta
    shown: Delta | None
    settings: Document | None
    last_position: int
    user_id: str
    changed_order: bytes | None
    changed_by: str | None
    removed: bool


def _version(before: UserSettings, after: UserSettings, event: Event) -> UserSettingsVersion:
    return UserSettingsVersion(
        after.account_id, after.user_key, after.folded, STANDS, event.position, event.operator,
        delta_of(before.settings, after.settings),
        shown_delta(before, after, "settings"),
        whole_now_and_then(event, after.settings),
        after.last_position, after.user_id, since(event, after.changed_order), after.changed_by,
        after.removed,
    )  # fmt: skip


def user_settings(catalogue: Catalogue) -> Projection:
    """The projection of the settings of users."""
    lives = life_steps(catalogue, "user", begun=_begun, ended=_ended)
    return Projection(
        name="user_settings",
        version=5,
        tables=(
            SequenceTable(
                name="user_settings",
                row=UserSettings,
                key=2,
                key_of=account_and_user,
                start=_start,
                steps={
                    "user.settings_updated": _changed,
                    "rest.user_settings_observed": _observed,
                    **lives,
                },
                history="user_settings_history",
                versions=StateVersions(
                    "user_settings_versions", UserSettingsVersion, key=3, of=_version
                ),
                context=frozenset(lives),
            ),
            setting_paths(
                "user_setting_paths",
                {
                    "user.settings_updated": paths_named,
                    "rest.user_settings_observed": paths_named,
                },
            ),
        ),
    )
