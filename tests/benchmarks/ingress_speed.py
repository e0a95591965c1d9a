"""Ingress: deliveries per second and the time to acknowledge, each durable before its 200."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import asyncpg

from tests.benchmarks import processes
from tests.benchmarks.bench import Bench
from tests.benchmarks.databases import fresh, settle
from tests.benchmarks.figures import GENERATOR_BOUND, Row, Target, megabytes, ratios, spread
from tests.benchmarks.load import CONNECTIONS, Load, LoadFailed, send
from tests.benchmarks.requests import large_bodies, small_bodies, write_requests

# Requests per second that the load generator must reach on the bare handler; else it is the limit.
GENERATOR_MINIMUM: Final = 15_000.0
# A server may be faster in the next window than in the one that set its number of requests.
SPARE: Final = 1.3


@dataclass
class Side:
    """A server under load, and its results by round; `cpu` in µs per answered delivery."""

    name: str
    process: processes.Running
    port: int
    loads: list[Load] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        return [load.per_second for load in self.loads]

    @property
    def p99s(self) -> list[float]:
        return [load.p99_ms for load in self.loads]


async def ingress(bench: Bench) -> list[Row]:
    """500-byte deliveries over 64 connections, against no database and against naive inserts."""
    async with AsyncExitStack() as stack:
        bare = await _baseline(stack, bench, "bare")
        naive = await _baseline(stack, bench, "naive")
        product, url = await _product(stack, bench)
        await _measure(bench, small_bodies(), (bare, naive, product), bare)
        await _all_in_the_log(product, url)
        peak = megabytes(product.process.look())
    note = "" if spread(bare.rates).median >= GENERATOR_MINIMUM else GENERATOR_BOUND
    ours = spread(product.rates)
    latency = {
        "p50": spread([load.p50_ms for load in product.loads]),
        "p99": spread(product.p99s),
    }
    return [
        Row(
            "ingress", "ingress, 500-byte deliveries", "deliveries/s", ours,
            "bare handler, no database", spread(bare.rates), ratios(product.rates, bare.rates),
            Target(0.65, 0.85), latency, peak, note,
        ),
        Row(
            "ingress-cpu", "a replica's CPU a delivery", "µs", spread(product.cpu),
            "the bare handler's", spread(bare.cpu), ratios(product.cpu, bare.cpu),
            Target(0.95, 0.80, "lower"),
        ),
        Row(
            "ingress-naive", "ingress, 500-byte deliveries", "deliveries/s", ours,
            "an INSERT a request", spread(naive.rates), ratios(product.rates, naive.rates),
            Target(2, 3), latency, peak, note,
        ),
        Row(
            "ingress-p99", "time to acknowledge at that load, p99", "ms", spread(product.p99s),
            "the bare handler's p99", spread(bare.p99s), ratios(product.p99s, bare.p99s),
            Target(3, 1.5, "lower"), latency, peak, note,
        ),
    ]  # fmt: skip


async def ingress_large(bench: Bench) -> list[Row]:
    """16 KB settings deliveries against the bare handler."""
    async with AsyncExitStack() as stack:
        bare = await _baseline(stack, bench, "bare")
        product, url = await _product(stack, bench)
        proof = _file(bench, "proof")
        write_requests(proof, islice(small_bodies(), 5_000))
        proven = await send(bare.port, proof, bench.scale.seconds, again=True)
        proof.unlink()
        await _measure(bench, large_bodies(), (bare, product), bare)
        await _all_in_the_log(product, url)
        peak = megabytes(product.process.look())
    note = "" if proven.per_second >= GENERATOR_MINIMUM else GENERATOR_BOUND
    latency = {
        "p50": spread([load.p50_ms for load in product.loads]),
        "p99": spread(product.p99s),
    }
    return [
        Row(
            "ingress-16k", "ingress, 16 KB settings deliveries", "deliveries/s",
            spread(product.rates),
            "bare handler, same bodies", spread(bare.rates), ratios(product.rates, bare.rates),
            Target(0.35, 0.60), latency, peak, note,
        )
    ]  # fmt: skip


async def _baseline(stack: AsyncExitStack, bench: Bench, kind: str) -> Side:
    url = "" if kind == "bare" else await stack.enter_async_context(fresh(bench.server))
    process, port = await stack.enter_async_context(
        processes.baseline_server(kind, bench.folder, url)
    )
    return Side(kind, process, port)


async def _product(stack: AsyncExitStack, bench: Bench) -> tuple[Side, str]:
    url = await stack.enter_async_context(fresh(bench.server))
    process, port = await stack.enter_async_context(processes.ingress(url, bench.folder))
    return Side("product", process, port), url


async def _measure(
    bench: Bench, bodies: Iterable[bytes], sides: tuple[Side, ...], bare: Side
) -> None:
    """Warm up every side, then load one after the other; only the bare side gets repeats."""
    scale = bench.scale
    rate, per_second = {}, 2_000.0
    for side in sides:  # the bare one first: it determines how many requests the others need
        warm, _ = await _window(bench, bodies, side, scale.warm_up, per_second, again=side is bare)
        rate[side.name] = warm.per_second
        per_second = rate[bare.name]
    for _, turn in bench.rounds(*sides):
        for side in turn:
            await settle(bench.server)
            expected = rate[side.name]
            load, cpu = await _window(
                bench, bodies, side, scale.seconds, expected, again=side is bare
            )
            side.loads.append(load)
            side.cpu.append(cpu / load.answers * 1e6)
            rate[side.name] = max(expected, load.per_second)


async def _window(
    bench: Bench,
    bodies: Iterable[bytes],
    side: Side,
    seconds: float,
    expected: float,
    *,
    again: bool,
) -> tuple[Load, float]:
    """The load of one window, and the CPU seconds that the side's process took for it."""
    file = _file(bench, side.name)
    wanted = 5_000 if again else int(expected * max(seconds, 1) * SPARE)
    while True:
        write_requests(file, islice(bodies, wanted))
        before = side.process.cpu_seconds()
        load = await send(side.port, file, seconds, again=again)
        cpu = side.process.cpu_seconds() - before
        file.unlink()
        if again or load.answers < wanted - 2 * CONNECTIONS:
            return load, cpu
        wanted *= 2  # it ran out of requests before the window's end


def _file(bench: Bench, name: str) -> Path:
    return bench.folder / f"requests-{name}"


async def _all_in_the_log(side: Side, url: str) -> None:
    """Raise LoadFailed unless the log holds every answered delivery: no window counts repeats."""
    connection = await asyncpg.connect(url)
    try:
        held = await connection.fetchval("SELECT count(*) FROM log.events")
    finally:
        await connection.close()
    answered = sum(load.answers for load in side.loads)
    if held < answered:
        raise LoadFailed(f"{answered} deliveries were answered and the log holds {held}")
