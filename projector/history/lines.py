"""Lines of the feed and of snapshots: changes, and entities told anew."""

import hashlib
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from projector.folding.documents import ABSENT

Kind = Literal["change", "restated"]

ENTITIES: Final = frozenset({
    "user", "group", "membership", "group_admin", "user_settings", "group_settings", "group_locks",
    "account_settings", "account_locks", "personal_note",
})  # fmt: skip
OF_LISTS: Final = {"memberships": "membership", "group_admins": "group_admin"}


@dataclass(frozen=True)
class Subject:
    """The entity that a line is about."""

    account_id: str
    entity: str
    entity_id: str
    group_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True)
class Line:
    """One line.

    A `change` tells one value, `before` and `after`: ABSENT where it is not there, and then the line lacks
    it. It holds from now on unless it is `late`: then later events were told already, and a `restated` line
    of the same position follows. That one tells an entity anew: `values` by path, which replace all that was
    told of it.
    """

    kind: Kind
    subject: Subject
    position: int
    path: str | None = None
    before: Any = ABSENT
    after: Any = ABSENT
    values: dict[str, Any] = field(default_factory=dict)
    changed_at: datetime | None = None
    changed_by: str | None = None
    event: str | None = None
    source: str | None = None
    late: bool = False

    @property
    def place(self) -> bytes:
        """Its place among the lines of a position: changes first, then in an order that never changes."""
        # Ids of people match in any case, and their spelling may change between two readings.
        account, entity, entity_id, group, user = astuple(self.subject)
        if user is not None:
            entity_id, user = entity_id.lower(), user.lower()
        parts = (account, entity, entity_id, group, user, self.path)
        key = hashlib.blake2b("\0".join(part or "" for part in parts).encode(), digest_size=8)
        return bytes([self.kind == "restated"]) + key.digest()

    def as_json(self, cursor: str | None) -> dict[str, Any]:
        """The line as a JSON object."""
        line: dict[str, Any] = (
            {"kind": self.kind} | vars(self.subject) | {"position": self.position}
        )
        if self.kind == "change":
            sides = {"before": self.before, "after": self.after}
            line |= {"path": self.path} | {k: v for k, v in sides.items() if v is not ABSENT}
            line |= {
                "changed_at": None if self.changed_at is None else self.changed_at.isoformat(),
                "changed_by": self.changed_by,
                "event": self.event,
                "source": self.source,
                "late": self.late,
            }
        else:
            line["values"] = self.values
        return line if cursor is None else line | {"cursor": cursor}
