"""What `up` shows on a terminal: messages, a line a warning, and one summary line that is rewritten."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from projector.cli.running import printable
from projector.telemetry import AGAIN_SECONDS

SUMMARY_SECONDS: Final = 3.0
_CLEAR: Final = "\r\x1b[K"


class Taken(NamedTuple):
    """Deliveries since the start."""

    appended: int
    duplicates: int
    refused: int


class Folded(NamedTuple):
    """How far every projection is; `lag` is in seconds."""

    position: int
    head: int
    lag: float


class CalmTerminal:
    """Standard error as a terminal; everything that is written there goes through this object."""

    def __init__(self) -> None:
        self._summary = ""
        self._told: dict[tuple[str, str, Any], float] = {}
        self._rewrites = os.environ.get("TERM", "dumb") not in ("", "dumb")

    def say(self, text: str) -> None:
        """Print a message for a person; the summary stays below it."""
        self._write(f"{self._clear()}{text}\n{self._cut(self._summary)}")

    def tell(self, level: str, fields: Mapping[str, Any]) -> None:
        """Print one readable line for a line of the log; of several alike the first one in a minute."""
        others = dict(fields)
        event, reason = str(others.pop("event", "")).replace("_", " "), others.pop("reason", None)
        now = time.monotonic()
        self._told = {alike: at for alike, at in self._told.items() if now - at < AGAIN_SECONDS}
        if self._told.setdefault((level, event, reason), now) != now:
            return
        if others.get("times") == 1:
            del others["times"]
        if others.pop("exc_info", None):
            others["more"] = "in the log"
        more = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in others.items())
        told = f"{level}: {event}" + (f": {reason}" if reason else "")
        self.say(f"{_clock()} {printable(f'{told} ({more})' if more else told)}")

    def show(self, taken: Taken, folded: Folded | None) -> None:
        """Show another summary in place of the last one; `folded` None: the database does not answer."""
        text = (
            f"{_clock()} {taken.appended:,} taken, {taken.duplicates:,} duplicates, "
            f"{taken.refused:,} refused; "
        )
        text += (
            "the database does not answer"
            if folded is None
            else f"folded to {folded.position:,} of {folded.head:,}, lag {folded.lag:.1f} s"
        )
        if not self._rewrites:
            self._write(f"{text}\n")
            return
        self._write(f"{self._clear()}{self._cut(text)}")
        self._summary = text

    def end(self) -> None:
        """Leave the last summary where it is, and go on below it."""
        if self._summary:
            self._write("\n")
        self._summary = ""

    def _clear(self) -> str:
        return _CLEAR if self._summary else ""

    def _cut(self, text: str) -> str:
        try:
            width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        except OSError:
            width = 80
        return text[: width - 1]  # a line that wraps cannot be rewritten

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


async def summarise(
    terminal: CalmTerminal,
    taken: Callable[[], Taken],
    folded: Callable[[], Awaitable[Folded | None]],
) -> None:
    """Show what arrived since and how far it is folded, while either changes, until cancelled."""
    before, settled = taken(), True
    while True:
        await asyncio.sleep(SUMMARY_SECONDS)
        now = taken()
        if now == before and settled:
            continue
        reached = await folded()
        before, settled = now, reached is not None and reached.position >= reached.head
        terminal.show(now, reached)


def _clock() -> str:
    return f"{datetime.now().astimezone():%H:%M:%S}"
