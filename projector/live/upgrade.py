"""The upgrade of projections whose stored rows are of an older version than this code's.

They are rebuilt beside the old rows and swapped in; until then replicas of the older release keep the old
rows up to date. Any number of replicas may try: one rebuilds, the others are refused and try again later.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import structlog

from projector.database import TROUBLE, Database
from projector.database_reasons import reason_of
from projector.errors import ProjectorError
from projector.folding.tables import Projection
from projector.rebuild.rebuild import rebuild
from projector.tasks import end
from projector.telemetry import Recurring

PAUSE_SECONDS: Final = 5.0
SAY_SECONDS: Final = 10.0

_log = structlog.get_logger()


class Upgrade:
    """At most one rebuild at a time, in the background of a replica."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None
        self._trouble = Recurring(_log, "upgrade_waits")

    def begin(self, projections: Sequence[Projection]) -> None:
        """Rebuild these, unless a rebuild is under way already."""
        if projections and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._rebuild(projections))

    async def _rebuild(self, projections: Sequence[Projection]) -> None:
        names = [projection.name for projection in projections]
        _log.info("upgrade_begins", projections=names)
        try:
            await rebuild(self._database, projections, _Progress())
        except (ProjectorError, *TROUBLE) as error:
            reason = str(error) if isinstance(error, ProjectorError) else reason_of(error).what
            self._trouble(reason, projections=names, reason=reason)
            await asyncio.sleep(PAUSE_SECONDS)
        except Exception:  # noqa: BLE001  whatever it is, the replica folds on
            _log.exception("upgrade_failed", projections=names, next="tried again")
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            _log.info("upgrade_done", projections=names)

    async def stop(self) -> None:
        """Give up a rebuild that is under way; nothing of it is left behind."""
        if self._task is not None:
            await end(self._task)


class _Progress:
    """Logs the progress of a rebuild every few seconds."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, position: int, target: int) -> None:
        if time.monotonic() - self._said_at >= SAY_SECONDS:
            self._said_at = time.monotonic()
            _log.info("upgrade_goes_on", position=position, target=target)
