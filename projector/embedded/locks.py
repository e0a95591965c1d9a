"""Lock files; the kernel releases such a lock when its last holder ends, however it ends."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from projector.embedded.errors import DataDirectoryInUse
from projector.embedded.layout import open_private

ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 0.02


def hold(path: Path) -> int:
    """Acquire the lock of a data directory and write our pid into it; returns the descriptor.

    Raises DataDirectoryInUse with the pid of the holder.
    """
    descriptor = open_private(path, os.O_RDWR)
    if not _locked(descriptor, fcntl.LOCK_EX, ATTEMPTS):
        pid = _pid_in(descriptor)
        os.close(descriptor)
        raise _in_use(path, pid)
    if not _is_still(descriptor, path):  # its holder removed it, with all that it had made
        os.close(descriptor)
        return hold(path)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def check_free(path: Path) -> None:
    """Raise DataDirectoryInUse, as `hold` does, where another process has the lock; makes nothing."""
    if (pid := holder(path)) is not None:
        raise _in_use(path, pid)


def take(path: Path) -> int:
    """Acquire a free lock that a child will inherit; returns the descriptor."""
    descriptor = open_private(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def held(path: Path) -> bool:
    """Return whether any process holds the lock; False where the data directory was removed."""
    try:
        descriptor = open_private(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """Return the pid of the process that holds a lock, or None: nobody does, or we may not know.

    For other processes: makes no file, and none of a file of somebody else's.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _locked(descriptor, fcntl.LOCK_SH) else _pid_in(descriptor)
    finally:
        os.close(descriptor)


def _in_use(path: Path, pid: str) -> DataDirectoryInUse:
    return DataDirectoryInUse(
        f"the data directory {path.parent} is used by another process (pid {pid}); "
        "stop that one, or set PROJECTOR_DATA_DIR to another folder"
    )


def _locked(descriptor: int, kind: int, attempts: int = 1) -> bool:
    """Acquire a lock; again after a moment, because whoever looks at a lock has it for a moment."""
    for left in reversed(range(attempts)):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if left:
                time.sleep(PAUSE_SECONDS)
        else:
            return True
    return False


def _pid_in(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
