"""The console: how quick and how heavy its pages are, and what ten readers cost ingress and projection."""

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
import asyncpg

from tests.benchmarks import processes
from tests.benchmarks.bench import Bench
from tests.benchmarks.console_data import fill
from tests.benchmarks.databases import fresh, settle
from tests.benchmarks.delay import PER_SECOND, WARM_UP_SECONDS, Steady
from tests.benchmarks.figures import Row, Target, ratios, spread
from tests.benchmarks.load import LoadFailed
from tests.benchmarks.mixed_log import ACCOUNT

REPEATED: Final = 15
USERS_AN_EVENT: Final = 25  # 200,000 people at 5,000,000 events
PEOPLE_A_GROUP: Final = 40
READERS: Final = 10
PAUSE_SECONDS: Final = 2.0  # of a reader, between two pages

# Whom the pages are of: who has the longest history, and the largest group and one of the next.
EXAMPLES: Final = """
    SELECT
        (SELECT user_id FROM state.user_versions GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) AS person,
        (SELECT state.time_of(folded) FROM state.user_versions ORDER BY folded
         OFFSET (SELECT count(*) * 3 / 4 FROM state.user_versions) LIMIT 1) AS at,
        (SELECT max(position) FROM log.events) / 2 AS middle,
        g[1] AS largest, g[2] AS "group"
    FROM (SELECT array_agg(group_id) AS g FROM (
        SELECT group_id FROM state.memberships WHERE added GROUP BY 1 ORDER BY count(*) DESC LIMIT 2) x) y
"""
PAGES: Final = {
    "overview": "/",
    "people": "/people",
    "a search": "/people?q=ann%20m",
    "a search in vain": "/people?q=nobodyatall",
    "a person": "/people/{account}/{person}",
    "a person at t": "/people/{account}/{person}?at={at}",
    "a person then and now": "/people/{account}/{person}?versus={at}",
    "groups": "/groups",
    "a search of groups": "/groups?q=12",
    "the largest group": "/groups/{account}/{largest}",
    "a group": "/groups/{account}/{group}",
    "a group at t": "/groups/{account}/{group}?at={at}",
    "a group then and now": "/groups/{account}/{group}?versus={at}",
    "changes": "/changes",
    "changes of long ago": "/changes?before={middle}",
    "changes of users": "/changes?entity=user",
    "trust": "/trust",
    "drift": "/trust/drift",
    "corrections": "/trust/corrections",
    "unresolved": "/trust/unresolved",
    "dead letters": "/trust/dead-letters",
    "quarantine": "/trust/quarantine",
    "projections": "/projections",
}  # fmt: skip


@dataclass
class Reader:
    """Somebody who has come in."""

    url: str
    session: aiohttp.ClientSession

    async def open(self, path: str) -> tuple[float, int, str]:
        """Milliseconds until a page is there whole, its bytes on the wire, and the page."""
        started = time.perf_counter()
        async with self.session.get(self.url + path) as answer:
            text = await answer.text()
        taken = (time.perf_counter() - started) * 1000
        if answer.status != 200:
            raise LoadFailed(f"{path} answered {answer.status}")
        return taken, int(answer.headers.get("Content-Length", len(text.encode()))), text

    async def weight_of_files(self) -> int:
        """Bytes of what every page loads once: the style sheet, the script, the icon."""
        _, _, page = await self.open("/projections")
        files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
        return sum([(await self.open(file))[1] for file in sorted(files)])


async def console(bench: Bench) -> list[Row]:
    """Every page of a large account, and deliveries while ten people read."""
    async with AsyncExitStack() as stack:
        url = bench.filled or await _filled(bench, stack)
        pages = await _addresses(url)
        reader = await stack.enter_async_context(_reading(bench, url))
        rows = await _quick(reader, pages)
        return [*rows, *await _beside(bench, url, reader, list(pages.values()))]


async def _filled(bench: Bench, stack: AsyncExitStack) -> str:
    url = await stack.enter_async_context(fresh(bench.server))
    users = bench.scale.large_events // USERS_AN_EVENT
    await fill(
        url, users=users, groups=users // PEOPLE_A_GROUP, events=bench.scale.large_events
    )  # fmt: skip
    return url


