"""Replicas as processes, HAProxy with the very text of the compose file, and a steady load."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from ingress_rig import SECRET, event_body, signed
from pgbouncer_rig import binary, free_port, wait_for_port

ROOT = Path(__file__).parent.parent
SENDER_SECONDS = 3.0


def compose() -> dict[str, Any]:
    """The compose file, as YAML says it."""
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8")))


def haproxy_configuration() -> str:
    """HAProxy's configuration as Compose would mount it: `$$` is Compose's way to write `$`."""
    return str(compose()["configs"]["haproxy"]["content"]).replace("$$", "$")


class ReplicaProcess:
    """`projector serve` on a fixed port, so that it can be stopped and started again."""

    def __init__(self, database_url: str, log: Path, **settings: str) -> None:
        self.port = free_port()
        self._log = log
        self._environment = os.environ | {
            "PROJECTOR_DATABASE_URL": database_url,
            "PROJECTOR_PORT": str(self.port),
            "PROJECTOR_ZOOM_SECRET_TOKENS": SECRET.decode(),
            "PROJECTOR_DRAIN_SECONDS": "2",
            **settings,
        }
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "projector", "serve"],
                env=self._environment,
                stdout=output,
                stderr=output,
            )
        wait_for_port(self.port, self.process)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self, seconds: float = 15) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.to_thread(self.process.wait, seconds)

    async def until_ready(self) -> None:
        """Wait until /readyz says so."""
        async with aiohttp.ClientSession() as session:
            for _ in range(200):
                url = f"http://127.0.0.1:{self.port}/readyz"
                async with session.get(url) as response:
                    if response.status == 200:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError("the replica never became ready")

    def log_lines(self) -> list[dict[str, Any]]:
        """Everything that it has logged."""
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]

    def close(self) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


@contextmanager
def replicas(database_url: str, folder: Path, count: int = 2) -> Iterator[list[ReplicaProcess]]:
    """Replicas that run until the block ends."""
    started: list[ReplicaProcess] = []
    try:
        for number in range(count):
            log = folder / f"replica-{number}.log"
            started += [ReplicaProcess(database_url, log)]
        yield started
    finally:
        for replica in started:
            replica.close()


@contextmanager
def haproxy(folder: Path, one: ReplicaProcess, two: ReplicaProcess) -> Iterator[str]:
    """HAProxy in front of two replicas; answers the address of its https side."""
    certificate, key, both = (folder / name for name in ("crt.pem", "key.pem", "tls.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    configuration = folder / "haproxy.cfg"
    configuration.write_text(haproxy_configuration(), encoding="utf-8")
    port, health = free_port(), free_port()
    environment = os.environ | {
        "LISTEN": f"127.0.0.1:{port}",
        "HEALTH": f"127.0.0.1:{health}",
        "CERTIFICATE": str(both),
        "INGRESS_1": f"127.0.0.1:{one.port}",
        "INGRESS_2": f"127.0.0.1:{two.port}",
    }
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen(
            [binary("haproxy"), "-db", "-f", str(configuration)],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for_port(port, process)
        wait_for_port(health, process)
        yield f"https://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


@dataclass
class Zoom:
    """Delivers as Zoom does, with three seconds each, a body at most `attempts` times."""

    address: str
    session: aiohttp.ClientSession
    attempts: int = 1
    acknowledged: list[bytes] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    retried: int = 0

    async def send(self, body: bytes) -> tuple[int, bytes]:
        """One attempt; the status is 0 where there was no answer in time."""
        try:
            async with self.session.post(
                f"{self.address}/webhooks/zoom",
                data=body,
                headers=signed(body),
                timeout=aiohttp.ClientTimeout(total=SENDER_SECONDS),
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, repr(error).encode()

    async def deliver(self, body: bytes) -> None:
        """Deliver one event, with retries while the answer asks for them."""
        status, answer = 0, b""
        for attempt in range(self.attempts):
            self.retried += attempt > 0
            status, answer = await self.send(body)
            if 0 < status < 500:
                break
            await asyncio.sleep(0.2)
        if status == 200:
            assert answer == body
            self.acknowledged.append(body)
        else:
            self.failures.append(f"{status} {answer!r}")

    @asynccontextmanager
    async def load(self, rate: float) -> AsyncIterator[None]:
        """Deliver so many distinct events a second while the block runs, and settle them all."""
        sending: set[asyncio.Task[None]] = set()

        async def keep_sending() -> None:
            started = time.monotonic()
            while True:
                due = int((time.monotonic() - started) * rate) + 1
                while len(sending) < due:
                    sending.add(asyncio.create_task(self.deliver(event_body())))
                await asyncio.sleep(0.005)

        sender = asyncio.create_task(keep_sending())
        try:
            yield
        finally:
            sender.cancel()
            await asyncio.gather(*sending)


@asynccontextmanager
async def zoom_at(address: str, *, attempts: int = 1) -> AsyncIterator[Zoom]:
    """A sender that trusts the test's certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connector = aiohttp.TCPConnector(ssl=context, limit=100)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Zoom(address, session, attempts)
