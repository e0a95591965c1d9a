"""Progress: what an interrupted run had done, so that the next one goes on where it was.

By listing and by object: the tokens of a listing live fifteen minutes, so a listing is done or not begun.
"""

import uuid
import zlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from projector.database import Database
from projector.statements import queries

# An interrupted run older than this is begun anew: what it has seen is too old to tell who is gone.
LONGEST_LIFE: Final = timedelta(days=7)

_SQL: Final = queries("observations")


class Progress:
    """The steps of one run, by section. Nothing is kept where `database` is None, as of a dry run."""

    def __init__(self, database: Database | None, run: str) -> None:
        self.run = run
        self._database = database

    async def step(self, section: str, step: str) -> Any:
        """What a step has done, as JSON values; None where it was not done."""
        if self._database is None:
            return None
        rows = await self._database.fetch(_SQL["step"], self.run, section, step)
        return msgspec.json.decode(zlib.decompress(rows[0]["done"])) if rows else None

    async def save(self, section: str, **steps: Any) -> None:
        """Keep what steps have done, in one transaction."""
        if self._database is None:
            return
        done = [zlib.compress(msgspec.json.encode(value), 1) for value in steps.values()]
        await self._database.fetch(_SQL["save_steps"], self.run, section, list(steps), done)

    async def forget(self, section: str, **steps: Any) -> None:
        """Forget a section's steps, and keep these alone."""
        if self._database is not None:
            await self._database.fetch(_SQL["forget_section"], self.run, section)
            await self.save(section, **steps)

    async def finish(self) -> None:
        """Forget the run."""
        if self._database is not None:
            await self._database.fetch(_SQL["finish_run"], self.run)


def no_progress() -> Progress:
    """The progress of a run that leaves no trace."""
    return Progress(None, new_run())


def new_run() -> str:
    """A random name for a run, in hexadecimal."""
    return uuid.uuid4().hex


async def begin(database: Database, account: str, sections: Sequence[str]) -> Progress:
    """Take up the unfinished run that was asked for the same sections, else begin one."""
    await database.fetch(_SQL["forget_old_runs"], account, LONGEST_LIFE)
    rows = await database.fetch(_SQL["begin_run"], new_run(), account, ",".join(sections))
    return Progress(database, rows[0]["run"])
