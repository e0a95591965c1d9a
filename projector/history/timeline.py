"""Timelines: everything that is known to have happened to a person or a group, in event order."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from projector.database import Database
from projector.errors import ProjectorError
from projector.statements import queries

_SQL: Final = queries("history")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Orders below and above all others.
_FIRST: Final = b""
_LAST: Final = b"\xff"


# How somebody is looked for, and whose timeline that is.
_SEARCHES: Final = (
    ("people_found", "timeline_of_person"),
    ("groups_found", "timeline_of_group"),
    ("people_found_in_lists", "timeline_of_person"),
)


class NotFound(ProjectorError):
    """No person and no group is known by that id, e-mail or name."""


@dataclass(frozen=True)
class Entry:
    """One changed value, or one sign-in. Times are aware; `before` and `after` are JSON values.

    `late`: the event came after later ones of the same entity had been folded.
    """

    account_id: str
    at: datetime
    entity: str
    group_id: str | None
    group_name: str | None
    user_id: str | None
    path: str
    before: Any
    after: Any
    by: str | None
    event: str | None
    position: int
    source: str | None
    received_at: datetime | None
    late: bool

    def as_json(self) -> dict[str, Any]:
        """The entry as a JSON object."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }


async def timelines(
    database: Database, who: str, since: datetime | None, until: datetime | None
) -> AsyncIterator[Entry]:
    """Yield the entries of every person that is meant, or else of every group, each in event order.

    `who`: an id in any case, an e-mail that somebody ever had, or a group's id or name. `since` is inclusive,
    `until` is not. Raises NotFound.
    """
    bounds = (_FIRST if since is None else _order(since), _LAST if until is None else _order(until))
    statement, found = await _found(database, who)
    for account, key in found:
        for row in await database.fetch(_SQL[statement], account, key, *bounds):
            yield _entry(account, row)


async def _found(database: Database, who: str) -> tuple[str, list[asyncpg.Record]]:
    """The statement that tells their timelines, and who is meant."""
    for search, statement in _SEARCHES:
        if found := await database.fetch(_SQL[search], who):
            return statement, found
    raise NotFound(
        "no person and no group is known by that; give a user id, an e-mail that the person has or had, "
        "or a group's id or name, as `directory.users` and `directory.groups` show them"
    )


async def people_found(database: Database, who: str) -> list[asyncpg.Record]:
    """Return (account, key) of whoever is meant by an id in any case, or an e-mail that they ever had."""
    found = await database.fetch(_SQL["people_found"], who)
    return found or await database.fetch(_SQL["people_found_in_lists"], who)


def _order(moment: datetime) -> bytes:
    """The least order of the events at a moment or later."""
    ms = -((_EPOCH - moment) // timedelta(milliseconds=1))
    return max(ms, 0).to_bytes(8, "big")


def _entry(account: str, row: asyncpg.Record) -> Entry:
    values = dict(row)
    for side in ("before", "after"):
        values[side] = None if values[side] is None else json.loads(values[side])
    return Entry(account, **values)


def parsed_moment(text: str) -> datetime:
    """A date or a time in ISO 8601; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
