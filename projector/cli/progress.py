"""Progress: on a terminal a bar with rate and time left, elsewhere a line every few seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from projector.cli.running import err, say

LINE_SECONDS = 5.0

Report = Callable[[int, int], None]


@contextmanager
def progress(title: str, unit: str = "events") -> Iterator[Report]:
    """Yield a function that takes (done, total), on standard error."""
    if err.is_terminal:
        with _bar(title, unit) as report:
            yield report
    else:
        yield _lines(title, unit)


@contextmanager
def _bar(title: str, unit: str) -> Iterator[Report]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TextColumn("{task.fields[rate]}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    started = time.monotonic()
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(title, total=None, rate="…")

        def report(done: int, total: int) -> None:
            rate = f"{done / max(time.monotonic() - started, 0.001):,.0f}"
            bar.update(task, completed=done, total=total or None, rate=rate)

        yield report


def _lines(title: str, unit: str) -> Report:
    started = time.monotonic()
    last = started

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < LINE_SECONDS:
            return
        last = now
        rate = done / (now - started)
        left = f", {(total - done) / rate:,.0f} s left" if total and rate else ""
        of_total = f" of {total:,}" if total else ""
        say(f"{title}: {done:,}{of_total} {unit}, {rate:,.0f}/s{left}")

    return report
