"""Files that commands read; and write, whole or not at all, for their owner alone, over nothing there is."""

import errno
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO, Final, NoReturn

import typer

from projector.errors import ConfigurationError, ProjectorError

_STDOUT: Final = "standard output"

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")]

# File systems without hard links.
_NO_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class Output:
    """A file or stream that is written to; raises ProjectorError where it cannot be."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name

    def write(self, data: bytes, /) -> None:
        """Write it all."""
        try:
            self._file.write(data)
        except OSError as error:
            unwritable(self._name, error)

    def flush(self) -> None:
        """Hand on to the system what was written."""
        try:
            self._file.flush()
        except OSError as error:
            unwritable(self._name, error)


@contextmanager
def target(name: str, *, overwrite: bool = False) -> Iterator[Output]:
    """The file of that name to write, mode 0600, or standard output for `-`.

    The file appears, or changes, when the block ends without an error. Raises ConfigurationError where it is
    there and not to be overwritten, and ProjectorError where it cannot be written.
    """
    if name == "-":
        yield Output(sys.stdout.buffer, _STDOUT)
        return
    path = Path(os.path.realpath(name))  # what a link leads to is written, not the link
    if _is_device(path):
        with _writing(path, name, os.O_WRONLY) as file:
            yield Output(file, name)
        return
    if path.is_dir():
        unwritable(name, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    if not overwrite and os.path.lexists(path):
        _refuse(name)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")
    try:
        with _writing(partial, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
            yield Output(file, name)
            _sync(file, name)
        _place(partial, path, name, overwrite=overwrite)
    finally:
        with suppress(OSError):  # it has its place by now, or was never made
            partial.unlink()


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Open a file to read; raises ProjectorError where it cannot be opened or read."""
    try:
        with open(name, "rb") as file:  # noqa: PTH123  pipes are names too
            yield file
    except (ConnectionError, TimeoutError):
        raise  # of the database, not of the file
    except OSError as error:
        raise ProjectorError(
            f"{name} cannot be read ({error.strerror}); check the path and its permissions, then run the "
            "same command again"
        ) from None


def unwritable(name: str, error: OSError) -> NoReturn:
    """Raise ProjectorError for what cannot be written."""
    if name == _STDOUT:
        # What is still in the stream's buffer would be complained of once more when Python ends.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise ProjectorError(
        f"{name} cannot be written ({error.strerror}); check the path, its permissions and the space that is "
        "left, then run the same command again"
    ) from None


def _is_device(path: Path) -> bool:
    """Whether it is there and no ordinary file: a pipe or a device, which is written to as it is."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


@contextmanager
def _writing(path: Path, name: str, flags: int) -> Iterator[BinaryIO]:
    try:
        file = os.fdopen(os.open(path, flags | os.O_CLOEXEC, 0o600), "wb")
    except OSError as error:
        unwritable(name, error)
    try:
        yield file
    finally:
        try:
            file.close()
        except OSError as error:
            unwritable(name, error)


def _sync(file: BinaryIO, name: str) -> None:
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        unwritable(name, error)


def _place(partial: Path, path: Path, name: str, *, overwrite: bool) -> None:
    """Give a file that is whole its name."""
    try:
        if overwrite:
            partial.replace(path)
        else:
            _link(partial, path)
    except FileExistsError:
        _refuse(name)
    except OSError as error:
        unwritable(name, error)


def _link(partial: Path, path: Path) -> None:
    """Rename, but raise FileExistsError where somebody made a file of that name meanwhile."""
    try:
        path.hardlink_to(partial)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError from None
        partial.replace(path)


def _refuse(name: str) -> NoReturn:
    raise ConfigurationError(f"{name} is there already; name another file, or say --overwrite")
