"""User settings: the document that settings diffs add up to, within one life of the user."""

from typing import Any, Final, NamedTuple

from projector.events import Event
from projector.folding.documents import Document, merge
from projector.folding.tables import Key, Projection, SequenceTable
from projector.projections.drifting import Drift, drift_of
from projector.projections.lives import USER_LIVES
from projector.projections.newest import person
from projector.projections.settings_sides import settings_sides


class UserSettings(NamedTuple):
    """A user's settings. `changed_order` is null where no settings event was ever folded."""

    account_id: str
    user_key: str
    folded: bytes
    last_position: int
    user_id: str
    settings: Document
    changed_order: bytes | None
    changed_by: str | None
    removed: bool
    drift: Drift


def _start(key: Key) -> UserSettings:
    account, user = key
    return UserSettings(account, user, b"", 0, user, {}, None, None, False, ())


def _key(event: Event) -> Key:
    account, user, _ = person(event)
    return account, user


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


def _life(state: UserSettings, event: Event) -> UserSettings:
    if event.name in ("user.deleted", "user.disassociated"):
        return state._replace(removed=True, settings={}, drift=())
    return state._replace(removed=False)


_steps: dict[str, Any] = {"user.settings_updated": _changed, **dict.fromkeys(USER_LIVES, _life)}

USER_SETTINGS: Final = Projection(
    name="user_settings",
    version=1,
    tables=(
        SequenceTable(
            name="user_settings",
            row=UserSettings,
            key=2,
            key_of=_key,
            start=_start,
            steps=_steps,
            history="user_settings_history",
            context=frozenset(USER_LIVES),
        ),
    ),
)
