"""Reconcile: a whole account into an empty directory, and again when there is nothing to do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from projector.database import open_database
from projector.state.status import wait_for
from tests.benchmarks import processes
from tests.benchmarks.bench import Bench
from tests.benchmarks.databases import fresh
from tests.benchmarks.figures import Row, Target, megabytes, ratios, spread

SECTIONS: Final = "reconcile --only groups,users"
MOST_MB: Final = 300.0


async def reconcile_speed(bench: Bench) -> list[Row]:
    """Seconds of the command until its observations are folded, beside reading the same pages alone."""
    people = bench.scale.people
    first, again, bare = [], [], []
    peak = 0
    bench.say(f"making an account of {people:,} people")
    with served(bench, people) as environment:
        for _, _ in bench.rounds("product"):
            async with fresh(bench.server) as url:
                with processes.projector("project", url, bench.folder):
                    for seconds in (first, again):
                        took, memory = await _reconciled(bench, url, environment)
                        seconds.append(took)
                        peak = max(peak, memory)
            bare.append(await _listed(bench, environment))
    what = f"{people:,} people and their groups"
    reading = "reading the same pages alone"
    return [
        Row("reconcile", f"{what} read and folded, first run", "s", spread(first),
            target=Target(90, 60, "lower"), peak_mb=megabytes(peak or None)),
        Row("reconcile-again", "the same again, nothing to do", "s", spread(again),
            target=Target(30, 20, "lower")),
        Row("reconcile-memory", "peak memory of both", "MB", spread([(peak or 0) / 1e6]),
            target=Target(MOST_MB, 200, "lower")),
        Row("reconcile-ratio", "first run", "s", spread(first), reading, spread(bare),
            ratios(first, bare)),
        Row("reconcile-again-ratio", "second run", "s", spread(again), reading, spread(bare),
            ratios(again, bare)),
    ]  # fmt: skip


@contextmanager
def served(bench: Bench, people: int) -> Iterator[dict[str, str]]:
    """The settings with which a client reads the account."""
    with processes.running(["tests.benchmarks.zoom_account", str(people)], bench.folder) as process:
        assert process.process.stdout is not None
        lines = iter(process.process.stdout.readline, b"\n")
        told = [line.decode().strip() for line in lines if line]
        process.check()
        yield dict(line.split("=", 1) for line in told)


async def _reconciled(bench: Bench, url: str, environment: dict[str, str]) -> tuple[float, int]:
    started = time.perf_counter()
    with processes.projector(SECTIONS, url, bench.folder, **environment) as process:
        await process.ended()
        process.check_ended()
    database = await open_database(url, size=1)
    try:
        await wait_for(database, None, None)
    finally:
        await database.close()
    return time.perf_counter() - started, process.look() or 0


async def _listed(bench: Bench, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    with processes.running(
        ["tests.benchmarks.bare_listing"], bench.folder, **environment
    ) as process:
        await process.ended()
        process.check_ended()
    return time.perf_counter() - started
