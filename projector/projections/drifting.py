"""Drift: what an event reports as the previous value, and the directory knows otherwise."""

from collections.abc import Mapping
from typing import Any

from projector.events import Event
from projector.folding.documents import Document, contradictions

Drift = tuple[dict[str, Any], ...]


def drift_of(
    entity: str,
    event: Event,
    known: Document,
    reported: Mapping[str, Any],
    new: Mapping[str, Any],
) -> Drift:
    """The contradictions of one event, as they are stored in its entity's row."""
    if not reported or not known:
        return ()
    return tuple(
        {
            "entity": entity,
            "path": path,
            "known": held,
            "reported": value,
            "event_ms": event.time_ms,
            "position": event.position,
        }
        for path, held, value in contradictions(known, reported, new)
    )
