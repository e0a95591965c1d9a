"""What takes too long to count for every page: read at most once in a while, for everybody who looks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from projector.database import TROUBLE
from projector.database_reasons import reason_of

T = TypeVar("T")

# Pages wait so long from the beginning of a first reading, and never where something older is known: seconds.
PATIENCE: Final = 1.0
# What takes long is read seldom: at most a twentieth of the time goes to it.
SHARE: Final = 20.0
# A reading that does not end is given up, so that the next may be tried: seconds.
LONGEST: Final = 30.0


class AsOf(NamedTuple, Generic[T]):
    """What was read, and when; both None where nothing has been read yet.

    `failed`: why the newest attempt failed, where it did: what is shown is older than it should be.
    """

    value: T | None
    at: datetime | None
    failed: str | None


@dataclass
class _Kept:
    """One reading. `began`: when the newest one did, `due`: when the next may, by the clock of `Lately`."""

    value: Any = None
    at: datetime | None = None
    failed: str | None = None
    began: float = 0.0
    due: float = 0.0
    running: "asyncio.Task[None] | None" = field(default=None)


class Lately:
    """Readings by name. One of them runs at most once at a time, whoever asks for it."""

    def __init__(
        self, *, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    async def get(self, name: str, read: Callable[[], Awaitable[T]], seconds: float) -> AsOf[T]:
        """Return what `read` said last, and have it read again where that is older than `seconds`.

        Waits for it where nothing is known yet, and then for a bounded time. A database that is away leaves
        what is known as it is; any other error of `read` is raised, to whoever asks next.
        """
        kept = self._kept.setdefault(name, _Kept())
        if kept.running is not None and kept.running.done():
            ended, kept.running = kept.running, None
            ended.result()
        if kept.running is None and self._clock() >= kept.due:
            kept.began = self._clock()
            kept.running = asyncio.create_task(self._refresh(kept, read, seconds))
        left = kept.began + self._patience - self._clock()
        if kept.running is not None and kept.at is None and left > 0:
            await asyncio.wait([kept.running], timeout=left)
        return AsOf(cast("T | None", kept.value), kept.at, kept.failed)

    async def _refresh(self, kept: _Kept, read: Callable[[], Awaitable[T]], seconds: float) -> None:
        at = datetime.now(UTC)
        try:
            async with asyncio.timeout(LONGEST):
                kept.value = await read()
        except TROUBLE as error:
            kept.failed = reason_of(error).what
        else:
            kept.at, kept.failed = at, None
        finally:
            took = self._clock() - kept.began
            kept.due = self._clock() + max(seconds, SHARE * took)

    async def close(self) -> None:
        """End what runs."""
        running = [kept.running for kept in self._kept.values() if kept.running is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
