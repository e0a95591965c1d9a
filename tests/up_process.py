"""`projector up` as a process, and the commands of another terminal beside it."""

import os
import pwd
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projector.embedded import EmbeddedServer
from projector.embedded.locks import held

READY = re.compile(r"directory projector is up: (\S+)\n")
START_SECONDS = 60
STOP_SECONDS = 30

PROJECTOR = (sys.executable, "-m", "projector")


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with these PROJECTOR_* and no others."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTOR_")}
    return others | {f"PROJECTOR_{name.upper()}": value for name, value in settings.items()}


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as in a second terminal."""
    return subprocess.run(
        [*PROJECTOR, *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )


@dataclass
class Up:
    """A running `projector up`."""

    process: subprocess.Popen[str]
    said: str = ""
    url: str = ""

    def until(self, pattern: re.Pattern[str], seconds: float = START_SECONDS) -> re.Match[str]:
        """Read what it says until it says that."""
        deadline = time.monotonic() + seconds
        while (found := pattern.search(self.said)) is None:
            assert time.monotonic() < deadline, self.said
            self._read(deadline)
        return found

    def _read(self, deadline: float) -> None:
        assert self.process.stderr is not None
        stream = self.process.stderr
        readable, _, _ = select.select([stream], [], [], max(deadline - time.monotonic(), 0))
        if readable:
            chunk = os.read(stream.fileno(), 65536)
            assert chunk, f"it ended: {self.said}"
            self.said += chunk.decode()

    def stop(self, *signals: signal.Signals) -> int:
        """Send signals; its exit code once it has ended."""
        for number in signals:
            self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=STOP_SECONDS)
        self.said += rest
        return self.process.returncode


def _identity(user: str) -> dict[str, Any]:
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


@contextmanager
def starting(
    arguments: Sequence[str] = (*PROJECTOR, "up"),
    *,
    user: str | None = None,
    group: bool = False,
    **settings: str,
) -> Iterator[Up]:
    """`projector up` from its first moment on, killed at the end if it still runs.

    `group`: it gets a process group of its own.
    """
    process = subprocess.Popen(
        arguments,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0 if group else None,
        **({} if user is None else _identity(user)),
    )
    up = Up(process)
    with process:
        try:
            yield up
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def running(
    arguments: Sequence[str] = (*PROJECTOR, "up"), *, user: str | None = None, **settings: str
) -> Iterator[Up]:
    """`projector up` once it takes deliveries; `url` is where."""
    with starting(arguments, user=user, **settings) as up:
        up.url = up.until(READY)[1]
        yield up


def failed(**settings: str) -> tuple[int, str]:
    """`projector up` that cannot: its exit code and the one sentence that it says."""
    ran = command("up", **settings)
    assert ran.stdout == ""
    sentences = [line for line in ran.stderr.splitlines() if line.startswith("projector: ")]
    assert len(sentences) == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.returncode, sentences[0]


def server_runs(data_dir: Path) -> bool:
    """Whether any process of a data directory's server lives."""
    return held(data_dir / "server.lock")


def end_server(data_dir: Path) -> None:
    """End a server that was left behind."""
    if (data_dir / "server.lock").exists() and server_runs(data_dir):
        with EmbeddedServer(data_dir):
            pass
