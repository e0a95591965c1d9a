"""The processes of the product, as shipped, and of the baselines."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import psutil

from tests.benchmarks.requests import SECRET

START_SECONDS: Final = 30.0
_PEAK: Final = re.compile(rb"VmHWM:\s+(\d+) kB")


class ProcessFailed(Exception):
    """A process to be measured did not start, or ended with an error."""


@dataclass
class Running:
    """A process, and the file that its standard error goes to."""

    name: str
    process: subprocess.Popen[bytes]
    errors: Path
    peaks: dict[int, int] = field(default_factory=dict)

    def cpu_seconds(self) -> float:
        """User and system time of the process so far, without its children's."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def look(self) -> int | None:
        """Record and return the peak resident memory of it and its children, in bytes; None without /proc."""
        own = self.process.pid
        children = _read(f"/proc/{own}/task/{own}/children").split()
        for pid in (own, *map(int, children)):
            if found := _PEAK.search(_read(f"/proc/{pid}/status")):
                self.peaks[pid] = int(found[1]) * 1024
        return sum(self.peaks.values()) or None

    def check(self) -> None:
        """Raise ProcessFailed if it has ended by itself."""
        if self.process.poll() is not None:
            last = self.errors.read_text(errors="replace")[-500:]
            raise ProcessFailed(f"{self.name} ended with {self.process.returncode}: {last}")

    def check_ended(self) -> None:
        """Raise ProcessFailed if it ended with an error."""
        if self.process.returncode:
            self.check()

    async def ended(self) -> int:
        """Wait for its end, watching its memory; returns its exit code."""
        while self.process.poll() is None:
            self.look()
            await asyncio.sleep(0.01)
        return self.process.returncode


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError:  # it has just ended, or this system has no /proc
        return b""


@contextmanager
def running(arguments: Sequence[str], folder: Path, **environment: str) -> Iterator[Running]:
    """Run a Python module, standard error to a file in `folder`; ended on the way out."""
    errors = folder / f"{'-'.join(arguments).replace('/', '_')[:60]}-{os.urandom(3).hex()}.log"
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PROJECTOR_")}
    with errors.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=mine | environment,
            stderr=file,
            stdout=subprocess.PIPE,
        )
    try:
        yield Running(arguments[-1], process, errors)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def projector(command: str, url: str, folder: Path, **environment: str) -> Iterator[Running]:
    """A command of the product, options included, with its default settings."""
    with running(
        ["projector", *command.split()], folder, PROJECTOR_DATABASE_URL=url, **environment
    ) as process:
        yield process


@asynccontextmanager
async def ingress(url: str, folder: Path) -> AsyncIterator[tuple[Running, int]]:
    """A serving ingress replica and its port."""
    environment = {"PROJECTOR_ZOOM_SECRET_TOKENS": SECRET, "PROJECTOR_PORT": "0"}
    with projector("serve", url, folder, **environment) as process:
        port = int(await said(process, rb'"port":(\d+)'))
        await said(process, rb'"ready":(true)')
        yield process, port


async def said(process: Running, pattern: bytes) -> bytes:
    """Wait until the log matches; raises ProcessFailed if it never does."""
    for _ in range(int(START_SECONDS / 0.05)):
        process.check()
        found = re.search(pattern, process.errors.read_bytes())
        if found:
            return found[1]
        await asyncio.sleep(0.05)
    raise ProcessFailed(f"{process.name} did not say {pattern!r}")


@asynccontextmanager
async def baseline_server(
    kind: str, folder: Path, url: str = ""
) -> AsyncIterator[tuple[Running, int]]:
    """A baseline's server and its port."""
    with running(["tests.benchmarks.baseline_server", kind], folder, DATABASE_URL=url) as process:
        assert process.process.stdout is not None
        said = await asyncio.to_thread(process.process.stdout.readline)
        if not said:
            process.process.wait()
            process.check()
        yield process, int(said)


@asynccontextmanager
async def held_back(url: str, table: str) -> AsyncIterator["Gate"]:
    """Lock a table, so that a process waits there and its start is not measured."""
    holder, onlooker = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        await holder.execute("BEGIN")
        await holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield Gate(table, holder, onlooker)
    finally:
        await holder.close()
        await onlooker.close()


@dataclass
class Gate:
    """A locked table that a started process waits at."""

    table: str
    holder: "asyncpg.Connection[asyncpg.Record]"
    onlooker: "asyncpg.Connection[asyncpg.Record]"

    async def open(self, process: Running) -> None:
        """Wait until the process waits for the table, then unlock it."""
        for _ in range(int(START_SECONDS / 0.005)):
            process.check()
            if await self.onlooker.fetchval(
                "SELECT count(*) FROM pg_locks WHERE relation = $1::text::regclass AND NOT granted",
                self.table,
            ):
                await self.holder.execute("ROLLBACK")
                return
            await asyncio.sleep(0.005)
        raise ProcessFailed(f"{process.name} never came to {self.table}")
