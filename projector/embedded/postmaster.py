"""The server's main process as seen from outside: its socket, its lock files, its log."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from projector.embedded.binaries import Binaries
from projector.embedded.errors import DataDirectoryInUse
from projector.embedded.layout import DATABASE, ROLE, Layout, open_private

_LOG_BYTES: Final = 16 * 1024 * 1024
_PORT, _ADDRESS = 3, 5  # lines of PostgreSQL's lock file, from 0
_TAIL_BYTES: Final = 64 * 1024
_LONGEST_QUOTE: Final = 300
_FULL_BYTES: Final = 16 * 1024 * 1024  # a segment of the write-ahead log
_OF_ITSELF: Final = re.compile(
    r"(?:postgres|\S+ \S+ UTC \[\d+\] (?:PANIC|"
    r"FATAL(?=.*(?:could not|No space|out of memory|shared memory|lock file|data directory|checkpoint|"
    r"configuration|incompatible)))): +(.*)"
)


def accepts_connections(binaries: Binaries, layout: Layout) -> bool:
    """Return whether a server accepts connections on the socket."""
    if not layout.socket.exists():
        return False
    probe = [binaries.program("pg_isready"), "-q", "-t", "3", "-h", str(layout.sockets)]
    probed = subprocess.run(  # noqa: S603 - the wheel's own program
        [*probe, "-p", str(layout.port), "-U", ROLE, "-d", DATABASE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        env={},
    )
    return probed.returncode == 0


def as_written(layout: Layout) -> Layout:
    """Return the layout with the TCP port of the server that runs, as PostgreSQL's own lock file tells it.

    Its fourth line is the port, its sixth the address listened on, blank where there is none.
    """
    try:
        lines = layout.postmaster_pid.read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return layout
    if len(lines) <= _ADDRESS or not lines[_PORT].strip().isdecimal():
        return layout  # it is being written
    listens = lines[_ADDRESS].strip() != ""
    return replace(layout, tcp_port=int(lines[_PORT]) if listens else None)


def written_pid(layout: Layout) -> int | None:
    """Return the pid in PostgreSQL's own lock file, or None."""
    return _first_number(layout.postmaster_pid)


def clear_stale_pids(layout: Layout) -> None:
    """Remove PostgreSQL's lock files whose pid is another program's by now.

    PostgreSQL ignores a pid that no process has, but refuses to start while any process has it, and after a
    crash of the machine pids are used again. To be called only where no server of ours runs; raises
    DataDirectoryInUse for one that was started by hand.
    """
    for path in (layout.postmaster_pid, layout.socket_pid):
        pid = _first_number(path)
        if pid is None or not _lives(pid):
            continue
        if _serves(pid, layout.postgres):
            raise DataDirectoryInUse(
                f"a PostgreSQL server that was started by hand uses {layout.postgres} "
                f"(pid {pid}); stop it first"
            )
        path.unlink(missing_ok=True)


def open_log(layout: Layout) -> int:
    """Open the server's log for appending; one over 16 MiB is renamed to *.log.1 first."""
    if layout.log.exists() and layout.log.stat().st_size > _LOG_BYTES:
        layout.log.rename(layout.log.with_suffix(".log.1"))
    return open_private(layout.log, os.O_WRONLY | os.O_APPEND)


def log_since(layout: Layout, start: int) -> str:
    """Return the log's last lines after byte `start`, joined to one line."""
    return " | ".join(_lines(layout, start)[-8:]) or "its log says nothing"


def last_words(layout: Layout, start: int | None = None) -> str | None:
    """Return why the server ended, as far as its log, from byte `start` on, and its disk can tell; or None.

    Without `start`, from the last start that the log shows. Of the log alone what the server says of itself
    is quoted: PANIC lines, and FATAL ones about its files, its memory and its start. A FATAL line about a
    client may repeat what that client sent.
    """
    found: list[str] = []
    goes_on = False  # an early error has further lines, without a prefix
    for line in _lines(layout, start):
        matched = _OF_ITSELF.match(line)
        if matched is not None:
            found.append(matched[1])
        elif goes_on and not line[:1].isdigit():
            found[-1] += f" {line}"
        goes_on = line.startswith("postgres:") or (goes_on and not line[:1].isdigit())
    told = " | ".join(dict.fromkeys(found[-2:]))[:_LONGEST_QUOTE]
    if shutil.disk_usage(layout.data_dir).free < _FULL_BYTES:
        full = f"the disk of {layout.data_dir} is full"
        return f"{full} ({told})" if told else full
    return told or None


def _lines(layout: Layout, start: int | None) -> list[str]:
    """Return the lines of the last 64 KiB of the log, after byte `start` or after the last start."""
    try:
        with layout.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start or 0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    if start is None:
        text = text.rpartition("LOG:  starting PostgreSQL")[2]
    # The further lines of a message begin with a tab, and must not pass for a message.
    return [
        "".join(char if char.isprintable() else "\ufffd" for char in line)
        for line in text.strip().splitlines()
    ]


def has_live_pid(layout: Layout) -> bool:
    """Return whether the pid in PostgreSQL's own lock file is a process's."""
    pid = written_pid(layout)
    return pid is not None and _lives(pid)


def processes(layout: Layout) -> list[int]:
    """Return the pids of all that works in PostgreSQL's directory; empty where the system does not tell."""
    here = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in here if _serves(pid, layout.postgres)]


def _first_number(path: Path) -> int | None:
    try:
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
    number = text.partition("\n")[0].strip()
    return int(number) if number.isdecimal() and int(number) > 1 else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _serves(pid: int, folder: Path) -> bool:
    """Return whether the process is a PostgreSQL server of that folder, its working directory."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == folder
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False  # gone, or of another account, which cannot serve this folder
    listed = subprocess.run(  # noqa: S603 - a system program
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in listed.stdout
