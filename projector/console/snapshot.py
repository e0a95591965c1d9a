"""The one way in which pages read: a snapshot of the directory, seen as `directory_reader`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from projector.database import Connection, Database
from projector.statements import queries

_SQL: Final = queries("console")

# What takes longer is no page any more; the server ends it, so that readers cannot pile up there.
STATEMENT_SECONDS: Final = 10.0


class Snapshot:
    """The directory as of one moment, by the named statements of `sql/queries/console.sql`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rows(self, name: str, *arguments: Any) -> list[asyncpg.Record]:
        """Return the rows of a statement."""
        return await self._connection.fetch(_SQL[name], *arguments, timeout=STATEMENT_SECONDS)

    async def row(self, name: str, *arguments: Any) -> asyncpg.Record | None:
        """Return the first row of a statement, or None."""
        rows = await self.rows(name, *arguments)
        return rows[0] if rows else None


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Snapshot]:
    """A transaction that can neither write nor read anything but what `directory_reader` may.

    Raises what the database raises where it is away.
    """
    async with database.transaction(isolation="repeatable_read", readonly=True) as connection:
        await connection.execute(_SQL["as_reader"])
        yield Snapshot(connection)
