"""What commands share: settings, the event loop, output, and the database that is meant."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer
import uvloop
from rich.console import Console

from projector.config import Settings, load_settings
from projector.database import Database, open_database
from projector.embedded import default_data_dir, running_dsn
from projector.errors import ConfigurationError
from projector.telemetry import configure_logging

T = TypeVar("T")

WIDTH_OFF_TERMINAL = 160

# Everything that is said goes here; data goes to standard output.
err = Console(stderr=True)


def say(text: str) -> None:
    """Say something to a person, on standard error, word for word."""
    err.print(text, markup=False, highlight=False, soft_wrap=True)


def put(text: str) -> None:
    """Write a line of data to standard output, byte for byte."""
    typer.echo(text)


def table_console() -> Console:
    """A console on standard output for tables: as wide as the terminal, wide enough off one."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_OFF_TERMINAL)


def printable(value: object) -> str:
    """A value as one field of a line; what strangers sent must not steer a terminal."""
    text = "" if value is None else str(value)
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def start() -> Settings:
    """Read the settings and set up logging."""
    settings = load_settings()
    configure_logging(settings)
    return settings


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end."""
    return uvloop.run(main)


async def tidily(main: Coroutine[Any, Any, T]) -> T:
    """Run what tidies up after itself where it is interrupted: SIGTERM ends it as Ctrl-C does."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(main)
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        this = asyncio.current_task()
        if this is not None and this.cancelling():
            raise
        raise typer.Exit(128 + signal.SIGTERM) from None
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def data_dir_of(settings: Settings) -> Path:
    """The data directory in force."""
    return settings.data_dir or default_data_dir()


def local_address(host: str, port: int) -> str:
    """The URL by which this machine reaches an ingress that listens there."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  named, not bound
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def database_url(settings: Settings) -> str:
    """The URL in use: the configured one, or that of the embedded server while it runs.

    Raises ConfigurationError where there is neither.
    """
    url = settings.given_database_url() or running_dsn(data_dir_of(settings))
    if url is None:
        raise ConfigurationError(
            f"no database: PROJECTOR_DATABASE_URL is not set and no `projector up` runs on "
            f"{data_dir_of(settings)}; start that in another terminal, or set the variable"
        )
    return url


@asynccontextmanager
async def opened(settings: Settings, *, size: int = 8) -> AsyncIterator[Database]:
    """The database in use, closed on the way out."""
    database = await open_database(database_url(settings), size=size)
    try:
        yield database
    finally:
        await database.close()


async def until_stopped(work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` until it ends or SIGTERM or SIGINT comes; then cancel it and wait for it."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
