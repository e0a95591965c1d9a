"""`projector up` as a process, and its data directory."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from projector.embedded import EmbeddedServer
from projector.embedded.locks import held
from tests.processes import PROJECTOR, Process, command, environment

UP = (*PROJECTOR, "up")
ANY_PORT = {"console_port": "0"}  # tests run side by side
READY = re.compile(r'"address":"([^"]+)","event":"directory projector is up"')


class Up(Process):
    """A process of `projector up`."""

    @property
    def url(self) -> str:
        """The URL of its webhook; waits until it takes deliveries."""
        return self.until(READY)[1]


@contextmanager
def starting(
    arguments: Sequence[str] = UP,
    *,
    user: str | None = None,
    own_group: bool = False,
    **settings: str,
) -> Iterator[Up]:
    """`projector up` as just started; killed at the end if it still runs."""
    folder = Path(tempfile.mkdtemp(prefix="up-said-"))
    env = environment(**(ANY_PORT | settings))
    try:
        with Up(arguments, folder / "log", env=env, user=user, own_group=own_group) as up:
            yield up
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(
    arguments: Sequence[str] = UP, *, user: str | None = None, **settings: str
) -> Iterator[Up]:
    """`projector up` once it takes deliveries."""
    with starting(arguments, user=user, **settings) as up:
        up.until(READY)
        yield up


def failed(**settings: str) -> tuple[int, str]:
    """Run `projector up` that fails; returns its exit code and the one sentence that it prints."""
    ran = command("up", **(ANY_PORT | settings))
    assert ran.stdout == ""
    sentences = [line for line in ran.stderr.splitlines() if line.startswith("projector: ")]
    assert len(sentences) == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.returncode, sentences[0]


def server_runs(data_dir: Path) -> bool:
    """Whether any process of a data directory's server is running."""
    return held(data_dir / "server.lock")


def end_server(data_dir: Path) -> None:
    """End a server that was left behind."""
    if (data_dir / "server.lock").exists() and server_runs(data_dir):
        with EmbeddedServer(data_dir):
            pass
