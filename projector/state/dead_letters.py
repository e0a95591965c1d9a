"""Dead letters: list them, and fold them again after an upgrade."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from projector.database import Connection, Database, Queryable
from projector.folding.tables import Projection
from projector.log.read import read_at
from projector.projections import PROJECTIONS
from projector.state.batch import by_name, decode_rows
from projector.state.checkpoints import fence_checkpoint
from projector.state.folder import CONTENT_ERRORS, write_failed
from projector.state.store import HistoryTooLong, Move, Store
from projector.state.versions import check_versions
from projector.statements import queries

_SQL: Final = queries("state")

RETRIED_AT_ONCE: Final = 500


class Listed(NamedTuple):
    """A dead letter. `digest`: SHA-256 of the event's bytes, in hex. The last three: of a dismissed one."""

    position: int
    projection: str
    event: str
    error: str
    failed_at: datetime
    digest: str
    dismissed_at: datetime | None
    dismissed_by: str | None
    reason: str | None


class Left(NamedTuple):
    """A dead letter that a retry left, and why."""

    position: int
    projection: str
    why: str


class Retried(NamedTuple):
    """The result of a retry: how many dead letters were folded, and which are left."""

    folded: int
    left: Sequence[Left]


async def list_dead_letters(
    database: Queryable,
    *,
    dismissed: bool | None = False,
    positions: Sequence[int] | None = None,
) -> list[Listed]:
    """Return the dead letters that nobody dismissed, or those that somebody did, or (None) both.

    `positions`: those alone.
    """
    at = None if positions is None else list(positions)
    return [Listed(*row) for row in await database.fetch(_SQL["dead_letters"], dismissed, at)]


async def retry_dead_letters(database: Database, positions: Sequence[int] | None = None) -> Retried:
    """Fold dead letters again, each at its place in event time: those at some positions, or all.

    All leaves out what is dismissed. Raises SchemaMismatch if another release wrote a projection's rows.
    """
    dismissed = False if positions is None else None
    rows = await list_dead_letters(database, dismissed=dismissed, positions=positions)
    left: list[Left] = []
    for projection in PROJECTIONS:
        mine = [row.position for row in rows if row.projection == projection.name]
        for start in range(0, len(mine), RETRIED_AT_ONCE):
            left += await _retry(database, projection, mine[start : start + RETRIED_AT_ONCE])
    known = {projection.name for projection in PROJECTIONS}
    left += [
        Left(row.position, row.projection, "this release has no such projection")
        for row in rows
        if row.projection not in known
    ]
    return Retried(len(rows) - len(left), sorted(left))


async def _retry(
    database: Database, projection: Projection, positions: Sequence[int]
) -> list[Left]:
    try:
        async with database.transaction() as connection:
            return await _fold_again(connection, projection, positions)
    except (*CONTENT_ERRORS, HistoryTooLong) as error:
        if len(positions) == 1:
            return [Left(positions[0], projection.name, write_failed(error))]
        middle = len(positions) // 2
        first, second = positions[:middle], positions[middle:]
        left = await _retry(database, projection, first)
        return left + await _retry(database, projection, second)


async def _fold_again(
    connection: Connection, projection: Projection, positions: Sequence[int]
) -> list[Left]:
    """Fold some events into the current rows; returns those that are left.

    The lock on the checkpoint keeps batches from writing, and the new epoch fences a batch that has
    loaded its rows already.
    """
    checkpoint = await fence_checkpoint(connection, projection.name)
    await check_versions(connection, [projection])
    records = await read_at(connection, positions)
    store = Store(connection)
    change = await store.fold(projection, by_name(decode_rows(records)))
    why = {letter.position: letter.error for letter in reversed(change.dead)}
    folded = [position for position in positions if position not in why]
    position, digest, epoch = checkpoint
    move = Move(position, epoch, position, digest)
    await store.write(projection, change, move)
    await connection.execute(_SQL["forget_dead_letters"], projection.name, folded)
    return [Left(position, projection.name, error) for position, error in why.items()]
