"""End-to-end delay: from sending a delivery until its row is in the view, at 1,000 per second.

Deliveries are sent by the clock, without waiting for answers, so that a stall counts for every delivery
that it delays. One in ten is watched: the view is polled for the position of its row.
"""

import asyncio
import time
from collections import deque
from itertools import count
from typing import Final

import asyncpg

from tests.benchmarks import processes
from tests.benchmarks.bench import Bench
from tests.benchmarks.databases import fresh, settle
from tests.benchmarks.figures import Row, Target, megabytes, spread
from tests.benchmarks.load import LoadFailed
from tests.benchmarks.mixed_log import ACCOUNT, opaque_id
from tests.benchmarks.raw_http import Answer, RawConnection, header
from tests.benchmarks.requests import signed_request

PER_SECOND: Final = 1_000
WATCHED_EVERY: Final = 10
CONNECTIONS: Final = 64
USERS: Final = 5_000
LOOK_SECONDS: Final = 0.002
WARM_UP_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 15.0

_VIEW: Final = (
    "SELECT user_id, last_position FROM directory.presence WHERE user_id = ANY ($1::text[])"
)

_numbers = count(1)


class Steady:
    """Sends presence deliveries at a steady rate; learns when the view shows the watched ones."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: deque[RawConnection] = deque()
        self._opened: list[RawConnection] = []
        self._on_way: dict[RawConnection, tuple[str, float]] = {}
        self._waiting: dict[str, tuple[int, float]] = {}
        self.delays: list[float] = []
        self.failed = 0
        self._sending = True

    async def run(self, view: "asyncpg.Connection[asyncpg.Record]", seconds: float) -> None:
        """Send for some seconds, then wait until the last watched delivery is seen."""
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            _, connection = await loop.create_connection(
                lambda: RawConnection(self._answered, self._lost), "127.0.0.1", self._port
            )
            self._opened.append(connection)
        self._idle.extend(self._opened)
        looking = asyncio.create_task(self._look(view))
        await self._send_for(seconds)
        self._sending = False
        try:
            await asyncio.wait_for(looking, PATIENCE_SECONDS)
        except TimeoutError:
            raise LoadFailed(f"{len(self._waiting)} deliveries never came into the view") from None
        finally:
            for connection in self._opened:
                connection.close()

    async def _send_for(self, seconds: float) -> None:
        started = time.perf_counter()
        for number in range(int(seconds * PER_SECOND)):
            due = started + number / PER_SECOND
            while (now := time.perf_counter()) < due or not self._idle:
                await asyncio.sleep(max(due - now, 0.0005))
            self._send(number, due)

    def _send(self, number: int, due: float) -> None:
        unique = next(_numbers)
        watched = number % WATCHED_EVERY == 0
        user = opaque_id("watched" if watched else "user", unique % USERS)
        body = (
            f'{{"event":"user.presence_status_updated","event_ts":{time.time_ns() // 1_000_000},'
            f'"payload":{{"account_id":"{ACCOUNT}","object":{{"id":"{user}","number":{unique},'
            f'"email":"person@example.com","presence_status":"Available"}}}}}}'
        ).encode()
        connection = self._idle.popleft()
        self._on_way[connection] = (user if watched else "", due)
        connection.send(signed_request(body, unique), due)

    def _answered(self, connection: RawConnection, answer: Answer) -> None:
        user, due = self._on_way.pop(connection)
        self._idle.append(connection)
        if answer.status != 200:
            self.failed += 1
        elif user:
            self._waiting[user] = (int(header(answer.head, b"x-event-position") or 0), due)

    def _lost(self, _connection: RawConnection) -> None:
        self.failed += self._sending

    async def _look(self, view: "asyncpg.Connection[asyncpg.Record]") -> None:
        while self._sending or self._waiting or self._on_way:
            if self._waiting:
                rows = await view.fetch(_VIEW, list(self._waiting))
                now = time.perf_counter()
                for user, position in rows:
                    wanted, due = self._waiting[user]
                    if position >= wanted:
                        del self._waiting[user]
                        self.delays.append(now - due)
            await asyncio.sleep(LOOK_SECONDS)


async def delay(bench: Bench) -> list[Row]:
    """One `projector serve` and one `projector project`, together."""
    p50s, p99s = [], []
    async with fresh(bench.server) as url, processes.ingress(url, bench.folder) as (_, port):
        with processes.projector("project", url, bench.folder) as process:
            view = await asyncpg.connect(url)
            await Steady(port).run(view, WARM_UP_SECONDS)
            for _ in bench.rounds():
                await settle(url)
                steady = Steady(port)
                await steady.run(view, bench.scale.delay_seconds)
                if steady.failed:
                    raise LoadFailed(f"{steady.failed} deliveries were not acknowledged")
                delays = sorted(steady.delays)
                p50s.append(delays[len(delays) // 2] * 1000)
                p99s.append(delays[len(delays) * 99 // 100] * 1000)
            await view.close()
            peak = megabytes(process.look())
    latency = {"p50": spread(p50s), "p99": spread(p99s)}
    return [
        Row(
            "delay", f"delivery to view at {PER_SECOND:,}/s, p99", "ms", spread(p99s),
            target=Target(250, 50, "lower"), latency_ms=latency, peak_mb=peak,
        )
    ]  # fmt: skip
