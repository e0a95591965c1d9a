"""One statement on one connection, in a transaction of its own."""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg


class NotReplicated(ConnectionError):
    """A commit stopped waiting for its standbys: whether they have it is unknown."""


async def fetch_alone(
    connection: Any,
    statement: str,
    *arguments: Any,
    pooled: bool,
    timeout: float | None = None,
) -> list[asyncpg.Record]:
    """Run one statement in a transaction of its own; `timeout` in seconds.

    `pooled`: behind a transaction-mode pooler that takes BEGIN and COMMIT; otherwise one round trip does.
    """
    if not pooled:
        return await connection.fetch(statement, *arguments, timeout=timeout)  # type: ignore[no-any-return]
    async with connection.transaction():
        return await connection.fetch(statement, *arguments, timeout=timeout)  # type: ignore[no-any-return]


def drop(connection: Any) -> None:
    """Close a connection at once, even in the middle of a statement; a pool's may be gone already."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def fetch_to_end(
    connection: Any,
    statement: str,
    *arguments: Any,
    pooled: bool,
    end: float | None,
) -> list[asyncpg.Record]:
    """Run a statement in a transaction of its own, and never send the server a request to cancel it.

    To cancel a commit that waits for its standbys makes it visible without them. At `end`, in seconds of
    the loop's clock, and where the caller is cancelled, the connection is dropped instead; the statement goes
    on. Raises TimeoutError at the end, and NotReplicated where somebody else cancelled that wait.
    """
    overdue = alone = False

    def give_up() -> None:
        nonlocal overdue
        overdue = True
        drop(connection)

    def hear(_connection: Any, message: Any) -> None:
        # The warning's text depends on the server's language; where it comes from does not.
        nonlocal alone
        alone = alone or message.server_source_function == "SyncRepWaitForLSN"

    asking: Any = fetch_alone(connection, statement, *arguments, pooled=pooled)
    if pooled:
        # asyncpg would wait for its request to cancel before it rolls back.
        running = asyncio.ensure_future(asking)
        running.add_done_callback(lambda task: task.cancelled() or task.exception())
        asking = asyncio.shield(running)
    timer = None if end is None else asyncio.get_running_loop().call_at(end, give_up)
    connection.add_log_listener(hear)
    try:
        rows = await asking
    except asyncio.CancelledError:
        drop(connection)  # before asyncpg's request to cancel is on its way
        raise
    except Exception:
        if overdue:
            raise TimeoutError("the database did not answer in time") from None
        raise
    finally:
        if timer is not None:
            timer.cancel()
        with suppress(asyncpg.InterfaceError):  # a pool's connection is gone where it broke
            connection.remove_log_listener(hear)
    if alone:
        raise NotReplicated("the commit was not replicated")
    return rows  # type: ignore[no-any-return]
