"""The log's epoch as an ingress asks for it, and what an epoch lacks of what was acknowledged before it."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from projector.database import Queryable
from projector.log.read import read_epoch
from projector.statements import queries

_SQL: Final = queries("log")


class Missing(NamedTuple):
    """The place of a delivery among those asked about, from 0; `news`: nobody told of it before."""

    place: int
    news: bool


async def epoch_after(
    database: Queryable, known: uuid.UUID | None, seen: tuple[int, bytes] | None
) -> uuid.UUID:
    """Return the epoch in force. Where that is `known`, and the log lacks `seen`, a new one begins.

    `seen`: the position and digest of an event that was in the log.
    """
    if known is None or seen is None:
        return await read_epoch(database)
    rows = await database.fetch(_SQL["epoch_after"], known, *seen)
    return uuid.UUID(str(rows[0][0]))


async def note_losses(
    database: Queryable,
    replica: str,
    received_at: Sequence[datetime],
    event_ts: Sequence[int | None],
    digests: Sequence[bytes],
) -> list[Missing]:
    """Note, under the epoch in force, which of these acknowledged deliveries the log lacks; return them."""
    rows = await database.fetch(_SQL["note_losses"], replica, received_at, event_ts, digests)
    return [Missing(row["place"] - 1, row["news"]) for row in rows]
