"""The file by which `projector console --address` makes an address while the console runs.

In the data directory, of mode 0600, new at every start, and locked by the process for as long as it lives: a
file whose lock is free was left by one that was killed.
"""

import base64
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from projector.console.access.one_time import make_key
from projector.errors import ProjectorError

_NAME: Final = "console-{}.key"


class NoConsole(ProjectorError):
    """No console runs here, or its file cannot be read."""


class Kept(NamedTuple):
    """What the file of a console holds: its own URL, and the secret of its keys."""

    url: str
    secret: bytes

    def address(self) -> str:
        """Return a one-time address."""
        return f"{self.url}/enter?key={make_key(self.secret)}"


@contextmanager
def keeping(folder: Path, port: int, kept: Kept) -> Iterator[None]:
    """Keep the file while the block runs. Raises OSError where it cannot be written."""
    path, partial = folder / _NAME.format(port), folder / f"{_NAME.format(port)}.{os.getpid()}"
    with suppress(FileNotFoundError):
        partial.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(partial, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, _text(kept))
        partial.rename(path)
        yield
    finally:
        for ours in (partial, path):
            with suppress(OSError):
                if os.path.samestat(ours.lstat(), os.fstat(descriptor)):
                    ours.unlink()
        os.close(descriptor)


def running(folder: Path, port: int) -> Kept:
    """Return what a running console of a data directory keeps: the one on `port`, else the newest.

    Raises NoConsole.
    """
    found = sorted(folder.glob(_NAME.format("*")), key=_age)
    found.sort(key=lambda path: path.name != _NAME.format(port))
    for path in found:
        if (kept := _read(path)) is not None:
            return kept
    raise NoConsole(
        f"no console that gives one-time addresses runs on {folder}; start `projector up` or "
        "`projector console`, or name the PROJECTOR_DATA_DIR that it was started with"
    )


def _age(path: Path) -> float:
    try:
        return -path.lstat().st_mtime
    except OSError:  # it has just ended
        return 0.0


def _read(path: Path) -> Kept | None:
    """Return a file's contents; None where its console has ended."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoConsole(
            f"{path} cannot be read ({os.strerror(error.errno or 0)}); run this as the user who started the "
            "console"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            told = json.loads(file.read())
            return Kept(told["url"], base64.b64decode(told["secret"]))
    return None


def _text(kept: Kept) -> bytes:
    secret = base64.b64encode(kept.secret).decode()
    return json.dumps({"url": kept.url, "secret": secret}).encode()
