"""SIGTERM and Ctrl-C for a command that must not leave a database server behind."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, Self

from projector.cli.running import run
from projector.embedded import EmbeddedStartFailed

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption:
    """In force from before the server starts until after it has stopped.

    The first signal ends what runs. One that comes while the server starts waits until it has: cut off
    in between, nobody would know the server's process. Further ones change nothing: whoever presses
    Ctrl-C twice must not cut off the server's own end.
    """

    def __init__(self) -> None:
        self._cancel: Callable[[], object] | None = None
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        # A terminal's Ctrl-C reaches the programs that prepare the server as well, and ends them.
        return self._asked and kind is not None and issubclass(kind, EmbeddedStartFailed)

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine to its end, or until a signal cancels it."""
        if self._asked:
            return
        try:
            run(self._cancellable(main))
        except asyncio.CancelledError:
            if not self._asked:
                raise

    async def _cancellable(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(main())
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            if self._asked:
                task.cancel()
            await task
        finally:
            self._cancel = None

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        if not self._asked and self._cancel is not None:
            self._cancel()
        self._asked = True
