"""Users: profile and status, within one life, and the e-mails that removals named."""

from collections.abc import Callable
from typing import Final, NamedTuple

from projector.folding import columns
from projector.folding.documents import EMPTY, Document, merge
from projector.folding.drift import Drift, drift_of, settled
from projector.folding.keys import account_and_user, person
from projector.folding.tables import (
    STANDS,
    Key,
    Projection,
    SequenceTable,
    StateVersions,
)
from projector.folding.versions import NO_CHANGE, Delta, delta_of
from projector.projections.removed_emails import removed_emails
from projector.projections.user_profile import (
    PROFILE,
    Attributes,
    merge_attributes,
    profile_of,
    same_texts,
    unholdable_settings,
)
from projector.zoom.catalogue import Catalogue
from projector.zoom.event_time import instant
from projector.zoom.events import Event


class User(NamedTuple):
    """A user, present or former. `profile` holds what is known: a key with null is known to be null.

    `spelled_by_lifecycle`: the spelling of `user_id` is a lifecycle event's. `pending_order` is the order
    of the event that made the status pending. `cutoff` is the order of the newest removal: the views leave
    out what other tables hold of this user from before it. Times are epoch milliseconds;
    `observed_created_ms` is when the user was created, as Zoom's REST API says.
    """

    account_id: str
    user_key: str
    folded: bytes = b""
    last_position: int = 0
    user_id: str = ""
    spelled_by_lifecycle: bool = False
    status: str = "unknown"
    pending_order: bytes | None = None
    profile: Document = EMPTY
    custom_attributes: Attributes = ()
    creation_type: str | None = None
    created_ms: int | None = None
    removed: bool = False
    removed_ms: int | None = None
    cutoff: bytes | None = None
    drift: Drift = ()
    observed_created_ms: int | None = None


def _start(key: Key) -> User:
    account, user = key
    return User(account, user, user_id=user)


def _with_profile(user: User, event: Event, *, lifecycle: bool = True) -> User:
    """The user after the event's diff of the profile, with the drift that the diff shows."""
    _, _, spelling = person(event)
    entity = event.object or {}
    before = event.old_object or {}
    new, old = profile_of(entity, event), profile_of(before)
    drift = () if user.removed else drift_of("user", event, user.profile, old, new)
    spell = lifecycle or not user.spelled_by_lifecycle
    profile = merge(user.profile, new, old)
    if entity.get("custom_attributes") and not isinstance(entity["custom_attributes"], list):
        event.not_held("users.custom_attributes")
    if unholdable_settings(entity):
        profile.pop("settings", None)  # the column cannot hold them: null
    return user._replace(
        last_position=event.position,
        user_id=spelling if spell else user.user_id,
        spelled_by_lifecycle=user.spelled_by_lifecycle or lifecycle,
        profile=profile,
        custom_attributes=merge_attributes(user.custom_attributes, entity, before),
        drift=user.drift + drift,
    )


def _updated(user: User, event: Event) -> User:
    return _with_profile(user, event, lifecycle=False)


def _revived(user: User) -> User:
    """The user as an event that begins a life finds it: with an empty profile after a removal."""
    if user.removed:
        return user._replace(
            profile={},
            custom_attributes=(),
            creation_type=None,
            created_ms=None,
            removed=False,
            removed_ms=None,
            drift=(),
            observed_created_ms=None,
        )
    return user


def _created(user: User, event: Event) -> User:
    user = _with_profile(_revived(user), event)
    sent = event.payload.get("creation_type")
    kind = columns.held(event, "users.creation_type", columns.text, sent) or None
    pending = kind == "create"
    return user._replace(
        status="pending" if pending else "active",
        pending_order=event.order if pending else None,
        creation_type=kind if "creation_type" in event.payload else user.creation_type,
        created_ms=event.time_ms if user.created_ms is None else user.created_ms,
    )


def _activated(user: User, event: Event) -> User:
    user = _with_profile(_revived(user), event)
    return user._replace(status="active", pending_order=None)


