"""`up`: everything for one machine with one command."""

import asyncio
import os
import secrets
from contextlib import ExitStack
from pathlib import Path

import typer
from pydantic import SecretStr

from projector.cli.replica_commands import project_until_cancelled
from projector.cli.running import data_dir_of, err, run, start, until_stopped
from projector.config import Settings
from projector.database import open_database
from projector.embedded import EmbeddedServer, prepare_data_dir
from projector.errors import ConfigurationError
from projector.ingress.server import serve as serve_ingress
from projector.schema import migrate

SECRET_FILE = "zoom-secret-token"  # noqa: S105  a file's name


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up() -> None:
    """Run everything on this machine: database, migrations, ingress and projectors."""
    settings = start()
    with ExitStack() as stack:
        url = settings.given_database_url()
        if url is None:
            url = stack.enter_context(EmbeddedServer(data_dir_of(settings))).dsn
        settings = with_secret(settings)
        run(_everything(settings, url))


def with_secret(settings: Settings) -> Settings:
    """The settings with the secret that `up` made for itself, where none is configured."""
    if settings.secrets() or settings.allow_unsigned:
        return settings
    data_dir = prepare_data_dir(data_dir_of(settings))
    return settings.model_copy(update={"zoom_secret_tokens": SecretStr(_own_secret(data_dir))})


def _own_secret(data_dir: Path) -> str:
    path = data_dir / SECRET_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return known_secret(data_dir) or ""
    with os.fdopen(handle, "w", encoding="ascii") as file:
        token = secrets.token_urlsafe(24)
        file.write(token)
    return token


def known_secret(data_dir: Path) -> str | None:
    """The secret that `up` made in a data directory, or None. Raises ConfigurationError."""
    path = data_dir / SECRET_FILE
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read ({type(error).__name__}); run this as the user who runs "
            "`projector up`"
        ) from None
    if not token:
        raise ConfigurationError(f"{path} is empty; delete it and start `projector up` again")
    return token


async def _everything(settings: Settings, url: str) -> None:
    database = await open_database(url)
    applied = await migrate(database)
    await database.close()
    if applied:
        err.print(f"migrated: {', '.join(applied)}", highlight=False)
    stop = asyncio.Event()

    async def ingress() -> None:
        # On one machine there is no load balancer that has to notice: no drain period.
        undrained = settings.model_copy(update={"drain_seconds": 0.0})
        await serve_ingress(undrained, url, ready=lambda port: _say_ready(settings, port), stop=stop)

    async def work() -> None:
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(ingress())
            folding = tasks.create_task(project_until_cancelled(settings, url))
            try:
                await asyncio.wait((listening, folding), return_when=asyncio.FIRST_COMPLETED)
            finally:
                stop.set()
                folding.cancel()
                await asyncio.wait((listening,), timeout=5)

    await until_stopped(work)
    err.print("stopped", highlight=False)


def _say_ready(settings: Settings, port: int) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    err.print(
        f"directory projector is up: http://{host}:{port}/webhooks/zoom\n"
        'query it with: psql "$(projector dsn)"\n'
        "try it with:   projector simulate\n"
        "stop it with:  Ctrl-C",
        highlight=False,
    )
