"""`up`: everything for one machine with one command."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import typer

from projector.cli.reconcile_command import reconcile_until_cancelled
from projector.cli.replica_commands import project_until_cancelled
from projector.cli.running import data_dir_of, start
from projector.cli.up_checks import check_up
from projector.cli.up_secret import with_secret
from projector.cli.up_voice import Voice
from projector.config import Settings
from projector.console.server import serving
from projector.database import Database, in_role, open_database
from projector.embedded import EmbeddedServer, EmbeddedStartFailed, Keeper
from projector.exposition import new_registry
from projector.ingress.metrics import Metrics
from projector.ingress.server import serve as serve_ingress
from projector.listening import local_address
from projector.process import DeferredStop
from projector.rest.session import has_credentials
from projector.schema.migrate import migrate
from projector.schema.roles import Role

LAST_ANSWERS_SECONDS = 5.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up() -> None:
    """Run everything on this machine: database, migrations, ingress and projectors.

    Where the credentials of Zoom's REST API are set, it also reconciles every 6 hours.
    """
    settings = start()
    check_up(settings)
    voice = Voice(settings)
    # A terminal's Ctrl-C also reaches the programs that prepare the server, and ends them.
    with DeferredStop(interrupted=EmbeddedStartFailed) as stop, ExitStack() as stack:
        url, server = settings.given_database_url(), None
        if url is None:
            server = stack.enter_context(_embedded(settings))
            url = server.dsn
        given = url
        stop.run(lambda: _everything(settings, given, server, voice))
    voice.say("stopped")


@contextmanager
def _embedded(settings: Settings) -> Iterator[EmbeddedServer]:
    """A started server; of a first start that fails before the server is kept nothing stays."""
    server = EmbeddedServer(data_dir_of(settings), tcp_port=settings.embedded_port)
    server.start()
    try:
        yield server
    except BaseException:
        server.undo()
        raise
    server.stop()


async def _everything(
    settings: Settings, url: str, server: EmbeddedServer | None, voice: Voice
) -> None:
    database = await open_database(url)
    try:
        applied = await migrate(database)
        settings = with_secret(settings)
        if server is not None:
            server.keep()
        with voice.speaking():
            if applied:
                voice.say(f"migrated: {', '.join(applied)}", migrations=applied)
            await _serve_and_project(settings, database, server, voice)
    finally:
        await database.close()


async def _serve_and_project(
    settings: Settings, database: Database, server: EmbeddedServer | None, voice: Voice
) -> None:
    """Run ingress and projectors until either fails or this is cancelled; the ingress drains first.

    What reconciles beside them fails by itself, and the console can only fail to begin. An embedded server is
    started again whenever it ends.
    """
    # On one machine no load balancer has to notice: no drain period.
    without_drain = settings.model_copy(update={"drain_seconds": 0.0})
    stop, url = asyncio.Event(), _url_of_role(database.url, embedded=server is not None)
    keeper = None if server is None else Keeper(server)

    def ready(port: int) -> None:
        voice.ready(f"{local_address(settings.host, port)}/webhooks/zoom", console)

    registry = new_registry()
    metrics = Metrics(registry)
    own_folder: Path | None = None if server is None else server.data_dir
    showing = serving(settings, url(Role.OPERATOR), data_dir_of(settings))
    async with showing as console, asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(
            serve_ingress(
                without_drain, url(Role.INGRESS), ready=ready, stop=stop, metrics=metrics,
                why=None if keeper is None else lambda: keeper.reason,
            )
        )  # fmt: skip
        folding = tasks.create_task(
            project_until_cancelled(settings, url(Role.PROJECTOR), registry, own_folder)
        )
        beside = [folding, tasks.create_task(voice.summarise(metrics, database))]
        if keeper is not None:
            beside.append(tasks.create_task(keeper.run()))
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


def _url_of_role(url: str, *, embedded: bool) -> Callable[[Role], str]:
    """The database URL of what works in a role.

    The embedded server is reached without a pooler, which would refuse the parameter.
    """
    return partial(in_role, url) if embedded else lambda _role: url
