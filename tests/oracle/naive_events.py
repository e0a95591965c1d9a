"""From deliveries to the distinct events, in the order in which they happened."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .naive_values import as_object, clean, event_time, identifier, moment

CREATIONS = frozenset({"user.created", "group.created"})
ACCEPTANCES = frozenset({"user.invitation_accepted", "user.activated"})
RANKS = {
    "user.created": 0,
    "group.created": 0,
    "user.invitation_accepted": 1,
    "user.activated": 1,
    "user.deactivated": 3,
    "user.disassociated": 4,
    "user.deleted": 5,
    "group.deleted": 5,
}
OTHER_RANK = 2
ALIASES = {"group.members_deleted": "group.member_deleted"}

OBSERVATIONS = {
    "rest.user_observed": "users",
    "rest.user_gone": "users",
    "rest.group_observed": "groups",
    "rest.group_gone": "groups",
    "rest.group_members_observed": "memberships",
    "rest.group_admins_observed": "group_admins",
    "rest.user_settings_observed": "user_settings",
    "rest.group_settings_observed": "group_settings",
    "rest.account_settings_observed": "account_settings",
    "rest.section_read": "coverage",
}
"""The same for what Zoom's REST API showed."""

ACTS = {
    "operator.dead_letter_dismissed": "dismissals",
    "operator.drift_acknowledged": "dismissals",
}
"""The same for what an operator did."""

DECLARATIONS = {
    "declared.model": "declarations",
    "declared.ranking": "declarations",
    "declared.primary_group": "declarations",
}
"""The same for what an operator declared."""

OWN_SOURCES = frozenset({"rest", "declared", "operator"})

DELIVERIES = {
    "user.created": "users",
    "user.invitation_accepted": "users",
    "user.activated": "users",
    "user.deactivated": "users",
    "user.disassociated": "users",
    "user.deleted": "users",
    "user.updated": "users",
    "user.presence_status_updated": "presence",
    "user.personal_notes_updated": "presence",
    "user.signed_in": "sign_ins",
    "user.signed_out": "sign_ins",
    "user.settings_updated": "user_settings",
    "group.created": "groups",
    "group.updated": "groups",
    "group.deleted": "groups",
    "group.member_added": "memberships",
    "group.member_deleted": "memberships",
    "group.admin_added": "group_admins",
    "group.admin_deleted": "group_admins",
    "group.settings_updated": "group_settings",
    "group.lock_settings_updated": "group_settings",
}
OWN = OBSERVATIONS | ACTS | DECLARATIONS
OWNERS = DELIVERIES | OWN
"""The projection that records what of an event cannot be folded."""

Order = tuple[int, int, bytes]


@dataclass(frozen=True)
class Delivery:
    """One row of the log. `received_at` has a time zone; an erased body is None."""

    position: int
    received_at: datetime
    body: bytes | None
    source: str = "webhook"

    @property
    def own(self) -> bool:
        """Whether it is a fact of our own, and nothing that was delivered."""
        return self.source in OWN_SOURCES


@dataclass(frozen=True)
class Event:
    """A delivery or a fact of our own, cleaned. `account` and `subject` are None if it has no such id."""

    name: str
    order: Order
    position: int
    received_at: datetime
    account: str | None
    subject: str | None
    operator: str | None
    payload: dict[str, Any]
    object: dict[str, Any]
    old_object: dict[str, Any]

    @property
    def digest(self) -> str:
        """The SHA-256 of its bytes, in hex."""
        return self.order[2].hex()

    @property
    def at(self) -> datetime:
        """The event's time."""
        return moment(self.order[0])


def in_event_order(deliveries: Iterable[Delivery]) -> list[Event]:
    """Return the distinct known events, sorted by (time, rank, digest)."""
    first: dict[tuple[bool, bytes], Delivery] = {}
    for delivery in sorted(deliveries, key=lambda delivery: delivery.position):
        if delivery.body is not None:
            digest = hashlib.sha256(delivery.body).digest()
            first.setdefault((delivery.own, digest), delivery)
    events = [_read(delivery, digest) for (_, digest), delivery in first.items()]
    return sorted((event for event in events if event), key=lambda event: event.order)


def _read(delivery: Delivery, digest: bytes) -> Event | None:
    body = clean(json.loads(delivery.body or b"{}"))
    name = ALIASES.get(body["event"], body["event"])
    if name not in (OWN if delivery.own else DELIVERIES):
        return None
    payload = as_object(body.get("payload"))
    subject = as_object(payload.get("object"))
    return Event(
        name=name,
        order=(event_time(body, delivery.received_at), RANKS.get(name, OTHER_RANK), digest),
        position=delivery.position,
        received_at=delivery.received_at,
        account=identifier(payload.get("account_id")),
        subject=identifier(subject.get("id")),
        operator=identifier(payload.get("operator")) or identifier(body.get("operator")),
        payload=payload,
        object=subject,
        old_object=_true_old_object(payload.get("old_object")),
    )


def _true_old_object(value: Any) -> dict[str, Any]:
    """Return the old_object, or {} if it is a placeholder (with a blank id)."""
    old = as_object(value)
    return {} if "id" in old and old["id"] in (None, "") else old