async def _addresses(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    try:
        example = await connection.fetchrow(EXAMPLES, timeout=600)
    finally:
        await connection.close()
    assert example is not None
    values = dict(example) | {
        "at": example["at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "account": ACCOUNT,
    }
    return {name: path.format(**values) for name, path in PAGES.items()}


@asynccontextmanager
async def _reading(bench: Bench, url: str) -> AsyncIterator[Reader]:
    """A `projector console` of its own, and somebody who came in by its one-time address."""
    own = {"PROJECTOR_DATA_DIR": str(bench.folder), "PROJECTOR_CONSOLE_PORT": "0"}
    with processes.projector("console", url, bench.folder, **own) as process:
        port = int(await processes.said(process, rb'"port":(\d+)'))
        with processes.projector("console --address", url, bench.folder, **own) as asked:
            assert asked.process.stdout is not None
            address = (await asyncio.to_thread(asked.process.stdout.read)).decode().strip()
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            async with session.get(address) as answer:
                if answer.status != 200:
                    raise LoadFailed(f"the console let nobody in: {answer.status}")
            yield Reader(f"http://127.0.0.1:{port}", session)


async def _quick(reader: Reader, pages: Mapping[str, str]) -> list[Row]:
    """Each page again and again, and the weight of each when nothing of it was there before."""
    files = await reader.weight_of_files()
    rows, weights = [], []
    for name, path in pages.items():
        await reader.open(path)
        taken = [await reader.open(path) for _ in range(REPEATED)]
        weights.append(max(size for _, size, _ in taken) + files)
        rows.append(
            Row(
                f"console: {name}", f"the page {name}, {weights[-1] / 1000:.0f} KB", "ms",
                spread([one for one, _, _ in taken]), target=Target(100, 50, "lower"),
            )
        )  # fmt: skip
    heaviest = Row(
        "console-weight", "the heaviest page, with all that it loads", "KB",
        spread([max(weights) / 1000]), target=Target(60, 30, "lower"),
    )  # fmt: skip
    return [*rows, heaviest]


async def _beside(
    bench: Bench, url: str, reader: Reader, paths: Sequence[str]
) -> list[Row]:  # fmt: skip
    """The delay of deliveries with nobody reading, and with ten people who open a page every two seconds."""
    p99s: dict[str, list[float]] = {"alone": [], "read": []}
    async with processes.ingress(url, bench.folder) as (_, port):
        with processes.projector("project", url, bench.folder):
            view = await asyncpg.connect(url)
            await Steady(port).run(view, WARM_UP_SECONDS)
            for _, turn in bench.rounds("alone", "read"):
                for side in turn:
                    await settle(url)
                    readers = READERS if side == "read" else 0
                    async with _readers(reader, paths, readers):
                        p99s[side].append(await _delay(port, view, bench.scale.delay_seconds))
            await view.close()
    return [
        Row(
            "console-readers", f"delivery to view at {PER_SECOND:,}/s, p99, while ten people read",
            "ms", spread(p99s["read"]), "while nobody reads", spread(p99s["alone"]),
            ratios(p99s["read"], p99s["alone"]), Target(2, 1.2, "lower"),
        )
    ]  # fmt: skip


async def _delay(
    port: int, view: "asyncpg.Connection[asyncpg.Record]", seconds: float
) -> float:  # fmt: skip
    steady = Steady(port)
    await steady.run(view, seconds)
    if steady.failed:
        raise LoadFailed(f"{steady.failed} deliveries were not acknowledged")
    return statistics.quantiles(steady.delays, n=100)[98] * 1000


@asynccontextmanager
async def _readers(reader: Reader, paths: Sequence[str], number: int) -> AsyncIterator[None]:
    """People who read while the block runs, each from another page on."""

    async def read(first: int) -> None:
        await asyncio.sleep(PAUSE_SECONDS * first / max(number, 1))
        for turn in range(first, 1_000_000):
            await reader.open(paths[turn % len(paths)])
            await asyncio.sleep(PAUSE_SECONDS)

    tasks = [asyncio.create_task(read(one)) for one in range(number)]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
