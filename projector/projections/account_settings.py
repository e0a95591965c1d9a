"""Account settings and their locks: what observations named. No delivery tells of them."""

from typing import Final, NamedTuple

from projector.folding.documents import EMPTY, Document, merge
from projector.folding.keys import account_and_entity
from projector.folding.setting_paths import paths_named, setting_paths
from projector.folding.settings_sides import named_document
from projector.folding.tables import STANDS, Key, Projection, SequenceTable, StateVersions
from projector.folding.versions import Delta, delta_of, since, whole_now_and_then
from projector.zoom.events import Event


class AccountSettings(NamedTuple):
    """An account's settings and locks. `changed_order` is the order of the newest observation of either."""

    account_id: str
    folded: bytes = b""
    last_position: int = 0
    settings: Document = EMPTY
    locks: Document = EMPTY
    changed_order: bytes | None = None


def _start(key: Key) -> AccountSettings:
    return AccountSettings(*key)


def _account(event: Event) -> tuple[str]:
    account, _ = account_and_entity(event)
    return (account,)


def _observed(state: AccountSettings, event: Event) -> AccountSettings:
    settings, locks = named_document(event, "settings"), named_document(event, "locks")
    return state._replace(
        last_position=event.position,
        settings=merge(state.settings, settings, EMPTY),
        locks=merge(state.locks, locks, EMPTY),
        changed_order=event.order,
    )


class AccountSettingsVersion(NamedTuple):
    """What an account's settings and locks were from one observation on; see GroupSettingsVersion."""

    account_id: str
    folded: bytes
    until: bytes
    position: int
    by: str | None
    delta: Delta
    locks_delta: Delta
    settings: Document | None
    locks: Document | None
    last_position: int
    changed_order: bytes | None


def _version(
    before: AccountSettings, after: AccountSettings, event: Event
) -> AccountSettingsVersion:
    return AccountSettingsVersion(
        after.account_id, after.folded, STANDS, event.position, event.operator,
        delta_of(before.settings, after.settings),
        delta_of(before.locks, after.locks),
        whole_now_and_then(event, after.settings),
        whole_now_and_then(event, after.locks),
        after.last_position, since(event, after.changed_order),
    )  # fmt: skip


ACCOUNT_SETTINGS: Final = Projection(
    name="account_settings",
    version=4,
    tables=(
        SequenceTable(
            name="account_settings",
            row=AccountSettings,
            key=1,
            key_of=_account,
            start=_start,
            steps={"rest.account_settings_observed": _observed},
            history="account_settings_history",
            versions=StateVersions(
                "account_settings_versions", AccountSettingsVersion, key=2, of=_version
            ),
        ),
        setting_paths("account_setting_paths", {"rest.account_settings_observed": paths_named}),
    ),
)
