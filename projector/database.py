"""Connections to PostgreSQL, direct or through PgBouncer in transaction mode."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import asyncpg

from projector.errors import DatabaseUnavailable

T = TypeVar("T")

# Quoted: these classes take no parameters at run time.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

OLDEST_SERVER: Final = 15
ENCODING: Final = "UTF8"
CONNECT_SECONDS: Final = 5.0

# Statements over arrays of keys want an index look-up per key, whatever the arrays hold; to plan them anew
# for every call costs up to a millisecond each. A pooler takes no such setting: there they are planned anew.
PLANNED_ONCE: Final = {"plan_cache_mode": "force_generic_plan"}
# A plan of the time when a table was a page or two would go on reading all of it.
INDEXED: Final = {"enable_seqscan": "off"}

# What asyncpg and the operating system raise when the server is away, restarting or out of reach.
UNAVAILABLE: Final = (
    OSError,
    TimeoutError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    # An idle connection that the server has just ended, used before its end was noticed.
    asyncpg.InternalClientError,
)


@contextmanager
def cancellable() -> Iterator[None]:
    """Let a cancellation win over the error of a connection that breaks at the same moment.

    asyncpg raises the latter alone, and a loop that waits trouble out would never learn that it should end.
    """
    try:
        yield
    except UNAVAILABLE as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise


class Queryable(Protocol):
    """What runs one statement in a transaction of its own; `timeout` in seconds."""

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Run it and answer its rows."""


class Database:
    """A pool of connections that works the same directly and behind PgBouncer.

    `pooled` tells that a transaction-mode pooler stands between: then nothing may outlive a
    transaction, so statements are not cached and each call is a transaction of its own. A direct
    connection takes one round trip a statement.
    """

    def __init__(self, pool: Pool, url: str, *, pooled: bool) -> None:
        self.pool = pool
        self.url = url
        self.pooled = pooled

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for several statements."""
        async with self.pool.acquire() as connection:
            yield connection  # type: ignore[misc]

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Run one statement in a transaction of its own; `timeout` in seconds."""
        with cancellable():
            async with self.pool.acquire(timeout=timeout) as connection:
                if not self.pooled:
                    return await connection.fetch(statement, *arguments, timeout=timeout)
                async with connection.transaction():
                    return await connection.fetch(statement, *arguments, timeout=timeout)

    async def fetchval(self, statement: str, *arguments: Any, timeout: float | None = None) -> Any:
        """The first column of the first row, or None."""
        rows = await self.fetch(statement, *arguments, timeout=timeout)
        return rows[0][0] if rows else None

    @asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[Connection]:
        """A READ COMMITTED transaction over several statements."""
        with cancellable():
            async with self.pool.acquire() as connection, connection.transaction(**options):
                yield connection  # type: ignore[misc]

    def terminate(self) -> None:
        """Drop every connection at once, whatever it does."""
        self.pool.terminate()

    async def close(self) -> None:
        """Close the pool; what does not close within 3 seconds is dropped."""
        try:
            await asyncio.wait_for(self.pool.close(), timeout=3)
        except TimeoutError:
            self.pool.terminate()


async def connect(url: str, *, statement_cache: int = 100) -> Connection:
    """One connection of its own, outside any pool.

    Raises DatabaseUnavailable with a sentence that names no credential.
    """
    try:
        return await asyncpg.connect(
            url, timeout=CONNECT_SECONDS, statement_cache_size=statement_cache
        )
    except UNAVAILABLE as error:
        raise DatabaseUnavailable(
            f"the database does not answer ({type(error).__name__}); "
            "check that it runs and that PROJECTOR_DATABASE_URL names it"
        ) from None
    except (asyncpg.PostgresError, ValueError) as error:
        raise DatabaseUnavailable(
            f"the database refuses the connection ({type(error).__name__}); "
            "check PROJECTOR_DATABASE_URL: user, password and database name"
        ) from None


async def is_pooled(connection: Connection) -> bool:
    """Whether a pooler stands between: it makes up the process id that it greets with."""
    row = await connection.execute("SELECT 1")
    del row
    async with connection.transaction():
        backend = await connection.fetchval("SELECT pg_backend_pid()")
    return bool(backend != connection.get_server_pid())


async def _keep(connection: Any) -> None:
    """Leave a returned connection as it is: nothing here keeps session state to reset."""


async def open_database(url: str, *, size: int = 8, by_key: bool = False) -> Database:
    """Open a pool of at most `size` connections.

    `by_key`: its statements find rows by their keys, and never read a table from end to end. Raises
    DatabaseUnavailable where the server is away, refuses, or is older than PostgreSQL 15, or the database's
    encoding cannot hold every text.
    """
    probe = await connect(url, statement_cache=0)
    try:
        version = probe.get_server_version().major
        if version < OLDEST_SERVER:
            raise DatabaseUnavailable(
                f"the database is PostgreSQL {version}; use {OLDEST_SERVER} or newer"
            )
        encoding = probe.get_settings().server_encoding
        if encoding != ENCODING:
            raise DatabaseUnavailable(
                f"the database's encoding is {encoding}, which cannot hold every name; use a "
                "database that was created with ENCODING 'UTF8'"
            )
        pooled = await is_pooled(probe)
    finally:
        await probe.close()
    pool = await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=60,
        statement_cache_size=0 if pooled else 200,
        server_settings=None if pooled else {**PLANNED_ONCE, **(INDEXED if by_key else {})},
        # The reset is a round trip after every use, and clears session state that we never set.
        reset=_keep,
    )
    return Database(pool, url, pooled=pooled)


async def retrying(
    attempt: Callable[[], Awaitable[T]], *, on: tuple[type[BaseException], ...], times: int
) -> T:
    """Call `attempt` up to `times` times while it raises one of `on`, backing off in between."""
    for number in range(times - 1):
        try:
            return await attempt()
        except on:
            await asyncio.sleep(min(0.05 * 2**number, 2.0))
    return await attempt()
