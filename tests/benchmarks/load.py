"""Load: wrk if installed, else the replayer, as a separate process."""

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Final, NamedTuple

CONNECTIONS: Final = 64
SCRIPT: Final = Path(__file__).with_name("replay.lua")


class Load(NamedTuple):
    """The results of one window; latencies in milliseconds."""

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


class LoadFailed(Exception):
    """The figures would be invalid."""


def generator() -> str:
    """Which load generator is in use."""
    return "replayer" if shutil.which("wrk") is None else "wrk"


def _command(port: int, file: Path, seconds: float, *, again: bool) -> list[str]:
    flags = ["again"] if again else []
    if generator() == "wrk":
        target = f"http://127.0.0.1:{port}/webhooks/zoom"
        # wrk takes whole seconds.
        return [
            "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(round(seconds), 1)}", "-s", str(SCRIPT),
            target, "--", str(file), *flags,
        ]  # fmt: skip
    module = [sys.executable, "-m", "tests.benchmarks.replayer"]
    return [*module, str(port), str(CONNECTIONS), str(seconds), str(file), *flags]


async def send(port: int, file: Path, seconds: float, *, again: bool = False) -> Load:
    """Send a file's requests for some seconds; `again`: from the start when all are sent.

    Raises LoadFailed unless every request was answered 200.
    """
    process = await asyncio.create_subprocess_exec(
        *_command(port, file, seconds, again=again), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise LoadFailed(f"the load generator ended with {process.returncode}")
    found = json.loads(output.strip().splitlines()[-1])
    if found["refused"] or found["failed"]:
        raise LoadFailed(
            f"{found['refused']} refused and {found['failed']} failed of {found['answers']}"
        )
    return Load(found["answers"], found["seconds"], found["p50_ms"], found["p99_ms"])
