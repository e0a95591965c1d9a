"""Lives: what is held of a user or group ends with its life, and starts empty with the next."""

from collections.abc import Callable
from typing import Any, TypeVar

from projector.zoom.catalogue import Catalogue, Entity
from projector.zoom.events import Event

State = TypeVar("State")
Step = Callable[[State, Event], State]


def life_steps(
    catalogue: Catalogue, entity: Entity, *, begun: Step[Any], ended: Step[Any]
) -> dict[str, Step[Any]]:
    """The steps of a table for the events that begin or end the life of a user or group, by event name."""
    return dict.fromkeys(catalogue.beginning(entity), begun) | dict.fromkeys(
        catalogue.ending(entity), ended
    )
