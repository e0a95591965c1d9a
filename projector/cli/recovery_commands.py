"""`dead-letters` and `quarantine`: what was not folded or not believed, and how it gets in after all."""

from functools import partial
from typing import Annotated

import typer

from projector.cli.running import on_database, printable, put, say, start
from projector.errors import ConfigurationError
from projector.log import quarantine
from projector.process import run
from projector.state.dead_letters import list_dead_letters, retry_dead_letters
from projector.zoom.delivery import LARGEST_INT8


def register(app: typer.Typer) -> None:
    """Add the two groups of commands."""
    dead_letters = typer.Typer(
        help="Events that a projection could not fold.", no_args_is_help=True
    )
    dead_letters.command(name="list")(dead_letters_list)
    dead_letters.command(name="retry")(dead_letters_retry)
    app.add_typer(dead_letters, name="dead-letters")
    quarantined = typer.Typer(help="Deliveries that were not believed.", no_args_is_help=True)
    quarantined.command(name="list")(quarantine_list)
    quarantined.command(name="reverify")(quarantine_reverify)
    quarantined.command(name="purge")(quarantine_purge)
    app.add_typer(quarantined, name="quarantine")


def dead_letters_list() -> None:
    """List them: position, projection, event, what is wrong."""
    for row in run(on_database(start(), list_dead_letters)):
        _put_row(row["position"], row["projection"], row["event"], row["error"])


def dead_letters_retry() -> None:
    """Fold them again, each in its proper place; exit 1 if any is left."""
    done = run(on_database(start(), retry_dead_letters))
    say(f"folded {done.folded}, left {done.left}")
    if done.left:
        raise typer.Exit(1)


def quarantine_list(
    limit: Annotated[int, typer.Option(min=1, max=LARGEST_INT8, help="Most rows to show.")] = 100,
) -> None:
    """List them: id, time of receipt, reason, event, bytes."""
    rows = run(on_database(start(), partial(quarantine.list_rows, limit=limit)))
    for row in rows:
        _put_row(row.id, row.received_at.isoformat(), row.reason, row.event, row.size)
    if len(rows) == limit:
        say(f"there may be more than {limit}; --limit shows them")


def quarantine_reverify() -> None:
    """Append what a configured secret verifies by now, with its original time of receipt."""
    settings = start()
    secrets = settings.secrets()
    if not secrets:
        raise ConfigurationError(
            "no secret to verify with: set PROJECTOR_ZOOM_SECRET_TOKENS to the one that was missing"
        )
    done = run(on_database(settings, partial(quarantine.reverify, secrets=secrets)))
    say(f"appended {done.appended}, known already {done.duplicates}, left {done.left}")


def quarantine_purge(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete everything in the quarantine."""
    settings = start()
    if not yes:
        typer.confirm("Delete every quarantined delivery?", abort=True, err=True)
    say(f"deleted {run(on_database(settings, quarantine.purge))}")


def _put_row(*values: object) -> None:
    put("\t".join(printable(value) for value in values))
