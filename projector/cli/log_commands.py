"""`dead-letters` and `quarantine`: what stands aside, and how it gets in after all."""

from typing import Annotated

import typer

from projector import quarantine as quarantined
from projector.cli.running import opened, printable, put, run, say, start
from projector.errors import ConfigurationError
from projector.log import LARGEST_INT8
from projector.migrations import check_schema
from projector.runtime import dead_letters as letters


def register(app: typer.Typer) -> None:
    """Add the two groups of commands."""
    dead = typer.Typer(help="Events that a projection could not fold.", no_args_is_help=True)
    dead.command(name="list")(dead_list)
    dead.command(name="retry")(dead_retry)
    app.add_typer(dead, name="dead-letters")
    held = typer.Typer(help="Deliveries that were not believed.", no_args_is_help=True)
    held.command(name="list")(quarantine_list)
    held.command(name="reverify")(quarantine_reverify)
    held.command(name="purge")(quarantine_purge)
    app.add_typer(held, name="quarantine")


def dead_list() -> None:
    """List them: position, projection, event, what is wrong."""
    settings = start()

    async def work() -> None:
        async with opened(settings) as database:
            await check_schema(database)
            for row in await letters.list_dead_letters(database):
                _row(row["position"], row["projection"], row["event"], row["error"])

    run(work())


def dead_retry() -> None:
    """Fold them again, each in its proper place; exit 1 if any is left."""
    settings = start()

    async def work() -> letters.Retried:
        async with opened(settings) as database:
            await check_schema(database)
            return await letters.retry_dead_letters(database)

    done = run(work())
    say(f"folded {done.folded}, left {done.left}")
    if done.left:
        raise typer.Exit(1)


def quarantine_list(
    limit: Annotated[int, typer.Option(min=1, max=LARGEST_INT8, help="Most rows to show.")] = 100,
) -> None:
    """List them: id, time of receipt, reason, event, bytes."""
    settings = start()

    async def work() -> None:
        async with opened(settings) as database:
            await check_schema(database)
            rows = await quarantined.list_rows(database, limit=limit)
        for row in rows:
            _row(row.id, row.received_at.isoformat(), row.reason, row.event, row.size)
        if len(rows) == limit:
            say(f"there may be more than {limit}; --limit shows them")

    run(work())


def quarantine_reverify() -> None:
    """Append what a configured secret verifies by now, with its original time of receipt."""
    settings = start()
    secrets = settings.secrets()
    if not secrets:
        raise ConfigurationError(
            "no secret to verify with: set PROJECTOR_ZOOM_SECRET_TOKENS to the one that was missing"
        )

    async def work() -> quarantined.Reverified:
        async with opened(settings) as database:
            await check_schema(database)
            return await quarantined.reverify(database, secrets)

    done = run(work())
    say(f"appended {done.appended}, known already {done.duplicates}, left {done.left}")


def quarantine_purge(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete everything in the quarantine."""
    settings = start()
    if not yes:
        typer.confirm("Delete every quarantined delivery?", abort=True, err=True)

    async def work() -> int:
        async with opened(settings) as database:
            await check_schema(database)
            return await quarantined.purge(database)

    say(f"deleted {run(work())}")


def _row(*values: object) -> None:
    put("\t".join(printable(value) for value in values))
