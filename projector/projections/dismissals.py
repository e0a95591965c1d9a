"""Dismissals: the dead letters that somebody dismissed, and the drift that somebody acknowledged.

Each names the event that it is about by the digest of its bytes: that is the same in every log that holds
the event, and its position is not.
"""

import hashlib
import re
from typing import Any, Final, NamedTuple

from projector.folding import columns
from projector.folding.keys import account_and_entity, checked_id
from projector.folding.tables import MergeTable, Projection, With, one_each
from projector.folding.unfoldable import Unfoldable
from projector.zoom.catalogue import DEAD_LETTER_DISMISSED, DRIFT_ACKNOWLEDGED
from projector.zoom.events import Event

# The kinds of drift whose entity is a person: ids of people match in any case.
_OF_PEOPLE: Final = frozenset({"user", "user_settings", "personal_note"})

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class DismissedDeadLetter(NamedTuple):
    """The newest dismissal of one event's dead letter in one projection. `digest`: SHA-256 in hex."""

    digest: str
    projection: str
    folded: bytes
    dismissed_by: str | None
    reason: str | None


class AcknowledgedDrift(NamedTuple):
    """The newest acknowledgement of what one event reported at one path; digests are SHA-256 in hex.

    A path may be longer than an index can hold, so `path_digest` stands for it.
    """

    account_id: str
    entity_key: str
    entity: str
    path_digest: str
    digest: str
    folded: bytes
    acknowledged_by: str | None
    reason: str | None


def _dismissed(event: Event) -> DismissedDeadLetter:
    told = event.object or {}
    return DismissedDeadLetter(
        _digest(event.entity_id, "payload.object.id"),
        checked_id(columns.text(told.get("projection")) or None, "payload.object.projection"),
        event.order,
        event.operator,
        columns.text(told.get("reason")),
    )


def _acknowledged(event: Event) -> AcknowledgedDrift:
    told = event.object or {}
    account, entity_id = account_and_entity(event)
    entity = checked_id(columns.text(told.get("entity")) or None, "payload.object.entity")
    path = told.get("path")
    if not isinstance(path, str):
        raise Unfoldable("payload.object.path is no text")
    return AcknowledgedDrift(
        account,
        entity_id.lower() if entity in _OF_PEOPLE else entity_id,
        entity,
        hashlib.sha256(path.encode()).hexdigest(),
        _digest(told.get("event"), "payload.object.event"),
        event.order,
        event.operator,
        columns.text(told.get("reason")),
    )


def _digest(value: Any, place: str) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise Unfoldable(f"{place} is no digest in hex")
    return value


def _newest(one: Any, other: Any) -> Any:
    return other if other.folded >= one.folded else one


DISMISSALS: Final = Projection(
    name="dismissals",
    version=1,
    tables=(
        MergeTable(
            name="dismissed_dead_letters",
            row=DismissedDeadLetter,
            key=2,
            rows={DEAD_LETTER_DISMISSED: one_each(_dismissed)},
            merge=_newest,
            rules=dict.fromkeys(DismissedDeadLetter._fields[2:], With("folded")),
        ),
        MergeTable(
            name="acknowledged_drift",
            row=AcknowledgedDrift,
            key=5,
            rows={DRIFT_ACKNOWLEDGED: one_each(_acknowledged)},
            merge=_newest,
            rules=dict.fromkeys(AcknowledgedDrift._fields[5:], With("folded")),
        ),
    ),
)
