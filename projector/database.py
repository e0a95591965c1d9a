"""Connections to PostgreSQL, direct or through PgBouncer in transaction mode."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast

import asyncpg

from projector.connecting import ServerConnection, open_connection
from projector.database_address import unavailable
from projector.errors import DatabaseUnavailable
from projector.fetching import drop, fetch_alone, fetch_to_end
from projector.statements import queries

T = TypeVar("T")

# Quoted: these classes take no parameters at run time.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

OLDEST_SERVER: Final = 15
ENCODING: Final = "UTF8"
CONNECT_SECONDS: Final = 5.0

_SQL: Final = queries("connection")

# Statements over arrays of keys want one index look-up a key, whatever the arrays hold, and planning them
# for every call costs up to a millisecond. A pooler refuses this setting: there every call is planned.
PLANNED_ONCE: Final = {"plan_cache_mode": "force_generic_plan"}
# A plan made while a table had a page or two would read all of it for ever.
INDEXED: Final = {"enable_seqscan": "off"}

# Raised when the server is away, restarting or out of reach.
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
    asyncpg.ReadOnlySQLTransactionError,  # a former primary
    # An idle connection that the server has just closed, used before that was noticed.
    asyncpg.InternalClientError,
)

# The server is going down, gone, or no primary any more; so are, most likely, the other connections to it.
# A new one may lead to another server.
DEMOTED: Final = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.ReadOnlySQLTransactionError,
)

# An append through a pool is given up after so long. Less than the pool's own limit, which would cancel it.
APPEND_SECONDS: Final = 30.0
STATEMENT_SECONDS: Final = 60.0

# Anything that a statement can raise through no fault of ours: a loop logs it and tries again later.
TROUBLE: Final = (*UNAVAILABLE, asyncpg.PostgresError)


@contextmanager
def cancellable() -> Iterator[None]:
    """Raise CancelledError where a task is cancelled at the moment when its connection breaks.

    asyncpg raises the connection's error alone, and a loop that retries would never end.
    """
    try:
        yield
    except UNAVAILABLE as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise


class Queryable(Protocol):
    """Runs one statement in a transaction of its own; `timeout` in seconds."""

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Return the statement's rows."""


class Appendable(Protocol):
    """Runs statements that nobody may cancel."""

    async def fetch_to_end(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Run an idempotent statement as `fetching.fetch_to_end` does; `timeout` in seconds."""


class Database:
    """A pool of connections that works the same directly and behind PgBouncer.

    `pooled`: a transaction-mode pooler stands between. Then nothing may outlive a transaction, so
    statements are not cached and every call is a transaction.
    """

    def __init__(self, pool: Pool, url: str, *, pooled: bool) -> None:
        self.pool = pool
        self.url = url
        self.pooled = pooled

    @asynccontextmanager
    async def connection(self, *, timeout: float | None = None) -> AsyncIterator[Connection]:
        """A connection for several statements, to be had within `timeout` seconds.

        Where the server turns out to be gone, or no primary any more, the pool connects anew.
        """
        async with self.pool.acquire(timeout=timeout) as connection:
            try:
                yield connection  # type: ignore[misc]
            except DEMOTED:
                await self._replace(connection)
                raise

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Run one statement in a transaction of its own; `timeout` in seconds."""
        with cancellable():
            async with self.connection(timeout=timeout) as connection:
                return await fetch_alone(
                    connection, statement, *arguments, pooled=self.pooled, timeout=timeout
                )

    async def fetch_to_end(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        """Run an idempotent statement that is never cancelled; APPEND_SECONDS is its longest time-out."""
        timeout = APPEND_SECONDS if timeout is None else min(timeout, APPEND_SECONDS)
        end = asyncio.get_running_loop().time() + timeout
        with cancellable():
            async with self.connection(timeout=timeout) as connection:
                return await fetch_to_end(
                    connection, statement, *arguments, pooled=self.pooled, end=end
                )

    async def _replace(self, connection: Any) -> None:
        """Use neither this connection again nor the idle ones."""
        drop(connection)
        await self.pool.expire_connections()

    async def fetchval(self, statement: str, *arguments: Any, timeout: float | None = None) -> Any:
        """Return the first column of the first row, or None."""
        rows = await self.fetch(statement, *arguments, timeout=timeout)
        return rows[0][0] if rows else None

    async def notify(self, channel: str, payload: str, *, timeout: float) -> None:
        """Send a notification; `timeout` in seconds."""
        await self.fetch(_SQL["notify"], channel, payload, timeout=timeout)

    @asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[Connection]:
        """A READ COMMITTED transaction over several statements."""
        with cancellable():
            async with self.connection() as connection, connection.transaction(**options):
                yield connection

    def terminate(self) -> None:
        """Close every connection at once, also in the middle of a statement."""
        self.pool.terminate()

    async def close(self) -> None:
        """Close the pool; what does not close within 3 seconds is dropped."""
        try:
            await asyncio.wait_for(self.pool.close(), timeout=3)
        except TimeoutError:
            self.pool.terminate()


async def connect(url: str, *, statement_cache: int = 100) -> Connection:
    """Open one connection outside any pool.

    Raises DatabaseUnavailable, which says why and what to do, and names no credential.
    """
    try:
        return await open_connection(
            url, timeout=CONNECT_SECONDS, statement_cache_size=statement_cache
        )
    except (*TROUBLE, ValueError) as error:
        raise unavailable(error, url) from None


def in_role(url: str, role: str) -> str:
    """Return a URL whose sessions begin in a role; not for a pooler, which refuses the parameter."""
    return f"{url}{'&' if '?' in url else '?'}role={role}"


async def is_pooled(connection: Connection) -> bool:
    """Whether a pooler stands between: the process id that it greets with is not the server's."""
    await connection.execute(_SQL["nothing"])
    async with connection.transaction():
        backend = await connection.fetchval(_SQL["backend_pid"])
    return bool(backend != connection.get_server_pid())


async def _keep(connection: Any) -> None:
    """Leave a returned connection as it is: we set no session state, and a reset is a round trip."""


async def open_database(url: str, *, size: int = 8, by_key: bool = False) -> Database:
    """Open a pool of at most `size` connections.

    `by_key`: its statements find rows by key and never read a whole table. Raises DatabaseUnavailable where
    the server is away, refuses or is older than PostgreSQL 15, or where the database is not in UTF-8.
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
        connect=cast(Any, open_connection),
        connection_class=ServerConnection,
        timeout=CONNECT_SECONDS,
        command_timeout=STATEMENT_SECONDS,
        statement_cache_size=0 if pooled else 200,
        server_settings=None if pooled else {**PLANNED_ONCE, **(INDEXED if by_key else {})},
        reset=_keep,
    )
    return Database(pool, url, pooled=pooled)


def _backoff(attempt: int) -> float:
    return min(0.05 * 2.0**attempt, 2.0)


async def retrying(
    attempt: Callable[[], Awaitable[T]],
    *,
    on: tuple[type[BaseException], ...],
    times: int,
    pause: Callable[[int], float] = _backoff,
    failed: Callable[[BaseException], None] | None = None,
) -> T:
    """Call `attempt` up to `times` times while it raises one of `on`; raises the last such error.

    `pause` gives the seconds to wait after attempt 0, 1, 2 and so on; `failed` is told of every error that
    is waited out.
    """
    for number in range(times - 1):
        try:
            return await attempt()
        except on as error:
            if failed is not None:
                failed(error)
            await asyncio.sleep(pause(number))
    return await attempt()
