"""Start or adopt the embedded server, and stop it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from projector.embedded.account import Account, server_account
from projector.embedded.binaries import Binaries, binaries_for, find_binaries, installed_binaries
from projector.embedded.cluster import ensure_cluster, write_access_rules
from projector.embedded.errors import EmbeddedStartFailed
from projector.embedded.layout import (
    LOOPBACK,
    check_reach,
    is_ours,
    layout_of,
    own_folder,
    prepare_data_dir,
)
from projector.embedded.locks import held, hold, take
from projector.embedded.postmaster import (
    accepts_connections,
    as_written,
    clear_stale_pids,
    log_since,
    open_log,
    written_pid,
)

START_SECONDS: Final = 120.0  # after a crash the server first replays up to `max_wal_size`
STOP_SECONDS: Final = 30.0
KILL_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.02

# Modest, and durable: what was acknowledged survives a power cut.
SETTINGS: Final[Mapping[str, str]] = {
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "pglz",  # this build has no lz4
    "max_connections": "60",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No statement and no row in the log: they hold personal data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedServer:
    """A PostgreSQL server that runs for as long as this object holds its data directory.

    A server that a killed process left running is adopted with the settings it has, unless it listens
    elsewhere than on `tcp_port`: then it is started anew. Otherwise `settings`, PostgreSQL's own, override
    ours. `tcp_port`: the port of the loopback address to listen on; None: none. To be used by one thread at
    a time.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        settings: Mapping[str, str] | None = None,
        tcp_port: int | None = None,
    ) -> None:
        self._layout = layout_of(data_dir, tcp_port)
        self._settings = {**SETTINGS, **(settings or {})}
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._running_as: tuple[Binaries, Account] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """The connection string of the server, running or not."""
        return self._layout.dsn

    def start(self) -> str:
        """Start the server, or adopt the one that runs; returns the connection string.

        Raises EmbeddedNotInstalled, EmbeddedStartFailed, DataDirectoryInUse,
        DataDirectoryUnusable, DataDirectoryVersion.
        """
        try:
            self._start()
        except OSError as error:
            self.stop()
            raise EmbeddedStartFailed(
                f"the embedded PostgreSQL could not start ({error.strerror}: {error.filename}); "
                f"check the file system of {self._layout.data_dir}"
            ) from error
        except BaseException:
            self.stop()
            raise
        return self.dsn

    def stop(self) -> None:
        """Stop the server, if this object holds one, and wait until each of its processes has ended.

        Open transactions are rolled back; what was committed is safe.
        """
        if self._lock is None:
            return
        try:
            self._end_server()
        finally:
            os.close(self._lock)
            self._lock = None

    def _start(self) -> None:
        installed_binaries()  # before anything is made
        account = server_account()
        prepare_data_dir(self._layout.data_dir)
        check_reach(self._layout, account)
        self._lock = hold(self._layout.lock)
        if not held(self._layout.server_lock):
            self._check_port()
        binaries = binaries_for(account, self._layout.programs)
        self._running_as = binaries, account
        own_folder(self._layout.sockets, account)
        ensure_cluster(self._layout, binaries, account)
        if not self._adopt(binaries):
            clear_stale_pids(self._layout)
            write_access_rules(self._layout, account)
            self._launch(binaries, account)

    def _check_port(self) -> None:
        """Raise EmbeddedStartFailed where another program has the TCP port."""
        port = self._layout.tcp_port
        if port is None:
            return
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as error:
                raise EmbeddedStartFailed(
                    f"port {port} of {LOOPBACK} cannot be opened ({error.strerror}); stop what uses "
                    "it, or set PROJECTOR_EMBEDDED_PORT to another port"
                ) from None

    def _adopt(self, binaries: Binaries) -> bool:
        """Take over a server that was left running; False where none of its processes runs.

        One that listens elsewhere is stopped: its port and who may use it are set when it starts.
        """
        deadline = time.monotonic() + START_SECONDS
        while held(self._layout.server_lock):
            running = as_written(self._layout)
            # One that refuses connections may be starting, replaying its log, or ending.
            if accepts_connections(binaries, running):
                if running == self._layout:
                    return True
                self._end_server()
                self._check_port()
                return False
            if time.monotonic() > deadline:
                raise EmbeddedStartFailed(
                    f"a server left behind in {self._layout.data_dir} neither answers nor ends "
                    f"(pid {written_pid(self._layout)}); stop that process, then start again"
                )
            time.sleep(_POLL_SECONDS)
        return False

    def _launch(self, binaries: Binaries, account: Account) -> None:
        """Start the server and wait until it takes connections."""
        output = open_log(self._layout)
        written = os.lseek(output, 0, os.SEEK_END)
        lock = take(self._layout.server_lock)
        try:
            # All processes of the server inherit the lock.
            process = account.spawn(self._command(binaries), output=output, inherit=[lock])
        finally:
            os.close(lock)
            os.close(output)
        self._process = process
        in_time = _until(
            lambda: process.poll() is not None or accepts_connections(binaries, self._layout),
            START_SECONDS,
        )
        if not in_time or process.poll() is not None:
            what = "ended at once" if in_time else f"was not ready after {START_SECONDS:.0f} s"
            raise EmbeddedStartFailed(
                f"the embedded PostgreSQL {what}; correct what its log ({self._layout.log}) "
                f"names, then start again: {log_since(self._layout, written)}"
            )

    def _command(self, binaries: Binaries) -> list[str]:
        """The server's command line, which no configuration file overrides."""
        layout = self._layout
        access = {
            "listen_addresses": LOOPBACK if layout.tcp_port else "",
            "unix_socket_directories": '"' + str(layout.sockets).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "port": str(layout.port),
            "hba_file": str(layout.callers),
            "ident_file": str(layout.names),
            "logging_collector": "off",
            "log_destination": "stderr",
        }
        command = [binaries.program("postgres"), "-D", str(layout.postgres)]
        for name, value in (self._settings | access).items():
            command += ["-c", f"{name}={value}"]
        return command

    def _end_server(self) -> None:
        """Ask it to stop, then insist, then kill; each time wait for its last process."""
        for way, seconds in (
            (signal.SIGINT, STOP_SECONDS),  # PostgreSQL's "fast"
            (signal.SIGQUIT, KILL_SECONDS),  # its "immediate": the next start replays the log
            (signal.SIGKILL, KILL_SECONDS),
        ):
            if self._gone():
                break
            self._signal(way)
            if _until(self._gone, seconds):
                break
        if self._process is not None:
            self._process.wait(KILL_SECONDS)
            self._process = None

    def _gone(self) -> bool:
        """Return whether no process of the server runs."""
        ours_lives = self._process is not None and self._process.poll() is None
        return not ours_lives and not held(self._layout.server_lock)

    def _signal(self, way: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(way)
            return
        pid = written_pid(self._layout)
        if pid is not None and self._running_as is not None:
            # The account wrote that pid, so the account sends the signal: root must not trust it.
            binaries, account = self._running_as
            name = way.name.removeprefix("SIG")
            account.run([binaries.program("pg_ctl"), "kill", name, str(pid)])


def running_dsn(data_dir: Path) -> str | None:
    """Return the connection string of the server that runs in a data directory, or None.

    For other processes of the same user; starts and changes nothing.
    """
    layout = layout_of(data_dir)
    binaries = find_binaries()
    if binaries is None or not is_ours(layout.sockets):
        return None
    running = as_written(layout)
    return running.dsn if accepts_connections(binaries, running) else None


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; returns False where it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
