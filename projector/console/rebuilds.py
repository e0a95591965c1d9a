"""A rebuild in the background of the console: one at a time."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from projector.database import TROUBLE, open_database
from projector.database_reasons import reason_of
from projector.errors import ProjectorError, RebuildRefused
from projector.folding.tables import Projection
from projector.operations.rebuilding import POOL_SIZE, rebuild_asked
from projector.tasks import end

# What is done, or refused, sooner than this is told at once.
AT_ONCE_SECONDS: Final = 2.0

Failed = Callable[[str], None]

_log = structlog.get_logger()


class Rebuilds:
    """Begins rebuilds, and ends with the one that runs."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._task: asyncio.Task[int] | None = None
        self._name = ""

    async def begin(self, projection: Projection, who: str, failed: Failed) -> str:
        """Begin a rebuild; returns a sentence that says how far it is.

        Raises what `rebuild` raises at once, and RebuildRefused while one goes on here; what comes later is
        given to `failed` as a sentence.
        """
        if self._task is not None and not self._task.done():
            raise RebuildRefused(
                f"the console is rebuilding {self._name}; wait until that is done, and repeat this"
            )
        self._name = projection.name
        task = self._task = asyncio.create_task(self._rebuild(projection, who))
        done, _ = await asyncio.wait({task}, timeout=AT_ONCE_SECONDS)
        if done:
            return f"rebuilt {projection.name} up to position {task.result()}"
        task.add_done_callback(lambda ended: _tell(ended, projection.name, failed))
        return f"rebuilding {projection.name}; the page Projections shows when it is live again"

    async def stop(self) -> None:
        """Give up a rebuild that goes on; nothing of it is left behind."""
        if self._task is not None:
            await end(self._task)

    async def _rebuild(self, projection: Projection, who: str) -> int:
        database = await open_database(self._url, size=POOL_SIZE)
        try:
            done, _ = await rebuild_asked(database, [projection], lambda *_: None, who)
        finally:
            await database.close()
        return done[projection.name]


def _tell(task: "asyncio.Task[int]", name: str, failed: Failed) -> None:
    """Log how a rebuild ended, and tell who asked for it where it failed."""
    error = None if task.cancelled() else task.exception()
    if error is None:
        _log.info("console_rebuild_ended", projection=name, cancelled=task.cancelled())
        return
    if isinstance(error, ProjectorError):
        sentence = str(error)
    elif isinstance(error, TROUBLE):
        sentence = reason_of(error).sentence
    else:
        _log.error("console_rebuild_failed", projection=name, exc_info=error)
        failed(f"{name} was not rebuilt: an unexpected error, which the console's log names")
        return
    _log.warning("console_rebuild_failed", projection=name, reason=sentence)
    failed(f"{name} was not rebuilt: {sentence}")
