"""Dead letters: list them, and fold them again after an upgrade."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg

from projector.database import Connection, Database
from projector.folding.tables import Projection
from projector.log.read import read_at
from projector.projections import PROJECTIONS
from projector.state.batch import by_name, decode_rows
from projector.state.checkpoints import fence_checkpoint
from projector.state.folder import CONTENT_ERRORS
from projector.state.store import HistoryTooLong, Move, Store
from projector.state.versions import check_versions
from projector.statements import queries

_SQL: Final = queries("state")

RETRIED_AT_ONCE: Final = 500


class Retried(NamedTuple):
    """The result of a retry: how many dead letters were folded, and how many are left."""

    folded: int
    left: int


async def list_dead_letters(database: Database) -> list[asyncpg.Record]:
    """Rows of position, projection, event, error, failed_at."""
    return await database.fetch(_SQL["dead_letters"])


async def retry_dead_letters(database: Database) -> Retried:
    """Fold every dead letter again, each at its place in event time.

    Raises SchemaMismatch if another release wrote a projection's rows.
    """
    rows = await list_dead_letters(database)
    folded = 0
    for projection in PROJECTIONS:
        positions = [row["position"] for row in rows if row["projection"] == projection.name]
        for start in range(0, len(positions), RETRIED_AT_ONCE):
            folded += await _retry(database, projection, positions[start : start + RETRIED_AT_ONCE])
    return Retried(folded, len(rows) - folded)


async def _retry(database: Database, projection: Projection, positions: Sequence[int]) -> int:
    try:
        async with database.transaction() as connection:
            return await _fold_again(connection, projection, positions)
    except (*CONTENT_ERRORS, HistoryTooLong):
        if len(positions) == 1:
            return 0
        middle = len(positions) // 2
        return await _retry(database, projection, positions[:middle]) + await _retry(
            database, projection, positions[middle:]
        )


async def _fold_again(
    connection: Connection, projection: Projection, positions: Sequence[int]
) -> int:
    """Fold some events into the current rows.

    The lock on the checkpoint keeps batches from writing, and the new epoch fences a batch that has
    loaded its rows already.
    """
    checkpoint = await fence_checkpoint(connection, projection.name)
    await check_versions(connection, [projection])
    records = await read_at(connection, positions)
    store = Store(connection)
    change = await store.fold(projection, by_name(decode_rows(records)))
    still_dead = {letter.position for letter in change.dead}
    folded = [position for position in positions if position not in still_dead]
    position, digest, epoch = checkpoint
    move = Move(position, epoch, position, digest)
    await store.write(projection, change, move)
    await connection.execute(_SQL["forget_dead_letters"], projection.name, folded)
    return len(folded)
