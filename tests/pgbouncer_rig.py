"""A real PgBouncer in transaction mode between a test and the embedded server."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from projector.embedded.account import server_account


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """Wait until somebody listens; fails at once where the process is gone."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port} after {seconds} s")


def binary(name: str) -> str:
    """The path of a system binary, also of those that only root's PATH names."""
    return shutil.which(name) or f"/usr/sbin/{name}"


@contextmanager
def pgbouncer(dsn: str, *, pool_size: int = 10) -> Iterator[str]:
    """Run PgBouncer in front of the server of a DSN; answers the same database's URL through it."""
    parts = urlsplit(dsn)
    server = {name: values[0] for name, values in parse_qs(parts.query).items()}
    folder = Path(tempfile.mkdtemp(prefix="projector-pgbouncer-"))
    folder.chmod(0o755)
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        f"""[databases]
* = host={server["host"]} port={server["port"]} user={parts.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
server_reset_query =
logfile =
pidfile =
""",
        encoding="ascii",
    )
    # The embedded server lets in its own account and ours; PgBouncer refuses to run as root.
    account = server_account()
    process = subprocess.Popen(
        [binary("pgbouncer"), "--quiet", str(configuration)],
        user=account.uid if account.drops_privileges else None,
        group=account.gid if account.drops_privileges else None,
        extra_groups=[] if account.drops_privileges else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )
    try:
        wait_for_port(port, process)
        yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)
