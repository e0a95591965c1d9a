"""Two PostgreSQL servers under Patroni with etcd, HAProxy before the primary, and ways that can be cut.

The servers take turns as the primary. Each way is its own: to etcd as a node reaches it, and to a node as the
other one replicates from it, as clients reach it, and as its health is asked for.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import yaml

from projector.embedded.account import Account, server_account
from tests.cuttable import Way, Ways, cuttable
from tests.folders import new_folder
from tests.other_postgres import found
from tests.processes import Process, binary, free_port

SUPERUSER = "postgres"
DATABASE = "projector"
START_SECONDS = 90.0
FAILOVER_SECONDS = 30.0

# Patroni's proportions, five times as fast: a primary that is gone is replaced after about 10 s.
TTL, LOOP_WAIT, RETRY_TIMEOUT = 8, 1, 3

# The programs find nothing of the tests' own environment.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}


@dataclass
class Node:
    """One server: its own ports, and the ways to it."""

    name: str
    folder: Path
    port: int
    rest: int
    for_members: Way
    for_clients: Way
    for_health: Way
    to_etcd: Way
    patroni: Process | None = None

    @property
    def ways(self) -> tuple[Way, ...]:
        """All that connects it with the world."""
        return self.for_members, self.for_clients, self.for_health, self.to_etcd

    @property
    def postmaster(self) -> int | None:
        """The process id of its server while that runs."""
        data = self.folder / "data"
        with suppress(OSError, ValueError, IndexError):
            pid = int((data / "postmaster.pid").read_text().splitlines()[0])
            if str(data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid  # the file of one that was killed may name anybody's
        return None

    def ask(self, path: str, body: dict[str, str] | None = None) -> Any:
        """Ask its Patroni; None where it does not answer."""
        return ask(self.rest, path, body)


class Cluster:
    """Two nodes, etcd, and HAProxy."""

    def __init__(self, folder: Path, account: Account, ways: Ways, *, synchronous: bool) -> None:
        self.nodes: list[Node] = []
        self._folder = folder
        self._account = account
        self._ways = ways
        self._synchronous = synchronous

    @property
    def url(self) -> str:
        """Through HAProxy."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self._proxied}/{DATABASE}?sslmode=disable"

    @property
    def url_of_hosts(self) -> str:
        """Straight to the nodes, whichever is the primary."""
        hosts = ",".join(f"127.0.0.1:{node.for_clients.port}" for node in self.nodes)
        return (
            f"postgresql://{SUPERUSER}@{hosts}/{DATABASE}"
            "?sslmode=disable&target_session_attrs=read-write"
        )

    def start(self, stack: ExitStack) -> None:
        """Start everything, and wait for two healthy nodes."""
        stack.callback(self._end)
        etcd = self._start_etcd(stack)
        for number in (1, 2):
            node = self._make_node(number, etcd)
            self.nodes.append(node)
            self.start_patroni(node)
            wait(lambda: self.primary is not None, START_SECONDS, self.said)
        self._start_haproxy(stack)
        self.until_healthy(START_SECONDS)

    def _start_etcd(self, stack: ExitStack) -> int:
        port, peers = free_port(), free_port()
        command = [
            binary("etcd"), "--name=one", f"--data-dir={self._own('etcd')}",
            f"--listen-client-urls=http://127.0.0.1:{port}",
            f"--advertise-client-urls=http://127.0.0.1:{port}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peers}",
            f"--initial-cluster=one=http://127.0.0.1:{peers}",
        ]  # fmt: skip
        stack.enter_context(self._run(command, "etcd.log")).listening(port)
        wait(lambda: _version_of_etcd(port) is not None, START_SECONDS, self.said)
        return port

    def _make_node(self, number: int, etcd: int) -> Node:
        port, rest = free_port(), free_port()
        folder = self._own(f"node{number}")
        to_port, to_rest, way = self._ways.to(port), self._ways.to(rest), self._ways.to
        return Node(f"node{number}", folder, port, rest, to_port, way(port), to_rest, way(etcd))

    def _own(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir(mode=0o700)
        if self._account.drops_privileges:
            os.chown(folder, self._account.uid, self._account.gid)
        return folder

    def _run(self, command: list[str], log: str) -> Process:
        user = self._account.name if self._account.drops_privileges else None
        return Process(command, self._folder / log, env=ENVIRONMENT, user=user)

    def start_patroni(self, node: Node) -> None:
        """Start a node, as an init system does after a crash."""
        configuration = self._folder / f"{node.name}.yml"
        configuration.write_text(yaml.safe_dump(self._patroni(node)), encoding="utf-8")
        node.patroni = self._run([binary("patroni"), str(configuration)], f"{node.name}.log")

    def _patroni(self, node: Node) -> dict[str, Any]:
        return {
            "scope": "projector",
            "name": node.name,
            "restapi": {
                "listen": f"127.0.0.1:{node.rest}",
                "connect_address": f"127.0.0.1:{node.for_health.port}",
            },
            # As a proxy: Patroni would ask etcd where it is, and go round the way that a test cuts.
            "etcd3": {"hosts": [f"127.0.0.1:{node.to_etcd.port}"], "use_proxies": True},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": LOOP_WAIT,
                    "retry_timeout": RETRY_TIMEOUT,
                    "maximum_lag_on_failover": 16 * 1024 * 1024,
                    "synchronous_mode": self._synchronous,
                    "synchronous_mode_strict": self._synchronous,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "parameters": {
                            "max_connections": 100,
                            "wal_keep_size": "128MB",
                            "wal_sender_timeout": "5s",
                            "wal_receiver_timeout": "5s",
                        },
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums", "no-sync"],
                "pg_hba": [
                    "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust",
                ],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{node.port}",
                "connect_address": f"127.0.0.1:{node.for_members.port}",
                "data_dir": str(node.folder / "data"),
                "bin_dir": str(found()[max(found())]),
                "pgpass": str(node.folder / "pgpass"),
                "authentication": {
                    "superuser": {"username": SUPERUSER},
                    "replication": {"username": "replicator"},
                },
                "parameters": {"unix_socket_directories": str(node.folder)},
            },
            "watchdog": {"mode": "off"},
        }  # fmt: skip

    def _start_haproxy(self, stack: ExitStack) -> None:
        """Patroni's own template; it asks every second rather than every three."""
        self._proxied = free_port()
        servers = "\n".join(
            f"    server {node.name} 127.0.0.1:{node.for_clients.port} maxconn 100 "
            f"check port {node.for_health.port}"
            for node in self.nodes
        )
        configuration = self._folder / "haproxy.cfg"
        configuration.write_text(
            f"""global
    maxconn 200
defaults
    mode tcp
    retries 2
    timeout client 30m
    timeout connect 4s
    timeout server 30m
    timeout check 2s
listen primary
    bind 127.0.0.1:{self._proxied}
    option httpchk HEAD /primary
    http-check expect status 200
    default-server inter 1s fall 3 rise 2 on-marked-down shutdown-sessions
{servers}
""",
            encoding="ascii",
        )
        haproxy = stack.enter_context(
            self._run([binary("haproxy"), "-db", "-f", str(configuration)], "haproxy.log")
        )
        haproxy.listening(self._proxied)

    @property
    def primary(self) -> Node | None:
        """The node that is the primary by its own word, and in reach of etcd."""
        for node in self.nodes:
            if (told := node.ask("/primary")) and told.get("role") == "master":
                return node
        return None

    def other(self, node: Node) -> Node:
        return self.nodes[1 - self.nodes.index(node)]

    @property
    def is_healthy(self) -> bool:
        """Whether there is a primary and a standby that streams from it, synchronous where that is asked."""
        primary = self.primary
        if primary is None:
            return False
        told = primary.ask("/patroni") or {}
        state, role = ("sync", "sync_standby") if self._synchronous else ("async", "replica")
        streaming = [
            one for one in told.get("replication", ())
            if (one["state"], one["sync_state"]) == ("streaming", state)
        ]  # fmt: skip
        standby = self.other(primary).ask("/replica") or {}
        same = standby.get("timeline") == told.get("timeline")
        members = (primary.ask("/cluster") or {}).get("members", ())
        roles = {one["role"] for one in members}
        return bool(streaming) and same and roles == {"leader", role}

    def until_healthy(self, seconds: float = 60) -> None:
        wait(lambda: self.is_healthy, seconds, self.said)

    def said(self) -> str:
        """The last that everything said."""
        ends = [
            f"== {log.name}\n{log.read_text(errors='replace')[-3000:]}"
            for log in self._folder.glob("*.log")
        ]
        return "\n".join(ends)

    def kill(self, node: Node) -> None:
        """Kill a node's Patroni and its server, both at once and without a warning."""
        assert node.patroni is not None
        postmaster = node.postmaster
        node.patroni.process.kill()
        if postmaster is not None:
            os.kill(postmaster, signal.SIGKILL)
        node.patroni.process.wait(10)

    def until_promoted(self, former: Node) -> None:
        """Wait until the other node is the primary."""
        wait(
            lambda: (self.other(former).ask("/primary") or {}).get("role") == "master",
            FAILOVER_SECONDS,
            self.said,
        )

    def switch_over(self) -> None:
        """Let the nodes change their parts, as before maintenance."""
        primary = self.primary
        assert primary is not None, self.said()
        other = self.other(primary)
        answer = primary.ask("/switchover", {"leader": primary.name, "candidate": other.name})
        assert "Successfully" in str(answer), (answer, self.said())

    def cut_off(self, node: Node) -> None:
        """Cut a node off from etcd, clients, health checks and the other node; it runs on."""
        self._ways.cut(*node.ways)

    def mend(self, node: Node) -> None:
        self._ways.mend(*node.ways)

    def stop_replication(self, primary: Node) -> None:
        """Let nothing more reach the standby, while the primary goes on."""
        self._ways.cut(primary.for_members)

    def _end(self) -> None:
        for node in self.nodes:
            self._ways.mend(*node.ways)
            if node.patroni is not None:
                node.patroni.close()
            if (postmaster := node.postmaster) is not None:
                with suppress(ProcessLookupError):
                    os.kill(postmaster, signal.SIGQUIT)
                wait(lambda node=node: node.postmaster is None, 10, self.said)  # type: ignore[misc]


