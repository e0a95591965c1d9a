"""A deployment, a Zoom that delivers to it, and a fault injector."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg

from projector.database import UNAVAILABLE, Database, open_database
from projector.embedded import EmbeddedServer
from projector.errors import ProjectorError
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from projector.simulator.account import Account
from projector.simulator.schedule import outgoing
from tests.ingress_rig import signed
from tests.processes import IngressProcess, ProjectorProcess
from tests.runtime_rig import no_progress

DEADLINE_SECONDS = 3.0
# Zoom gives up after four attempts; here retries go on, so that no event may be missing at the end.
RETRY_SECONDS = (0.3, 1.0, 3.0)


@dataclass
class Deployment:
    """Two replicas of each kind and a database server, all subject to faults."""

    server: EmbeddedServer
    ingress: list[IngressProcess]
    projectors: list[ProjectorProcess]

    def close(self) -> None:
        for process in (*self.ingress, *self.projectors):
            process.close()


def deploy(server: EmbeddedServer, folder: Path) -> Deployment:
    """Start everything."""
    return Deployment(
        server,
        [IngressProcess(server.dsn, folder / f"ingress-{n}.log") for n in range(2)],
        [ProjectorProcess(server.dsn, folder / f"projector-{n}.log") for n in range(2)],
    )


@dataclass
class Zoom:
    """Delivers a simulated account's history, late, twice and out of order, until all is acknowledged."""

    ports: list[int]
    seed: int
    rate: float
    sent: set[bytes] = field(default_factory=set)
    acknowledged: dict[bytes, set[int]] = field(default_factory=dict)
    refused: int = 0
    stopping: bool = False

    async def deliver_until_stopped(self) -> None:
        """Send at the rate; after the stop, retry until everything is acknowledged."""
        chance = random.Random(f"deliveries of {self.seed}")
        sending: set[asyncio.Task[None]] = set()
        started, number = time.monotonic(), 0
        async with aiohttp.ClientSession() as session:
            for body in self._bodies(chance):
                if self.stopping:
                    break
                number += 1
                task = asyncio.create_task(self._deliver(session, body, chance.randrange(2)))
                sending.add(task)
                task.add_done_callback(sending.discard)
                await asyncio.sleep(max(0, started + number / self.rate - time.monotonic()))
            await asyncio.gather(*sending)

    def _bodies(self, chance: random.Random) -> Iterator[bytes]:
        start = time.time_ns() // 1_000_000 - 30 * 86_400_000
        events = Account(self.seed, users=40, start_ms=start).events(
            1_000_000, span_ms=29 * 86_400_000
        )
        for one in outgoing(events, chance, duplicates=0.05, disorder=200):
            yield one.body

    async def _deliver(self, session: aiohttp.ClientSession, body: bytes, which: int) -> None:
        self.sent.add(body)
        attempt = 0
        while not await self._attempt(session, body, self.ports[(which + attempt) % 2]):
            self.refused += 1
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    async def _attempt(self, session: aiohttp.ClientSession, body: bytes, port: int) -> bool:
        """Make one attempt; returns whether it was acknowledged."""
        try:
            async with session.post(
                f"http://127.0.0.1:{port}/webhooks/zoom",
                data=body,
                headers=signed(body),
                timeout=aiohttp.ClientTimeout(total=DEADLINE_SECONDS),
            ) as answer:
                assert answer.status in (200, 503), f"{answer.status} loses an event for ever"
                if answer.status != 200:
                    return False
                assert await answer.read() == body
                position = int(answer.headers["X-Event-Position"])
        except (aiohttp.ClientError, TimeoutError):
            return False
        self.acknowledged.setdefault(body, set()).add(position)
        return True


class FaultInjector:
    """Injects one fault after another, in an order determined by its seed, and repairs it."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        self._deployment = deployment
        self._chance = random.Random(f"hand of {seed}")
        self._tasks: set[asyncio.Task[None]] = set()
        self.done: list[str] = []

    async def play(self, seconds: float) -> None:
        """Inject faults for `seconds`; everything runs again at the end."""
        faults: list[Callable[[], Awaitable[None]]] = [
            self.kill_projector, self.kill_ingress, self.pause_projector, self.pause_ingress,
            self.stop_projector, self.stop_ingress, self.cut_connections, self.cut_connections,
            self.restart_server, self.crash_backend, self.rebuild_some, self.rebuild_some,
        ]  # fmt: skip
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._chance.shuffle(faults)
            for fault in faults:
                if time.monotonic() >= end:
                    break
                self.done.append(fault.__name__)
                await fault()
                await asyncio.sleep(self._chance.uniform(0.2, 1.5))
        await asyncio.gather(*self._tasks)

    def _in_background(self, fault: Awaitable[None]) -> None:
        task = asyncio.ensure_future(fault)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def kill_projector(self) -> None:
        process = self._chance.choice(self._deployment.projectors)
        process.kill()
        process.start()

    async def kill_ingress(self) -> None:
        await self._restart_ingress(signal.SIGKILL)

    async def stop_ingress(self) -> None:
        await self._restart_ingress(signal.SIGTERM)

    async def _restart_ingress(self, number: signal.Signals) -> None:
        replica = self._chance.choice(self._deployment.ingress)
        replica.signal(number)
        await replica.ended()
        await asyncio.to_thread(replica.start)

    async def stop_projector(self) -> None:
        process = self._chance.choice(self._deployment.projectors)
        process.signal(signal.SIGTERM)
        await process.ended()
        process.start()

    async def pause_projector(self) -> None:
        self._in_background(self._pause(self._chance.choice(self._deployment.projectors).pid, 9))

    async def pause_ingress(self) -> None:
        self._in_background(self._pause(self._chance.choice(self._deployment.ingress).pid, 3))

    async def _pause(self, pid: int, most: float) -> None:
        with suppress(ProcessLookupError):  # the process was killed
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(self._chance.uniform(0.5, most))
            os.kill(pid, signal.SIGCONT)

    async def restart_server(self) -> None:
        await asyncio.to_thread(self._deployment.server.stop)
        await asyncio.sleep(self._chance.uniform(0, 2))
        await asyncio.to_thread(self._deployment.server.start)

    async def cut_connections(self) -> None:
        """End about half of all sessions."""
        await self._on_server(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5"
        )

    async def crash_backend(self) -> None:
        """Kill one session's process: the server ends all others and recovers from its log."""
        rows = await self._on_server(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
        )
        for row in rows:
            with suppress(ProcessLookupError):
                os.kill(row[0], signal.SIGKILL)

    async def _on_server(self, statement: str) -> list[asyncpg.Record]:
        try:
            connection = await asyncpg.connect(self._deployment.server.dsn, timeout=5)
        except (*UNAVAILABLE, asyncpg.PostgresError):
            return []  # the server still recovers from the previous fault
        try:
            return await connection.fetch(statement)
        except (*UNAVAILABLE, asyncpg.PostgresError):
            return []
        finally:
            connection.terminate()

    async def rebuild_some(self) -> None:
        self._in_background(
            self._rebuild(self._chance.sample(PROJECTIONS, self._chance.randint(1, 4)))
        )

    async def _rebuild(self, projections: list[object]) -> None:
        """Rebuild once, as an operator would; a failure is recorded."""
        try:
            database: Database = await open_database(self._deployment.server.dsn)
        except ProjectorError:
            return
        try:
            await rebuild(database, projections, no_progress)  # type: ignore[arg-type]
            self.done.append("rebuilt")
        except (ProjectorError, asyncpg.PostgresError, *UNAVAILABLE):
            self.done.append("rebuild failed")
        finally:
            database.terminate()
