"""Whether this replica can append: asked of the database every second, answered from memory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg
import structlog

from projector.database import Queryable
from projector.errors import ProjectorError, SchemaMismatch
from projector.ingress.metrics import Metrics
from projector.statements import queries

PROBE_EVERY_SECONDS: Final = 1.0
PROBE_SECONDS: Final = 2.0

_SQL: Final = queries("ingress")
_logger = structlog.get_logger()

SchemaCheck = Callable[[Queryable], Awaitable[None]]


class Readiness:
    """Why this replica is not ready, or None. Draining outweighs what the probe finds."""

    def __init__(self, lane: Queryable, check_schema: SchemaCheck, metrics: Metrics) -> None:
        self._lane = Bounded(lane)
        self._check_schema = check_schema
        self._found: str | None = "the database has not been asked yet"
        self.draining = False
        metrics.gauge(
            "projector_ready", "1 while this replica can append.", lambda: float(not self.reason)
        )

    @property
    def reason(self) -> str | None:
        """Why not, as a sentence for a person that repeats no input."""
        return "this replica is stopping" if self.draining else self._found

    async def run(self) -> None:
        """Probe for ever."""
        while True:
            found = await self._probe()
            if found != self._found:
                _logger.info("readiness", ready=found is None, reason=found)
            self._found = found
            await asyncio.sleep(PROBE_EVERY_SECONDS)

    async def _probe(self) -> str | None:
        try:
            await self._check_schema(self._lane)
            await self._lane.fetch(_SQL["can_append"])
        except SchemaMismatch as mismatch:
            return str(mismatch)
        except TimeoutError:
            return "the database does not answer in time, or the append lock is held"
        except ProjectorError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  whatever it is, this replica cannot append
            return f"the database refuses an append ({type(error).__name__})"
        return None


class Bounded:
    """Statements with the probe's time limit, whoever runs them."""

    def __init__(self, lane: Queryable) -> None:
        self._lane = lane

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """As Queryable says, within PROBE_SECONDS."""
        return await self._lane.fetch(statement, *arguments, timeout=timeout or PROBE_SECONDS)
