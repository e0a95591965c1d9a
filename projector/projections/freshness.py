"""Freshness: when each event last happened and last arrived, and how many there were."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from projector.event_names import EVENTS
from projector.events import Event
from projector.folding.tables import MergeTable, Projection, Rule
from projector.projections.newest import LONGEST_ID


class Freshness(NamedTuple):
    """One account's deliveries of one event. Milliseconds of event time, microseconds of receipt."""

    account_id: str
    event: str
    last_event_ms: int
    last_received_us: int
    events: int
    first_received_us: int


def _heard(events: Sequence[Event]) -> Iterator[Freshness]:
    """One row an account for all events of one name: most of a batch is of one account.

    Events without a usable account are the business of the projection that they belong to.
    """
    by_account: dict[str | None, list[Event]] = defaultdict(list)
    for event in events:
        by_account[event.account_id].append(event)
    for account, some in by_account.items():
        if account is not None and len(account) <= LONGEST_ID:
            received = [event.received_us for event in some]
            yield Freshness(
                account,
                some[0].name,
                max([event.time_ms for event in some]),
                max(received),
                len(some),
                min(received),
            )


def _together(one: Freshness, other: Freshness) -> Freshness:
    return Freshness(
        one.account_id,
        one.event,
        max(one.last_event_ms, other.last_event_ms),
        max(one.last_received_us, other.last_received_us),
        one.events + other.events,
        min(one.first_received_us, other.first_received_us),
    )


FRESHNESS: Final = Projection(
    name="freshness",
    version=1,
    tables=(
        MergeTable(
            name="freshness",
            row=Freshness,
            key=2,
            rows=dict.fromkeys(EVENTS, _heard),
            merge=_together,
            rules={
                "last_event_ms": Rule.GREATEST,
                "last_received_us": Rule.GREATEST,
                "events": Rule.SUM,
                "first_received_us": Rule.LEAST,
            },
        ),
    ),
)
