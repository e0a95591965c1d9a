"""Counts refused deliveries in memory, and adds them up in the database in the background.

Never on the way of a request, and never for each: an attacker's flood costs an addition each and one short
statement every few seconds. What cannot be written is kept, and written later.
"""

import asyncio
import time
from typing import Final

import structlog

from projector.database import Queryable
from projector.database_reasons import reason_of
from projector.log.refusals import Counted, count_refusals

WRITE_EVERY_SECONDS: Final = 3.0
WRITE_SECONDS: Final = 2.0

# Beside what refuses a signature, and the problems of a delivery that was answered 4xx.
VALIDATION: Final = "validation"
DROPPED_SIGNED: Final = "dropped-signed"
DROPPED_UNSIGNED: Final = "dropped-unsigned"

_logger = structlog.get_logger()


class Refusals:
    """What this replica refused and has not told the database yet, by reason."""

    def __init__(self, lane: Queryable) -> None:
        self._lane = lane
        self._counts: dict[str, Counted] = {}

    def note(self, reason: str) -> None:
        """Count one, refused just now."""
        now = time.monotonic()
        self._add(reason, Counted(1, now, now))

    async def run(self) -> None:
        """Write what there is every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write what there is, once; what the database does not take is kept."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            await count_refusals(self._lane, counts, now=time.monotonic(), timeout=WRITE_SECONDS)
        except BaseException as error:
            for reason, counted in counts.items():
                self._add(reason, counted)
            if not isinstance(error, Exception):
                raise
            _logger.debug("refusals_not_counted", reason=reason_of(error).what, next="tried again")

    def _add(self, reason: str, more: Counted) -> None:
        known = self._counts.get(reason)
        self._counts[reason] = more if known is None else known.plus(more)
