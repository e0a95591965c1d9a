"""What an operator's declaration changes: the newest counts, and one that says null takes it back."""

from collections.abc import Iterator
from typing import Any

from .naive_events import Event
from .naive_people import spelled
from .naive_state import Directory, ViewRow
from .naive_values import identifier

LONGEST_ID = 100
KINDS = {
    "declared.model": ("model", "model"),
    "declared.ranking": ("ranking", "groups"),
    "declared.primary_group": ("primary_group", "primary_group_id"),
}
"""By event: the kind of declaration, and where its object says what."""


def declared(state: Directory, event: Event) -> bool:
    """Note a declaration; returns whether it makes sense."""
    kind, name = KINDS[event.name]
    if not _is_id(event.account) or not _is_id(event.subject) or name not in event.object:
        return False
    value = event.object[name]
    if value is not None:
        value = _sensible(kind, value)
        if value is None:
            return False
    person = (event.subject or "").lower() if kind == "primary_group" else ""
    state.declarations[event.account or "", kind, person] = event, value
    return True


def _sensible(kind: str, value: Any) -> Any:
    """Return the value as views show it, or None where it is none."""
    if kind == "model":
        return value if value in ("legacy", "priority") else None
    if kind == "primary_group":
        return identifier(value) if _is_id(value) else None
    if not isinstance(value, list) or not all(_is_id(one) for one in value):
        return None
    groups = [identifier(one) for one in value]
    return groups if len(groups) == len(set(groups)) else None


def _is_id(value: Any) -> bool:
    named = identifier(value)
    return named is not None and len(named) <= LONGEST_ID


def declarations(state: Directory) -> Iterator[ViewRow]:
    """Yield what was declared and not taken back."""
    for (account, kind, person), (event, value) in state.declarations.items():
        if value is not None:
            own = event.subject or ""
            yield {
                "account_id": account,
                "kind": kind,
                "user_id": spelled(state, (account, person), own) if person else None,
                "value": value,
                "declared_at": event.at,
                "declared_by": event.operator,
                "last_event_at": event.at,
                "last_position": event.position,
            }
