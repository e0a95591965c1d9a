"""The one way in which pages read: a snapshot of the directory, seen as `directory_reader`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import asyncpg

from projector.console.lately import AsOf, Lately
from projector.database import Connection, Database
from projector.statements import queries

T = TypeVar("T")

_SQL: Final = queries("console")

# What takes longer is no page any more; the server ends it, so that readers cannot pile up there.
STATEMENT_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Reading(Generic[T]):
    """What pages show of a while ago: it is read again, beside the page, once it is older than `seconds`."""

    name: str
    seconds: float
    read: "Callable[[Snapshot], Awaitable[T]]"


@dataclass(frozen=True)
class Source:
    """What all pages read from, and what they judge by.

    `not_subscribed`: events that are left out of the subscription on purpose. The quarantine holds at most so
    many rows and bytes.
    """

    database: Database
    lately: Lately
    not_subscribed: frozenset[str]
    quarantine_rows: int
    quarantine_bytes: int


class Snapshot:
    """The directory as of one moment, by the named statements of `sql/queries/console.sql`."""

    def __init__(self, connection: Connection, source: Source) -> None:
        self._connection = connection
        self.source = source

    async def rows(self, name: str, *arguments: Any) -> list[asyncpg.Record]:
        """Return the rows of a statement."""
        return await self._connection.fetch(_SQL[name], *arguments, timeout=STATEMENT_SECONDS)

    async def row(self, name: str, *arguments: Any) -> asyncpg.Record | None:
        """Return the first row of a statement, or None."""
        rows = await self.rows(name, *arguments)
        return rows[0] if rows else None

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Return the rows of another room's statement; `timeout` in seconds."""
        return await self._connection.fetch(statement, *arguments, timeout=timeout)

    async def lately(self, reading: Reading[T]) -> AsOf[T]:
        """Return what a reading said in a snapshot of its own, at most once in a while."""

        async def anew() -> T:
            async with snapshot(self.source) as read:
                return await reading.read(read)

        return await self.source.lately.get(reading.name, anew, reading.seconds)


@asynccontextmanager
async def snapshot(source: Source) -> AsyncIterator[Snapshot]:
    """A transaction that can neither write nor read anything but what `directory_reader` may.

    Raises what the database raises where it is away.
    """
    async with source.database.transaction(
        isolation="repeatable_read", readonly=True
    ) as connection:
        await connection.execute(_SQL["as_reader"])
        yield Snapshot(connection, source)
