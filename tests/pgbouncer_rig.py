"""A real PgBouncer in transaction mode between a test and the embedded server."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from projector.embedded.account import server_account
from tests.processes import Process, binary, free_port


@contextmanager
def pgbouncer(dsn: str, *, pool_size: int = 10, **settings: str) -> Iterator[str]:
    """Run PgBouncer in front of a DSN's server; yields the URL of the same database through it.

    `settings` are PgBouncer's own.
    """
    more = "".join(f"{name} = {value}\n" for name, value in settings.items())
    parts = urlsplit(dsn)
    server = {name: values[0] for name, values in parse_qs(parts.query).items()}
    folder = Path(tempfile.mkdtemp(prefix="projector-pgbouncer-"))
    folder.chmod(0o755)
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    password = f" password={parts.password}" if parts.password else ""
    configuration.write_text(
        f"""[databases]
* = host={server["host"]} port={server["port"]} user={parts.username}{password}
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
{more}""",
        encoding="ascii",
    )
    # The embedded server admits its own account and ours; PgBouncer refuses to run as root.
    account = server_account()
    command = [binary("pgbouncer"), "--quiet", str(configuration)]
    try:
        with Process(
            command,
            folder / "log",
            user=account.name if account.drops_privileges else None,
        ) as process:
            process.listening(port)
            yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
            process.stop(signal.SIGTERM)
    finally:
        shutil.rmtree(folder)
