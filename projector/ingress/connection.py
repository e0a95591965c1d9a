"""A dedicated connection that is dropped and replaced when it fails or hangs.

Not a pool: that would wait for a hanging connection to be returned, longer than the three seconds
that a sender waits.
"""

import asyncio
from typing import Any, Final

import asyncpg

from projector.database import Connection, Queryable, connect, is_pooled
from projector.fetching import fetch_to_end

# The connection is lost, perhaps for a long time; a new one may work. Whether the statement took
# effect is unknown, so lanes run only idempotent statements.
LOST: Final = (
    ConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server's termination message crosses our statement
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a former primary: the URL may name other hosts
)


class Upstream:
    """Where lanes connect to. `pooled`, whether a pooler is in between, is determined once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.pooled: bool | None = None

    async def connect(self) -> Connection:
        """Open a connection; raises DatabaseUnavailable."""
        if self.pooled is None:
            probe = await connect(self._url, statement_cache=0)
            try:
                self.pooled = await is_pooled(probe)
            finally:
                probe.terminate()
        return await connect(self._url, statement_cache=0 if self.pooled else 100)


class Turns:
    """A lane that several parts share: one waits until the statement of another is done."""

    def __init__(self, lane: Queryable) -> None:
        self._lane = lane
        self._lock = asyncio.Lock()

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Run a statement as the lane does; the wait for one's turn is not in `timeout`."""
        async with self._lock:
            return await self._lane.fetch(statement, *arguments, timeout=timeout)


class Lane:
    """One connection, opened when needed, for one statement at a time."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._connection: Connection | None = None
        self._at_work = False
        self._leaving = False

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Run an idempotent statement, in a transaction of its own.

        If the connection is lost, a new one is tried at once. Raises TimeoutError after `timeout`
        seconds, connecting included, and whatever the database raises.
        """
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        if self._connection is not None:
            try:
                return await self._attempt(end, statement, arguments)
            except ValueError:  # a value that cannot be sent: in asyncpg an InterfaceError too
                raise
            except LOST:
                self.drop()
        return await self._attempt(end, statement, arguments)

    # No statement of a lane is ever cancelled.
    fetch_to_end = fetch

    async def _attempt(
        self, end: float | None, statement: str, arguments: tuple[Any, ...]
    ) -> list[asyncpg.Record]:
        async with asyncio.timeout_at(end):
            connection = await self._open()
        self._at_work = True
        try:
            return await fetch_to_end(
                connection, statement, *arguments, pooled=bool(self._upstream.pooled), end=end
            )
        except ValueError:
            raise
        except (*LOST, TimeoutError):
            self.drop()
            raise
        finally:
            self._at_work = False
            if self._leaving:
                self.drop()

    async def _open(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._upstream.connect()
        return self._connection

    def leave(self) -> None:
        """Close the connection once no statement runs on it; the next statement opens another."""
        if self._at_work:
            self._leaving = True
        else:
            self.drop()

    def drop(self) -> None:
        """Close the connection at once, even mid-statement; the next statement opens another."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        self._leaving = False
