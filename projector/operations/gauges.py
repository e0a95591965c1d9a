"""The gauges of a process: read in the background, shown from memory, gone when they are old.

A scrape asks the database nothing, and shows nothing that is not so: values of a database that is away are
absent, neither 0 nor the last ones known.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from projector.database import TROUBLE, Database, open_database
from projector.database_reasons import reason_of
from projector.errors import DatabaseUnavailable
from projector.operations.catalogue import GAUGES, UP
from projector.operations.reading import Reader

READ_EVERY_SECONDS: Final = 5.0
STATEMENT_SECONDS: Final = 3.0
READING_SECONDS: Final = 10.0
OLDEST_SECONDS: Final = 15.0

# By name, then by label; the label of a gauge without one is "".
Values = dict[str, dict[str, float]]
Read = Callable[[Reader], Awaitable[Values]]

_log = structlog.get_logger()


async def nothing_more(_reader: Reader) -> Values:
    """For a process that shows only whether the database answers."""
    return {}


class DatabaseGauges(Collector):
    """Shows the newest reading; registers itself. Until the first one the database counts as away."""

    def __init__(self, registry: CollectorRegistry, read: Read) -> None:
        self._read = read
        self._values: Values | None = None
        self._read_at = 0.0
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The gauges as they were read last, if that was just now."""
        fresh = self._values is not None and time.monotonic() - self._read_at < OLDEST_SECONDS
        values = {UP: {"": float(fresh)}} | (self._values or {} if fresh else {})
        for name, (text, label) in GAUGES.items():
            if name in values:
                family = GaugeMetricFamily(name, text, labels=[] if label is None else [label])
                for subject, value in values[name].items():
                    family.add_metric([] if label is None else [subject], value)
                yield family

    async def run(self, database: Database) -> None:
        """Read every few seconds, until cancelled."""
        reader = Reader(database, STATEMENT_SECONDS)
        while True:
            await self._refresh(reader)
            await asyncio.sleep(READ_EVERY_SECONDS)

    async def run_on(self, url: str) -> None:
        """The same over a connection of its own, opened whenever it can be."""
        while True:
            try:
                database = await open_database(url, size=1)
            except DatabaseUnavailable as error:
                self._away(error)
                await asyncio.sleep(READ_EVERY_SECONDS)
                continue
            try:
                await self.run(database)
            finally:
                await database.close()

    async def _refresh(self, reader: Reader) -> None:
        try:
            async with asyncio.timeout(READING_SECONDS):
                await reader.now()
                values = await self._read(reader)
        except (DatabaseUnavailable, *TROUBLE) as error:
            self._away(error)
        else:
            self._values, self._read_at = values, time.monotonic()

    def _away(self, error: Exception) -> None:
        self._values = None
        _log.debug("gauges_not_read", reason=reason_of(error).what)
