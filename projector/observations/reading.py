"""A reading: what every section of a run works with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import asyncpg

from projector.database import UNAVAILABLE, Database, retrying
from projector.log.append import Source, append
from projector.observations.facts import Facts
from projector.observations.outcome import Outcome, Section
from projector.observations.progress import Progress
from projector.rest.answers import Answer
from projector.rest.client import RestClient
from projector.rest.endpoints import Endpoint
from projector.rest.failures import Unreadable
from projector.state.store import Store
from projector.zoom.delivery import Delivery, delivery_of, head_of

# An append holds the log's lock while it lasts, some 10 ms for so many bodies: deliveries go on between.
BATCH: Final = 500
ATTEMPTS: Final = 8
APPEND_SECONDS: Final = 30.0

# Objects of which several answers are read at once.
AT_ONCE: Final = 16

# An endpoint that refuses so many objects one after another, naming no scope, refuses all of them.
REFUSALS: Final = 20

Report = Callable[[Section, int, int], None]


@dataclass(frozen=True)
class Options:
    """How to read. `max_removals`: the largest share of the known that one reading may end.

    `recheck_seconds`: between the two times that a missing person is asked for. `fold_seconds`: how long
    to wait for the projectors. `app_id`: whose delivery log; None: it is not read. `secrets`: those that
    may have signed what it shows.
    """

    dry_run: bool = False
    max_removals: float = 0.05
    recheck_seconds: float = 5.0
    fold_seconds: float = 60.0
    app_id: str | None = None
    secrets: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Reading:
    """One run's client, database, facts and progress. `report` takes how much is done of how much."""

    client: RestClient
    database: Database
    facts: Facts
    progress: Progress
    options: Options
    report: Report

    @property
    def account(self) -> str:
        """The account that is read."""
        return self.client.account_id

    @property
    def store(self) -> Store:
        """The state that the projections keep."""
        return Store(self.database)

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """The rows of a statement about this account, which is its first parameter."""
        return await self.database.fetch(statement, self.account, *arguments)

    async def append(self, bodies: Sequence[bytes]) -> None:
        """Append observations, a batch at a time; nothing in a dry run."""
        now = datetime.now(UTC)
        await self.deliver(
            [delivery_of(body, head_of(body), received_at=now) for body in bodies], "rest"
        )

    async def deliver(self, deliveries: Sequence[Delivery], source: Source) -> int:
        """Append what came from somewhere; returns how many bodies are new to the log, all in a dry run."""
        if self.options.dry_run:
            return len(deliveries)
        fresh = 0
        for start in range(0, len(deliveries), BATCH):
            batch = deliveries[start : start + BATCH]
            appended = await retrying(
                partial(append, self.database, batch, source=source, timeout=APPEND_SECONDS),
                on=(*UNAVAILABLE, asyncpg.LockNotAvailableError),
                times=ATTEMPTS,
            )
            fresh += sum(not one.duplicate for one in appended)
        return fresh


class Reach:
    """Asks endpoints for one section, and those no more that refuse; notes what is unreadable, and why."""

    def __init__(self, client: RestClient, outcome: Outcome) -> None:
        self._client = client
        self._outcome = outcome
        self._closed: set[str] = set()
        self._refused: dict[str, int] = {}

    def reads(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint is still worth asking."""
        return endpoint.name not in self._closed

    async def get(self, endpoint: Endpoint, *ids: str, **parameters: str) -> Answer | None:
        """The answer about one object; None where it is unreadable. Raises NotThere."""
        if not self.reads(endpoint):
            return None
        try:
            answer = await self._client.get(endpoint, *ids, **parameters)
        except Unreadable as error:
            self.refused(endpoint, error)
            return None
        self._refused[endpoint.name] = 0
        return answer

    def refused(self, endpoint: Endpoint, error: Unreadable, *, all_of_it: bool = False) -> None:
        """Note a refusal. `all_of_it`: it is none of a single object."""
        name = endpoint.name
        self._refused[name] = self._refused.get(name, 0) + 1
        if all_of_it or error.scope is not None or self._refused[name] >= REFUSALS:
            self._closed.add(name)
        self._outcome.unreadable[name] = str(error)
