"""The operating-system account that the server runs as.

PostgreSQL refuses to run as root. Started by root, it runs as a system account of its own; started by
anybody else, as that user.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from projector.embedded.errors import EmbeddedStartFailed

SERVER_ACCOUNT: Final = "projector-postgres"

# Nothing of our own environment reaches the server: PGPORT, PGDATA and their like would steer it.
_ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


@dataclass(frozen=True)
class Account:
    """An account by name and numbers; `drops_privileges`: we are root and become it."""

    name: str
    uid: int
    gid: int
    drops_privileges: bool

    def run(self, command: Sequence[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run to the end as this account; its output holds stderr as well."""
        return subprocess.run(  # noqa: S603 - programs and arguments are our own
            command,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=_ENVIRONMENT,
            umask=0o077,
            user=self.uid if self.drops_privileges else None,
            group=self.gid if self.drops_privileges else None,
            extra_groups=[] if self.drops_privileges else None,
        )

    def spawn(
        self, command: Sequence[str], *, output: int, inherit: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        """Start as this account, in a session of its own: a terminal's Ctrl-C does not reach it.

        `output` is the descriptor for both its streams; it inherits the descriptors of `inherit`.
        """
        return subprocess.Popen(  # noqa: S603 - programs and arguments are our own
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=inherit,
            cwd="/",
            env=_ENVIRONMENT,
            umask=0o077,
            user=self.uid if self.drops_privileges else None,
            group=self.gid if self.drops_privileges else None,
            extra_groups=[] if self.drops_privileges else None,
        )

    def callers(self) -> tuple[str, ...]:
        """Return the names of the accounts that may connect: this one, and root where root started it."""
        return ("root", self.name) if self.drops_privileges else (self.name,)


def server_account() -> Account:
    """Return the account to run the server as; root's is created where it is missing.

    Raises EmbeddedStartFailed where there is none and none can be created.
    """
    account = known_account()
    if account is None and os.geteuid() == 0:
        _create_account()
        account = known_account()
    if account is None:
        raise EmbeddedStartFailed(
            f"PostgreSQL needs an account with a name, and user id {os.geteuid()} has none; "
            "add one to the system's accounts or set PROJECTOR_DATABASE_URL"
        )
    return account


def known_account() -> Account | None:
    """Return the account that the server runs as, or None where it does not exist yet."""
    uid = os.geteuid()
    try:
        entry = pwd.getpwnam(SERVER_ACCOUNT) if uid == 0 else pwd.getpwuid(uid)
    except KeyError:
        return None
    if entry.pw_uid == 0:
        raise EmbeddedStartFailed(
            f"the account {SERVER_ACCOUNT} is root itself, which PostgreSQL refuses; "
            "remove that account or run this as an ordinary user"
        )
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, drops_privileges=uid == 0)


def _create_account() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise EmbeddedStartFailed(_no_account("this system has no useradd"))
    nologin = shutil.which("nologin", path="/usr/sbin:/sbin:/usr/bin:/bin") or "/bin/false"
    options = ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", nologin]
    made = subprocess.run(  # noqa: S603 - a system program with constant arguments
        [useradd, *options, "--user-group", "--comment", "directory projector", SERVER_ACCOUNT],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=_ENVIRONMENT,
        cwd=Path("/"),
    )
    # Two first starts at once: the other one may have made it.
    if made.returncode != 0 and known_account() is None:
        raise EmbeddedStartFailed(_no_account(made.stdout.strip() or "useradd failed"))


def _no_account(reason: str) -> str:
    return (
        f"PostgreSQL does not run as root, and the account {SERVER_ACCOUNT} cannot be made "
        f"({reason}); create that system account, run this as an ordinary user, "
        "or set PROJECTOR_DATABASE_URL"
    )
