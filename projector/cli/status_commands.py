"""`status`, `wait` and `dsn`: what is going on, and where."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from projector.cli.running import database_url, err, opened, out, run, start
from projector.schema import check_schema
from projector.status import Status, read_status, wait_for

WATCH_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(wait)
    app.command()(dsn)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    watch: Annotated[bool, typer.Option(help="Show it live until Ctrl-C.")] = False,
) -> None:
    """Show the head of the log, and how far and how well each projection follows it."""
    settings = start()

    async def work() -> None:
        async with opened(settings) as database:
            await check_schema(database)
            now = await read_status(database)
            if not watch:
                _print(now, as_json=as_json)
                return
            with Live(render(now), console=out, auto_refresh=False) as live:
                while True:
                    await asyncio.sleep(WATCH_SECONDS)
                    now = await read_status(database, now)
                    live.update(render(now), refresh=True)

    try:
        run(work())
    except KeyboardInterrupt:
        return


def _print(now: Status, *, as_json: bool) -> None:
    if as_json:
        out.print(json.dumps(now.as_json(), indent=2), markup=False, highlight=False, soft_wrap=True)
    else:
        out.print(render(now))


def render(now: Status) -> Group:
    """The status as a person reads it."""
    table = Table("projection", "position", "lag", "lag s", "rate/s", "state", "owner", "last error")
    for p in now.projections:
        rate = "" if p.events_per_second is None else f"{p.events_per_second:,.0f}"
        table.add_row(
            p.projection, f"{p.position:,}", f"{p.lag_events:,}", f"{p.lag_seconds:.1f}", rate,
            p.state, p.owner or "nobody", p.error or "",
        )  # fmt: skip
    lines = [
        f"head {now.head:,}   dead letters {now.dead_letters:,}   drift {now.drift:,}   "
        f"quarantine {now.quarantine:,}"
    ]
    lines += [
        f"account {f.account_id}: {f.events:,} events, last received {f.last_received_at:%F %T %Z}"
        for f in now.freshness
    ]
    lines += [
        f"append lock: held for {h.seconds:.1f} s by session {h.pid} "
        f"({h.application or 'no application name'}, {h.client or 'local'}, {h.state})"
        for h in now.append_lock
        if h.seconds > 1
    ]
    return Group(table, Text("\n".join(lines)))


def wait(
    position: Annotated[int | None, typer.Option(help="Position; default: the present head.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds to wait at most.")] = None,
) -> None:
    """Wait until every projection has folded up to a position; exit 1 on time-out."""
    settings = start()

    async def work() -> list[str]:
        async with opened(settings, size=1) as database:
            await check_schema(database)
            return await wait_for(database, position, timeout)

    behind = run(work())
    if behind:
        err.print(f"still behind: {', '.join(behind)}; see `projector status`", highlight=False)
        raise typer.Exit(1)


def dsn() -> None:
    """Print the URL of the database in use."""
    out.print(database_url(start()), markup=False, highlight=False, soft_wrap=True)
