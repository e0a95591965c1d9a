"""What differs between two moments: each value before the first change between them, and after the last.

Found from the events between the two, page by page, so that it takes as long as these are many: up to `MOST`
rows of them, or what is read in `SECONDS`.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from projector.console.moments import Moments
from projector.console.snapshot import Snapshot
from projector.console.timeline import Change, changed, in_order, order_after
from projector.console.told_changes import LISTS

ROWS: Final = 100
MOST: Final = 2_000
SECONDS: Final = 2.0


class Compared(NamedTuple):
    """The values that differ. `since`: they are compared with that moment, for too much happened before it.

    `relived`: the group was removed or came back in between. Its end and beginning are not told person by
    person, so who was in it is not compared.
    """

    differences: list[Change]
    since: datetime | None
    relived: bool


async def compared(
    read: Snapshot, statement: str, whose: tuple[Any, ...], moments: Moments
) -> Compared | None:
    """Compare the two moments by a statement that pages through a timeline; None where none are asked for."""
    if moments.compared is None:
        return None
    earlier, later = moments.compared
    rows: list[asyncpg.Record] = []
    key = order_after(later), ""
    ends = time.monotonic() + SECONDS
    while not rows or (len(rows) < MOST and time.monotonic() < ends):
        page = await read.rows(statement, *whose, *key, ROWS)
        between = [row for row in page if row["changed_at"] > earlier]
        rows += between
        if len(between) < ROWS:
            return _net(rows, None)
        key = page[-1]["event_order"], page[-1]["place"]
    # The oldest event may have more rows than were read.
    since = rows[-1]["changed_at"]
    return _net([row for row in rows if row["changed_at"] > since], since)


def _net(rows: Sequence[asyncpg.Record], since: datetime | None) -> Compared:
    """What rows, the newest first, changed together."""
    relived = any(row["entity"] == "group" and row["path"] == "status" for row in rows)
    spans: dict[tuple[Any, ...], list[asyncpg.Record]] = {}
    for row in rows:
        if row["entity"] != "sign_in" and not (relived and row["entity"] in LISTS):
            place = row["entity"], row["group_id"], row["user_id"], row["path"]
            spans.setdefault(place, []).append(row)
    found = [
        changed(newest, before=oldest["before"])
        for newest, *_, oldest in ([*some, some[-1]] for some in spans.values())
        if newest["after"] != oldest["before"]
    ]
    return Compared(in_order(found), since, relived)
