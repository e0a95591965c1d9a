"""Changes of values as a person reads them: one entry an event, what belongs together in one part of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

import asyncpg

from projector.console.documents import parsed
from projector.console.snapshot import Snapshot

# In the order in which one event's changes are told.
ENTITIES: Final = (
    "user", "group", "personal_note", "user_settings", "group_settings", "group_locks", "account_settings",
    "account_locks", "group_admin", "membership",
)  # fmt: skip
LISTS: Final = frozenset({"membership", "group_admin"})
# Between positions so close it takes less to look for late events than to ask once more.
CLOSE: Final = 100

Key = tuple[str, str]  # account and id


class Named(NamedTuple):
    """Somebody or something that has a page of its own. `name` is None where nobody told one."""

    account_id: str
    id: str
    name: str | None


class Line(NamedTuple):
    """A changed value. None is "not there"; a length is given where the value is too long to be shown."""

    path: str
    before: Any
    after: Any
    before_length: int | None
    after_length: int | None


class Part(NamedTuple):
    """What an event did to one entity, or whom it added to or took from one list.

    `people` and `came` are those of a list; `lines` are those of any other entity.
    """

    entity: str
    person: Named | None
    group: Named | None
    lines: Sequence[Line]
    people: Sequence[Named]
    came: bool


class Entry(NamedTuple):
    """One event. `more`: how many of its values are not among the parts."""

    position: int
    account_id: str
    event: str
    changed_at: datetime
    changed_by: str | None
    source: str
    late: bool
    parts: Sequence[Part]
    more: int


class Names:
    """What people and groups are called."""

    def __init__(self, persons: Mapping[Key, str | None], groups: Mapping[Key, str | None]) -> None:
        self._persons = persons
        self._groups = groups

    def person(self, account: str, user_id: str | None) -> Named | None:
        """A person by id, or None without one."""
        return None if user_id is None else self._named(self._persons, account, user_id)

    def group(self, account: str, group_id: str | None) -> Named | None:
        """A group by id, or None without one."""
        return None if group_id is None else self._named(self._groups, account, group_id)

    @staticmethod
    def _named(names: Mapping[Key, str | None], account: str, key: str) -> Named:
        return Named(account, key, names.get((account, key)))


async def names_of(
    read: Snapshot,
    persons: Iterable[tuple[str, str | None]],
    groups: Iterable[tuple[str, str | None]],
) -> Names:
    """Read what people and groups are called, of accounts and ids."""
    return Names(
        await _names(read, "persons_named", "user_id", persons),
        await _names(read, "groups_named", "group_id", groups),
    )


async def _names(
    read: Snapshot, statement: str, column: str, keys: Iterable[tuple[str, str | None]]
) -> dict[Key, str | None]:
    wanted = sorted({(account, key) for account, key in keys if key is not None})
    if not wanted:
        return {}
    accounts, ids = zip(*wanted, strict=True)
    rows = await read.rows(statement, list(accounts), list(ids))
    return {(row["account_id"], row[column]): row["name"] for row in rows}


async def entries_of(read: Snapshot, rows: Sequence[asyncpg.Record]) -> list[Entry]:
    """Changes, sorted by position and then by entity, as entries."""
    names = await names_of(
        read,
        ((row["account_id"], row["user_id"]) for row in rows),
        ((row["account_id"], row["group_id"]) for row in rows),
    )
    late = await _late(read, sorted({int(row["position"]) for row in rows}))
    return [
        _entry(list(some), names, late=position in late)
        for position, some in groupby(rows, key=lambda row: int(row["position"]))
    ]


async def _late(read: Snapshot, positions: Sequence[int]) -> set[int]:
    """Which events came late, of those at some positions; asked for in one range where they stand close."""
    ranges: list[list[int]] = []
    for position in positions:
        if ranges and position - ranges[-1][1] <= CLOSE:
            ranges[-1][1] = position
        else:
            ranges.append([position - 1, position])
    if not ranges:
        return set()
    above, up_to = zip(*ranges, strict=True)
    return {row["position"] for row in await read.rows("late", list(above), list(up_to))}


def _entry(rows: Sequence[asyncpg.Record], names: Names, *, late: bool) -> Entry:
    first = rows[0]
    return Entry(
        first["position"], first["account_id"], first["event"], first["changed_at"], first["changed_by"],
        first["source"], late, list(_parts(rows, names)),
        first["numbers"] - len(rows),
    )  # fmt: skip


def _parts(rows: Sequence[asyncpg.Record], names: Names) -> Iterator[Part]:
    for (_, entity, _, came), grouped in groupby(sorted(rows, key=_belonging), key=_belonging):
        some = list(grouped)
        account, person, group = some[0]["account_id"], some[0]["user_id"], some[0]["group_id"]
        if entity in LISTS:
            people = [names.person(account, row["user_id"]) for row in some]
            found = [one for one in people if one is not None]
            yield Part(entity, None, names.group(account, group), (), found, came)
        else:
            lines = [_line(row) for row in some]
            of = names.person(account, person), names.group(account, group)
            yield Part(entity, *of, lines, (), came)


def _belonging(row: asyncpg.Record) -> tuple[int, str, str, bool]:
    """What a change is told together with."""
    entity = row["entity"]
    if entity in LISTS:
        return ENTITIES.index(entity), entity, row["group_id"], row["after_length"] is not None
    return ENTITIES.index(entity), entity, row["entity_id"], True


def _line(row: asyncpg.Record) -> Line:
    return Line(
        row["path"], parsed(row["before"]), parsed(row["after"]), row["before_length"], row["after_length"]
    )  # fmt: skip
