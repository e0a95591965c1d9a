"""What commands share: settings, output, and the database in use."""

import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console

from projector.config import Settings, load_settings
from projector.database import Database, open_database
from projector.embedded import default_data_dir, running_dsn, why_away
from projector.errors import ConfigurationError, DatabaseUnavailable
from projector.process import Signalled, cancel_on
from projector.schema.migrations import check_schema
from projector.telemetry import configure_logging

T = TypeVar("T")

WIDTH_OFF_TERMINAL = 160

# Messages go here, data to standard output.
err = Console(stderr=True)


def say(text: str) -> None:
    """Print a message for a person to standard error, unchanged."""
    err.print(text, markup=False, highlight=False, soft_wrap=True)


def put(text: str) -> None:
    """Print a line of data to standard output, unchanged."""
    typer.echo(text)


def table_console() -> Console:
    """Return a console on standard output for tables: as wide as the terminal, 160 columns elsewhere."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_OFF_TERMINAL)


def printable(value: object) -> str:
    """Return a value as text of one line, without control characters that could steer a terminal."""
    text = "" if value is None else str(value)
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def start() -> Settings:
    """Read the settings and set up logging."""
    settings = load_settings()
    configure_logging(settings)
    return settings


def data_dir_of(settings: Settings) -> Path:
    """Return the data directory in use."""
    return settings.data_dir or default_data_dir()


def database_url(settings: Settings) -> str:
    """Return the URL in use: the configured one, else that of the embedded server while it runs.

    Raises ConfigurationError where there is neither, DatabaseUnavailable where that server is away.
    """
    url = settings.given_database_url() or running_dsn(data_dir_of(settings))
    if url is None:
        away = why_away(data_dir_of(settings))
        if away is not None:
            raise DatabaseUnavailable(
                f"{away}; it is started again by itself: look at what that one says", word="refused"
            )
        raise ConfigurationError(
            f"no database: PROJECTOR_DATABASE_URL is not set and no `projector up` runs on "
            f"{data_dir_of(settings)}; start that in another terminal, or set the variable"
        )
    return url


@asynccontextmanager
async def open_configured(settings: Settings, *, size: int = 8) -> AsyncIterator[Database]:
    """Open the database in use, whatever its schema; closed on the way out."""
    database = await open_database(database_url(settings), size=size)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_checked(settings: Settings, *, size: int = 8) -> AsyncIterator[Database]:
    """Open the database in use; raises SchemaMismatch where this code cannot work with its schema."""
    async with open_configured(settings, size=size) as database:
        await check_schema(database)
        yield database


async def on_database(
    settings: Settings, work: Callable[[Database], Awaitable[T]], *, size: int = 8
) -> T:
    """Return what `work` returns for the checked database in use."""
    async with open_checked(settings, size=size) as database:
        return await work(database)


async def cancel_on_sigterm(main: Coroutine[Any, Any, T]) -> T:
    """Run what clears up after itself: SIGTERM cancels it as Ctrl-C does, and is then the exit code."""
    try:
        return await cancel_on((signal.SIGTERM,), main)
    except Signalled as signalled:
        raise typer.Exit(128 + signalled.number) from None
