"""The swap: a shadow becomes the live projection, in one short transaction.

First the rebuild takes the projection's lease, so whoever folds it is fenced off and the live position
stands still; then the shadow catches up to it; then tables change places, the checkpoint moves, and the
views are pointed at the new tables. Readers see the old rows until the commit and the new ones after it.
"""

import asyncio
from typing import Final

import asyncpg
import structlog

from projector.database import Connection, Database
from projector.errors import Fenced, ProjectorError
from projector.folding.tables import Projection, SequenceTable
from projector.rebuild.catch_up import Follower
from projector.rebuild.shadow import schema_of
from projector.schema import create_views
from projector.statements import queries

_SQL: Final = queries("state")

LOCK_TIMEOUT: Final = "1s"
ATTEMPTS: Final = 120
PAUSE_SECONDS: Final = 1.0

_log = structlog.get_logger()


class SwapFailed(ProjectorError):
    """The new rows could not take the place of the old ones; the old ones stay, and are kept up."""


async def swap(database: Database, follower: Follower, owner: str) -> int:
    """Put a caught-up shadow in the live tables' place; answers its position.

    Raises SwapFailed after two minutes of waiting for somebody's lock.
    """
    for attempt in range(ATTEMPTS):
        await follower.to_head()
        try:
            return await _attempt(database, follower, owner)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, Fenced) as error:
            _log.info("swap_waits", projection=follower.projection.name, error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS * min(attempt + 1, 5) / 5)
    raise SwapFailed(
        f"{follower.projection.name} was folded afresh, but somebody holds a lock on its tables or views; "
        "end the long-running queries on it and run the rebuild again"
    )


async def _attempt(database: Database, follower: Follower, owner: str) -> int:
    name = follower.projection.name
    rows = await database.fetch(_SQL["take_lease"], name, owner)
    live, epoch = rows[0]
    try:
        await follower.up_to(live)
        async with database.transaction() as connection:
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            await _exchange(connection, follower, epoch)
    finally:
        await database.fetch(_SQL["give_lease_back"], name, owner)
        await database.fetch("SELECT pg_notify('projector_lease', '')")
    return follower.position


async def _exchange(connection: Connection, follower: Follower, epoch: int) -> None:
    projection = follower.projection
    moved = await connection.fetchval(
        _SQL["swap_checkpoint"],
        projection.name, epoch, follower.position, follower.digest, projection.version,
    )  # fmt: skip
    if moved != 1:
        raise Fenced(f"the lease on {projection.name} went elsewhere during the swap")
    shadow, names = schema_of(projection), list(table_names(projection))
    retired = f"{shadow}_retired"
    await connection.execute(f"CREATE SCHEMA {retired}")
    for name in names:
        await connection.execute(f"ALTER TABLE state.{name} SET SCHEMA {retired}")
        await connection.execute(f"ALTER TABLE {shadow}.{name} SET SCHEMA state")
    await connection.execute(
        "DELETE FROM state.dead_letters WHERE projection = $1", projection.name
    )
    await connection.execute(
        f"INSERT INTO state.dead_letters SELECT * FROM {shadow}.dead_letters"
    )
    await create_views(connection)
    for name in names:
        # Not CASCADE: what somebody built on a table of state must not vanish without a word.
        await connection.execute(f"DROP TABLE {retired}.{name}")
    await connection.execute(f"DROP SCHEMA {retired}")


def table_names(projection: Projection) -> list[str]:
    """Every table of a projection, histories included."""
    names = []
    for table in projection.tables:
        names.append(table.name)
        if isinstance(table, SequenceTable):
            names.append(table.history)
    return names
