"""The bulk of a rebuild: one pass over the log for several projections, with bounded memory."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from projector.database import Database
from projector.event_names import ALIASES
from projector.folding.fold import EventsByName
from projector.rebuild.shadow import Shadow
from projector.runtime.batch import by_name, decode_rows
from projector.runtime.tasks import end, side_by_side
from projector.statements import queries

_SQL: Final = queries("log")

READ_ROWS: Final = 2000
READ_BYTES: Final = 2 * 1024 * 1024
# One read looks no further: events that a share does not fold may fill the log for long.
READ_POSITIONS: Final = 20_000


class Portion(NamedTuple):
    """The events of a pass up to a position, by name."""

    end: int
    events: EventsByName


async def fill(
    database: Database,
    shadows: Sequence[Shadow],
    target: int,
    memory: int,
    progress: Callable[[int], None],
) -> None:
    """Fold the log up to `target` into shadows; finish those that no other process fills.

    `memory`: about so many bytes of rows at once. `progress` is called with the position as it goes.
    """
    names = _names_in_log(shadows)
    position = 0
    reading = asyncio.create_task(_read(database, names, position, target))
    try:
        while position < target:
            position, events = await reading
            if position < target:
                reading = asyncio.create_task(_read(database, names, position, target))
            await _fold(shadows, events, memory)
            progress(position)
    finally:
        await end(reading)
    await side_by_side(*map(_finish, shadows))  # the database builds indexes so, too


def _names_in_log(shadows: Sequence[Shadow]) -> list[str]:
    """The names that the log gives the events which these projections fold."""
    names = set().union(*(shadow.events for shadow in shadows))
    return sorted(names | {alias for alias, name in ALIASES.items() if name in names})


async def _read(database: Database, names: list[str], position: int, target: int) -> Portion:
    until = min(position + READ_POSITIONS, target)
    rows = await database.fetch(
        _SQL["read_events"], position, READ_ROWS, until, READ_BYTES, names, timeout=60.0
    )
    return Portion(rows[-1][0] if rows else until, by_name(decode_rows(rows)))


async def _fold(shadows: Sequence[Shadow], events: EventsByName, memory: int) -> None:
    for shadow in shadows:
        await shadow.fold(events)
        await asyncio.sleep(0)  # heartbeats and the reader ahead get their turn
    while sum(shadow.weight for shadow in shadows) > memory:
        await max(shadows, key=lambda shadow: shadow.spares).spill()


async def _finish(shadow: Shadow) -> None:
    if shadow.events == shadow.projection.events:
        await shadow.finish()
    else:
        await shadow.write_runs()
