"""`quarantine`: what was not believed; shown, verified again, or purged."""

from functools import partial
from typing import Annotated

import typer

from projector.cli.history_commands import moment_of
from projector.cli.operator_options import By, acting, told_reason
from projector.cli.running import on_database, put, say, start
from projector.cli.shown_event import (
    AsJson,
    Reveal,
    at_positions,
    body_fields,
    put_body,
    put_fields,
    put_json,
    put_row,
)
from projector.errors import ConfigurationError
from projector.log.quarantine import list_rows, read_row
from projector.operations import quarantine
from projector.process import run
from projector.zoom.delivery import LARGEST_INT8


def group() -> typer.Typer:
    """The group of commands."""
    commands = typer.Typer(help="Deliveries that were not believed.", no_args_is_help=True)
    commands.command(name="list")(list_)
    commands.command()(show)
    commands.command()(reverify)
    commands.command()(purge)
    return commands


def list_(
    limit: Annotated[int, typer.Option(min=1, max=LARGEST_INT8, help="Most rows to show.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List them: id, time of receipt, reason, event, bytes."""
    rows = run(on_database(start(), partial(list_rows, limit=limit)))
    if as_json:
        put_json([row._asdict() for row in rows])
    else:
        for row in rows:
            put_row(row.id, row.received_at.isoformat(), row.reason, row.event, row.size)
    if len(rows) == limit:
        say(f"there may be more than {limit}; --limit shows them")


def show(
    row_id: Annotated[
        int, typer.Argument(metavar="ID", min=1, max=LARGEST_INT8, help="As `list` shows it.")
    ],
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Show one: why it was refused, and what it says, redacted; exit 1 where there is none."""
    found = run(on_database(start(), partial(read_row, row_id=row_id)))
    if found is None:
        raise quarantine.NotQuarantined(
            f"the quarantine has no row {row_id}; `projector quarantine list` shows what it has"
        )
    row, body = found
    if as_json:
        put_json({**row._asdict(), **body_fields(body, reveal=reveal)})
        return
    put_fields(row._asdict())
    put("")
    put_body(body, reveal=reveal)


def reverify(by: By = None) -> None:
    """Append what a configured secret verifies by now, with its original time of receipt."""
    settings = start()
    secrets = quarantine.secrets_of(settings)
    work = partial(quarantine.reverify, secrets=secrets, who=acting(by))
    done, act = run(on_database(settings, work))
    counted = f"appended {done.appended}, known already {done.duplicates}, left {done.left}"
    say(counted if act is None else f"{counted}; {at_positions([act])}")


def purge(
    ids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="ID", min=1, max=LARGEST_INT8,
            help="Rows; these need a --reason. Default: all.",
        ),
    ] = None,
    before: Annotated[
        str | None, typer.Option(help="Received before a date or time, ISO 8601; UTC.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why, in your words; kept in the log.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: By = None,
) -> None:  # fmt: skip
    """Delete rows of the quarantine for good: some, those before a time, or all."""
    settings = start()
    moment = moment_of("--before", before)
    if ids and reason is None:
        raise ConfigurationError("say with --reason why these rows are deleted")
    work = partial(
        quarantine.purge,
        who=acting(by),
        ids=ids or None,
        before=moment,
        reason=None if reason is None else told_reason(reason),
    )
    if not yes:
        typer.confirm(_question(ids, before), abort=True, err=True)
    done = run(on_database(settings, work))
    counted = f"deleted {done.rows}"
    say(counted if done.act is None else f"{counted}; {at_positions([done.act])}")


def _question(ids: list[int] | None, before: str | None) -> str:
    which = f"{len(ids)} of the quarantined deliveries" if ids else "every quarantined delivery"
    return f"Delete {which}{f' received before {before}' if before else ''}?"
