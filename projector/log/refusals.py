"""Refused deliveries, counted over all ingress replicas by hour and reason: log.refusals."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from projector.database import Database, Queryable
from projector.statements import queries

_SQL: Final = queries("log")


class Counted(NamedTuple):
    """How many were refused for one reason, and when the first and the last: seconds of a monotonic clock."""

    refused: int
    first: float
    last: float

    def plus(self, other: "Counted") -> "Counted":
        """Both together."""
        return Counted(
            self.refused + other.refused, min(self.first, other.first), max(self.last, other.last)
        )


async def count_refusals(
    database: Queryable, counts: Mapping[str, Counted], *, now: float, timeout: float
) -> None:
    """Add counts by reason; `now` is of the clock that they were taken by, `timeout` in seconds.

    Where the connection breaks between the commit and the answer they may be added twice.
    """
    columns = [
        (reason, counted.refused, now - counted.first, now - counted.last)
        for reason, counted in counts.items()
    ]
    await database.fetch(
        _SQL["count_refusals"], *map(list, zip(*columns, strict=True)), timeout=timeout
    )


async def forget_refusals(database: Database, before: datetime) -> int:
    """Forget what was counted before a time; returns how many rows."""
    return int(await database.fetchval(_SQL["forget_refusals"], before))
