"""How `up` speaks: calmly on a terminal, with its log in a file; in the configured format elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog

from projector.cli.calm_terminal import CalmTerminal, Folded, Taken, summarise
from projector.cli.console_command import invitation
from projector.cli.log_file import LogFile
from projector.cli.running import data_dir_of, say
from projector.config import Settings
from projector.console.server import Serving
from projector.database import TROUBLE, Database
from projector.embedded import prepare_data_dir
from projector.embedded.layout import DATABASE, LOOPBACK
from projector.ingress.metrics import Metrics
from projector.state.status import read_status
from projector.telemetry import configure_logging, writes_json

LOG_FILE: Final = "projector.log"

_log = structlog.get_logger()


class Voice:
    """What `up` tells the person who started it, or the program that collects its lines."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._is_json = writes_json(settings)
        is_calm = settings.log_format is None and sys.stderr.isatty()
        self._terminal = CalmTerminal() if is_calm else None

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Until the block ends, a terminal shows a summary, and the log goes to a file.

        To be entered once there is a database: a start that fails makes no file.
        """
        if self._terminal is None:
            yield
            return
        path = prepare_data_dir(data_dir_of(self._settings)) / LOG_FILE
        configure_logging(self._settings, file=LogFile(path), tell=self._terminal.tell)
        try:
            yield
        finally:
            self._terminal.end()

    def say(self, text: str, **fields: Any) -> None:
        """Tell one thing: a line for a person, or one of the log whose event is the text's first word."""
        if self._is_json:
            _log.info(text.partition(":")[0], **fields)
        elif self._terminal is not None:
            self._terminal.say(text)
        else:
            say(text)

    def ready(self, address: str, console: Serving) -> None:
        """Tell that deliveries are taken at this URL, where the console is, and what to do next."""
        has_port = (
            self._settings.embedded_port is not None and self._settings.given_database_url() is None
        )
        where = f"{LOOPBACK}:{self._settings.embedded_port}, database {DATABASE}"
        tools = f"tools connect: {where}, with a login that has a password\n" if has_port else ""
        self.say(
            f"directory projector is up: {address}\n"
            f"look at it:    {invitation(console)}\n"
            "query it with: projector sql\n"
            f"{tools}"
            "try it with:   projector simulate\n"
            "stop it with:  Ctrl-C",
            **({"tools": where} if has_port else {}),
            console=console.url,
            address=address,
        )

    async def summarise(self, metrics: Metrics, database: Database) -> None:
        """Show on a terminal what arrives and how far it is folded, until cancelled."""

        async def folded() -> Folded | None:
            try:
                now = await read_status(database)
            except TROUBLE:
                return None
            position = min((p.position for p in now.projections), default=now.head)
            return Folded(
                position, now.head, max((p.lag_seconds for p in now.projections), default=0)
            )

        if self._terminal is not None:
            await summarise(self._terminal, lambda: _taken(metrics), folded)


def _taken(metrics: Metrics) -> Taken:
    outcomes = metrics.outcomes()
    known = {name: outcomes.pop(name, 0) for name in ("appended", "duplicate", "validated")}
    return Taken(known["appended"], known["duplicate"], sum(outcomes.values()))
