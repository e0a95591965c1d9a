"""Deliveries over 30 days: by the hour, by the day, and event by event."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from projector.console.charts import Columns, columns
from projector.console.judged import NEVER
from projector.console.snapshot import Snapshot
from projector.zoom.catalogue import EVENTS

DAYS: Final = 30
HOURS: Final = 24

# What the events are about, as people think of it, by words in their names; the first that fits.
TOPICS: Final[Mapping[str, tuple[str, ...]]] = {
    "Settings": ("settings",),
    "Presence and sign-ins": ("presence", "notes", "signed"),
    "Groups": ("group.",),
    "People": ("user.",),
}


def topic_of(event: str) -> str:
    """What an event is about."""
    return next(topic for topic, words in TOPICS.items() if any(word in event for word in words))


class Day(NamedTuple):
    """A day of the chart, UTC: how many came, and the most within an hour."""

    start: datetime
    events: int
    busiest: int


class Heard(NamedTuple):
    """An event of an account: when it last came, how often in 30 days and by day, and how that sounds."""

    event: str
    last: datetime | None
    month: int
    days: Columns
    state: str


class Activity:
    """What came of some accounts since the first hour of `first`, a day, UTC."""

    def __init__(self, rows: Sequence[asyncpg.Record], first: datetime) -> None:
        self._rows = rows
        self._first = first
        self._hours = [0] * (DAYS * HOURS)
        for row in rows:
            at = int((row["start"] - first) / timedelta(hours=1))
            if row["event"] is None and at < len(self._hours):  # a server's clock may be ahead
                self._hours[at] += row["events"]

    @property
    def total(self) -> int:
        """How many came in all."""
        return sum(self._hours)

    @property
    def chart(self) -> Columns:
        """Deliveries by the hour, the hours that are still to come included."""
        return columns(self._hours)

    @property
    def days(self) -> list[Day]:
        """The same by the day."""
        by_day = [self._hours[at : at + HOURS] for at in range(0, len(self._hours), HOURS)]
        return [
            Day(self._first + timedelta(days=number), sum(day), max(day))
            for number, day in enumerate(by_day)
        ]

    def last_day(self, now: datetime) -> int:
        """How many came in the hour that runs and the 23 before."""
        running = int((now - self._first) / timedelta(hours=1))
        return sum(self._hours[max(running - HOURS + 1, 0) : running + 1])

    def events(
        self, heard: Sequence[asyncpg.Record], states: Mapping[str, str]
    ) -> dict[str, list[Heard]]:
        """The events of an account, by group; `states`: how they sound."""
        days: dict[str, list[int]] = {event: [0] * DAYS for event in EVENTS}
        for row in self._rows:
            at = (row["start"] - self._first).days
            if row["event"] in days and at < DAYS:
                days[row["event"]][at] += row["events"]
        by_event = {
            row["event"]: _heard(row, days[row["event"]], states.get(row["event"])) for row in heard
        }
        return {
            topic: [
                by_event[event]
                for event in EVENTS
                if event in by_event and topic_of(event) == topic
            ]
            for topic in reversed(list(TOPICS))
        }


async def read_activity(read: Snapshot, accounts: Sequence[str]) -> Activity:
    """What came of some accounts; nothing before an upgrade's rebuild has counted it."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS - 1)
    there = await read.rows("views_there", ["activity"])
    return Activity(await read.rows("activity", list(accounts), first) if there else [], first)


def _heard(row: asyncpg.Record, days: Sequence[int], state: str | None) -> Heard:
    if not row["events"]:
        state = state or NEVER
    return Heard(row["event"], row["last_received_at"], sum(days), columns(days), state or "")
