"""Batches: consecutive events of the log, decoded once for all projections."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from projector.events import Event, decode_event


def decode_rows(rows: Iterable[Any]) -> list[Event]:
    """Decode rows of (position, received_us, digest, body); what folds as nothing is left out."""
    return [event for row in rows if (event := decode_event(*row)) is not None]


@dataclass(frozen=True)
class Batch:
    """The events after position `start` up to `end`; `digest` is that of the event at `end`.

    `full`: the log had more to read when this was read.
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
        """The batch in two: how the event that spoils a write is found."""
        middle = len(self.rows) // 2
        first = make_batch(self.start, self.rows[:middle], full=True)
        return first, make_batch(first.end, self.rows[middle:], full=self.full)


def by_name(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Events by their name: projections pick what they fold."""
    sorted_out: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        sorted_out[event.name].append(event)
    return sorted_out


def make_batch(start: int, rows: Sequence[Any], *, full: bool) -> Batch:
    """Decode at least one row of the log into a batch."""
    last = rows[-1]
    return Batch(start, last[0], last[2], by_name(decode_rows(rows)), rows, full)
