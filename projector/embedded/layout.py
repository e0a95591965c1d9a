"""The files of the embedded server, and who may read and write them.

    <data_dir>/postgres      the database itself, 0700, the server account's
    <data_dir>/run           the socket, 0700, the server account's
    <data_dir>/postgres.log  the server's log
    <data_dir>/lock          held by the process that started the server, with its pid
    <data_dir>/server.lock   held by the server and every process of it
    <data_dir>/server-18     a copy of the programs, where the account cannot reach the wheel's

Root never writes into the two folders of the account: a compromised server could place a symbolic link
there and have root write elsewhere.
"""

import hashlib
import os
import stat
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from projector.embedded.account import Account, known_account
from projector.embedded.binaries import MAJOR
from projector.embedded.errors import DataDirectoryUnusable, EmbeddedStartFailed

PORT: Final = 5432  # without TCP it only names the socket's file
LOOPBACK: Final = "127.0.0.1"  # the one address that TCP is ever opened on
ROLE: Final = "projector"
DATABASE: Final = "projector"  # as sql/queries/embedded.sql creates it

# The kernel's limit is 108 bytes on Linux and 104 on macOS, with the closing zero.
_LONGEST_SOCKET: Final = 100
_SHARED_TEMP: Final = Path("/tmp")  # noqa: S108 - the same for every process, whatever its TMPDIR
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_ANY: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Layout:
    """The paths of one data directory, and the TCP port of its server; None: it listens on none."""

    data_dir: Path
    tcp_port: int | None = None

    @property
    def port(self) -> int:
        """PostgreSQL's port, which also names the socket's file."""
        return self.tcp_port or PORT

    @property
    def postgres(self) -> Path:
        """PostgreSQL's own directory (PGDATA)."""
        return self.data_dir / "postgres"

    @property
    def sockets(self) -> Path:
        """The socket's folder: `run`, or one with a short name where `run`'s is too long."""
        run = self.data_dir / "run"
        # A comma separates hosts in a connection string.
        # One folder whatever the port: its digits count as four, and a fifth is within the kernel's limit.
        if len(os.fsencode(run / _socket_name(PORT))) <= _LONGEST_SOCKET and "," not in str(run):
            return run
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return _SHARED_TEMP / f"projector-{digest}"

    @property
    def socket(self) -> Path:
        """The socket that the server listens on."""
        return self.sockets / _socket_name(self.port)

    @property
    def socket_pid(self) -> Path:
        """PostgreSQL's own lock file beside the socket."""
        return self.sockets / f"{_socket_name(self.port)}.lock"

    @property
    def postmaster_pid(self) -> Path:
        """PostgreSQL's own lock file in its directory."""
        return self.postgres / "postmaster.pid"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.data_dir / "postgres.log"

    @property
    def lock(self) -> Path:
        """Held by the process that started or adopted the server."""
        return self.data_dir / "lock"

    @property
    def server_lock(self) -> Path:
        """Held by every process of the server; free means that none lives."""
        return self.data_dir / "server.lock"

    @property
    def callers(self) -> Path:
        """The rule of who may connect (pg_hba.conf)."""
        return self.data_dir / "pg_hba.conf"

    @property
    def names(self) -> Path:
        """Which account is which role (pg_ident.conf)."""
        return self.data_dir / "pg_ident.conf"

    @property
    def programs(self) -> Path:
        """The copy of PostgreSQL's programs, where one is needed."""
        return self.data_dir / f"server-{MAJOR}"

    @property
    def dsn(self) -> str:
        """The connection string; explicit, so that no variable such as PGPORT changes its meaning."""
        return (
            f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.sockets))}&port={self.port}"
            "&sslmode=disable&target_session_attrs=any"
        )


# initdb hands its own path to a shell, between double quotes.
_UNQUOTABLE = frozenset('"\\$`\n')


def layout_of(data_dir: Path, tcp_port: int | None = None) -> Layout:
    """Return the layout of a data directory, the same for every spelling of its path."""
    return Layout(data_dir.expanduser().resolve(), tcp_port)


def data_folder(data_dir: Path) -> Path:
    """Return where the database of a data directory is, or will be."""
    return layout_of(data_dir).postgres


