"""The part of a document that concerns one person: all that is theirs, and nothing of other people. Pure."""

import re
from typing import Any, Final

from projector.folding.documents import ABSENT
from projector.operations.shown_body import redacted
from projector.operations.subjects.naming import Naming
from projector.zoom.bodies import DEEPEST

MASK: Final = "[another person]"

# Fields that name whoever acted, or stands in some relation, beside the person that the document is about.
_OF_OTHERS: Final = frozenset({
    "operator", "operator_id", "manager", "by", "changed_by", "acknowledged_by", "dismissed_by", "owner",
    "owner_id", "owner_email", "invited_by", "assistant",
})  # fmt: skip
# Scalars that are kept beside what names the person: what happened, when, and in which place.
_BESIDE: Final = frozenset({
    "event", "event_ts", "time_stamp", "date_time", "date-time", "account_id", "group_id", "creation_type",
    "operation", "p", "path", "position", "last_position", "projection", "entity", "section", "added",
    "folded", "until", "event_ms", "run",
})  # fmt: skip
# Texts that an operator wrote about what is the person's: who else is named there is not theirs.
_WRITTEN_ABOUT: Final = frozenset({"reason"})
_OF_GROUPS: Final = ("id", "name")
_EMAIL: Final = re.compile(r"[\w.%+'-]+@[\w-]+(?:\.[\w-]+)+")


class Parts:
    """Takes the parts of one person out of documents. Secrets never show."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming

    def of_body(self, body: Any) -> Any:
        """The part of a decoded body; ABSENT where it does not name the person."""
        payload = body.get("payload") if isinstance(body, dict) else None
        entity = payload.get("object") if isinstance(payload, dict) else None
        if isinstance(entity, dict) and self._naming.is_them(entity):
            return redacted(self._own("", body, DEEPEST), reveal=True)
        part = self._part("", self._without_other(body, payload, entity), DEEPEST)
        if part is not ABSENT and isinstance(entity, dict) and _is_of_group(body):
            told = {name: entity[name] for name in _OF_GROUPS if isinstance(entity.get(name), str)}
            if isinstance(inner := part.get("payload"), dict):
                inner["object"] = told | (inner.get("object") or {})
        return part if part is ABSENT else redacted(part, reveal=True)

    def _without_other(self, body: Any, payload: Any, entity: Any) -> Any:
        """A body without previous values that are those of somebody else who had the same e-mail."""
        if isinstance(entity, dict) and self._naming.is_other(entity):
            return body | {"payload": {k: v for k, v in payload.items() if k != "old_object"}}
        return body

    def of_row(self, row: dict[str, Any], *, own: bool) -> Any:
        """The part of a row of state; `own`: it is the person's."""
        if own:
            return redacted(self._own("", row, DEEPEST), reveal=True)
        part = self._part("", row, DEEPEST)
        return part if part is ABSENT else redacted(part, reveal=True)

    def _part(self, name: str, value: Any, levels: int) -> Any:
        """What of a value names the person, with what stands beside it; ABSENT where nothing does."""
        if not levels:
            return f"[deeper than {DEEPEST} levels]" if self._naming.anywhere_in(value) else ABSENT
        if isinstance(value, dict):
            return self._part_of_object(value, levels)
        if isinstance(value, list):
            parts = [self._part(name, item, levels - 1) for item in value]
            return [part for part in parts if part is not ABSENT] or ABSENT
        if not self._naming.in_value(name, value):
            return ABSENT
        return self._without_others(value)

    def _part_of_object(self, value: dict[str, Any], levels: int) -> Any:
        if self._naming.is_them(value):
            return self._own("", value, levels)
        if self._naming.is_other(value):
            value = {key: value[key] for key in value if key in _OF_OTHERS or key in _BESIDE}
        parts, beside, names = dict[str, Any](), dict[str, Any](), False
        for key, item in value.items():
            if self._naming.in_text(key):  # by id, as a listing that is under way keeps people
                parts[key], names = self._own(key, item, levels - 1), True
            elif (part := self._part(key, item, levels - 1)) is not ABSENT:
                parts[key], names = part, True
            elif key in _BESIDE and not isinstance(item, dict | list):
                beside[key] = item
        return beside | parts if names else ABSENT

    def _own(self, name: str, value: Any, levels: int) -> Any:
        """All of what is the person's, but for whom else it names."""
        if not levels:
            return f"[deeper than {DEEPEST} levels]"
        if isinstance(value, list):
            return [self._own(name, item, levels - 1) for item in value]
        if not isinstance(value, dict):
            return self._without_others(value) if name in _WRITTEN_ABOUT else value
        if self._is_somebody_else(value):
            return MASK
        of_others = str(value.get("p", value.get("path"))).rpartition(".")[2] in _OF_OTHERS
        return {
            key: MASK
            if (key in _OF_OTHERS or (of_others and key in {"a", "b", "known", "reported"}))
            and item not in (None, "")
            and not self._naming.anywhere_in({key: item})
            else self._own(key, item, levels - 1)
            for key, item in value.items()
        }

    def _is_somebody_else(self, value: dict[str, Any]) -> bool:
        return bool(value.get("email") or value.get("user_id")) and not self._naming.is_them(value) and (
            "user_key" not in value and "person_key" not in value
        )  # fmt: skip

    def _without_others(self, value: Any) -> Any:
        """A text without the e-mails of others."""
        return _EMAIL.sub(self._kept, value) if isinstance(value, str) else value

    def _kept(self, found: re.Match[str]) -> str:
        return found[0] if self._naming.in_text(found[0]) else MASK


def _is_of_group(body: Any) -> bool:
    event = body.get("event")
    return isinstance(event, str) and event.startswith(("group.", "rest.group_"))
