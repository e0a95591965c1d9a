"""The geometry of charts. Templates write the SVG: it stretches, and the text that belongs to it does not."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

# Heights are of so many units.
HEIGHT: Final = 100
# What is there shows, however little it is.
LEAST: Final = 2

_ROUND: Final = (1, 2, 3, 4, 5, 6, 8, 10)


class Columns(NamedTuple):
    """Columns without gaps, each one unit wide. `path`: of an SVG path; `top`: the value at HEIGHT."""

    path: str
    width: int
    top: int


class Share(NamedTuple):
    """A part of a whole: its share of the greatest part, of HEIGHT units."""

    name: str
    number: int
    length: int


def round_above(value: int) -> int:
    """The smallest number of one digit and zeros, neither 7 nor 9, that is no less than a value."""
    size = 1
    while value > size * 10:
        size *= 10
    return next(step * size for step in _ROUND if value <= step * size)


def columns(values: Sequence[int]) -> Columns:
    """Return columns of values of at least 0, from left to right."""
    top = round_above(max(values, default=0))
    parts: list[str] = []
    drawn = HEIGHT
    for number, value in enumerate(values):
        y = HEIGHT - _length(value, top)
        if y != drawn:
            parts.append(f"H{number}V{y}")
            drawn = y
    return Columns(f"M0 {HEIGHT}{''.join(parts)}H{len(values)}V{HEIGHT}z", len(values), top)


def shares(parts: Iterable[tuple[str, int]]) -> list[Share]:
    """Return parts of a whole, the greatest first."""
    ordered = sorted(parts, key=lambda part: (-part[1], part[0]))
    top = ordered[0][1] if ordered else 0
    return [Share(name, number, _length(number, top)) for name, number in ordered]


def _length(value: int, top: int) -> int:
    return 0 if value <= 0 else max(round(HEIGHT * value / top), LEAST)
