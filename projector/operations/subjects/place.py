"""Places: where something about a person is kept, and the records that were found there."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from projector.operations.subjects.tables import Kept

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """One record. `where`: a position of the log, or the key of a row. Times are aware, None where unknown.

    `source`: how it came, as the log says. `content`: JSON, or None with `why_not`, which says why.
    """

    where: dict[str, Any]
    event_time: datetime | None
    received_at: datetime | None
    source: str | None
    content: Any
    why_not: str | None = None


@dataclass
class Place:
    """A table, what it is in words, how long that is kept, and what it has of the person."""

    name: str
    kept: Kept
    records: list[Record] = field(default_factory=list)


def moment_of(ms: int | None) -> datetime | None:
    """Epoch milliseconds as a time; None where there is none, or no calendar has it."""
    try:
        return None if ms is None else _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return None
