"""The command line application and its commands, in the order in which a person meets them."""

import sys

import typer

from projector.cli import (
    data_commands,
    history_commands,
    reconcile_command,
    recovery_commands,
    replica_commands,
    schema_commands,
    simulate_command,
    status_commands,
    up_command,
)
from projector.cli.failures import report

app = typer.Typer(
    name="projector",
    help="Zoom's user and group webhooks as a PostgreSQL directory.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

up_command.register(app)
replica_commands.register(app)
schema_commands.register(app)
simulate_command.register(app)
data_commands.register(app)
reconcile_command.register(app)
history_commands.register(app)
status_commands.register(app)
recovery_commands.register(app)


def main() -> None:
    """Run the command line; a failure is one sentence and a non-zero exit code."""
    try:
        app()
    except Exception as error:  # noqa: BLE001  every failure ends here
        sys.exit(report(error))
