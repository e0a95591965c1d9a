"""Side processes of a rebuild: workers in processes of their own.

The protocol is lines of JSON. The parent writes one `Setup`, then one task at a time, and keeps the pipe open
as long as it lives. The side process writes null after each task, or the error that lost it the database.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import msgspec

from projector.database import UNAVAILABLE, open_database
from projector.database_reasons import LostElsewhere, Reason, reason_of
from projector.errors import DatabaseUnavailable, SideProcessFailed
from projector.process import UNEXPECTED, relax_gc, report_bug, run, signal_handlers
from projector.projections import projection_named
from projector.rebuild.tasks import Task
from projector.rebuild.worker import LocalWorker
from projector.state.shadow import Shadow
from projector.tasks import end

END_SECONDS: Final = 5.0
CONNECTIONS: Final = 4
# The setup names every shadow, and a scan its repeated positions.
LONGEST_LINE: Final = 1024 * 1024

_MAIN: Final = """
import sys
sys.path[:] = sys.argv[1:]
from projector.rebuild.side_process import main
main()
"""


class SideDatabaseLost(LostElsewhere):
    """A side process lost the database."""


class Setup(msgspec.Struct):
    """The database, the shadows' schemas by projection, and the bytes of rows to hold in memory."""

    url: str
    schemas: dict[str, str]
    memory: int


_encode: Final = msgspec.json.Encoder().encode
_decode_task: Final = msgspec.json.Decoder(Task).decode


class SideWorker:
    """The parent's end of a side process."""

    def __init__(self, process: Process, setup: Setup) -> None:
        self._process = process
        self._write(setup)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def _write(self, message: Setup | Task) -> None:
        assert self._process.stdin is not None  # noqa: S101  asked for
        self._process.stdin.write(_encode(message) + b"\n")

    async def do(self, task: Task) -> None:
        """Have it do a task; raises SideDatabaseLost, or SideProcessFailed if it ended otherwise."""
        assert self._process.stdout is not None  # noqa: S101  asked for
        self._write(task)
        line = await self._process.stdout.readline()
        if not line:
            raise SideProcessFailed(
                f"process {self.pid} of this rebuild ended with {await self._process.wait()} (-9: out of "
                "memory, or killed); the live rows are whole: run this again, with fewer --processes where "
                "memory is short"
            )
        lost = msgspec.json.decode(line, type=Reason | None)
        if lost is not None:
            raise SideDatabaseLost(lost)

    async def stop(self) -> None:
        """End the process, even in the middle of a task."""
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
async def side_workers(
    number: int, url: str, shadows: Sequence[Shadow], memory: int
) -> AsyncIterator[list[SideWorker]]:
    """Start `number` processes that work on these shadows; stop them on exit."""
    schemas = {shadow.projection.name: shadow.schema for shadow in shadows}
    async with AsyncExitStack() as stack:
        started = []
        for _ in range(number):
            # A session of its own: only the parent gets an interrupt from the terminal. The parent's
            # path: `-m` would run another release's code if started in its folder.
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-c", _MAIN, *sys.path,
                stdin=PIPE, stdout=PIPE, start_new_session=True,
            )  # fmt: skip
            worker = SideWorker(process, Setup(url, schemas, memory))
            stack.push_async_callback(worker.stop)
            started.append(worker)
        yield started


# ---- the side process itself ----------------------------------------------------------------------


def _reply(lost: Reason | None) -> None:
    os.write(sys.stdout.fileno(), _encode(lost) + b"\n")


async def _serve() -> None:
    """Do tasks until the parent closes the pipe or ends, or until SIGTERM."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    working = asyncio.create_task(_work(lines))
    listening = asyncio.create_task(_listen(reader, lines))
    listening.add_done_callback(lambda _: working.cancel())
    with signal_handlers({signal.SIGTERM: working.cancel}):
        try:
            await working
        finally:
            await end(listening)


async def _listen(reader: asyncio.StreamReader, lines: asyncio.Queue[bytes]) -> None:
    """Queue the parent's lines; returns as soon as the parent ends, even in the middle of a task."""
    while line := await reader.readline():
        lines.put_nowait(line)


async def _work(lines: asyncio.Queue[bytes]) -> None:
    setup = msgspec.json.decode(await lines.get(), type=Setup)
    database = await open_database(setup.url, size=CONNECTIONS)
    relax_gc()
    try:
        shadows = [
            Shadow(database, projection_named(name), schema)
            for name, schema in setup.schemas.items()
        ]
        worker = LocalWorker(database, shadows, setup.memory)
        while True:
            await worker.do(_decode_task(await lines.get()))
            _reply(None)
    finally:
        await database.close()


def main() -> None:
    """Serve one parent. The text of an unexpected error is not printed: it may quote a payload."""
    try:
        run(_serve())
    except (asyncio.CancelledError, BrokenPipeError):  # the parent needs no result
        sys.exit(1)
    except (*UNAVAILABLE, DatabaseUnavailable) as error:
        _reply(reason_of(error))
        sys.exit(3)
    except Exception as error:  # noqa: BLE001  every failure ends here
        report_bug(error)
        sys.exit(UNEXPECTED)
