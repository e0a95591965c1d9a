"""How far a page looks back in the log: in strides, until it is full or has done enough."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import asyncpg

# The first stride is short, as most pages are full after it; each later one is longer, where time is left.
FIRST_STRIDE: Final = 10
GROWTH: Final = 4
# A page looks back so many positions at most, and so many seconds.
LOOK_BACK: Final = 100_000
LOOK_SECONDS: Final = 0.2


class Found(NamedTuple):
    """What was found, and down to which position it was looked for.

    `full`: as much as was asked for, so that there may be more from there on up.
    """

    rows: list[asyncpg.Record]
    down_to: int
    full: bool


async def look_back(
    newest: int,
    read: Callable[[int, int, Sequence[asyncpg.Record]], Awaitable[Sequence[asyncpg.Record]]],
    is_full: Callable[[Sequence[asyncpg.Record]], bool],
    *,
    first: int | None = None,
    seconds: float = LOOK_SECONDS,
) -> Found:
    """Look from a position downwards until what was found is full, or enough was done.

    `read` returns the rows of positions above one and up to another, given those found so far. `first`:
    positions of the first stride, which is made in any case; none begins after so many `seconds`.
    """
    rows: list[asyncpg.Record] = []
    upper, floor, stride = newest, max(newest - LOOK_BACK, 0), first or FIRST_STRIDE
    ends = time.monotonic() + seconds
    while upper > floor:
        began = time.monotonic()
        lower = max(upper - stride, floor)
        rows += await read(lower, upper, rows)
        upper = lower
        if is_full(rows):
            return Found(rows, upper + 1, full=True)
        now = time.monotonic()
        if now >= ends:
            break
        stride = min(
            stride * GROWTH, max(_affordable(stride, now - began, ends - now), FIRST_STRIDE)
        )
    return Found(rows, upper + 1, full=False)


def _affordable(stride: int, took: float, left: float) -> int:
    """How many positions the time that is left suffices for, by what the last stride took."""
    return stride * GROWTH if took <= 0 else int(stride * left / took)
