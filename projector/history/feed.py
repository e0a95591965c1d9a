"""The feed: what changed in the directory, in the order of the log.

Invariant: whoever applies the lines in their order, and keeps the cursor of the last one beside what it
wrote, has the directory's values as soon as the feed is at the head, wherever it was killed.

A page is read in one snapshot, up to where every projection has folded. Whatever a late event does to what
was told before is told by restating the entities that it concerns; so a line need never be taken back.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeAlias

import asyncpg

from projector.database import Database, Queryable
from projector.folding.documents import ABSENT
from projector.history.concerned import Entity, InLists, concerned
from projector.history.cursor import Cursor, CursorRefused, folds_of
from projector.history.lines import OF_LISTS, Line, Subject
from projector.log.read import digest_at, read, read_epoch, read_events
from projector.projections import PROJECTIONS
from projector.projections.declarations import DECLARATIONS
from projector.projections.dismissals import DISMISSALS
from projector.state.batch import decode_rows
from projector.state.versions import check_versions
from projector.statements import queries
from projector.zoom.events import Event

_SQL: Final = queries("history")

# What the feed is made of. What is dismissed or declared is no change: no cursor depends on who does so.
TOLD: Final = tuple(
    projection for projection in PROJECTIONS if projection not in (DISMISSALS, DECLARATIONS)
)

POSITIONS_AT_ONCE: Final = 500
BYTES_AT_ONCE: Final = 2 * 1024 * 1024
DIGEST_BYTES: Final = 8
READ_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Page:
    """Lines with the cursor of each, and the cursor after all of them. `more`: the log goes on."""

    lines: Sequence[tuple[Line, Cursor]]
    cursor: Cursor
    more: bool


# An event's position, whom of a list it concerns (account, person, group), its order, and `by_email`.
_InList: TypeAlias = tuple[int, str, str | None, str | None, bytes, bool]


class Folded(NamedTuple):
    """How far every projection has folded, and how far those that are ahead of others; 0 where none is."""

    everything: int
    ahead: int


async def cursor_at(database: Queryable, folded: Folded) -> Cursor:
    """The cursor of a consumer that knows what the projections have folded."""
    digest = await digest_at(database, folded.everything)
    return Cursor(
        await read_epoch(database), folds_of(TOLD), folded.everything,
        (digest or b"")[:DIGEST_BYTES], ahead=folded.ahead,
    )  # fmt: skip


async def cursor_at_start(database: Queryable) -> Cursor:
    """The cursor of a consumer that knows nothing."""
    return await cursor_at(database, Folded(0, 0))


async def folded_up_to(database: Queryable) -> Folded:
    """How far the projections have folded."""
    names = [projection.name for projection in TOLD]
    return Folded(*(await database.fetch(_SQL["folded_up_to"], names))[0])


async def check_cursor(database: Database, cursor: Cursor) -> None:
    """Raise CursorRefused where the feed cannot go on from a cursor."""
    advice = "take a new `projector snapshot` and go on from its cursor"
    if cursor.epoch != await read_epoch(database):
        raise CursorRefused(
            "that cursor is of another epoch of the log: the database was restored, moved or promoted; "
            + advice
        )
    if cursor.folds != folds_of(TOLD):
        raise CursorRefused(
            f"that cursor is of another release, whose folds told the past otherwise; {advice}"
        )
    digest = await digest_at(database, cursor.position)
    if (digest or b"")[:DIGEST_BYTES] != cursor.digest:
        await read_epoch(database, gone=cursor.epoch)
        raise CursorRefused(
            f"the log has gone back since that cursor was given, and has begun a new epoch; {advice}"
        )


async def read_page(database: Database, cursor: Cursor) -> Page:
    """Read the next lines after a cursor. Raises CursorRefused, and SchemaMismatch of other versions."""
    await check_cursor(database, cursor)
    async with database.transaction(isolation="repeatable_read", readonly=True) as snapshot:
        await check_versions(snapshot, TOLD)
        head, ahead = await folded_up_to(snapshot)
        rows = await read(
            snapshot, cursor.position, until=head,
            rows=POSITIONS_AT_ONCE, size=BYTES_AT_ONCE, timeout=READ_SECONDS,
        )  # fmt: skip
        if not rows:
            return Page([], cursor, more=False)
        lines = await _lines(snapshot, decode_rows(rows), cursor.ahead)
    cursor = replace(cursor, ahead=max(cursor.ahead, ahead))
    end, digest = rows[-1][0], rows[-1][2]
    last = replace(cursor, position=end, digest=digest[:DIGEST_BYTES], told=b"")
    digests = {row[0]: row[2][:DIGEST_BYTES] for row in rows}
    digests[cursor.position] = cursor.digest
    return Page(list(_with_cursors(lines, cursor, digests)), last, more=end < head)


def _with_cursors(
    lines: Iterable[Line], cursor: Cursor, digests: dict[int, bytes]
) -> Iterable[tuple[Line, Cursor]]:
    """Give each line its cursor; leaves out those that the first position has told already."""
    by_position: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if line.position > cursor.position + 1 or line.place > cursor.told:
            by_position[line.position].append(line)
    for position, some in sorted(by_position.items()):
        before = position - 1
        for line in some[:-1]:
            yield line, replace(cursor, position=before, digest=digests[before], told=line.place)
        yield some[-1], replace(cursor, position=position, digest=digests[position], told=b"")


async def _lines(database: Queryable, events: Sequence[Event], ahead: int) -> list[Line]:
    """The lines of some events, by position: first what changed, then what is told anew."""
    entities: list[tuple[int, str, str, str, bytes]] = []
    people: dict[str, list[_InList]] = defaultdict(list)
    for event in events:
        for one in dict.fromkeys(concerned(event)):
            match one:
                case Entity():
                    entities.append((event.position, *one, event.order))
                case InLists(lists, account, person, group, by_email):
                    for name in lists:
                        people[name].append(
                            (event.position, account, person, group, event.order, by_email)
                        )
    lines = await _of_entities(database, entities, ahead)
    for name, some in people.items():
        lines += await _of_list(database, name, some, ahead)
    rows = await read_events(database, sorted({line.position for line in lines}))
    told = {row["position"]: row for row in rows}
    lines = [_attributed(line, told[line.position]) for line in lines]
    return sorted(lines, key=lambda line: (line.position, line.place))


async def _of_entities(
    database: Queryable, concerned: Sequence[tuple[int, str, str, str, bytes]], ahead: int
) -> list[Line]:
    if not concerned:
        return []
    rows = await database.fetch(_SQL["changed_values"], *_columns(concerned), ahead)
    late = {(row["position"], _entity(row)) for row in rows if row["late"]}
    lines = [
        Line(
            "change", _subject(row), row["position"], row["path"], _json(row["before"]), _json(row["after"]),
            changed_at=row["changed_at"], changed_by=row["by"], late=row["late"],
        )
        for row in rows
        if row["path"] is not None
    ]  # fmt: skip
    now = await _values_now(database, {entity for _, entity in late})
    for position, entity in late:
        subject, values = now.get(entity, (_nothing_known(entity), {}))
        lines.append(Line("restated", subject, position, values=values))
    return lines


async def _values_now(
    database: Queryable, entities: Iterable[Entity]
) -> dict[Entity, tuple[Subject, dict[str, Any]]]:
    wanted = list(entities)
    if not wanted:
        return {}
    found: dict[Entity, tuple[Subject, dict[str, Any]]] = {}
    for row in await database.fetch(_SQL["values_now"], *_columns(wanted)):
        _, values = found.setdefault(_entity(row), (_subject(row), {}))
        if row["after"] is not None:
            values[row["path"]] = json.loads(row["after"])
    return found


async def _of_list(
    database: Queryable,
    name: str,
    concerned: Sequence[_InList],
    ahead: int,
) -> list[Line]:
    statement = _SQL["changed_memberships" if name == "memberships" else "changed_group_admins"]
    rows = await database.fetch(statement, *_columns(concerned), ahead)
    lines = [
        Line(
            "change", _place(name, row, row["user_id"]), row["position"], "member",
            ABSENT if row["came"] else True, True if row["came"] else ABSENT,
            changed_at=row["changed_at"], changed_by=row["by"], late=row["late"],
        )
        for row in rows
        if row["came"] is not None
    ]  # fmt: skip
    restated = {
        (row["position"], row["account_id"], row["group_id"], row["person_key"]): row
        for row in rows
        if row["late"]
    }
    for row in restated.values():
        values = {"member": True} if row["now"] else {}
        subject = _place(name, row, row["now_user_id"])
        lines.append(Line("restated", subject, row["position"], values=values))
    return lines


def _attributed(line: Line, row: asyncpg.Record) -> Line:
    """A line with what the log says of its event."""
    if line.kind == "restated":
        return line
    return replace(line, event=row["event"], source=row["source"])


def _entity(row: asyncpg.Record) -> Entity:
    return Entity(row["entity"], row["account_id"], row["entity_key"])


def _subject(row: asyncpg.Record) -> Subject:
    entity_id = row["entity_id"] or row["entity_key"]
    return Subject(row["account_id"], row["entity"], entity_id, row["group_id"], row["user_id"])


def _nothing_known(entity: Entity) -> Subject:
    return Subject(entity.account_id, entity.entity, entity.entity_key)


def _place(name: str, row: asyncpg.Record, user_id: str) -> Subject:
    return Subject(row["account_id"], OF_LISTS[name], user_id, row["group_id"], user_id)


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _json(text: str | None) -> Any:
    return ABSENT if text is None else json.loads(text)


async def pages(database: Database, cursor: Cursor) -> AsyncIterator[Page]:
    """Yield page after page, up to where the projections are."""
    while True:
        page = await read_page(database, cursor)
        yield page
        if not page.more:
            return
        cursor = page.cursor
