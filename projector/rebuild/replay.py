"""Replays: the directory as it would have been, folded from what was known then, in a schema of its own.

A replay is filled as the shadows of a rebuild are, by the same functions. It is read by views with the same
text as those of `directory`, and nothing keeps it up to date.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from projector.database import Database
from projector.errors import ProjectorError
from projector.log.read import last_received_by, read_head
from projector.projections import PROJECTIONS
from projector.rebuild.fill import Progress, fill_shadows
from projector.schema.replayed import replayed_views, rows_schema
from projector.state import replay_sql
from projector.state.rebuilds import act_as_projector, replay_schemas
from projector.state.shadow import Shadow

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,30}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ReplayRefused(ProjectorError):
    """A replay cannot be made, or dropped, under that name."""


@dataclass(frozen=True)
class Replay:
    """What to replay: the events known at a position or time, and of these those up to the moment `at`."""

    into: str
    known_at: int | datetime
    at: datetime | None = None


async def replay(
    database: Database, wanted: Replay, progress: Progress, *, processes: int | None = None
) -> int:
    """Make a replay; returns the position up to which the log was known. Readers may read it.

    Raises ReplayRefused where the name is not free or is no name, or where the position is beyond the head.
    """
    _check_name(wanted.into)
    target = await _known(database, wanted.known_at)
    await _begin(database, wanted.into)
    shadows = [Shadow(database, p, f"{wanted.into}_fill_{p.name}") for p in PROJECTIONS]
    try:
        await fill_shadows(
            database, shadows, progress,
            target=target, processes=processes, until_ms=None if wanted.at is None else _ms(wanted.at),
        )  # fmt: skip
        await _finish(database, wanted.into, shadows)
    except BaseException:
        await _drop(database, wanted.into)
        raise
    return target


async def drop_replay(database: Database, into: str) -> None:
    """Drop a replay, also one whose making was cut off. Raises ReplayRefused where there is none."""
    _check_name(into)
    if into not in await replay_schemas(database, into, replay_sql.MARK):
        raise ReplayRefused(
            f"there is no replay in schema {into}; `\\dn+` in psql lists those there are, by their comment"
        )
    await _drop(database, into)


def _check_name(into: str) -> None:
    if not _NAME.fullmatch(into) or into.startswith("pg_"):
        raise ReplayRefused(
            "--into takes the name of a schema that does not exist yet: at most 31 small letters, digits and "
            "underscores, such as as_known_in_march"
        )


async def _known(database: Database, known_at: int | datetime) -> int:
    head = await read_head(database)
    if isinstance(known_at, datetime):
        return await last_received_by(database, known_at)
    if known_at > head:
        raise ReplayRefused(
            f"the log ends at position {head}, so nothing is known at {known_at}; give a position up to that"
        )
    return known_at


async def _begin(database: Database, into: str) -> None:
    rows = rows_schema(into)
    try:
        async with database.transaction() as connection:
            await connection.execute(replay_sql.create_schema(into))
            await connection.execute(replay_sql.create_schema(rows))
            await act_as_projector(connection)
            await connection.execute(replay_sql.create_dead_letters(rows))
    except asyncpg.PostgresSyntaxError:
        raise ReplayRefused(
            f"{into} is a word of SQL; choose another name for the schema"
        ) from None
    except (asyncpg.DuplicateSchemaError, asyncpg.UniqueViolationError):
        raise ReplayRefused(
            f"schema {into} or {rows} exists already; choose another name, or remove a replay with "
            f"`projector replay --drop --into {into}`"
        ) from None


async def _finish(database: Database, into: str, shadows: Sequence[Shadow]) -> None:
    async with database.transaction() as connection:
        await act_as_projector(connection)
        for shadow in shadows:
            for statement in replay_sql.move_in(
                shadow.schema, shadow.projection, rows_schema(into)
            ):
                await connection.execute(statement)
        for text in replayed_views(into):
            await connection.execute(text)
        await connection.execute(replay_sql.let_read(into))


async def _drop(database: Database, into: str) -> None:
    """Drop everything of a replay, what filled it included, a schema at a time for the sake of locks."""
    fills = [f"{into}_fill_{projection.name}" for projection in PROJECTIONS]
    for schema in (*fills, into, rows_schema(into)):
        await database.fetch(replay_sql.drop_schema(schema))


def _ms(moment: datetime) -> int:
    """The greatest epoch millisecond up to a moment."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
