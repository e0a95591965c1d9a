"""Batches: consecutive events of the log, decoded once for all projections."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from projector.zoom.events import Event, decode_event, skim_event


def decode_rows(rows: Iterable[Any]) -> list[Event]:
    """Decode rows of (position, received_us, digest, body, own); rows without an event are left out."""
    return [event for row in rows if (event := decode_event(*row)) is not None]


def skim_rows(rows: Iterable[Any]) -> list[Event]:
    """The same without documents: enough for merge tables, and to tell which entity an event is about."""
    return [event for row in rows if (event := skim_event(*row)) is not None]


@dataclass(frozen=True)
class Batch:
    """The events after position `start` up to `end`; `digest` is that of the event at `end`.

    `full`: there was more of the log to read.
    """

    start: int
    end: int
    digest: bytes
    events: dict[str, list[Event]]
    rows: Sequence[Any]
    full: bool

    def __len__(self) -> int:
        return len(self.rows)

    def halves(self) -> tuple["Batch", "Batch"]:
        """Split the batch in two, to find the event that fails a write."""
        middle = len(self.rows) // 2
        first = make_batch(self.start, self.rows[:middle], full=True)
        return first, make_batch(first.end, self.rows[middle:], full=self.full)


def by_name(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Group events by name, so that projections can pick what they fold."""
    grouped: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        grouped[event.name].append(event)
    return grouped


def make_batch(start: int, rows: Sequence[Any], *, full: bool) -> Batch:
    """Decode at least one row of the log into a batch."""
    last = rows[-1]
    return Batch(start, last[0], last[2], by_name(decode_rows(rows)), rows, full)
