"""`console`: the directory as web pages."""

import asyncio
import sys
from contextlib import suppress
from typing import Annotated, Final

import typer

from projector.cli.running import data_dir_of, database_url, put, say, start
from projector.config import Settings
from projector.console.access.key_file import running
from projector.console.access.rules import check_console
from projector.console.server import Serving, serving
from projector.database import in_role
from projector.listening import check_address
from projector.process import STOP_SIGNALS, Signalled, cancel_on, relax_gc, run
from projector.schema.roles import Role
from projector.telemetry import writes_json

ONE_TIME: Final = "(good once, for ten minutes; another: projector console --address)"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(console)


def console(
    address: Annotated[
        bool,
        typer.Option("--address", help="Print a one-time address of the console that runs."),
    ] = False,
) -> None:
    """Serve the directory as web pages, for people who do not write SQL; `up` does so too."""
    settings = start()
    if address:
        put(running(data_dir_of(settings), settings.console_port).address())
        return
    check_console_can_listen(settings)
    url = console_database(settings)
    with suppress(Signalled):
        run(cancel_on(STOP_SIGNALS, _serve(settings, url)))


def check_console_can_listen(settings: Settings) -> None:
    """Raise ProjectorError where the console would be open to others, or could not listen."""
    check_console(settings)
    check_address(settings.console_host, settings.console_port, "CONSOLE_PORT")


def console_database(settings: Settings) -> str:
    """Return the URL that the console uses: as configured, else of the embedded server, as an operator."""
    url = database_url(settings)
    return url if settings.given_database_url() is not None else in_role(url, Role.OPERATOR)


def invitation(console: Serving) -> str:
    """Return how to open the console. No key goes where it is kept: a log, or a file."""
    if console.one_time_address is None:
        return f"{console.url}, by way of the sign-on proxy"
    if not sys.stderr.isatty():
        return f"{console.url}, with an address that `projector console --address` prints"
    return f"{console.one_time_address()}\n{ONE_TIME}"


async def _serve(settings: Settings, url: str) -> None:
    relax_gc()
    async with serving(settings, url, data_dir_of(settings)) as serves:
        if not writes_json(settings):
            say(f"look at the directory: {invitation(serves)}")
        await asyncio.Event().wait()
