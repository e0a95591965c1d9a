"""The documents of settings events."""

from typing import Any

from projector.folding.documents import Document
from projector.folding.unfoldable import Unfoldable
from projector.zoom.events import Event


def settings_sides(event: Event) -> tuple[Document, Document]:
    """(new settings, previous settings) of an event's diff; an absent side is empty.

    Raises Unfoldable where the new settings are no object.
    """
    new: Any = (event.object or {}).get("settings")
    old: Any = (event.old_object or {}).get("settings")
    if new is not None and not isinstance(new, dict):
        raise Unfoldable("payload.object.settings is no object")
    return new or {}, old if isinstance(old, dict) else {}


def named_document(event: Event, name: str) -> Document:
    """A document of an observation; empty where it names none. Raises Unfoldable where it is no object."""
    value: Any = (event.object or {}).get(name)
    if value is not None and not isinstance(value, dict):
        raise Unfoldable(f"payload.object.{name} is no object")
    return value or {}
