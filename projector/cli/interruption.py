"""SIGTERM and Ctrl-C for a command that must not leave a database server behind."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, Self

from projector.cli.running import run

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption:
    """In force from before the server starts until after it has stopped.

    The first signal ends what goes on. Further ones change nothing: whoever presses Ctrl-C twice
    must not cut off the server's own end.
    """

    def __init__(self) -> None:
        self._cancel: Callable[[], object] | None = None
        self._ending = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        # Raised here, before there was anything to cancel.
        return kind is KeyboardInterrupt

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine to its end, or until a signal cancels it."""
        try:
            run(self._cancellable(main))
        except asyncio.CancelledError:
            return

    async def _cancellable(self, main: Coroutine[Any, Any, None]) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(main)
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            await task
        finally:
            self._ending = True

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        if self._ending:
            return
        self._ending = True
        if self._cancel is None:
            raise KeyboardInterrupt
        self._cancel()
