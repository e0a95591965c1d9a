"""The processes of the server, started by us or by one that was killed: whether they live, and their end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from projector.embedded.account import Account
from projector.embedded.binaries import Binaries
from projector.embedded.layout import Layout
from projector.embedded.locks import held, take
from projector.embedded.postmaster import (
    accepts_connections,
    has_live_pid,
    last_words,
    log_since,
    open_log,
    processes,
    written_pid,
)

STOP_SECONDS: Final = 30.0
KILL_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.02


class ServerProcess:
    """The main process, which is our child unless it was adopted, and those that it starts."""

    def __init__(self, layout: Layout, binaries: Binaries, account: Account) -> None:
        self._layout = layout
        self.binaries = binaries
        self._account = account
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start: int | None = None

    def spawn(self, command: Sequence[str]) -> None:
        """Start it, without waiting until it accepts connections."""
        output = open_log(self._layout)
        self._log_start = os.lseek(output, 0, os.SEEK_END)
        lock = take(self._layout.server_lock)
        try:
            # All processes of the server inherit the lock.
            self._child = self._account.spawn(command, output=output, inherit=[lock])
        finally:
            os.close(lock)
            os.close(output)

    def lives(self) -> bool:
        """Whether the main process runs, accepting connections or not."""
        if self._child is not None:
            return self._child.poll() is None
        # Held by what it has left behind too, when its pid is nobody's any more.
        return held(self._layout.server_lock) and has_live_pid(self._layout)

    def accepts(self) -> bool:
        """Whether it accepts connections; asks for at most 3 seconds."""
        return accepts_connections(self.binaries, self._layout)

    def gone(self) -> bool:
        """Whether none of its processes runs."""
        ours_lives = self._child is not None and self._child.poll() is None
        return not ours_lives and not held(self._layout.server_lock)

    def said(self) -> str:
        """The last lines that it logged, joined to one."""
        return log_since(self._layout, self._log_start or 0)

    def why_ended(self) -> str:
        """Why it ended, as far as its log, its disk and the system tell."""
        told = last_words(self._layout, self._log_start)
        code = self._child.poll() if self._child is not None else None
        if told is not None or code is None or code >= 0:
            return told or f"its log ({self._layout.log}) does not say why"
        if code == -signal.SIGKILL:
            return "it was killed, as the system does when memory runs out"
        return f"it was ended by signal {-code}"

    def end(self) -> None:
        """Ask it to stop, then insist, then kill; each time wait for its last process."""
        for way, seconds in (
            (signal.SIGINT, STOP_SECONDS),  # PostgreSQL's "fast"
            (signal.SIGQUIT, KILL_SECONDS),  # its "immediate": the next start replays the log
            (signal.SIGKILL, KILL_SECONDS),
        ):
            if self.gone():
                break
            self._signal(way)
            if until(self.gone, seconds):
                break
        if self._child is not None:
            self._child.wait(KILL_SECONDS)
            self._child = None

    def _signal(self, way: signal.Signals) -> None:
        if not self.lives():
            self.signal_orphans(way)
            return
        if self._child is not None:
            self._child.send_signal(way)
            return
        pid = written_pid(self._layout)
        if pid is not None:
            # The account wrote that pid, so the account sends the signal: root must not trust it.
            name = way.name.removeprefix("SIG")
            self._account.run([self.binaries.program("pg_ctl"), "kill", name, str(pid)])

    def signal_orphans(self, way: signal.Signals) -> None:
        """Signal what the ended main process left working: all that is in PostgreSQL's own folder.

        Such a process ends by itself once its statement is done, and keeps a new server from starting.
        """
        for pid in processes(self._layout):
            with suppress(ProcessLookupError):
                os.kill(pid, way)


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; returns False where it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
