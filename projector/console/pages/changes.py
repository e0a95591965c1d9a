"""Changes: what changed, when, by whom; newest first, in the order of the log."""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from projector.console.asked import Asked
from projector.console.looking_back import look_back
from projector.console.pages import Page, Shown
from projector.console.snapshot import Snapshot
from projector.console.told_changes import ENTITIES, entries_of

Rows = Sequence[asyncpg.Record]

FILTERS: Final = ("account", "entity", "path", "by", "person", "group")

EVENTS: Final = 25
VALUES: Final = 12
LONGEST_VALUE: Final = 4_000  # characters


async def _read(asked: Asked, read: Snapshot) -> Shown:
    filters = dict.fromkeys(FILTERS, "") | asked.filters(*FILTERS)
    [row] = await read.rows("head")
    before = asked.position("before")
    newest = row["head"] if before is None else min(before - 1, row["head"])
    conditions = await _conditions(asked, read)

    async def stride(above: int, up_to: int, so_far: Rows) -> Rows:
        left = EVENTS - _events(so_far)
        return await read.rows("changes", above, up_to, *conditions, left, VALUES, LONGEST_VALUE)

    found = await look_back(newest, stride, lambda rows: _events(rows) >= EVENTS)
    entries = await entries_of(read, found.rows)
    return {
        "entries": entries,
        "filters": filters,
        "filtered": any(filters.values()),
        "before": before,
        "entities": ENTITIES,
        "accounts": await read.rows("accounts"),
        "newest": newest,
        "down_to": entries[-1].position if found.full else found.down_to,
        "filled": found.full,
    }


def _events(rows: Rows) -> int:
    return len({row["position"] for row in rows})


async def _conditions(asked: Asked, read: Snapshot) -> list[Any]:
    """What the filters of an address ask for, as the statement takes it. Raises Misasked."""
    return [
        asked.text("account"),
        asked.choice("entity", ENTITIES),
        asked.text("path"),
        asked.text("by"),
        await _persons(read, asked.text("person")),
        await _groups(read, asked.text("group")),
    ]


async def _persons(read: Snapshot, named: str | None) -> list[str] | None:
    """The ids of a person who is named by id or e-mail, lower-cased; lists may know the e-mail alone."""
    if named is None:
        return None
    known = await read.rows("persons_of_email", named) if "@" in named else []
    return [named.lower(), f"email:{named.lower()}", *(row["user_id"] for row in known)]


async def _groups(read: Snapshot, named: str | None) -> list[str] | None:
    """The ids of the groups that are called so, or the one that has this id."""
    if named is None:
        return None
    return [named, *(row["group_id"] for row in await read.rows("groups_of_name", named))]


CHANGES: Final = Page("/changes", "changes", "changes.html.j2", _read)
