"""The report: a table for people, JSON for everything else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import Row, Spread

_VERDICTS = {"aim": "[green]aim[/]", "reach": "[yellow]reach[/]", "no": "[red]no[/]", "": ""}


def show(console: Console, rows: Sequence[Row], machine: dict[str, Any]) -> None:
    """Print the table and the machine that its figures came from."""
    table = Table(title="median (least … most) over the rounds", show_lines=True)
    for name in (
        "what",
        "figure",
        "baseline",
        "ratio",
        "p50 / p99 ms",
        "peak MB",
        "reach / aim",
        "met",
    ):
        table.add_column(name, justify="left" if name in ("what", "baseline") else "right")
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), highlight=False)
    if not machine["durable"]:
        console.print("[red]this server is not durable: the figures are worth nothing[/]")


def _cells(row: Row) -> list[str]:
    target = row.target
    return [
        row.what,
        f"{_spread(row.product)} {row.unit}",
        "" if row.baseline is None else f"{row.against}: {_spread(row.baseline)} {row.unit}",
        row.note or ("" if row.ratio is None else _spread(row.ratio)),
        " / ".join(f"{each.median:.1f}" for each in row.latency_ms.values()),
        "" if row.peak_mb is None else f"{row.peak_mb:.0f}",
        ""
        if target is None
        else f"{'≥' if target.better == 'higher' else '≤'} {target.reach:g} / {target.aim:g}",
        _VERDICTS[row.verdict],
    ]


def _spread(spread: Spread) -> str:
    if len(spread.rounds) == 1:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.least)} … {_number(spread.most)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write_json(
    path: Path, rows: Sequence[Row], machine: dict[str, Any], scale: dict[str, Any]
) -> None:
    """Write machine, scale and rows."""
    document = {"machine": machine, "scale": scale, "rows": [row.document() for row in rows]}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
