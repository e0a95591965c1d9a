"""PostgreSQL servers of other releases installed on this system."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

from projector.database import OLDEST_SERVER
from projector.embedded.account import server_account
from projector.embedded.binaries import MAJOR
from tests.folders import new_folder

# The folders of Debian, Red Hat and Homebrew, and the PATH.
PLACES = (
    "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin", "/usr/local/pgsql/bin",
)  # fmt: skip


@cache
def found() -> dict[str, Path]:
    """The programs' folder of each supported major release, except the embedded one."""
    candidates = [path for place in PLACES for path in Path("/").glob(place.removeprefix("/"))]
    on_path = shutil.which("postgres")
    if on_path is not None:
        candidates.append(Path(on_path).resolve().parent)
    majors = {_major(folder): folder for folder in candidates if (folder / "initdb").exists()}
    return {str(n): majors[n] for n in sorted(majors) if n >= OLDEST_SERVER and n != MAJOR}


def _major(folder: Path) -> int:
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, check=False)
    number = re.search(rb" (\d+)", told.stdout)
    return int(number[1]) if number else 0


@contextmanager
def serving(programs: Path) -> Iterator[str]:
    """DSN of a server of that release without fsync; as root, run by an unprivileged account."""
    account = server_account()
    folder = new_folder("postgres")
    if account.drops_privileges:
        os.chown(folder, account.uid, account.gid)
    data, log = folder / "data", folder / "log"
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=200"

    def run(program: str, *arguments: str) -> None:
        ran = account.run([str(programs / program), *arguments])
        assert ran.returncode == 0, ran.stdout

    try:
        # The socket is in a folder that no other account can enter.
        run("initdb", "-D", str(data), "-U", "projector", "-A", "trust", "--no-sync", "-E", "UTF8")
        run("pg_ctl", "-D", str(data), "-l", str(log), "-o", f"{options} -F", "-w", "start")
        try:
            yield f"postgresql://projector@/postgres?host={quote(str(folder))}"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)
