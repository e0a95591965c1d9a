"""Where the tests' database servers keep their data: in memory if there is enough."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

# A clone of the template is some 600 small files, which take seven times as long on a disk.
MEMORY = Path("/dev/shm")  # noqa: S108 - tests clean up behind themselves
ENOUGH_BYTES = 2 * 1024**3


@cache
def _in_memory() -> Path | None:
    """A file system in memory, large enough and not mounted noexec, or None."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    runs_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return MEMORY if runs_programs and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES else None


def new_folder(prefix: str) -> Path:
    """An empty folder that the server's account can reach, which it cannot with pytest's own."""
    return Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=_in_memory())).resolve()
