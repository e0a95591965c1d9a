"""`status`, `wait` and `dsn`: how far everything is, and where."""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from projector.cli.running import (
    database_url,
    on_database,
    open_checked,
    printable,
    put,
    say,
    start,
    table_console,
)
from projector.database import Database
from projector.log.read import LockHolder
from projector.process import run
from projector.state.status import Status, read_status, wait_for
from projector.zoom.delivery import LARGEST_INT8

WATCH_SECONDS = 1.0
LONG_LOCK_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(wait)
    app.command()(dsn)


def status(
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON; with --watch one line a time.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Again every second, until Ctrl-C.")
    ] = False,
) -> None:
    """Show the head of the log, and how far and how well each projection follows it."""
    settings = start()

    async def work(show: Callable[[Status], None]) -> None:
        async with open_checked(settings) as database:
            now = await read_status(database)
            show(now)
            while watch:
                await asyncio.sleep(WATCH_SECONDS)
                now = await read_status(database, now)
                show(now)

    with ExitStack() as stack:
        show = _shower(stack, as_json=as_json, watch=watch)
        try:
            run(work(show))
        except KeyboardInterrupt:
            return


def _shower(stack: ExitStack, *, as_json: bool, watch: bool) -> Callable[[Status], None]:
    """Return a function that shows a status: as JSON, in a live table on a terminal, or as a plain table."""
    if as_json:
        indent = None if watch else 2
        return lambda now: put(json.dumps(now.as_json(), indent=indent))
    console = table_console()
    if not (watch and sys.stdout.isatty()):
        return lambda now: console.print(render(now))
    live = stack.enter_context(Live(console=console, auto_refresh=False))
    return lambda now: live.update(render(now), refresh=True)


def render(now: Status) -> Group:
    """Return the status as tables for a person; within 80 columns where nothing is wrong."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("projection", "position", "lag", "lag s", "rate/s", "state", "owner"):
        is_number = name not in ("projection", "state", "owner")
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    has_errors = any(p.error for p in now.projections)
    if has_errors:
        table.add_column("last error")
    for p in now.projections:
        rate = "" if p.events_per_second is None else f"{p.events_per_second:,.0f}"
        fields = (
            p.projection, f"{p.position:,}", f"{p.lag_events:,}", f"{p.lag_seconds:.1f}", rate,
            p.state, p.owner or "nobody", *([p.error] if has_errors else []),
        )  # fmt: skip
        table.add_row(*(Text(printable(field)) for field in fields))
    return Group(table, Text("\n".join(_lines(now))))


def _lines(now: Status) -> list[str]:
    head = (
        f"head {now.head:,}   dead letters {now.dead_letters:,}   drift {now.drift:,}   "
        f"quarantine {now.quarantine:,}"
    )
    accounts = [
        f"account {printable(f.account_id)}: {f.events:,} events, last "
        f"{f.last_received_at:%F %T %Z}"
        for f in now.freshness
    ]
    locks = [
        _held(h) for h in now.append_lock if h.seconds is None or h.seconds > LONG_LOCK_SECONDS
    ]
    return [head, *accounts, *locks]


def _held(holder: LockHolder) -> str:
    if holder.seconds is None:
        return (
            f"append lock: held by session {holder.pid} of another role; a member of pg_monitor "
            "sees which"
        )
    return (
        f"append lock: held for {holder.seconds:.1f} s by session {holder.pid} "
        f"({printable(holder.application) or 'no application name'}, {holder.client or 'local'}, "
        f"{holder.state})"
    )


def wait(
    position: Annotated[
        int | None,
        typer.Option(min=0, max=LARGEST_INT8, help="Position; default: the present head."),
    ] = None,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds to wait at most.")] = None,
) -> None:
    """Wait until every projection has folded up to a position; exit 1 on time-out."""
    settings = start()

    async def work(database: Database) -> list[str]:
        return await wait_for(database, position, timeout)

    behind = run(on_database(settings, work, size=1))
    if behind:
        say(f"still behind: {', '.join(behind)}; see `projector status`")
        raise typer.Exit(1)


def dsn() -> None:
    """Print the URL of the database in use."""
    put(database_url(start()))
