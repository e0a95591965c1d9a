"""The command line application and its commands, in the order in which a person meets them."""

import sys
from typing import Annotated

import typer

from projector import __version__
from projector.cli import (
    check_command,
    completion_command,
    console_command,
    data_commands,
    declare_commands,
    grant_command,
    history_commands,
    monitoring_commands,
    reconcile_command,
    recovery_commands,
    replica_commands,
    schema_commands,
    simulate_command,
    sql_command,
    status_commands,
    subject_command,
    up_command,
)
from projector.cli.completion_command import PROGRAM
from projector.cli.failures import report
from projector.cli.running import put

app = typer.Typer(
    name=PROGRAM,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

up_command.register(app)
replica_commands.register(app)
console_command.register(app)
schema_commands.register(app)
grant_command.register(app)
simulate_command.register(app)
data_commands.register(app)
reconcile_command.register(app)
declare_commands.register(app)
history_commands.register(app)
status_commands.register(app)
sql_command.register(app)
check_command.register(app)
monitoring_commands.register(app)
recovery_commands.register(app)
subject_command.register(app)
completion_command.register(app)


def _version(asked: bool) -> None:
    if asked:
        put(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Zoom's user and group webhooks as a PostgreSQL directory."""


def main() -> None:
    """Run the command line; a failure is one sentence and a non-zero exit code."""
    try:
        app(prog_name=PROGRAM)
    except Exception as error:  # noqa: BLE001  every failure ends here
        sys.exit(report(error))
