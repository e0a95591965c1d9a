"""Runs `projector` in the test's process and captures exit code and output."""

import asyncio
import io
import os
import sys
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from projector.cli import running
from projector.cli.app import main
from projector.database import open_database
from tests.runtime_rig import replica, until_folded


@dataclass(frozen=True)
class Ran:
    """The result of a command: its exit code, standard output and standard error."""

    code: int
    data: bytes
    said: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.data.decode()

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.text.splitlines()

    def sentence(self) -> str:
        """The one sentence that a failed command prints; asserts that it prints nothing else."""
        assert self.code != 0
        assert self.data == b""
        assert self.said.count("\n") == 1, self.said
        assert self.said.startswith("projector: ")
        return self.said


def projector(*arguments: str, stdin: bytes = b"", **settings: str) -> Ran:
    """Run a command; `settings` are its only PROJECTOR_* variables."""
    streams = [io.TextIOWrapper(io.BytesIO(given)) for given in (stdin, b"", b"")]
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PROJECTOR_")]:
            patch.delenv(name)
        for name, value in settings.items():
            patch.setenv(f"PROJECTOR_{name.upper()}", value)
        patch.setattr(sys, "argv", ["projector", *arguments])
        # Cached loggers would keep their first configuration, not this test's.
        patch.setattr(running, "configure_logging", lambda _settings: None)
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            patch.setattr(sys, name, stream)
        code = _code_of_main()
    data, said = (_written(stream) for stream in streams[1:])
    return Ran(code, data, said.decode())


def _code_of_main() -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _written(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def query(dsn: str, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """The rows of one statement."""

    async def fetch() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [tuple(row) for row in await connection.fetch(statement, *arguments)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


def execute(dsn: str, script: str) -> None:
    """Run a script of several statements."""

    async def work() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    asyncio.run(work())


def fold(dsn: str) -> None:
    """Fold the log to its head, as a projector replica does."""

    async def work() -> None:
        database = await open_database(dsn)
        async with replica(database):
            await until_folded(database)
        await database.close()

    asyncio.run(work())
