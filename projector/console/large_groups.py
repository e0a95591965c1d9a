"""How many are in large groups: counted once in a while, beside the pages, for it takes too long for one."""

from datetime import datetime
from typing import Final, NamedTuple

from projector.console.snapshot import Reading, Snapshot

# Up to so many members are counted for each page: 50 took 0.5 ms, 115,000 took 160 ms.
LARGE: Final = 2_000


class Counts(NamedTuple):
    """How many are in a group. `counted_at`: when they were, None for just now."""

    member_count: int
    admin_count: int
    counted_at: datetime | None = None


Large = dict[tuple[str, str], Counts]


async def _large(read: Snapshot) -> Large:
    return {
        (row["account_id"], row["group_id"]): Counts(row["member_count"], row["admin_count"])
        for row in await read.rows("large_groups", LARGE)
    }


_LARGE_GROUPS: Final = Reading("large groups", 60, _large)


async def large_groups(read: Snapshot) -> Large:
    """Return the counts of large groups, by account and group, as they were a while ago."""
    counted = await read.lately(_LARGE_GROUPS)
    found = counted.value or {}
    return {group: counts._replace(counted_at=counted.at) for group, counts in found.items()}
