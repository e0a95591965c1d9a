"""A connection of one's own that is dropped and replaced when it fails or hangs.

A pool waits for a connection that hangs to come back before it hands out another; a sender that
gives us three seconds does not.
"""

import asyncio
from typing import Any, Final

import asyncpg

from projector.database import Connection, connect, is_pooled

# The connection is gone, perhaps since long before: a new one may work. Nothing is known
# of what the statement did, so only what may safely run twice runs on a lane.
LOST: Final = (
    ConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a farewell of the server that crosses our statement
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a former primary: the URL may name others
)


class Upstream:
    """Where lanes connect to. Whether a pooler stands between is found out once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.pooled: bool | None = None

    async def connect(self) -> Connection:
        """A new connection; raises DatabaseUnavailable."""
        if self.pooled is None:
            probe = await connect(self._url, statement_cache=0)
            try:
                self.pooled = await is_pooled(probe)
            finally:
                probe.terminate()
        return await connect(self._url, statement_cache=0 if self.pooled else 100)


class Lane:
    """One connection, opened when it is needed, for one statement at a time."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._connection: Connection | None = None

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Run a statement that may safely run twice, in a transaction of its own.

        Where the connection turns out to be lost, a new one is tried at once. Raises TimeoutError
        after `timeout` seconds, connecting included, and whatever the database raises.
        """
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        if self._connection is not None:
            try:
                return await self._attempt(end, statement, arguments)
            except (
                ValueError
            ):  # a value that cannot be sent: asyncpg calls that an InterfaceError too
                raise
            except LOST:
                self.drop()
        return await self._attempt(end, statement, arguments)

    async def _attempt(
        self, end: float | None, statement: str, arguments: tuple[Any, ...]
    ) -> list[asyncpg.Record]:
        async with asyncio.timeout_at(end):
            connection = await self._open()
        overdue = False

        def give_up() -> None:
            nonlocal overdue
            overdue = True
            # Not a cancellation: that would wait for an answer from a server that gives none.
            connection.terminate()

        timer = None if end is None else asyncio.get_running_loop().call_at(end, give_up)
        try:
            return await self._run(connection, statement, arguments)
        except ValueError:
            raise
        except LOST:
            self.drop()
            if overdue:
                raise TimeoutError("the database did not answer in time") from None
            raise
        except asyncio.CancelledError:
            self.drop()
            raise
        finally:
            if timer is not None:
                timer.cancel()

    async def _open(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._upstream.connect()
        return self._connection

    async def _run(
        self, connection: Connection, statement: str, arguments: tuple[Any, ...]
    ) -> list[asyncpg.Record]:
        if not self._upstream.pooled:
            return await connection.fetch(statement, *arguments)
        async with connection.transaction():
            return await connection.fetch(statement, *arguments)

    def drop(self) -> None:
        """Close the connection at once, whatever it does; the next statement opens another."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
