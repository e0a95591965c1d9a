"""Numbers and times in words."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_UNITS: Final = ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


def count(number: float, noun: str) -> str:
    """A count with its noun: 1 event, 2,021 events, 17 deliveries."""
    if round(number) == 1:
        return f"1 {noun}"
    many = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number:,.0f} {many}"


def ago(seconds: float) -> str:
    """A duration in its greatest unit of which it is at least two."""
    for size, noun in _UNITS:
        if seconds >= 2 * size:
            return count(seconds // size, noun)
    return count(max(seconds, 0) // 1, "second")


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: a, b and c."""
    head, last = names[:-1], names[-1]
    return f"{', '.join(head)} and {last}" if head else last


def clock(at: float) -> str:
    """A time for a person, to the minute, UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%F %H:%M} UTC"


def size(amount: float) -> str:
    """Bytes in the greatest unit of which they are at least one."""
    for unit, noun in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if amount >= unit:
            return f"{amount / unit:,.1f} {noun}"
    return f"{amount / 1000:,.0f} kB"
