"""Processes under test: the product's commands as shipped, and other programs."""

import asyncio
import json
import os
import pwd
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, Signals
from typing import Any, Self

import aiohttp

from tests.ingress_rig import SECRET

PROJECTOR = (sys.executable, "-m", "projector")

START_SECONDS = 60
STOP_SECONDS = 30

# Below the range of ephemeral ports: a port that is free now is still free when the process begins
# to listen.
PORTS = range(20_000, 32_000)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment, with only these PROJECTOR_* variables."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTOR_")}
    return others | {f"PROJECTOR_{name.upper()}": value for name, value in settings.items()}


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the product and wait for its end."""
    return subprocess.run(
        [*PROJECTOR, *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )


def binary(name: str) -> str:
    """The path of a system binary, even if only root's PATH contains it."""
    return shutil.which(name) or f"/usr/sbin/{name}"


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on."""
    chance = random.SystemRandom()
    while True:
        port = chance.choice(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Process:
    """A program that runs in the background, with its output in a file."""

    def __init__(
        self,
        arguments: Sequence[str],
        log: Path,
        *,
        env: dict[str, str] | None = None,
        user: str | None = None,
        own_group: bool = False,
    ) -> None:
        self._arguments = arguments
        self._log = log
        self._env = environment() if env is None else env
        self._user = user
        self._own_group = own_group
        self._said: str | None = None
        self.start()

    def start(self) -> None:
        """Start or restart the program, without waiting for anything."""
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                self._arguments,
                env=self._env,
                stdout=output,
                stderr=output,
                process_group=0 if self._own_group else None,
                **({} if self._user is None else _identity(self._user)),
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def signal(self, number: Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self, *signals: Signals) -> int:
        """Send signals and wait for the end; returns the exit code."""
        for number in signals:
            self.signal(number)
        return self.process.wait(STOP_SECONDS)

    async def ended(self, seconds: float = 15) -> int:
        """Wait for the end; returns the exit code."""
        return await asyncio.to_thread(self.process.wait, seconds)

    def kill(self) -> None:
        """Kill it with SIGKILL and wait."""
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        """End it, even if it is stopped."""
        if self.process.poll() is None:
            self.signal(SIGCONT)
            self.kill()
        self._said = self.said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def said(self) -> str:
        """Everything that it has written so far; after `close`, the file is not needed."""
        return self._log.read_text(encoding="utf-8") if self._said is None else self._said

    def until(self, pattern: re.Pattern[str], seconds: float = START_SECONDS) -> re.Match[str]:
        """Wait until its output matches the pattern."""
        deadline = time.monotonic() + seconds
        while (found := pattern.search(self.said)) is None:
            assert self.process.poll() is None, f"it ended: {self.said}"
            assert time.monotonic() < deadline, self.said
            time.sleep(0.01)
        return found

    def listening(self, port: int, seconds: float = START_SECONDS) -> None:
        """Wait until it listens on a port."""
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, f"it ended: {self.said}"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert time.monotonic() < deadline, f"nothing listens on port {port}: {self.said}"
            time.sleep(0.01)

    def log_lines(self) -> list[dict[str, Any]]:
        """Its log lines; its output must have no other lines."""
        return [json.loads(line) for line in self.said.splitlines()]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Its log lines of one event."""
        parsed = [json.loads(line) for line in self.said.splitlines() if line.startswith("{")]
        return [line for line in parsed if line.get("event") == event]


def _identity(user: str) -> dict[str, Any]:
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


class IngressProcess(Process):
    """`projector serve` on a fixed port, so that it can be restarted."""

    def __init__(self, database_url: str, log: Path, **settings: str) -> None:
        self.port = free_port()
        defaults = {
            "database_url": database_url,
            "port": str(self.port),
            "zoom_secret_tokens": SECRET.decode(),
            "drain_seconds": "2",
        }
        super().__init__([*PROJECTOR, "serve"], log, env=environment(**(defaults | settings)))

    def start(self) -> None:
        """Start it, and wait until it listens."""
        super().start()
        self.listening(self.port)

    async def until_ready(self) -> None:
        """Wait until /readyz answers 200."""
        async with aiohttp.ClientSession() as session:
            for _ in range(200):
                url = f"http://127.0.0.1:{self.port}/readyz"
                async with session.get(url) as response:
                    if response.status == 200:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError("the replica never became ready")


@contextmanager
def ingresses(database_url: str, folder: Path, count: int = 2) -> Iterator[list[IngressProcess]]:
    """Ingress replicas that run until the block ends."""
    started: list[IngressProcess] = []
    try:
        for number in range(count):
            started += [IngressProcess(database_url, folder / f"replica-{number}.log")]
        yield started
    finally:
        for process in started:
            process.close()


class ProjectorProcess(Process):
    """A command that folds, `project` or another, with a health port."""

    def __init__(
        self,
        database_url: str,
        log: Path,
        command: str = "project",
        *names: str,
        **settings: str,
    ) -> None:
        self.health_port = free_port()
        own = {"database_url": database_url, "health_port": str(self.health_port)}
        super().__init__([*PROJECTOR, command, *names], log, env=environment(**(own | settings)))

    @property
    def mark(self) -> str:
        """A part of this process's replica name that identifies it."""
        return f":{self.pid}:"


@contextmanager
def projectors(database_url: str, folder: Path, count: int) -> Iterator[list[ProjectorProcess]]:
    """Projector replicas that run until the block ends."""
    started: list[ProjectorProcess] = []
    try:
        for number in range(count):
            started += [ProjectorProcess(database_url, folder / f"projector-{number}.log")]
        yield started
    finally:
        for process in started:
            process.close()
