"""`projector up` as a person sees it on a terminal, and as a program that collects its lines reads it."""

import asyncio
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import stat
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from projector.cli.up_secret import SECRET_FILE
from tests.folders import new_folder
from tests.ingress_rig import event_body, signed
from tests.processes import environment, free_port
from tests.up_rig import UP, end_server, running

README = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
BANNER = re.search(r"It says:\n\n```text\n(.+?)```", README, re.DOTALL)
SUMMARY = re.compile(r"\d\d:\d\d:\d\d (\d+) taken, (\d+) duplicates, (\d+) refused; (.+)")


@pytest.fixture
def fresh() -> Iterator[Path]:
    path = new_folder("up")
    yield path
    end_server(path)
    shutil.rmtree(path)


class Terminal:
    """A pseudo-terminal with a command in it."""

    def __init__(self, env: dict[str, str]) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        self.raw = b""
        self.process = subprocess.Popen(
            UP, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self._ours = ours
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                read = os.read(self._ours, 65536)
            except OSError:  # nobody has it open any more
                return
            if not read:
                return
            self.raw += read

    @property
    def shown(self) -> str:
        """The lines as they stand once everything is written: a rewritten one as it was last."""
        lines = self.raw.decode().replace("\r\n", "\n").split("\n")
        return "\n".join(line.rpartition("\r\x1b[K")[2] for line in lines)

    def until(self, words: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while re.search(words, self.raw.decode()) is None:
            assert self.process.poll() is None, self.shown
            assert time.monotonic() < deadline, self.shown
            time.sleep(0.05)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self._reader.join(10)
        os.close(self._ours)


@contextmanager
def terminal(**settings: str) -> Iterator[Terminal]:
    shown = Terminal(environment(**settings) | {"TERM": "xterm"})
    try:
        yield shown
    finally:
        shown.close()


def deliver(port: int, secret: bytes, bodies: list[bytes]) -> list[int]:
    """Deliver these, signed; returns the statuses."""

    async def work() -> list[int]:
        url = f"http://127.0.0.1:{port}/webhooks/zoom"
        async with aiohttp.ClientSession() as session:
            answers = [
                await session.post(url, data=body, headers=signed(body, secret)) for body in bodies
            ]
            return [answer.status for answer in answers]

    return asyncio.run(work())


def test_a_terminal_stays_calm_and_the_log_is_in_a_file(fresh: Path) -> None:
    assert BANNER is not None
    port, console = free_port(), free_port()
    with terminal(data_dir=str(fresh), port=str(port), console_port=str(console)) as shown:
        shown.until("Ctrl-C")
        expected = BANNER[1].replace(":8080", f":{port}").replace(":8090", f":{console}")
        assert re.sub(r"key=\S+", "key=…", shown.shown) == expected
        secret = (fresh / SECRET_FILE).read_bytes()
        bodies = [event_body() for _ in range(30)]
        assert set(deliver(port, secret, [*bodies, bodies[0]])) == {200}
        assert deliver(port, b"another", bodies[:2]) == [401, 401]
        shown.until("30 taken, 1 duplicates, 2 refused; folded to 30 of 30, lag 0.0 s")
        pid = int((fresh / "postgres" / "postmaster.pid").read_text().partition("\n")[0])
        os.kill(pid, signal.SIGKILL)
        shown.until("embedded database is back")
        shown.process.send_signal(signal.SIGINT)
        assert shown.process.wait(30) == 0
    told_whole = re.sub(r"key=\S+", "key=…", shown.shown)
    assert told_whole.startswith(expected)
    told = told_whole.removeprefix(expected).splitlines()
    assert told[-1] == "stopped"
    assert any(SUMMARY.match(line) for line in told)
    assert any("warning: embedded database is away: the embedded PostgreSQL ended: it was killed" in
               line for line in told)  # fmt: skip
    assert len(told) < 20  # not a line a delivery
    assert "{" not in shown.shown
    log = fresh / "projector.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [line["outcome"] for line in requests].count("appended") == 30
    assert {line["status"] for line in requests} == {200, 401}


def test_a_terminal_that_asks_for_lines_gets_them(fresh: Path) -> None:
    port = free_port()
    with terminal(
        data_dir=str(fresh), port=str(port), console_port="0", log_format="console"
    ) as shown:
        shown.until("Ctrl-C")
        assert deliver(port, (fresh / SECRET_FILE).read_bytes(), [event_body()]) == [200]
        body = event_body()
        assert deliver(port, (fresh / SECRET_FILE).read_bytes(), [body[:-1]]) == [400]
        shown.until("appended")
        shown.until("status.{0,20}200")
        shown.process.send_signal(signal.SIGINT)
        assert shown.process.wait(30) == 0
    assert "HTTPStatus" not in shown.shown
    assert not (fresh / "projector.log").exists()


def test_a_program_that_collects_its_lines_reads_nothing_but_json(fresh: Path) -> None:
    with running(data_dir=str(fresh), port="0") as up:
        assert up.stop(signal.SIGTERM) == 0
    events = [line["event"] for line in up.log_lines()]
    assert events[0] == "migrated"
    assert "directory projector is up" in events
    assert events[-1] == "stopped"
    assert not (fresh / "projector.log").exists()
