"""Reads the lists of what stands open, in pages by key."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import asyncpg

from projector.console.asked import LARGEST_POSITION, Asked, written_key
from projector.console.documents import parsed
from projector.console.errors import Misasked
from projector.console.looking_back import look_back
from projector.console.snapshot import Snapshot
from projector.console.standing_lists import CORRECTIONS, LISTS, List
from projector.console.told_changes import Names, names_of
from projector.operations.drift import ACKNOWLEDGE, remedy

Rows = Sequence[asyncpg.Record]


class Listed(NamedTuple):
    """Rows of a list, and where the next page begins, or None.

    `down_to`: the position down to which the list was looked for, where that is not all of the log.
    """

    rows: Sequence[Mapping[str, Any]]
    next: str | None
    down_to: int | None = None


async def read_list(read: Snapshot, one: List, after: Sequence[Any] | None, limit: int) -> Listed:
    """Return the rows of a list after a key, or its first."""
    if one is CORRECTIONS:
        return await _read_corrections(read, after, limit)
    found = await read.rows(one.statement, *(after or one.key.values()), limit + 1)
    rows = [_shown(one, row) for row in found[:limit]]
    return Listed(rows, _key(one, rows[-1]) if len(found) > limit else None)


async def _read_corrections(read: Snapshot, after: Sequence[Any] | None, limit: int) -> Listed:
    """Return corrections as far as a page looks back; they are found by positions of the log."""
    position, tie = cast("tuple[int, str]", after or tuple(CORRECTIONS.key.values()))
    [row] = await read.rows("head")

    async def stride(above: int, up_to: int, so_far: Rows) -> Rows:
        return await read.rows(
            CORRECTIONS.statement, above, up_to, position, tie, limit + 1 - len(so_far)
        )

    newest = min(position if tie else position - 1, row["head"])
    # They are few, and not found by an index.
    found = await look_back(
        newest, stride, lambda rows: len(rows) > limit, first=1_000, seconds=0.05
    )
    rows = [_shown(CORRECTIONS, row) for row in found.rows[:limit]]
    if found.full:
        return Listed(rows, _key(CORRECTIONS, rows[-1]))
    if found.down_to > 1:
        return Listed(rows, written_key(str(found.down_to), ""), found.down_to)
    return Listed(rows, None)


def _key(one: List, row: Mapping[str, Any]) -> str:
    """Where the page after a row begins."""
    return written_key(*(str(row[column]) for column in one.key))


def after_of(asked: Asked, one: List) -> list[Any] | None:
    """The key after which an address asks for a list. Raises Misasked."""
    key = asked.key("after", len(one.key))
    if key is None:
        return None
    return [_like(first, part) for first, part in zip(one.key.values(), key, strict=True)]


def _like(first: str | int, part: str) -> str | int:
    if isinstance(first, str):
        return part
    if not part.isascii() or not part.isdigit() or int(part) > LARGEST_POSITION:
        raise Misasked("after takes a place in the list, as the links to its pages give it")
    return int(part)


async def lists_there(read: Snapshot) -> list[List]:
    """The lists whose views are there."""
    rows = await read.rows("views_there", [one.view for one in LISTS])
    there = {row["view"] for row in rows}
    return [one for one in LISTS if one.view in there]


async def names_in(read: Snapshot, lists: Sequence[Listed]) -> Names:
    """What those are called whom the rows of some lists name."""
    rows = [row for shown in lists for row in shown.rows if "account_id" in row]
    return await names_of(
        read,
        ((row["account_id"], row["user_id"]) for row in rows),
        ((row["account_id"], row["group_id"]) for row in rows),
    )


def _shown(one: List, row: asyncpg.Record) -> Mapping[str, Any]:
    """A row with what its template needs beside its columns."""
    shown = dict(row)
    for side in ("before", "after"):
        if side in shown:
            shown[side] = parsed(shown[side])
    if "entity_id" in shown and "user_id" not in shown:
        of_group = shown["entity"].startswith("group")
        shown["user_id"] = None if of_group else shown["entity_id"]
        shown["group_id"] = shown["entity_id"] if of_group else None
    if one.name.startswith("unresolved"):
        shown["user_id"] = shown["group_id"] = None  # nobody knows what they are called
    if one.name == "drift":
        shown["remedy"] = _remedy(row)
    return shown


def _remedy(row: asyncpg.Record) -> str | None:
    """The command that heals a row of drift, or None where it can only be acknowledged."""
    found = remedy(row["entity"], row["entity_id"], row["path"])
    return None if found == ACKNOWLEDGE else found
