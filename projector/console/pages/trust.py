"""Trust: how far the directory may be believed, and what stands open."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from projector.console.asked import Asked
from projector.console.judged import MOST_COUNTED, of_belief, standing, verdict
from projector.console.lately import AsOf
from projector.console.pages import Page, Shown
from projector.console.snapshot import Reading, Snapshot
from projector.console.standing import (
    Listed,
    after_of,
    lists_there,
    names_in,
    read_list,
)
from projector.console.standing_lists import LISTS, List
from projector.operations.of_coverage import OLDEST

FIRST: Final = 5
ROWS: Final = 30
# What takes long to find is looked for again after so many seconds.
SECONDS: Final = 30


async def _read(_asked: Asked, read: Snapshot) -> Shown:
    now = datetime.now(UTC)
    coverage = await read.rows("coverage")
    drift = standing(await read.rows("drift_counted", MOST_COUNTED + 1))
    await asyncio.gather(
        *map(read.lately, _SLOW.values())
    )  # at once, so that the first page waits once
    some = [(one, await _some(read, one)) for one in await lists_there(read)]
    found = [listed.value for _, listed in some if listed.value is not None]
    return {
        "coverage": [dict(row) | {"old": _is_old(row["complete_at"], now)} for row in coverage],
        "believed": verdict("", of_belief(drift, coverage, now.timestamp())),
        "lists": [
            (one, listed)
            for one, listed in some
            if not one.minor or (listed.value is not None and listed.value.rows)
        ],
        "names": await names_in(read, found),
    }


async def _some(read: Snapshot, one: List) -> AsOf[Listed]:
    """A few rows of a list; `at` is None for those that are as of now."""
    if one.slow:
        return await read.lately(_SLOW[one.name])
    return AsOf(await read_list(read, one, None, FIRST), None, None)


def _reading_of(one: List) -> Reading[Listed]:
    async def read_it(read: Snapshot) -> Listed:
        return await read_list(read, one, None, FIRST)

    return Reading(one.name, SECONDS, read_it)


_SLOW: Final = {one.name: _reading_of(one) for one in LISTS if one.slow}


def _is_old(complete_at: datetime | None, now: datetime) -> bool:
    return complete_at is None or (now - complete_at).total_seconds() > OLDEST


def _page_of(one: List) -> Page:
    async def read_one(asked: Asked, read: Snapshot) -> dict[str, Any]:
        after = after_of(asked, one)
        there = one in await lists_there(read)
        shown = await read_list(read, one, after, ROWS) if there else None
        return {
            "list": one,
            "shown": shown,
            "is_first": after is None,
            "names": await names_in(read, [] if shown is None else [shown]),
        }

    return Page(f"/trust/{one.name}", "trust", "trust_list.html.j2", read_one)


TRUST: Final = Page("/trust", "trust", "trust.html.j2", _read)
TRUST_LISTS: Final = tuple(_page_of(one) for one in LISTS)
