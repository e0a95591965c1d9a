"""`check`: what is wrong, worst first, and what to do; for a terminal, cron, or a Nagios-like monitor."""

import json
from pathlib import Path
from typing import Annotated

import typer

from projector.cli.running import data_dir_of, database_url, printable, put, start
from projector.config import Settings
from projector.embedded import data_folder
from projector.errors import ConfigurationError
from projector.operations.check import check as everything
from projector.operations.finding import exit_code
from projector.process import run


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)


def check(
    as_json: Annotated[bool, typer.Option("--json", help="A list of findings as JSON.")] = False,
) -> None:
    """Say what is wrong and what to do; exit 0, 1 for a warning, 2 for something wrong."""
    settings = start()
    findings = run(everything(settings, _url(settings), _own_folder(settings)))
    if as_json:
        put(json.dumps([one.as_json() for one in findings], indent=2))
    elif not findings:
        put("nothing is wrong")
    else:
        for one in findings:
            put(printable(one.line()))
    raise typer.Exit(exit_code(findings))


def _url(settings: Settings) -> str | ConfigurationError:
    """The database's URL; or why there is none, which is a finding like others."""
    try:
        return database_url(settings)
    except ConfigurationError as error:
        return error


def _own_folder(settings: Settings) -> Path | None:
    """Where the embedded server keeps its data; None where another one is configured."""
    if settings.database_url is not None or settings.database_url_file is not None:
        return None
    return data_folder(data_dir_of(settings))
