"""Start or adopt the embedded server, and stop it."""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from projector.embedded.account import server_account
from projector.embedded.binaries import Binaries, binaries_for, find_binaries, installed_binaries
from projector.embedded.cluster import ensure_cluster, write_access_rules
from projector.embedded.errors import EmbeddedStartFailed
from projector.embedded.first_start import FirstStart
from projector.embedded.layout import (
    LOOPBACK,
    check_reach,
    is_ours,
    layout_of,
    own_folder,
    prepare_data_dir,
)
from projector.embedded.locks import check_free, held, hold, holder
from projector.embedded.postmaster import (
    accepts_connections,
    as_written,
    clear_stale_pids,
    last_words,
    written_pid,
)
from projector.embedded.server_process import POLL_SECONDS, ServerProcess, until

START_SECONDS: Final = 120.0  # after a crash the server first replays up to `max_wal_size`

# Modest, and durable: what was acknowledged survives a power cut.
SETTINGS: Final[Mapping[str, str]] = {
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "pglz",  # this build has no lz4
    "max_connections": "60",
    "jit": "off",  # the views' queries are many small expressions: compiling them takes longer than they run
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
        self._process: ServerProcess | None = None
        self._first: FirstStart | None = None

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
    def data_dir(self) -> Path:
        """The data directory, resolved."""
        return self._layout.data_dir

    @property
    def dsn(self) -> str:
        """The connection string of the server, running or not."""
        return self._layout.dsn

    def start(self) -> str:
        """Start the server, or adopt the one that runs; returns the connection string.

        A first start that fails leaves nothing behind. Raises EmbeddedNotInstalled, EmbeddedStartFailed,
        DataDirectoryInUse, DataDirectoryUnusable, DataDirectoryVersion.
        """
        self._first = FirstStart(self._layout)
        try:
            self._start()
        except OSError as error:
            self.undo()
            raise EmbeddedStartFailed(
                f"the embedded PostgreSQL could not start ({error.strerror}: {error.filename}); "
                f"check the file system of {self._layout.data_dir}"
            ) from error
        except BaseException:
            self.undo()
            raise
        return self.dsn

    def keep(self) -> None:
        """From now on the database is used: `undo` removes nothing any more."""
        self._first = None

    def undo(self) -> None:
        """Stop the server; where this was its first start, and it was never kept, remove all of it."""
        self._stop(self._first)
        self._first = None

    def stop(self) -> None:
        """Stop the server, if this object holds one, and wait until each of its processes has ended.

        Open transactions are rolled back; what was committed is safe.
        """
        self._stop(None)

    @property
    def process(self) -> ServerProcess:
        """The processes of the started server."""
        assert self._process is not None  # noqa: S101  it was started
        return self._process

    def relaunch(self) -> None:
        """Start the server again after it has ended, without waiting until it accepts connections.

        Raises EmbeddedStartFailed.
        """
        try:
            clear_stale_pids(self._layout)
            self.process.spawn(self._command(self.process.binaries))
        except OSError as error:
            raise EmbeddedStartFailed(
                f"it cannot be started ({error.strerror}: {error.filename})"
            ) from error

    def _stop(self, first: FirstStart | None) -> None:
        try:
            if self._process is not None:
                self._process.end()
                self._process = None
        finally:
            if first is not None:
                first.undo()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _start(self) -> None:
        installed_binaries()  # before anything is made
        prepare_data_dir(self._layout.data_dir)
        account = server_account()
        check_reach(self._layout, account)
        self._lock = hold(self._layout.lock)
        if self._first is not None:
            self._first.holds()
        if not held(self._layout.server_lock):
            self._check_port()
        binaries = binaries_for(account, self._layout.programs)
        self._process = ServerProcess(self._layout, binaries, account)
        own_folder(self._layout.sockets, account)
        ensure_cluster(self._layout, binaries, account)
        if not self._adopt(binaries):
            clear_stale_pids(self._layout)
            write_access_rules(self._layout, account)
            self._launch()

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
                self.process.end()
                self._check_port()
                return False
            if time.monotonic() > deadline:
                raise EmbeddedStartFailed(
                    f"a server left behind in {self._layout.data_dir} neither answers nor ends "
                    f"(pid {written_pid(self._layout)}); stop that process, then start again"
                )
            time.sleep(POLL_SECONDS)
        return False

    def _launch(self) -> None:
        """Start the server and wait until it takes connections."""
        process = self.process
        process.spawn(self._command(self.process.binaries))
        in_time = until(lambda: not process.lives() or process.accepts(), START_SECONDS)
        if not in_time or not process.lives():
            what = "ended at once" if in_time else f"was not ready after {START_SECONDS:.0f} s"
            raise EmbeddedStartFailed(
                f"the embedded PostgreSQL {what}; correct what its log ({self._layout.log}) "
                f"names, then start again: {process.said()}"
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


def check_startable(data_dir: Path) -> None:
    """Raise what keeps a server from being started there, as far as can be told before anything is made.

    That is EmbeddedNotInstalled, or DataDirectoryInUse.
    """
    installed_binaries()
    check_free(layout_of(data_dir).lock)


def why_away(data_dir: Path) -> str | None:
    """Return that, and why, the database of a running `up` does not answer; None where no `up` runs.

    For other processes of the same user; starts and changes nothing.
    """
    layout = layout_of(data_dir)
    pid = holder(layout.lock)
    if pid is None:
        return None
    why = last_words(layout) or "it has just started, or its log says why"
    return f"`projector up` runs (pid {pid}), and its database does not answer: {why}"