def ask(port: int, path: str, body: dict[str, str] | None = None) -> Any:
    """Ask over HTTP, and read JSON where it is JSON; None where nobody answers."""
    asked = HTTPConnection("127.0.0.1", port, timeout=20 if body else 2)
    try:
        asked.request("POST" if body else "GET", path, json.dumps(body) if body else None)
        text = asked.getresponse().read().decode()
    except (OSError, HTTPException):
        return None
    finally:
        asked.close()
    with suppress(ValueError):
        return json.loads(text)
    return text


def _version_of_etcd(port: int) -> str | None:
    """The version that its cluster decided upon; Patroni ends with an error where it finds none."""
    told = ask(port, "/version") or {}
    version = told.get("etcdcluster")
    return None if version == "not_decided" else version


def wait(condition: Callable[[], bool], seconds: float, said: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s\n{said()}"
        time.sleep(0.1)


@contextmanager
def patroni_cluster(*, synchronous: bool) -> Iterator[Cluster]:
    """A healthy cluster that ends with the block."""
    folder = new_folder("projector-patroni")
    folder.chmod(0o755)
    try:
        with cuttable() as ways, ExitStack() as stack:
            cluster = Cluster(folder, server_account(), ways, synchronous=synchronous)
            cluster.start(stack)
            yield cluster
    finally:
        shutil.rmtree(folder)
