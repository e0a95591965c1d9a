"""`up`: everything for one machine with one command."""

import asyncio
import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import typer
from pydantic import SecretStr

from projector.cli.reconcile_command import reconcile_until_cancelled
from projector.cli.replica_commands import project_until_cancelled
from projector.cli.running import data_dir_of, local_address, say, start
from projector.config import Settings
from projector.database import in_role, open_database
from projector.embedded import EmbeddedServer, EmbeddedStartFailed, data_folder, prepare_data_dir
from projector.embedded.layout import DATABASE, LOOPBACK
from projector.errors import ConfigurationError
from projector.exposition import new_registry
from projector.ingress.server import serve as serve_ingress
from projector.process import DeferredStop
from projector.rest.session import has_credentials
from projector.schema.migrate import migrate
from projector.schema.roles import Role

SECRET_FILE = "zoom-secret-token"  # noqa: S105  a file's name
LAST_ANSWERS_SECONDS = 5.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up() -> None:
    """Run everything on this machine: database, migrations, ingress and projectors.

    Where the credentials of Zoom's REST API are set, it also reconciles every 6 hours.
    """
    settings = start()
    # A terminal's Ctrl-C also reaches the programs that prepare the server, and ends them.
    with DeferredStop(interrupted=EmbeddedStartFailed) as stop, ExitStack() as stack:
        url = settings.given_database_url()
        embedded = url is None
        if url is None:
            url = stack.enter_context(_embedded(settings)).dsn
        with_token = with_secret(settings)
        stop.run(lambda: _everything(with_token, url, embedded=embedded))
    say("stopped")


def _embedded(settings: Settings) -> EmbeddedServer:
    return EmbeddedServer(data_dir_of(settings), tcp_port=settings.embedded_port)


def with_secret(settings: Settings) -> Settings:
    """Return the settings with a secret: the configured one, else one that `up` makes for itself.

    Raises ConfigurationError where the configured one is blank: deliveries signed with the one that was
    meant would all be refused.
    """
    if settings.secrets():
        return settings
    if settings.zoom_secret_tokens or settings.zoom_secret_tokens_file:
        raise ConfigurationError(
            "PROJECTOR_ZOOM_SECRET_TOKENS, or the file that it is read from, holds no secret; "
            "write the Zoom app's secret token there, or set neither to try things out"
        )
    token = _own_secret(prepare_data_dir(data_dir_of(settings)))
    return settings.model_copy(update={"zoom_secret_tokens": SecretStr(token)})


def _own_secret(data_dir: Path) -> str:
    """Return the secret of a data directory; makes one where there is none, whole or not at all."""
    path, partial = data_dir / SECRET_FILE, data_dir / f"{SECRET_FILE}.{os.getpid()}"
    known = known_secret(data_dir)
    if known is not None:
        return known
    token = secrets.token_urlsafe(24)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(partial)
    except FileExistsError:  # another `up` was faster: one secret for both
        return known_secret(data_dir) or token
    finally:
        partial.unlink()
    return token


def known_secret(data_dir: Path) -> str | None:
    """Return the secret that `up` made in a data directory, or None. Raises ConfigurationError."""
    path = data_dir / SECRET_FILE
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read ({type(error).__name__}); run this as the user who runs "
            "`projector up`"
        ) from None
    if not token:
        raise ConfigurationError(f"{path} is empty; delete it and start `projector up` again")
    return token


async def _everything(settings: Settings, url: str, *, embedded: bool) -> None:
    database = await open_database(url)
    try:
        applied = await migrate(database)
    finally:
        await database.close()
    if applied:
        say(f"migrated: {', '.join(applied)}")
    # The embedded server is reached without a pooler, which would refuse the parameter.
    await _serve_and_project(settings, partial(in_role, url) if embedded else lambda _role: url)


async def _serve_and_project(settings: Settings, url: Callable[[Role], str]) -> None:
    """Run ingress and projectors until either fails or this is cancelled; the ingress drains first.

    `url` gives the database URL of what works in a role.

    What reconciles beside them fails by itself.
    """
    # On one machine no load balancer has to notice: no drain period.
    without_drain = settings.model_copy(update={"drain_seconds": 0.0})
    stop = asyncio.Event()

    def ready(port: int) -> None:
        _say_ready(settings, port)

    registry = new_registry()
    own_folder = None
    if settings.given_database_url() is None:
        own_folder = data_folder(data_dir_of(settings))
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(
            serve_ingress(
                without_drain, url(Role.INGRESS), ready=ready, stop=stop, registry=registry
            )
        )
        folding = tasks.create_task(
            project_until_cancelled(settings, url(Role.PROJECTOR), registry, own_folder)
        )
        beside = [folding]
        if has_credentials(settings):
            reconciling = reconcile_until_cancelled(settings, url(Role.OPERATOR), registry)
            beside.append(tasks.create_task(reconciling))
        try:
            await asyncio.wait((listening, folding), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.set()
            for task in beside:
                task.cancel()
            await asyncio.wait((listening,), timeout=LAST_ANSWERS_SECONDS)


def _say_ready(settings: Settings, port: int) -> None:
    has_tcp = settings.embedded_port is not None and settings.given_database_url() is None
    where = f"{LOOPBACK}:{settings.embedded_port}, database {DATABASE}"
    tools = f"tools connect: {where}, with a login that has a password\n" if has_tcp else ""
    say(
        f"directory projector is up: {local_address(settings.host, port)}/webhooks/zoom\n"
        'query it with: psql "$(projector dsn)"\n'
        f"{tools}"
        "try it with:   projector simulate\n"
        "stop it with:  Ctrl-C"
    )
