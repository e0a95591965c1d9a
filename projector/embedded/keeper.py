"""Watches the embedded server, and starts it again whenever it has ended.

It ends by itself on a full disk (PostgreSQL gives up where it cannot write its log), or is killed where
memory runs out. Meanwhile the ingress refuses with 503 and projectors wait. A server that runs and does not
answer is never ended: it may be replaying its log, or somebody may be looking at it.
"""

import asyncio
import re
import signal
import time
from dataclasses import dataclass
from typing import Final

import structlog

from projector.embedded.errors import DataDirectoryInUse, EmbeddedStartFailed
from projector.embedded.server import EmbeddedServer
from projector.telemetry import Recurring

_log = structlog.get_logger()


@dataclass(frozen=True)
class Patience:
    """In seconds: between looks, before attempts, and until the server counts as back or as lost."""

    look: float = 0.5
    ask: float = 10.0
    first_pause: float = 1.0
    longest_pause: float = 30.0
    orphans: float = 5.0  # how long what a killed main process left working may go on
    steady: float = 60.0  # up for so long, it is well again
    give_up: float = 600.0  # without being well for so long, it does not come back


PATIENCE: Final = Patience()


class Keeper:
    """Keeps a started server running. Nothing else may use the EmbeddedServer meanwhile."""

    def __init__(self, server: EmbeddedServer, patience: Patience = PATIENCE) -> None:
        self._server = server
        self._patience = patience
        self._trouble = Recurring(_log, "embedded_database_is_away")
        self._pause = patience.first_pause
        self._ill_since: float | None = None
        self.reason: str | None = None

    async def run(self) -> None:
        """Watch until cancelled. Raises EmbeddedStartFailed where the server does not come back."""
        while True:
            began = time.monotonic()
            await self._while_it_lives()
            ended = time.monotonic()
            if self._ill_since is None or ended - began >= self._patience.steady:
                self._ill_since, self._pause = ended, self._patience.first_pause
            self._away(f"the embedded PostgreSQL ended: {self._server.process.why_ended()}")
            await self._bring_back(self._ill_since)
            self.reason = None
            _log.warning("embedded_database_is_back", seconds=round(time.monotonic() - ended, 1))

    async def _while_it_lives(self) -> None:
        """Return once the main process has ended; say meanwhile where it does not answer."""
        asked = time.monotonic()
        while self._server.process.lives():
            await asyncio.sleep(self._patience.look)
            if time.monotonic() - asked >= self._patience.ask:
                answers = await asyncio.to_thread(self._server.process.accepts)
                asked = time.monotonic()
                if answers:
                    self.reason = None
                elif self._server.process.lives():
                    self._away("the embedded PostgreSQL runs and does not answer")

    async def _bring_back(self, ill_since: float) -> None:
        """Start the server, again and again, until it accepts connections. Raises EmbeddedStartFailed."""
        while True:
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, self._patience.longest_pause)
            try:
                await self._orphans_end()
                self._server.relaunch()
                if await self._accepts():
                    return
                why = f"the embedded PostgreSQL ended again: {self._server.process.why_ended()}"
            except (EmbeddedStartFailed, DataDirectoryInUse) as error:
                why = str(error)
            self._away(why)
            ill = time.monotonic() - ill_since
            if ill >= self._patience.give_up:
                raise EmbeddedStartFailed(
                    f"the embedded PostgreSQL did not come back within {ill:.0f} s: {why}; correct that, "
                    "then start `projector up` again: what was acknowledged is safe in "
                    f"{self._server.data_dir}"
                )

    async def _accepts(self) -> bool:
        """Whether the server accepts connections before it ends; replaying its log may take minutes."""
        process = self._server.process
        while process.lives():
            if await asyncio.to_thread(process.accepts):
                return True
            await asyncio.sleep(self._patience.look)
        return False

    async def _orphans_end(self) -> None:
        """Wait for what a killed main process left working, then end it: no server starts beside it.

        Raises EmbeddedStartFailed where some of it is there yet.
        """
        process, until = self._server.process, time.monotonic() + self._patience.orphans
        while not process.gone():
            if time.monotonic() >= until:
                process.signal_orphans(signal.SIGQUIT)
                await asyncio.sleep(self._patience.look)
                if process.gone():
                    return
                raise EmbeddedStartFailed("processes of the ended PostgreSQL still run; end them")
            await asyncio.sleep(self._patience.look)

    def _away(self, reason: str) -> None:
        self.reason = reason
        self._trouble(
            re.sub(r"\d+", "", reason), reason=reason
        )  # files have numbers in their names
