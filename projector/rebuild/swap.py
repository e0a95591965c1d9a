"""The swap: a shadow becomes the live projection, in one short transaction.

The rebuild takes the projection's lease, which fences off its folder and stops the live position; the shadow
catches up to it; the tables change places, the checkpoint moves, and the views are pointed at the new tables.
Readers see the old rows until the commit and the new ones after it.

A transaction with a snapshot older than the shadow's rows (REPEATABLE READ keeps one) would find the tables
empty, so the swap waits for such transactions to end.

Views are locked before their tables, as readers do, and most lock waits are shorter than deadlock_timeout: in
a deadlock the swap gives way, not a reader.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import asyncpg
import structlog

from projector.database import Connection, Database
from projector.errors import Fenced, SwapFailed
from projector.folding.tables import Projection
from projector.rebuild.catch_up import Follower
from projector.schema.migrate import create_views, stored_versions
from projector.state import shadow_sql
from projector.state.rebuilds import (
    act_as_oneself,
    act_as_projector,
    earlier_readers,
    give_lease_back,
    still_open,
    swap_checkpoint,
    take_lease,
    views_on,
)
from projector.state.store import LIVE

# Below the server's deadlock_timeout, 1 s by default. Every LONG_EVERY-th attempt waits longer: only that
# makes an autovacuum give way.
LOCK_WAIT_MS: Final = 250
LONG_LOCK_WAIT_MS: Final = 1500
LONG_EVERY: Final = 10
ATTEMPTS: Final = 240
PAUSE_SECONDS: Final = 0.5

_log = structlog.get_logger()


class _OlderSnapshot(Exception):
    """An open transaction would not see the shadow's rows."""


_RETRIED: Final = (
    _OlderSnapshot, asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, Fenced,
)  # fmt: skip


async def swap(database: Database, follower: Follower, owner: str) -> int:
    """Put a caught-up shadow in the live tables' place; returns its position.

    Raises SwapFailed after minutes of waiting for a lock or a transaction, if anything but a view depends on
    the old tables, or if this login may not replace them or a view on them.
    """
    name = follower.projection.name
    earlier = await earlier_readers(database)
    for attempt in range(1, ATTEMPTS + 1):
        await follower.to_head()
        try:
            if earlier and (earlier := await still_open(database, earlier)):
                raise _OlderSnapshot
            wait_ms = LOCK_WAIT_MS if attempt % LONG_EVERY else LONG_LOCK_WAIT_MS
            return await _attempt(database, follower, owner, wait_ms)
        except _RETRIED as error:
            if attempt % LONG_EVERY == 1:
                _log.info("swap_waits", projection=name, reason=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
        except asyncpg.InsufficientPrivilegeError as error:
            raise SwapFailed(
                f"{name} was not swapped in: this login may not replace its tables, or a view on them "
                f"({error.args[0]}); build views of yours on schema `directory`, let the schemas' owner run "
                "`projector migrate`, and run the rebuild again"
            ) from None
        except (asyncpg.DependentObjectsStillExistError, asyncpg.UndefinedColumnError):
            raise SwapFailed(
                f"{name} was not swapped in: an object of yours depends on its tables in schema `state`; "
                "build it on the views of schema `directory` instead and run the rebuild again"
            ) from None
    raise SwapFailed(
        f"{name} was not swapped in: its tables or views are locked, or an older transaction is open; "
        "end the long-running queries on the directory and run the rebuild again"
    )


async def _attempt(database: Database, follower: Follower, owner: str, lock_wait_ms: int) -> int:
    name = follower.projection.name
    live, epoch = await take_lease(database, name, owner)
    try:
        await follower.up_to(live)
        async with database.transaction() as connection:
            await connection.execute(shadow_sql.limit_lock_waits(lock_wait_ms))
            await _exchange(connection, follower, epoch)
    finally:
        await give_lease_back(database, name, owner)
    return follower.position


async def _exchange(connection: Connection, follower: Follower, epoch: int) -> None:
    projection, shadow = follower.projection, follower.schema
    version = projection.version
    before = (await stored_versions(connection))[projection.name]
    if not await swap_checkpoint(
        connection, projection.name, epoch, follower.position, follower.digest, version
    ):
        raise Fenced(f"the lease on {projection.name} was taken over during the swap")
    same = before == version
    await connection.execute(shadow_sql.create_schema(shadow_sql.retired(shadow)))
    await _point_views(connection, projection, LIVE, shadow if same else LIVE)
    await _execute(connection, shadow_sql.change_places(shadow, projection))
    if not same:
        await act_as_projector(connection)
        await create_views(connection)
        await act_as_oneself(connection)
        await _point_views(connection, projection, shadow_sql.retired(shadow), LIVE)
    await _execute(connection, shadow_sql.drop_retired(shadow, projection))


async def _point_views(
    connection: Connection, projection: Projection, source: str, target: str
) -> None:
    """Point the views on a projection's tables from one schema to another; locks the views."""
    names = projection.table_names
    for view in await views_on(connection, [f"{source}.{name}" for name in names]):
        statement = shadow_sql.point_view(view.name, view.definition, names, source, target)
        await connection.execute(statement)


async def _execute(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        await connection.execute(statement)
