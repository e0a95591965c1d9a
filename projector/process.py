"""What belongs to a process as a whole: its event loop, its signals, its garbage collector, its machine.

Each of them exists once a process, so whoever sets one up comes here, and commands choose. What a signal or
the end of the loop means to a command is the command's own.
"""

import asyncio
import gc
import os
import re
import signal
import socket
import sys
import traceback
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final, Self, TypeVar

import uvloop

T = TypeVar("T")

_AVAILABLE: Final = re.compile(r"MemAvailable:\s+(\d+) kB")
_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

UNEXPECTED: Final = 70  # the exit code of a bug: EX_SOFTWARE of sysexits.h

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

# A batch is tens of thousands of small containers without a cycle among them, freed by their counts. At
# the default threshold the collector walks them again and again: half the time of a rebuild went there
# (50 µs an event with it, 23 without).
YOUNG_OBJECTS: Final = 200_000


def relax_gc() -> None:
    """Let the collector run rarely; call it once, when a process that folds or takes deliveries has started.

    A delivery leaves no cycle behind either: at the defaults it took a tenth of the ingress' time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)


def report_bug(error: BaseException) -> None:
    """Write on standard error where an unexpected error came from; its message may quote a payload."""
    sys.stderr.writelines(traceback.format_tb(error.__traceback__))
    sys.stderr.write(
        f"projector: unexpected {type(error).__name__}: a bug; please report the lines above\n"
    )


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on an event loop of its own; Ctrl-C cancels it."""
    return uvloop.run(main)


@contextmanager
def signal_handlers(handlers: Mapping[signal.Signals, Callable[[], object]]) -> Iterator[None]:
    """Have the running loop call these functions on their signals, until the block ends."""
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


class Signalled(Exception):
    """A signal ended the work; `number` says which."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number)
        self.number = number


async def cancel_on(numbers: Sequence[signal.Signals], main: Coroutine[Any, Any, T]) -> T:
    """Run `main`, cancel it on the first of these signals, and wait until it has cleared up.

    Raises Signalled where it ended so.
    """
    task = asyncio.ensure_future(main)
    received: list[signal.Signals] = []

    def cancel(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    with signal_handlers({number: partial(cancel, number) for number in numbers}):
        try:
            return await task
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if not received or (this is not None and this.cancelling()):
                raise
            raise Signalled(received[0]) from None


class DeferredStop:
    """SIGTERM and Ctrl-C for a process that starts another one, which must not be left behind.

    In force from before the child starts until after it has ended. The first signal cancels the coroutine
    that runs; before there is one, it waits: cut off while the child starts, nobody would know its process.
    Further signals are ignored: whoever presses Ctrl-C twice must not cut off the child's own end.
    """

    def __init__(self, *, interrupted: type[Exception]) -> None:
        """`interrupted`: raised where the terminal's Ctrl-C has ended the child; no error then."""
        self._interrupted = interrupted
        self._cancel: Callable[[], object] | None = None
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in STOP_SIGNALS:
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        return self._asked and kind is not None and issubclass(kind, self._interrupted)

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


def unique_name() -> str:
    """Return a name that no other holder of a lease or claim has, on this machine or another."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def usable_processes(size: int) -> int:
    """Return how many processes of `size` bytes fit here: at most one for each usable core, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    free = _free_bytes()
    fitting = cores if free is None else free // size
    return max(1, min(cores or 1, fitting or 1))


def _free_bytes() -> int | None:
    """Bytes that the machine, and the container where there is one, have left; None where nothing says so."""
    found = _AVAILABLE.search(_read("/proc/meminfo"))
    known = [int(found[1]) * 1024] if found else []
    known += [int(text) for name in _LIMITS if (text := _read(name).strip()).isdigit()]
    return min(known, default=None)


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="ascii")
    except OSError:  # another system, or no container
        return ""
