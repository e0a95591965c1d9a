"""Reads what the checks judge and the metrics show, part by part; each takes a bounded time."""

from typing import Any, Final, TypeVar

import asyncpg

from projector.database import Database, Queryable
from projector.operations.readings import (
    Active,
    Covered,
    Epoch,
    Heard,
    Loss,
    ProjectionNow,
    Quarantined,
    Refused,
    Standing,
)
from projector.statements import queries

T = TypeVar("T")

_SQL: Final = queries("operations")

DISK_FULL: Final = "the server's disk is full"


class DirectoryReader:
    """Reads what `directory_reader` may; every statement is given up after `seconds`."""

    def __init__(self, database: Queryable, seconds: float) -> None:
        self._queryable = database
        self._seconds = seconds

    async def _rows(self, name: str, *arguments: Any) -> list[asyncpg.Record]:
        return await self._queryable.fetch(_SQL[name], *arguments, timeout=self._seconds)

    async def now(self) -> float:
        """The server's clock."""
        return float((await self._rows("now"))[0][0])

    async def dead_letters(self) -> list[Standing]:
        """Open dead letters by projection."""
        return [Standing(*row) for row in await self._rows("dead_letters")]

    async def drift(self) -> list[Standing]:
        """Open drift by kind of entity."""
        return [Standing(*row) for row in await self._rows("drift")]

    async def heard(self) -> list[Heard]:
        """Every event of every account, by account."""
        return [Heard(*row) for row in await self._rows("heard")]

    async def activity(self) -> list[Active]:
        """The last weeks by the hour; nothing before an upgrade's rebuild has made them."""
        if not (await self._rows("activity_shown"))[0][0]:
            return []
        return [Active(*row) for row in await self._rows("activity")]

    async def coverage(self) -> list[Covered]:
        """What was read from Zoom's REST API."""
        return [Covered(*row) for row in await self._rows("coverage")]

    async def quarantine(self) -> list[Quarantined]:
        """What is in the quarantine, by reason."""
        return [Quarantined(*row) for row in await self._rows("quarantine")]

    async def refusals(self, seconds: float) -> list[Refused]:
        """What was refused by reason, of the hours whose last refusal is at most so old."""
        return [Refused(*row) for row in await self._rows("refusals", seconds)]


class Reader(DirectoryReader):
    """Reads what there is to read, as an operator or a projector."""

    def __init__(self, database: Database, seconds: float) -> None:
        super().__init__(database, seconds)
        self.database = database

    async def projections(self) -> list[ProjectionNow]:
        """Every projection."""
        return [ProjectionNow(**dict(row)) for row in await self._rows("projections")]

    async def reconcile_running(self) -> bool:
        """Whether a run of `reconcile` is alive."""
        return bool((await self._rows("reconcile_running"))[0][0])

    async def epoch(self) -> Epoch | None:
        """The epoch in force; None before anybody asked for it."""
        rows = await self._rows("epoch")
        return Epoch(*rows[0]) if rows else None

    async def losses(self) -> list[Loss]:
        """Acknowledged deliveries that a failover lost."""
        return [Loss(*row) for row in await self._rows("losses")]

    async def sizes(self) -> tuple[int, int]:
        """Bytes that the log takes, and that the state takes, with indexes."""
        row = (await self._rows("sizes"))[0]
        return int(row[0]), int(row[1])

    async def folder(self) -> tuple[str | None, bool]:
        """Where the server keeps its data, or None where this role may not know; and whether by a socket."""
        row = (await self._rows("folder"))[0]
        return row["folder"], bool(row["local"])

    async def extend(self) -> None:
        """Make the server extend a file, and take it back; raises what the server raises where it cannot."""
        async with self.database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute(_SQL["default_tablespace"], timeout=self._seconds)
                await connection.execute(_SQL["extend"], timeout=self._seconds)
            finally:
                await transaction.rollback()