def default_data_dir() -> Path:
    """Return the data directory that is used where PROJECTOR_DATA_DIR is not set."""
    if os.geteuid() == 0:
        return Path("/var/lib/projector")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "projector"
    configured = Path(os.environ.get("XDG_DATA_HOME", ""))
    base = configured if configured.is_absolute() else Path.home() / ".local" / "share"
    return base / "projector"


def prepare_data_dir(data_dir: Path) -> Path:
    """Create the data directory, or check the one that is there; returns its resolved path.

    To be called before anything is written into it. Raises
    DataDirectoryUnusable where it cannot be made, is not ours, or lets others write.
    """
    path = layout_of(data_dir).data_dir
    if _UNQUOTABLE.intersection(str(path)):
        raise DataDirectoryUnusable(
            f"the data directory {path} has a character in its path that PostgreSQL's initdb cannot quote "
            '(one of " \\ $ ` or a line break); choose another PROJECTOR_DATA_DIR'
        )
    # The account that root's server runs as has to pass through; it cannot list what is there.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=mode, exist_ok=True)
        _check_owner(path, path.stat(), {os.geteuid()})
        # An empty one was made for us, just now or by `mktemp -d`; one in use stays as it is.
        if not any(path.iterdir()):
            path.chmod(mode)
        if path.stat().st_mode & _OTHERS_WRITE:
            raise DataDirectoryUnusable(
                f"the data directory {path} can be written to by others; "
                f"run: chmod go-w '{path}', or choose another PROJECTOR_DATA_DIR"
            )
    except OSError as error:
        raise DataDirectoryUnusable(
            f"the data directory {path} cannot be made or read ({error.strerror}); "
            "choose another PROJECTOR_DATA_DIR"
        ) from error
    return path


def check_reach(layout: Layout, account: Account) -> None:
    """Raise DataDirectoryUnusable where the account cannot enter the data directory.

    Raises EmbeddedStartFailed where this process may not run anything as the account.
    """
    if not account.drops_privileges:
        return
    try:
        entered = account.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(layout.data_dir)])
    except PermissionError:
        raise EmbeddedStartFailed(
            f"PostgreSQL does not run as root, and this root may not become {account.name}; "
            "run this as an ordinary user or set PROJECTOR_DATABASE_URL"
        ) from None
    if entered.returncode != 0:
        raise DataDirectoryUnusable(
            f"the account {account.name}, which PostgreSQL runs as, cannot enter "
            f"{layout.data_dir}; choose a PROJECTOR_DATA_DIR whose parent folders are open to it "
            "(such as /var/lib/projector), or run this as an ordinary user"
        )


def own_folder(path: Path, account: Account) -> None:
    """Create a folder that belongs to the account, with mode 0700, or check the one that is there.

    Raises DataDirectoryUnusable where it is somebody else's or somebody else can enter it.
    """
    # The checks below tell whether one that is there is ours.
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    # Root's own: made by a start that was interrupted before the folder was handed over.
    _check_owner(path, found, {os.geteuid(), account.uid})
    if found.st_mode & _OTHERS_ANY:
        raise DataDirectoryUnusable(
            f"{path} has to be closed to everybody else; run: chmod 700 '{path}'"
        )
    if found.st_uid != account.uid:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def is_ours(folder: Path) -> bool:
    """Return whether a socket folder exists, and only our server's account can enter it.

    Without this check anybody could wait for our clients in a folder of that name in /tmp.
    """
    account = known_account()
    try:
        found = folder.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    if account is None:
        return False
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & _OTHERS_ANY
    return private and found.st_uid == account.uid


def open_private(path: Path, flags: int) -> int:
    """Open or create (mode 0600) a file of the data directory; never through a symbolic link."""
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _check_owner(path: Path, found: os.stat_result, owners: Collection[int]) -> None:
    if not stat.S_ISDIR(found.st_mode):
        raise DataDirectoryUnusable(
            f"{path} is not a folder; remove it or choose another PROJECTOR_DATA_DIR"
        )
    if found.st_uid not in owners:
        raise DataDirectoryUnusable(
            f"{path} belongs to another user (id {found.st_uid}); "
            "run this as that user or choose another PROJECTOR_DATA_DIR"
        )


def _socket_name(port: int) -> str:
    return f".s.PGSQL.{port}"
