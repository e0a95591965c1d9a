"""Lock files; the kernel releases such a lock when its last holder ends, however it ends."""

import fcntl
import os
from pathlib import Path

from projector.embedded.errors import DataDirectoryInUse
from projector.embedded.layout import open_private


def hold(path: Path) -> int:
    """Acquire the lock of a data directory and write our pid into it; returns the descriptor.

    Raises DataDirectoryInUse with the pid of the holder.
    """
    descriptor = open_private(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise DataDirectoryInUse(
            f"the data directory {path.parent} is used by another process (pid {holder}); "
            "stop that one, or set PROJECTOR_DATA_DIR to another folder"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


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
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
