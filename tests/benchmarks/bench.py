"""The arguments of every benchmark: the server, how much to measure, and a folder for files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Scale:
    """How much is measured. Times are in seconds."""

    rounds: int
    seconds: float
    warm_up: float
    events: int
    sample: int
    delay_seconds: float
    large_events: int = 5_000_000
    users: int = 50_000
    large_users: int = 500_000
    append_events: int = 20_000_000
    append_short: int = 100_000
    people: int = 100_000


SHORT = Scale(rounds=3, seconds=3, warm_up=1, events=100_000, sample=50_000, delay_seconds=5)
FULL = Scale(rounds=5, seconds=8, warm_up=2, events=1_000_000, sample=50_000, delay_seconds=20)


@dataclass(frozen=True)
class Bench:
    """The environment of a benchmark. `filled`: a database that is large already, for whoever reads one."""

    server: str
    scale: Scale
    folder: Path
    say: Callable[[str], None]
    filled: str | None = None

    def rounds(self, *sides: T) -> Iterator[tuple[int, tuple[T, ...]]]:
        """Yield each round's number and its sides, in reverse order every second round."""
        for number in range(self.scale.rounds):
            self.say(f"round {number + 1} of {self.scale.rounds}")
            yield number, sides if number % 2 == 0 else sides[::-1]
