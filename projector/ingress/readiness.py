"""Whether this replica can append: probed every second, answered from memory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg
import structlog

from projector.database import UNAVAILABLE, Queryable
from projector.database_reasons import reason_of
from projector.errors import DatabaseUnavailable, ProjectorError
from projector.ingress.losses import Losses
from projector.ingress.metrics import Metrics
from projector.log.append import append_nothing

PROBE_EVERY_SECONDS: Final = 1.0
PROBE_SECONDS: Final = 2.0

_logger = structlog.get_logger()

SchemaCheck = Callable[[Queryable], Awaitable[None]]


class Readiness:
    """Why this replica is not ready, or None. Draining takes precedence over the probe."""

    def __init__(
        self,
        lane: "Bounded",
        check_schema: SchemaCheck,
        losses: Losses,
        metrics: Metrics,
        why: Callable[[], str | None] | None = None,
    ) -> None:
        """`why`: knows better than the probe why the database is away, or returns None."""
        self._lane = lane
        self._losses = losses
        self._check_schema = check_schema
        self._why = why
        self._found: str | None = "the database has not been asked yet"
        self.draining = False
        metrics.gauge(
            "projector_ready", "1 while this replica can append.", lambda: float(not self.reason)
        )
        if metrics.alone:
            metrics.gauge(
                "projector_database_up",
                "1 while the database answers this process.",
                lambda: float(self._lane.answers),
            )

    @property
    def reason(self) -> str | None:
        """Why not, as a sentence for people, without input; None if ready."""
        if self.draining:
            return "this replica is stopping"
        if self._found is None or self._why is None:
            return self._found
        return self._why() or self._found

    async def run(self) -> None:
        """Probe for ever."""
        while True:
            found = await self._probe()
            if found != self._found:
                _logger.info("readiness", ready=found is None, reason=found)
            self._found = found
            if found is None:
                await self._losses.look()
            await asyncio.sleep(PROBE_EVERY_SECONDS)

    async def _probe(self) -> str | None:
        try:
            await self._check_schema(self._lane)
            await append_nothing(self._lane)
        except ProjectorError as error:
            return str(error)
        except TimeoutError:
            return "the database does not answer in time, or the append lock is held"
        except Exception as error:  # noqa: BLE001  whatever it is, this replica cannot append
            return reason_of(error).sentence
        return None


class Bounded:
    """Applies the probe's time limit to every statement. `answers`: whether the server did, the last time."""

    def __init__(self, lane: Queryable) -> None:
        self._lane = lane
        self.answers = False

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Run a statement as Queryable does, within PROBE_SECONDS unless given a time-out."""
        try:
            rows = await self._lane.fetch(statement, *arguments, timeout=timeout or PROBE_SECONDS)
        except (DatabaseUnavailable, *UNAVAILABLE):
            self.answers = False
            raise
        except asyncpg.PostgresError:  # it refuses, and is there
            self.answers = True
            raise
        self.answers = True
        return rows