def _deactivated(user: User, event: Event) -> User:
    user = _with_profile(user, event)
    return user if user.removed else user._replace(status="inactive", pending_order=None)


def _removed_as(status: str) -> Callable[[User, Event], User]:
    def removed(user: User, event: Event) -> User:
        return _with_profile(user, event)._replace(
            status=status,
            pending_order=None,
            removed=True,
            removed_ms=event.time_ms,
            cutoff=event.order,
            drift=(),
        )

    return removed


_OBSERVABLE: Final = frozenset({"active", "inactive", "pending"})


def _observed(user: User, event: Event) -> User:
    """The user as an observation shows them: it sets what it names, and settles the drift of that."""
    entity = event.object or {}
    revived = _revived(user)
    after = _with_profile(revived, event, lifecycle=False)
    if user.removed:
        after = after._replace(status="unknown")
    if (status := entity.get("status")) in _OBSERVABLE:
        pending = event.order if status == "pending" else None
        after = after._replace(status=status, pending_order=pending)
    created = instant(entity.get("user_created_at"))
    return after._replace(
        custom_attributes=same_texts(after.custom_attributes, revived.custom_attributes),
        drift=settled(after.drift, "user", [name for name in entity if name in PROFILE]),
        observed_created_ms=after.observed_created_ms if created is None else created,
    )


def _gone(user: User, event: Event) -> User:
    """The user is no more, and nothing says how that came; what an event said of it stays."""
    _, _, spelling = person(event)
    user = user._replace(
        last_position=event.position,
        user_id=user.user_id if user.spelled_by_lifecycle else spelling,
        cutoff=event.order,
        drift=(),
    )
    if user.removed:
        return user
    return user._replace(status="gone", pending_order=None, removed=True, removed_ms=event.time_ms)


class UserVersion(NamedTuple):
    """What a user was from one event on. `delta`: what that event, at `position`, by `by`, changed."""

    account_id: str
    user_key: str
    folded: bytes
    until: bytes
    position: int
    by: str | None
    delta: Delta
    last_position: int
    user_id: str
    status: str
    pending_order: bytes | None
    profile: Document
    custom_attributes: Attributes
    creation_type: str | None
    created_ms: int | None
    removed: bool
    removed_ms: int | None
    cutoff: bytes | None
    observed_created_ms: int | None


def _told(user: User) -> Document:
    """A user as a document whose leaves are what `changes` tells of; what is null is not there."""
    if not user.last_position:
        return EMPTY
    told = {name: value for name, value in user.profile.items() if value is not None}
    told["status"] = user.status
    if user.creation_type is not None:
        told["creation_type"] = user.creation_type
    if user.custom_attributes:
        told["custom_attributes"] = list(user.custom_attributes)
    return told


def _version(before: User, after: User, event: Event) -> UserVersion:
    changed = before.last_position != after.last_position
    return UserVersion(
        after.account_id, after.user_key, after.folded, STANDS, event.position, event.operator,
        delta_of(_told(before), _told(after)) if changed else NO_CHANGE,
        after.last_position, after.user_id, after.status, after.pending_order, after.profile,
        after.custom_attributes, after.creation_type, after.created_ms, after.removed,
        after.removed_ms, after.cutoff, after.observed_created_ms,
    )  # fmt: skip


def users(catalogue: Catalogue) -> Projection:
    """The projection of users."""
    return Projection(
        name="users",
        version=4,
        tables=(
            SequenceTable(
                name="users",
                row=User,
                key=2,
                key_of=account_and_user,
                start=_start,
                steps={
                    "user.created": _created,
                    "user.invitation_accepted": _activated,
                    "user.activated": _activated,
                    "user.deactivated": _deactivated,
                    "user.disassociated": _removed_as("disassociated"),
                    "user.deleted": _removed_as("deleted"),
                    "user.updated": _updated,
                    "rest.user_observed": _observed,
                    "rest.user_gone": _gone,
                },
                history="users_history",
                versions=StateVersions("user_versions", UserVersion, key=3, of=_version),
            ),
            removed_emails(catalogue),
        ),
    )
