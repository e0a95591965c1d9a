"""Run the benchmarks: `python -m tests.benchmarks`, from the top of the repository.

Every figure is of the product as shipped: its commands as separate processes, at the default log
level with standard error to a file, on PostgreSQL with durable settings. Baselines are the simple
programs in this folder, measured in the same run, in turn with the product. Targets are only shown:
the exit code is 0 even if they are missed.
"""

import argparse
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvloop
from rich.console import Console

from tests.benchmarks import databases
from tests.benchmarks.append_speed import append_speed
from tests.benchmarks.bench import FULL, SHORT, Bench, Scale
from tests.benchmarks.console_speed import console
from tests.benchmarks.delay import delay
from tests.benchmarks.effective_speed import effective
from tests.benchmarks.figures import Row, machine
from tests.benchmarks.folding_speed import projection, rebuild, rebuild_memory, rebuild_processes
from tests.benchmarks.history_speed import history, rebuild_history
from tests.benchmarks.ingress_speed import ingress, ingress_large
from tests.benchmarks.load import generator
from tests.benchmarks.rebuild_shares import rebuild_shares
from tests.benchmarks.reconcile_speed import reconcile_speed
from tests.benchmarks.report import show, write_json


@dataclass(frozen=True)
class Benchmark:
    """A benchmark; `large`: it takes millions of rows and runs only on request."""

    run: Callable[[Bench], Awaitable[list[Row]]]
    full: bool = False
    large: bool = False


BENCHMARKS: Final = {
    "ingress": Benchmark(ingress),
    "ingress-16k": Benchmark(ingress_large),
    "projection": Benchmark(projection),
    "delay": Benchmark(delay),
    "rebuild": Benchmark(rebuild),
    "history": Benchmark(history),
    "rebuild-history": Benchmark(rebuild_history, full=True),
    "rebuild-processes": Benchmark(rebuild_processes, full=True),
    "rebuild-shares": Benchmark(rebuild_shares, full=True),
    "memory": Benchmark(rebuild_memory, large=True),
    "append": Benchmark(append_speed, large=True),
    "reconcile": Benchmark(reconcile_speed, large=True),
    "console": Benchmark(console, large=True),
    "effective": Benchmark(effective, large=True),
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="less than three minutes; the default")
    size.add_argument(
        "--full", action="store_true", help="a million events; less than forty minutes"
    )
    parser.add_argument("--large", action="store_true", help="also what takes millions of rows")
    parser.add_argument(
        "--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help="of " + ", ".join(BENCHMARKS)
    )
    parser.add_argument(
        "--database-url", help="a server to create databases on; default: an embedded one"
    )
    parser.add_argument(
        "--filled",
        help="a database that console_data.py filled, for the console; default: a new one",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--rounds", type=int, help="how many, in place of the form's number")
    parser.add_argument("--seconds", type=float, help="length of a window under load")
    parser.add_argument(
        "--people", type=int, help="size of the account that is read from Zoom's REST API"
    )
    parser.add_argument(
        "--events", type=int, help="length of the logs that are folded or appended to"
    )
    return parser.parse_args()


def _scale(arguments: argparse.Namespace) -> Scale:
    scale = FULL if arguments.full else SHORT
    if arguments.rounds:
        scale = replace(scale, rounds=arguments.rounds)
    if arguments.seconds:
        given = arguments.seconds
        scale = replace(
            scale, seconds=given, warm_up=min(given, scale.warm_up), delay_seconds=given
        )
    if arguments.people:
        scale = replace(scale, people=arguments.people)
    if arguments.events:
        given = arguments.events
        scale = replace(
            scale, events=given, large_events=given, append_events=given,
            append_short=max(given // 50, 1),
        )  # fmt: skip
    return scale


def _chosen(arguments: argparse.Namespace) -> list[str]:
    if arguments.only:
        return list(arguments.only)
    return [
        name
        for name, benchmark in BENCHMARKS.items()
        if (arguments.large or not benchmark.large) and (arguments.full or not benchmark.full)
    ]


async def _measure(
    arguments: argparse.Namespace, terminal: Console, url: str, folder: Path
) -> tuple[list[Row], dict[str, Any], Scale]:
    scale = _scale(arguments)
    facts = machine() | await databases.server_facts(url) | {"load_generator": generator()}
    rows: list[Row] = []
    for name in _chosen(arguments):
        bench = Bench(
            url, scale, folder, partial(terminal.print, f"{name}:"), filled=arguments.filled
        )
        rows += await BENCHMARKS[name].run(bench)
    return rows, facts, scale


def main() -> None:
    arguments = _arguments()
    said, out = Console(stderr=True, highlight=False), Console(width=180)
    with tempfile.TemporaryDirectory(prefix="projector-benchmarks-") as name:
        folder = Path(name)
        with databases.server(arguments.database_url, folder) as url:
            rows, facts, scale = uvloop.run(_measure(arguments, said, url, folder))
    if arguments.json is not None:
        write_json(arguments.json, rows, facts, asdict(scale))
    show(out, rows, facts)


if __name__ == "__main__":
    main()
