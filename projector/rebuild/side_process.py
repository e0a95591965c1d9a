"""A side process of a rebuild: it fills the shadows of one share while its parent fills those of another.

Lines of JSON: the parent writes one order to its standard input and then keeps that open for as long as it
lives; the side process answers with positions, and in the end with its outcome.
"""

import asyncio
import os
import signal
import sys
import traceback
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import msgspec
import uvloop

from projector.collector import spare_collector
from projector.database import UNAVAILABLE, open_database
from projector.errors import DatabaseUnavailable, ProjectorError
from projector.projections import projection_named
from projector.rebuild.bulk import fill
from projector.rebuild.shadow import Shadow
from projector.runtime.tasks import end

END_SECONDS: Final = 5.0
CONNECTIONS: Final = 8

_MAIN: Final = """
import sys
sys.path[:] = sys.argv[1:]
from projector.rebuild.side_process import main
main()
"""


class SideProcessFailed(ProjectorError):
    """A side process ended before its work."""


class SideDatabaseLost(OSError):
    """A side process lost the database."""


class Part(msgspec.Struct):
    """A shadow that stands already, and the events to fold into it."""

    projection: str
    schema: str
    events: frozenset[str]


class Order(msgspec.Struct):
    """What to fill, and from where. `memory` in bytes."""

    url: str
    parts: list[Part]
    target: int
    memory: int


class Answer(msgspec.Struct):
    """How far the share has come; `lost` names the error where the database went away."""

    position: int = 0
    done: bool = False
    lost: str | None = None


_encode: Final = msgspec.json.Encoder().encode


class SideProcess:
    """The parent's end."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def fill(self, order: Order, progress: Callable[[int], None]) -> None:
        """Have the shadows of an order filled.

        Raises SideDatabaseLost where its database went away, and SideProcessFailed where it ended otherwise.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101  asked for
        assert stdout is not None  # noqa: S101
        stdin.write(_encode(order) + b"\n")
        async for line in stdout:
            answer = msgspec.json.decode(line, type=Answer)
            if answer.lost is not None:
                raise SideDatabaseLost(answer.lost)
            if answer.done:
                return
            progress(answer.position)
        raise SideProcessFailed(
            f"a process that folds its share ended with {await self._process.wait()} (-9: out of memory, "
            "or killed); the live rows are whole: run this again"
        )

    async def stop(self) -> None:
        """End it; whatever it is at is broken off."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def side_processes(number: int) -> AsyncIterator[list[SideProcess]]:
    """Start so many; they are gone on the way out."""
    async with AsyncExitStack() as stack:
        started = []
        for _ in range(number):
            # A session of its own: an interrupt from the terminal is the parent's to hand on. And the
            # parent's path: `-m` would run the code of another release in whose folder it is called.
            process = SideProcess(
                await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-c", _MAIN, *sys.path,
                    stdin=PIPE, stdout=PIPE, start_new_session=True,
                )
            )  # fmt: skip
            stack.push_async_callback(process.stop)
            started.append(process)
        yield started


# ---- the side process itself ----------------------------------------------------------------------


def _say(answer: Answer) -> None:
    os.write(sys.stdout.fileno(), _encode(answer) + b"\n")


async def _serve() -> None:
    """Fill what the order says; cancelled by SIGTERM, or by the parent's end."""
    loop = asyncio.get_running_loop()
    said = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), sys.stdin)
    ordered = await said.readline()
    if not ordered:  # the parent needs nothing of it any more
        raise asyncio.CancelledError
    order = msgspec.json.decode(ordered, type=Order)
    filling = asyncio.create_task(_fill(order))
    loop.add_signal_handler(signal.SIGTERM, filling.cancel)
    orphaned = asyncio.create_task(said.read())
    orphaned.add_done_callback(lambda _: filling.cancel())
    try:
        await filling
    finally:
        await end(orphaned)


async def _fill(order: Order) -> None:
    database = await open_database(order.url, size=CONNECTIONS)
    spare_collector()
    try:
        shadows = [
            Shadow(database, projection_named(part.projection), part.schema, part.events)
            for part in order.parts
        ]
        await fill(
            database, shadows, order.target, order.memory,
            lambda position: _say(Answer(position)),
        )  # fmt: skip
    finally:
        await database.close()


def main() -> None:
    """Serve one order; the message of an unexpected error stays unsaid: it may quote a payload."""
    try:
        uvloop.run(_serve())
    except (asyncio.CancelledError, BrokenPipeError):  # there is nobody to answer
        sys.exit(1)
    except (*UNAVAILABLE, DatabaseUnavailable) as error:
        _say(Answer(lost=type(error).__name__))
        sys.exit(3)
    except Exception as error:  # noqa: BLE001  every failure ends here
        sys.stderr.writelines(traceback.format_tb(error.__traceback__))
        sys.stderr.write(
            f"projector: unexpected {type(error).__name__}: a bug; please report the lines above\n"
        )
        sys.exit(70)
    _say(Answer(done=True))
