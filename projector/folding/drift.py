"""Drift: previous values that an event reports and that differ from what the directory knows."""

from collections.abc import Collection, Mapping
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


def settled(drift: Drift, entity: str, named: Collection[str]) -> Drift:
    """The drift that stands after an observation: what it named says what is true.

    `named`: dotted paths; see `is_named`.
    """
    if not drift or not named:
        return drift
    return tuple(
        found for found in drift if found["entity"] != entity or not is_named(found["path"], named)
    )


def is_named(path: str, named: Collection[str]) -> bool:
    """Whether one of these dotted paths names a path: itself, or what is above or below it.

    Whoever says that `a.b` is 1 says that `a` is an object.
    """
    return any(
        path == other or path.startswith(f"{other}.") or other.startswith(f"{path}.")
        for other in named
    )
