"""One console: listen, let in, read, and end."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from aiohttp import web

from projector.config import Settings
from projector.console.access.entered import Entered
from projector.console.access.key_file import Kept, keeping
from projector.console.access.one_time import SECRET_BYTES, OneTimeKeys
from projector.console.access.proxied import Proxied
from projector.console.access.rules import check_console, operators_of
from projector.console.access.sessions import Sessions
from projector.console.app import make_app
from projector.console.parts import Parts
from projector.console.reach import Reach
from projector.console.rebuilds import Rebuilds
from projector.embedded import DataDirectoryUnusable, prepare_data_dir
from projector.listening import cannot_listen, local_address
from projector.operations.actor import system_user
from projector.operations.of_settings import not_subscribed
from projector.tasks import end

# Requests that are under way at the end have so long.
LAST_ANSWERS_SECONDS: Final = 3.0

_log = structlog.get_logger()


class Serving(NamedTuple):
    """A console that serves: its URL, and what makes a one-time address; None: a proxy lets people in."""

    url: str
    one_time_address: Callable[[], str] | None


@asynccontextmanager
async def serving(settings: Settings, database_url: str, folder: Path) -> AsyncIterator[Serving]:
    """Serve until the block ends; the database need not answer yet.

    `folder`: the data directory, for the file of `projector console --address`. Raises ConfigurationError for
    settings that would let anybody in, and ProjectorError where it cannot listen.
    """
    trusted, secret = check_console(settings), secrets.token_bytes(SECRET_BYTES)
    proxied = bool(settings.console_user_header)
    reach, rebuilds = Reach(database_url), Rebuilds(database_url)
    parts = Parts(
        settings,
        reach,
        Proxied(settings.console_user_header, trusted)
        if proxied
        else Entered(OneTimeKeys(secret), Sessions(), system_user()),
        operators_of(settings),
        rebuilds,
        not_subscribed(settings),
    )
    async with _reaching(reach, rebuilds), _listening(parts) as port:
        url = local_address(settings.console_host, port)
        if proxied:
            yield Serving(url, None)
            return
        kept = Kept(url, secret)
        with _kept(folder, port, kept):
            yield Serving(url, kept.address)


@asynccontextmanager
async def _reaching(reach: Reach, rebuilds: Rebuilds) -> AsyncIterator[None]:
    """Look at the database until the block ends, and then leave nothing behind."""
    looking = asyncio.create_task(reach.run())
    try:
        yield
    finally:
        await rebuilds.stop()
        await end(looking)
        await reach.close()


@asynccontextmanager
async def _listening(parts: Parts) -> AsyncIterator[int]:
    """Take requests until the block ends; yields the port."""
    host, port = parts.settings.console_host, parts.settings.console_port
    runner = web.AppRunner(
        make_app(parts),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=LAST_ANSWERS_SECONDS,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise cannot_listen(error, host, port, "CONSOLE_PORT") from None
        port = int(runner.addresses[0][1])
        by = "the sign-on proxy" if parts.settings.console_user_header else "a one-time address"
        _log.info("console_listens", host=host, port=port, lets_in_by=by)
        yield port
    finally:
        await runner.cleanup()


@contextmanager
def _kept(folder: Path, port: int, kept: Kept) -> Iterator[None]:
    """Keep the file for `projector console --address`; without it the console serves all the same."""
    with ExitStack() as stack:
        try:
            stack.enter_context(keeping(prepare_data_dir(folder), port, kept))
        except (OSError, DataDirectoryUnusable) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            _log.warning(
                "console_gives_no_addresses", reason=reason,
                next="let PROJECTOR_DATA_DIR name a folder for `projector console --address`",
            )  # fmt: skip
        yield
