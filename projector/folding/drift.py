"""Drift: previous values that an event reports and that differ from what the directory knows."""

from collections.abc import Mapping
from typing import Any

from projector.folding.documents import Document, contradictions
from projector.zoom.events import Event

Drift = tuple[dict[str, Any], ...]


def drift_of(
    entity: str,
    event: Event,
    known: Document,
    reported: Mapping[str, Any],
    new: Mapping[str, Any],
) -> Drift:
    """The drift that one event shows, as it is stored in its entity's row."""
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
