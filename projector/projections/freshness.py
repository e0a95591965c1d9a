"""Freshness: when each event last happened and last arrived, and how many there were."""

from typing import Final, NamedTuple

from projector.events import EVENTS, Event
from projector.folding.tables import MergeTable, Projection
from projector.projections.newest import LONGEST_ID


class Freshness(NamedTuple):
    """One account's deliveries of one event. Milliseconds of event time, microseconds of receipt."""

    account_id: str
    event: str
    last_event_ms: int
    last_received_us: int
    events: int


def _seen(event: Event) -> list[Freshness]:
    account = event.account_id
    if account is None or len(account) > LONGEST_ID:
        return []  # the projection that the event belongs to reports it
    return [Freshness(account, event.name, event.time_ms, event.received_us, 1)]


def _together(one: Freshness, other: Freshness) -> Freshness:
    return Freshness(
        one.account_id,
        one.event,
        max(one.last_event_ms, other.last_event_ms),
        max(one.last_received_us, other.last_received_us),
        one.events + other.events,
    )


FRESHNESS: Final = Projection(
    name="freshness",
    version=1,
    tables=(
        MergeTable(
            name="freshness",
            row=Freshness,
            key=2,
            rows=dict.fromkeys(EVENTS, _seen),
            merge=_together,
        ),
    ),
)
