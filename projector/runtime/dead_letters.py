"""Dead letters: list them, and fold them in their proper place after an upgrade."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg

from projector.database import Connection, Database
from projector.folding.tables import Projection
from projector.projections import PROJECTIONS
from projector.runtime.batch import by_name, decode_rows
from projector.runtime.store import HistoryTooLong, Move, Store
from projector.runtime.versions import check_versions
from projector.runtime.worker import SPOILED
from projector.statements import queries

_SQL: Final = queries("state")
_LOG_SQL: Final = queries("log")

RETRIED_AT_ONCE: Final = 500


class Retried(NamedTuple):
    """What a retry did: dead letters that folded, and those that still do not."""

    folded: int
    left: int


async def list_dead_letters(database: Database) -> list[asyncpg.Record]:
    """Rows of position, projection, event, error, failed_at."""
    return await database.fetch(_SQL["dead_letters"])


async def retry_dead_letters(database: Database) -> Retried:
    """Fold every dead letter again, each where its event time puts it.

    Raises SchemaMismatch where a projection's rows are another release's.
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
    except (*SPOILED, HistoryTooLong):
        if len(positions) == 1:
            return 0
        middle = len(positions) // 2
        return await _retry(database, projection, positions[:middle]) + await _retry(
            database, projection, positions[middle:]
        )


async def _fold_again(
    connection: Connection, projection: Projection, positions: Sequence[int]
) -> int:
    """Fold some events into the rows as they stand.

    The locked checkpoint keeps batches away, and the new epoch what a batch has loaded before.
    """
    row = await connection.fetchrow(_SQL["fence_checkpoint"], projection.name)
    assert row is not None  # noqa: S101  migrate made one for every projection
    await check_versions(connection, [projection])
    records = await connection.fetch(_LOG_SQL["read_positions"], list(positions))
    store = Store(connection)
    change = await store.fold(projection, by_name(decode_rows(records)))
    still_dead = {letter.position for letter in change.dead}
    folded = [position for position in positions if position not in still_dead]
    move = Move(row["position"], row["epoch"], row["position"], row["digest"])
    await store.write(projection, change, move)
    await connection.execute(_SQL["forget_dead_letters"], projection.name, folded)
    return len(folded)
