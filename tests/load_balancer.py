"""HAProxy with the compose file's own configuration, and a Zoom that delivers through it."""

import asyncio
import os
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.ingress_rig import event_body, signed
from tests.processes import IngressProcess, Process, binary, free_port

ROOT = Path(__file__).parent.parent
SENDER_SECONDS = 3.0


def compose() -> dict[str, Any]:
    """The compose file, parsed."""
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8")))


def haproxy_configuration() -> str:
    """HAProxy's configuration as Compose would mount it: `$$` is Compose's escape of `$`."""
    return str(compose()["configs"]["haproxy"]["content"]).replace("$$", "$")


@contextmanager
def haproxy(folder: Path, one: IngressProcess, two: IngressProcess) -> Iterator[str]:
    """HAProxy in front of two replicas; yields the address of its https side."""
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
    command = [binary("haproxy"), "-db", "-f", str(configuration)]
    with Process(command, folder / "haproxy.log", env=environment) as process:
        process.listening(port)
        process.listening(health)
        yield f"https://127.0.0.1:{port}"


@dataclass
class Zoom:
    """Delivers as Zoom does: three seconds per attempt, and at most `attempts` per body."""

    address: str
    session: aiohttp.ClientSession
    attempts: int = 1
    acknowledged: list[bytes] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    retried: int = 0

    async def send(self, body: bytes) -> tuple[int, bytes]:
        """Make one attempt; the status is 0 if there was no answer in time."""
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
        """Deliver one event, with retries as Zoom makes them."""
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
        """Deliver `rate` distinct events per second while the block runs, then await the rest."""
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
