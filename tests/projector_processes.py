"""`projector project` and `projector rebuild` as processes of their own, to be stopped and killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.pgbouncer_rig import free_port


class ProjectorProcess:
    """A command of the product that runs until it is told to end."""

    def __init__(self, database_url: str, log: Path, command: str = "project", *names: str) -> None:
        self.health_port = free_port()
        self._log = log
        self._command = [sys.executable, "-m", "projector", command, *names]
        self._environment = os.environ | {
            "PROJECTOR_DATABASE_URL": database_url,
            "PROJECTOR_HEALTH_PORT": str(self.health_port),
        }
        self.start()

    def start(self) -> None:
        """Start it; does not wait for anything."""
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, env=self._environment, stdout=output, stderr=output
            )

    @property
    def mark(self) -> str:
        """What the name of this process as a replica contains."""
        return f":{self.process.pid}:"

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it without a chance to do anything."""
        self.process.kill()
        self.process.wait(10)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Its log lines of one event."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        parsed = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in parsed if line.get("event") == event]

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()


@contextmanager
def projectors(database_url: str, folder: Path, count: int) -> Iterator[list[ProjectorProcess]]:
    """Projector replicas that run until the block ends."""
    started: list[ProjectorProcess] = []
    try:
        for number in range(count):
            log = folder / f"projector-{number}.log"
            started += [ProjectorProcess(database_url, log)]
        yield started
    finally:
        for process in started:
            process.close()
