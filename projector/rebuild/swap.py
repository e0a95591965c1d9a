"""The swap: a shadow becomes the live projection, in one short transaction.

First the rebuild takes the projection's lease, so whoever folds it is fenced off and the live position
stands still; then the shadow catches up to it; then tables change places, the checkpoint moves, and the
views are pointed at the new tables. Readers see the old rows until the commit and the new ones after it.

The rows of the shadow are new: a transaction with an older snapshot, as REPEATABLE READ keeps one, would find
the tables empty. So such transactions are waited for.

Views are locked before the tables under them, as readers do, and no lock is waited for as long as the server
takes to look for deadlocks: where the two meet all the same, it is the swap that gives way, never a reader.
"""

import asyncio
import re
from typing import Final

import asyncpg
import structlog

from projector.database import Connection, Database
from projector.errors import Fenced, ProjectorError
from projector.folding.tables import Projection, SequenceTable
from projector.rebuild.catch_up import Follower
from projector.schema import create_views
from projector.statements import queries

_SQL: Final = queries("state")

# Below the server's deadlock_timeout, which is 1 s. Every so often longer: only a wait of that time makes
# an autovacuum give way.
LOCK_TIMEOUT: Final = "250ms"
LONG_LOCK_TIMEOUT: Final = "1500ms"
LONG_EVERY: Final = 10
ATTEMPTS: Final = 240
PAUSE_SECONDS: Final = 0.5

_log = structlog.get_logger()


class SwapFailed(ProjectorError):
    """The new rows could not take the place of the old ones; the old ones stay, and are kept up."""


class _OlderSnapshot(Exception):
    """A transaction is open that would not see the shadow's rows."""


_PASSING: Final = (
    _OlderSnapshot, asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, Fenced,
)  # fmt: skip


async def swap(database: Database, follower: Follower, owner: str) -> int:
    """Put a caught-up shadow in the live tables' place; answers its position.

    Raises SwapFailed after some minutes of waiting for somebody's lock or transaction, or where something
    else than a view depends on the old tables.
    """
    name = follower.projection.name
    earlier = await database.fetchval(_SQL["earlier_readers"])
    for attempt in range(1, ATTEMPTS + 1):
        await follower.to_head()
        try:
            if earlier and (earlier := await database.fetchval(_SQL["still_open"], earlier)):
                raise _OlderSnapshot
            return await _attempt(
                database,
                follower,
                owner,
                LOCK_TIMEOUT if attempt % LONG_EVERY else LONG_LOCK_TIMEOUT,
            )
        except _PASSING as error:
            if attempt % LONG_EVERY == 1:
                _log.info("swap_waits", projection=name, reason=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
        except (asyncpg.DependentObjectsStillExistError, asyncpg.UndefinedColumnError):
            raise SwapFailed(
                f"{name} was folded afresh, but something of yours depends on its tables in schema `state`; "
                "build it on the views of schema `directory` instead and run the rebuild again"
            ) from None
    raise SwapFailed(
        f"{name} was folded afresh, but somebody holds a lock on its tables or views, or has a transaction "
        "open since before; end the long-running queries on the directory and run the rebuild again"
    )


async def _attempt(database: Database, follower: Follower, owner: str, lock_timeout: str) -> int:
    name = follower.projection.name
    live, epoch = (await database.fetch(_SQL["take_lease"], name, owner))[0]
    try:
        await follower.up_to(live)
        async with database.transaction() as connection:
            await connection.execute(f"SET LOCAL lock_timeout = '{lock_timeout}'")
            await _exchange(connection, follower, epoch)
    finally:
        await database.fetch(_SQL["give_lease_back"], name, owner)
    return follower.position


async def _exchange(connection: Connection, follower: Follower, epoch: int) -> None:
    projection, shadow = follower.projection, follower.schema
    before = await connection.fetchval(_SQL["version"], projection.name)
    moved = await connection.fetchval(
        _SQL["swap_checkpoint"],
        projection.name, epoch, follower.position, follower.digest, projection.version,
    )  # fmt: skip
    if moved != 1:
        raise Fenced(f"the lease on {projection.name} went elsewhere during the swap")
    same = before == projection.version
    await _point_views(connection, projection, "state", shadow if same else "state")
    await _change_places(connection, projection, shadow)
    await connection.execute(
        "DELETE FROM state.dead_letters WHERE projection = $1", projection.name
    )
    await connection.execute(f"INSERT INTO state.dead_letters SELECT * FROM {shadow}.dead_letters")
    if not same:
        await create_views(connection)
        await _point_views(connection, projection, f"{shadow}_retired", "state")
    # Not CASCADE: what somebody built on a table of state must not vanish without a word.
    for name in table_names(projection):
        await connection.execute(f"DROP TABLE IF EXISTS {shadow}_retired.{name}")
    await connection.execute(f"DROP SCHEMA {shadow}_retired")


async def _point_views(
    connection: Connection, projection: Projection, schema: str, target: str
) -> None:
    """Point every view on a projection's tables in a schema at those in another; locks the views."""
    names = table_names(projection)
    table = re.compile(rf"\b{schema}\.({'|'.join(names)})\b")
    views = await connection.fetch(_SQL["views_on"], [f"{schema}.{name}" for name in names])
    for view, definition in views:
        pointed = table.sub(rf"{target}.\1", definition)
        await connection.execute(f"CREATE OR REPLACE VIEW {view} AS {pointed}")


async def _change_places(connection: Connection, projection: Projection, shadow: str) -> None:
    await connection.execute(f"CREATE SCHEMA {shadow}_retired")
    for name in table_names(projection):
        # IF EXISTS: a new version may bring a table that the old one had not.
        await connection.execute(f"ALTER TABLE IF EXISTS state.{name} SET SCHEMA {shadow}_retired")
        await connection.execute(f"ALTER TABLE {shadow}.{name} SET SCHEMA state")


def table_names(projection: Projection) -> list[str]:
    """Every table of a projection, histories included."""
    names = []
    for table in projection.tables:
        names.append(table.name)
        if isinstance(table, SequenceTable):
            names.append(table.history)
    return names
