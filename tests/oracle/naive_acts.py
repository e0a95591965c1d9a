"""What an operator's act changes: what is dismissed or acknowledged no longer counts."""

import re

from .naive_events import Event
from .naive_state import Directory
from .naive_values import identifier

PEOPLE = ("user", "user_settings", "personal_note")


def acted(state: Directory, event: Event) -> bool:
    """Note a dismissal or an acknowledgement; returns whether the act says what it is about."""
    if event.name == "operator.dead_letter_dismissed":
        projection = identifier(event.object.get("projection"))
        if not _is_digest(event.subject) or projection is None:
            return False
        state.dismissed[event.subject or "", projection] = event
        return True
    entity, path = identifier(event.object.get("entity")), event.object.get("path")
    digest = event.object.get("event")
    if event.account is None or event.subject is None or entity is None:
        return False
    if not isinstance(path, str) or not _is_digest(digest):
        return False
    key = event.subject.lower() if entity in PEOPLE else event.subject
    state.acknowledged[(event.account, key), entity, path, digest] = event
    return True


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
