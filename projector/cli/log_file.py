"""The log of `up` on a terminal: a file of the data directory."""

import os
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 16 * 1024 * 1024


class LogFile:
    """Appends to a file of mode 0600; one over 16 MiB becomes `NAME.1`, in place of the one before.

    Opened with the first line. To be written to by one thread at a time.
    """

    closed = False

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.path = path
        self._most_bytes = most_bytes
        self._descriptor: int | None = None
        self._size = 0
        self._torn = False

    def write(self, lines: bytes) -> None:
        """Append whole lines. Raises OSError, such as for a full disk; the next line begins anew."""
        if self._descriptor is None or self._size >= self._most_bytes:
            self._descriptor = self._open()
        left = b"\n" + lines if self._torn else lines
        self._torn = True
        while left:
            written = os.write(self._descriptor, left)
            self._size += written
            left = left[written:]
        self._torn = False

    def flush(self) -> None:
        """Nothing waits: each line is written at once."""

    def _open(self) -> int:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self.path.rename(self.path.with_name(f"{self.path.name}.1"))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        self._size = os.fstat(descriptor).st_size
        return descriptor
