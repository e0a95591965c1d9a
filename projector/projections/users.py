"""Users: profile and status, within one life, and the e-mails that removals named."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from projector.folding import columns
from projector.folding.documents import EMPTY, Document, merge
from projector.folding.drift import Drift, drift_of, settled
from projector.folding.keys import account_and_user, person
from projector.folding.tables import Key, MergeTable, Projection, SequenceTable, With, each
from projector.folding.unfoldable import Unfoldable
from projector.zoom.catalogue import Catalogue
from projector.zoom.event_time import instant
from projector.zoom.events import Event


def _email(value: Any) -> str | None:
    # An empty e-mail is a value here: the person has none any more.
    return "" if value == "" else columns.email(value)


PROFILE: Final[dict[str, columns.Coercion]] = {
    "email": _email,
    "first_name": columns.text,
    "last_name": columns.text,
    "display_name": columns.text,
    "type": columns.int4,
    "role": columns.text,
    "dept": columns.text,
    "company": columns.text,
    "language": columns.text,
    "timezone": columns.text,
    "phone_number": columns.text,
    "phone_country": columns.text,
    "pic_url": columns.text,
    "pmi": columns.int8,
    "use_pmi": columns.boolean,
    "vanity_name": columns.text,
    "primary_group_id": columns.text,
    "settings": columns.document,
}


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
    custom_attributes: tuple[dict[str, Any], ...] = ()
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


def _profile(entity: dict[str, Any], event: Event | None = None) -> Document:
    """The profile fields of one side of a diff, coerced. Settings that are no object are left out.

    What a column cannot hold is noted in `event`, where one is given.
    """
    profile: Document = {}
    for name, value in entity.items():
        coercion = PROFILE.get(name)
        if coercion is None:
            continue
        held = (
            coercion(value)
            if event is None
            else columns.held(event, f"users.{name}", coercion, value)
        )
        if held is not None or name != "settings":
            profile[name] = held
    return profile


def _unholdable_settings(entity: dict[str, Any]) -> bool:
    settings = entity.get("settings")
    return settings is not None and not isinstance(settings, dict)


def _attributes(entity: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Custom attributes by key; entries without a usable key are left out."""
    entries = entity.get("custom_attributes")
    if not isinstance(entries, list):
        return {}
    return {
        key: {"key": key, "name": _scalar(entry.get("name")), "value": _scalar(entry.get("value"))}
        for entry in entries
        if isinstance(entry, dict) and (key := columns.text(entry.get("key")))
    }


def _scalar(value: Any) -> Any:
    return None if isinstance(value, dict | list) else value


def _merge_attributes(
    held: tuple[dict[str, Any], ...], new: dict[str, Any], old: dict[str, Any]
) -> tuple[dict[str, Any], ...]:
    if "custom_attributes" not in new and "custom_attributes" not in old:
        return held
    merged = {entry["key"]: entry for entry in held}
    after = _attributes(new)
    for key in _attributes(old).keys() - after.keys():
        merged.pop(key, None)
    merged.update(after)
    return tuple(merged[key] for key in sorted(merged))


def _with_profile(user: User, event: Event, *, lifecycle: bool = True) -> User:
    """The user after the event's diff of the profile, with the drift that the diff shows."""
    _, _, spelling = person(event)
    entity = event.object or {}
    before = event.old_object or {}
    new, old = _profile(entity, event), _profile(before)
    drift = () if user.removed else drift_of("user", event, user.profile, old, new)
    spell = lifecycle or not user.spelled_by_lifecycle
    profile = merge(user.profile, new, old)
    if entity.get("custom_attributes") and not isinstance(entity["custom_attributes"], list):
        event.not_held("users.custom_attributes")
    if _unholdable_settings(entity):
        profile.pop("settings", None)  # the column cannot hold them: null
    return user._replace(
        last_position=event.position,
        user_id=spelling if spell else user.user_id,
        spelled_by_lifecycle=user.spelled_by_lifecycle or lifecycle,
        profile=profile,
        custom_attributes=_merge_attributes(user.custom_attributes, entity, before),
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
        custom_attributes=_same_texts(after.custom_attributes, revived.custom_attributes),
        drift=settled(after.drift, "user", [name for name in entity if name in PROFILE]),
        observed_created_ms=after.observed_created_ms if created is None else created,
    )


def _same_texts(
    observed: tuple[dict[str, Any], ...], held: tuple[dict[str, Any], ...]
) -> tuple[dict[str, Any], ...]:
    """Attributes with the held values where only their kind differs: REST writes every value as a text."""
    known = {entry["key"]: entry for entry in held}
    return tuple(
        {**entry, "value": known[entry["key"]]["value"]}
        if entry["key"] in known
        and columns.text(entry["value"]) == columns.text(known[entry["key"]]["value"])
        else entry
        for entry in observed
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


class RemovedEmail(NamedTuple):
    """The newest removal that named an e-mail: it ends memberships of that e-mail without an id."""

    account_id: str
    email_key: str
    cutoff: bytes


def _removed_emails(event: Event) -> list[RemovedEmail]:
    try:
        account, _, _ = person(event)
    except Unfoldable:
        return []  # the users table reports it
    address = columns.email((event.object or {}).get("email"))
    return [] if address is None else [RemovedEmail(account, columns.lowered(address), event.order)]


def users(catalogue: Catalogue) -> Projection:
    """The projection of users."""
    return Projection(
        name="users",
        version=2,
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
            ),
            MergeTable(
                name="removed_emails",
                row=RemovedEmail,
                key=2,
                rows=dict.fromkeys(catalogue.ending("user"), each(_removed_emails)),
                merge=max,
                rules={"cutoff": With("cutoff")},
            ),
        ),
    )
