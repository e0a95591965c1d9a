"""Runs again and again, for as long as the process lives."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from projector.config import Settings
from projector.database import TROUBLE, Database, open_database
from projector.database_reasons import reason_of
from projector.errors import ProjectorError
from projector.observations.lease import RunRefused
from projector.observations.metrics import ReconcileMetrics
from projector.observations.outcome import Outcome, Section
from projector.observations.reading import Options
from projector.observations.run import reconcile
from projector.rest.budget import Budget
from projector.rest.metrics import RestMetrics
from projector.rest.session import credentials_of, open_client
from projector.rest.tally import Tally
from projector.schema.migrations import check_schema
from projector.statements import queries

# After a run that failed or was cut off.
RETRY_SECONDS: Final = 300.0

_SQL: Final = queries("observations")
_log = structlog.get_logger()


@dataclass(frozen=True)
class Plan:
    """What to read, and how often: seconds from the beginning of one run to that of the next."""

    sections: Sequence[Section]
    options: Options
    seconds: float


class Service:
    """Reads whenever it is due, whatever happens to Zoom, the network or the database."""

    def __init__(
        self, settings: Settings, url: str, plan: Plan, registry: CollectorRegistry
    ) -> None:
        """Raises ConfigurationError naming each credential that is missing."""
        self._account = credentials_of(settings).account_id
        self._settings = settings
        self._url = url
        self._plan = plan
        self._tally = Tally()
        self._budget = Budget(settings.zoom_plan, settings.zoom_api_share, self._tally)
        self._metrics = ReconcileMetrics(registry)
        RestMetrics(registry, self._tally, self._budget)

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            pause = min(RETRY_SECONDS, self._plan.seconds)
            try:
                pause = await self._when_due()
            except RunRefused as error:
                _log.info("run_refused", reason=str(error))
            except ProjectorError as error:
                _log.warning("run_failed", reason=str(error), seconds=pause)
            except TROUBLE as error:
                _log.warning("run_failed", reason=reason_of(error).what, seconds=pause)
            except Exception as error:  # noqa: BLE001  a bug here stops neither deliveries nor later runs
                _log.error("run_failed", bug=type(error).__name__, seconds=pause)
            await asyncio.sleep(pause)

    async def _when_due(self) -> float:
        """Run if it is time to; returns the seconds until it is again."""
        database = await open_database(self._url, size=4)
        try:
            await check_schema(database)
            left = await self._seconds_left(database)
            if left > 0:
                return left
            return await self._run(database)
        finally:
            await database.close()

    async def _run(self, database: Database) -> float:
        began = time.monotonic()
        async with open_client(self._settings, budget=self._budget, tally=self._tally) as client:
            outcomes = await reconcile(
                client, database, self._plan.sections, self._plan.options, lambda *_: None
            )
        self._took(outcomes)
        if any(outcome.interrupted for outcome in outcomes):
            return min(RETRY_SECONDS, self._plan.seconds)
        return max(self._plan.seconds - (time.monotonic() - began), 0.0)

    def _took(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            log = _log.info if outcome.complete else _log.warning
            log("section_read", section=outcome.section.value, **outcome.whole())
            self._metrics.took(outcome)

    async def _seconds_left(self, database: Database) -> float:
        """How long the newest complete readings, whoever made them, will do; not at all: 0 or less."""
        rows = await database.fetch(_SQL["coverage"], self._account)
        read: dict[str, float] = {row[0]: row[1] for row in rows}
        oldest = min((read.get(section.value, 0.0) for section in self._plan.sections), default=0.0)
        return oldest + self._plan.seconds - time.time()
