"""Freshness: when each event last happened and last arrived, and how many there were, by account.

And activity: how many of each were received in each hour. An account's own rhythm shows in it, and
whether its silence means anything.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from projector.folding.keys import LONGEST_ID
from projector.folding.tables import MergeTable, Projection, Rule
from projector.zoom.catalogue import Catalogue
from projector.zoom.events import Event

HOUR_US: Final = 3_600_000_000


class Freshness(NamedTuple):
    """One account's events of one name. Event time in milliseconds, receipt in microseconds."""

    account_id: str
    event: str
    last_event_ms: int
    last_received_us: int
    events: int
    first_received_us: int


class Activity(NamedTuple):
    """How many distinct events of one name an account's deliveries brought within an hour of receipt.

    `hour`: whole hours since 1970, UTC.
    """

    account_id: str
    event: str
    hour: int
    events: int


def _counted(events: Sequence[Event]) -> Iterator[Freshness]:
    """One row per account for the events of one name; a batch is mostly of one account.

    Events without a usable account are left to the projection that folds them: it reports them.
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


def _sum(one: Freshness, other: Freshness) -> Freshness:
    return Freshness(
        one.account_id,
        one.event,
        max(one.last_event_ms, other.last_event_ms),
        max(one.last_received_us, other.last_received_us),
        one.events + other.events,
        min(one.first_received_us, other.first_received_us),
    )


def _by_hour(events: Sequence[Event]) -> Iterator[Activity]:
    """One row per account and hour for the events of one name; a batch is mostly of one hour."""
    name = events[0].name if events else ""
    counts = Counter((event.account_id, event.received_us // HOUR_US) for event in events)
    for (account, hour), count in counts.items():
        if account is not None and len(account) <= LONGEST_ID:
            yield Activity(account, name, hour, count)


def _added(one: Activity, other: Activity) -> Activity:
    return one._replace(events=one.events + other.events)


def freshness(catalogue: Catalogue) -> Projection:
    """The projection that counts every delivery of a catalogue."""
    return Projection(
        name="freshness",
        version=2,
        tables=(
            MergeTable(
                name="freshness",
                row=Freshness,
                key=2,
                rows=dict.fromkeys(catalogue.deliveries, _counted),
                merge=_sum,
                rules={
                    "last_event_ms": Rule.GREATEST,
                    "last_received_us": Rule.GREATEST,
                    "events": Rule.SUM,
                    "first_received_us": Rule.LEAST,
                },
            ),
            MergeTable(
                name="activity",
                row=Activity,
                key=3,
                rows=dict.fromkeys(catalogue.deliveries, _by_hour),
                merge=_added,
                rules={"events": Rule.SUM},
            ),
        ),
    )
