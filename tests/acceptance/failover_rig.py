"""The product before a Patroni cluster: two replicas of each kind, one of each straight to the servers."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import aiohttp

from projector.database import Database, open_database
from projector.simulator.account import Account
from projector.simulator.schedule import outgoing
from tests.acceptance.chaos_rig import Zoom
from tests.conftest import run_on
from tests.patroni_rig import Cluster
from tests.processes import IngressProcess, ProjectorProcess, command

EVENTS_A_SECOND = 40.0


@dataclass
class TimedZoom(Zoom):
    """Notes when each replica acknowledged something. `duplicates`: the share that is sent twice."""

    duplicates: float = 0.05
    answered: dict[int, list[float]] = field(default_factory=dict)

    def _bodies(self, chance: random.Random) -> Iterator[bytes]:
        start = time.time_ns() // 1_000_000 - 30 * 86_400_000
        events = Account(self.seed, users=40, start_ms=start).events(
            1_000_000, span_ms=29 * 86_400_000
        )
        for one in outgoing(events, chance, duplicates=self.duplicates, disorder=200):
            yield one.body

    async def _attempt(self, session: aiohttp.ClientSession, body: bytes, port: int) -> bool:
        acknowledged = await super()._attempt(session, body, port)
        if acknowledged:
            self.answered.setdefault(port, []).append(time.monotonic())
        return acknowledged

    def silence(self, port: int, since: float) -> float:
        """The longest time, in seconds, in which a replica acknowledged nothing."""
        times = [since, *(at for at in self.answered.get(port, ()) if at > since)]
        return max((later - at for at, later in pairwise(times)), default=0)


@dataclass
class Product:
    """Our processes; none is started again, whatever happens."""

    ingress: list[IngressProcess]
    projectors: list[ProjectorProcess]

    def assert_never_ended(self) -> None:
        for process in (*self.ingress, *self.projectors):
            assert process.process.poll() is None, process.said[-3000:]


@contextmanager
def product_before(cluster: Cluster, folder: Path) -> Iterator[Product]:
    """A migrated database and two replicas of each kind: one by HAProxy, one by the hosts in its URL."""
    with ExitStack() as stack:
        ingress, projectors = [], []
        for number, url in enumerate((cluster.url, cluster.url_of_hosts)):
            log = folder / f"ingress-{number}.log"
            ingress.append(stack.enter_context(IngressProcess(url, log)))
            log = folder / f"projector-{number}.log"
            projectors.append(stack.enter_context(ProjectorProcess(url, log)))
        yield Product(ingress, projectors)


async def prepare(cluster: Cluster) -> None:
    """Make and migrate the database, by the hosts' URL: HAProxy takes all nodes for primaries at first."""
    url = cluster.url_of_hosts
    await run_on(url.replace("/projector?", "/postgres?"), "CREATE DATABASE projector")
    migrated = await asyncio.to_thread(command, "migrate", database_url=url)
    assert migrated.returncode == 0, migrated.stderr


async def opened(cluster: Cluster) -> Database:
    """The database, by the hosts' URL."""
    return await open_database(cluster.url_of_hosts)
