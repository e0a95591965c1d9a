"""What the server's main process tells of itself: its socket, its lock file, its log."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from projector.embedded.binaries import Binaries
from projector.embedded.errors import DataDirectoryInUse
from projector.embedded.layout import DATABASE, PORT, ROLE, Layout, open_private

_LOG_BYTES: Final = 16 * 1024 * 1024


def answers(binaries: Binaries, layout: Layout) -> bool:
    """Whether a server takes connections on the socket."""
    if not layout.socket.exists():
        return False
    probe = [binaries.program("pg_isready"), "-q", "-t", "3", "-h", str(layout.sockets)]
    answer = subprocess.run(  # noqa: S603 - the wheel's own program
        [*probe, "-p", str(PORT), "-U", ROLE, "-d", DATABASE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        env={},
    )
    return answer.returncode == 0


def written_pid(layout: Layout) -> int | None:
    """The pid in PostgreSQL's own lock file, or None."""
    return _first_number(layout.postmaster_pid)


def clear_stale_pids(layout: Layout) -> None:
    """Remove PostgreSQL's lock files whose pid is another program's by now.

    PostgreSQL overlooks a pid that is nobody's, but refuses to start beside any living process of
    that number, and after a crash of the machine numbers begin anew. No server of ours lives here
    (its lock is free), so only one that was started by hand could: DataDirectoryInUse.
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
    """Open the server's log for appending; a long one makes way first."""
    if layout.log.exists() and layout.log.stat().st_size > _LOG_BYTES:
        layout.log.rename(layout.log.with_suffix(".log.1"))
    return open_private(layout.log, os.O_WRONLY | os.O_APPEND)


def log_since(layout: Layout, start: int) -> str:
    """The log's last lines that were written after byte `start`, on one line."""
    with layout.log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return " | ".join(lines[-8:]) or "its log says nothing"


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
    """Whether the process is a PostgreSQL server of that folder, which is where it stands."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == folder
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False  # gone, or another account's: only the folder's own can serve it
    listed = subprocess.run(  # noqa: S603 - a system program
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in listed.stdout
