"""A PostgreSQL server that listens on TCP and asks for passwords, as a company's own does."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from projector.embedded.account import Account, server_account
from projector.embedded.binaries import Binaries, binaries_for
from tests.folders import new_folder
from tests.processes import free_port

PASSWORD = "hunter2"


@dataclass
class TcpPostgres:
    """The server; `folder` belongs to its account."""

    folder: Path
    port: int
    account: Account
    binaries: Binaries
    options: Mapping[str, str]

    def url(
        self, *, password: str = PASSWORD, database: str = "postgres", user: str = "owner"
    ) -> str:
        """The URL of a database of it."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        given = self.options | {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        log = ["-l", str(self.folder / "log")]
        self.run("pg_ctl", "-D", str(self.folder / "data"), *log, "-o", options, "-w", "start")

    def stop(self, *more: str, mode: str = "immediate") -> None:
        """Stop it; `more`: further options of pg_ctl."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, *more, "stop")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs."""
        ran = self.account.run([self.binaries.program(program), *arguments])
        assert ran.returncode == 0, ran.stdout


@contextmanager
def tcp_postgres(**options: str) -> Iterator[TcpPostgres]:
    """A server that runs until the block ends; `options` are PostgreSQL's own."""
    account, folder = server_account(), new_folder("tcp")
    folder.chmod(0o711)
    mine = folder / "mine"
    mine.mkdir(mode=0o700)
    if account.drops_privileges:
        os.chown(mine, account.uid, account.gid)
    server = TcpPostgres(
        mine, free_port(), account, binaries_for(account, folder / "programs"), options
    )
    secret = folder / "password"
    secret.write_text(PASSWORD, encoding="ascii")
    secret.chmod(0o644)
    try:
        server.run(
            "initdb", "-D", str(mine / "data"), "-U", "owner", "-A", "scram-sha-256",
            "--pwfile", str(secret), "--no-sync", "-E", "UTF8",
        )  # fmt: skip
        server.start()
        try:
            yield server
        finally:
            if (mine / "data" / "postmaster.pid").exists():
                server.stop()
    finally:
        shutil.rmtree(folder)
