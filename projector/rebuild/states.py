"""The states and versions of a sequence table: each entity of a slice is folded once, from its whole history.

A state depends on its events, not on their order of arrival: late events need no special treatment, and
slices are independent.
"""

from collections.abc import AsyncIterator
from itertools import groupby
from typing import Any, Final

from projector.database import Connection
from projector.folding.fold import fold_entity
from projector.folding.tables import DeadLetter, Key, Row, SequenceTable
from projector.folding.versions import in_stretches
from projector.log.read import read_at
from projector.rebuild.versions import Versions
from projector.state import shadow_sql
from projector.state.batch import decode_rows
from projector.state.codec import codec_of
from projector.state.rebuilds import reads_no_view
from projector.state.shadow import STATEMENT_SECONDS, Shadow

# Events fetched at once; larger bodies (bytes) are read one by one, so a page has at most 32 MiB.
EVENTS_AT_ONCE: Final = 500
LARGEST_BODY: Final = 64 * 1024
MOST_LETTERS: Final = 10_000

History = list[tuple[Any, ...]]


async def fold_states(shadow: Shadow, part: int, parts: int) -> None:
    """Fold the entities of one slice of a shadow's sequence table and write their states."""
    table = shadow.projection.sequence
    assert table is not None  # noqa: S101  only sequence tables have such tasks
    async with shadow.database.transaction() as connection:
        await reads_no_view(connection)
        histories = _histories(connection, shadow, table, part, parts)
        await shadow.copy(table.name, codec_of(table).columns, _states(shadow, table, histories))


async def _states(
    shadow: Shadow, table: SequenceTable, histories: AsyncIterator[tuple[Key, History]]
) -> AsyncIterator[tuple[Any, ...]]:
    """Yield the state of each entity, as COPY takes it; writes the versions and the dead letters."""
    record = codec_of(table).record
    versions = Versions(shadow, table.versions)
    dead: list[DeadLetter] = []
    async for key, rows in histories:
        mine: list[Row] = []
        state, unfolded = fold_entity(table, table.start(key), decode_rows(rows), mine)
        dead += unfolded
        yield record(state)
        await versions.add(in_stretches(mine))
        if len(dead) > MOST_LETTERS:
            await shadow.write_dead_letters(dead)
            dead.clear()
    await versions.write()
    await shadow.write_dead_letters(dead)


async def _histories(
    connection: Connection, shadow: Shadow, table: SequenceTable, part: int, parts: int
) -> AsyncIterator[tuple[Key, History]]:
    """Yield each entity of a slice with the rows of all its events."""
    statement = shadow_sql.histories(shadow.schema, table)
    cursor = await connection.cursor(
        statement, part, parts, LARGEST_BODY, timeout=STATEMENT_SECONDS
    )
    key: Key | None = None
    history: History = []
    while records := await cursor.fetch(EVENTS_AT_ONCE, timeout=STATEMENT_SECONDS):
        for next_key, group in groupby(records, lambda record: tuple(record[: table.key])):
            if next_key != key:
                if key is not None:
                    yield key, history
                key, history = next_key, []
            for record in group:
                history.append(tuple(record[table.key : -1]))
                if record["body"] is None and record[-1] is not None:
                    history[-1:] = map(tuple, await read_at(shadow.database, [record["position"]]))
    if key is not None:
        yield key, history
