"""Initialise a data directory, or check one that is there."""

import os
import re
import shutil
from pathlib import Path
from typing import Final

from projector.embedded.account import Account
from projector.embedded.binaries import MAJOR, Binaries
from projector.embedded.errors import (
    DataDirectoryUnusable,
    DataDirectoryVersion,
    EmbeddedStartFailed,
)
from projector.embedded.layout import DATABASE, LOOPBACK, ROLE, Layout, own_folder
from projector.statements import queries

_INITDB: Final = (
    f"--username={ROLE}",
    "--auth-local=peer",
    "--auth-host=reject",
    "--data-checksums",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",  # the same order and case rules on every machine
    "--no-instructions",
)


def ensure_cluster(layout: Layout, binaries: Binaries, account: Account) -> None:
    """Initialise the data directory where it is new; check its version where it is not.

    Raises DataDirectoryVersion, DataDirectoryUnusable, EmbeddedStartFailed.
    """
    if not layout.postgres.exists():
        _create(layout, binaries, account)
    own_folder(layout.postgres, account)
    version = layout.postgres / "PG_VERSION"
    if not version.is_file():
        raise DataDirectoryUnusable(
            f"{layout.postgres} holds no PostgreSQL data; "
            "remove it or choose another PROJECTOR_DATA_DIR"
        )
    found = version.read_text("ascii", "replace").strip()
    if found != str(MAJOR):
        found = found if found.isdecimal() else "(unknown)"
        raise DataDirectoryVersion(
            f"{layout.postgres} was initialised by PostgreSQL {found}, and the embedded one is "
            f"{MAJOR}; choose a new PROJECTOR_DATA_DIR and bring the log over with "
            "`projector export` and `projector import`"
        )


# The first rule that fits decides. Our superuser has no password, and stays out of reach if it gets one.
_OVER_TCP: Final = f"host all {ROLE} all reject\nhost {DATABASE} all {LOOPBACK}/32 scram-sha-256\n"


def write_access_rules(layout: Layout, account: Account) -> None:
    """Write who may connect: our accounts, as the kernel knows them; over TCP whoever has a password."""
    rules = "local all all peer map=projector\n"
    _write(layout.callers, rules + (_OVER_TCP if layout.tcp_port else ""))
    lines = (f'projector "{_quoted(name)}" {ROLE}\n' for name in account.callers())
    _write(layout.names, "".join(lines))


def _create(layout: Layout, binaries: Binaries, account: Account) -> None:
    """Initialise beside the target, then rename: an interrupted start leaves nothing half made."""
    target = layout.postgres
    partial = target.with_name(target.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    own_folder(partial, account)
    _succeed(layout, account, [binaries.program("initdb"), *_INITDB, "-D", str(partial)])
    # PostgreSQL's single-user mode needs no running server, and reads a statement a line.
    single = ["--single", "-D", str(partial), "-c", "exit_on_error=on", "template1"]
    statement = queries("embedded")["create_database"]
    _succeed(layout, account, [binaries.program("postgres"), *single], stdin=statement + "\n")
    partial.rename(target)
    _sync_folder(target.parent)


def _succeed(layout: Layout, account: Account, command: list[str], stdin: str = "") -> None:
    done = account.run(command, stdin=stdin)
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines()
        telling = [line for line in lines if re.search(r"error|FATAL|PANIC", line)]
        output = " | ".join((telling or lines)[-5:])
        if re.search("No space left|wrote only", output):
            output = f"the disk of {layout.data_dir} is full ({output})"
        raise EmbeddedStartFailed(
            f"{Path(command[0]).name} could not initialise the embedded PostgreSQL: {output}"
        )


def _write(path: Path, text: str) -> None:
    """Write a file that the server's account can read; for nothing secret.

    One that says the same stays: on a full disk it would become an empty one.
    """
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o644), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(name: str) -> str:
    return name.replace('"', '""')
