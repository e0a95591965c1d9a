"""Breaks one thing after another under the eyes of Prometheus: exactly the expected alert fires."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from projector.embedded import EmbeddedServer
from tests import own_server as servers
from tests.acceptance.breakages import QUARANTINE_ROWS, Breakage
from tests.acceptance.prometheus_rig import Watched, watched
from tests.command_rig import execute
from tests.processes import command

CALM_SECONDS = 12
REPAIRED_SECONDS = 60
# What the breakage before has left is older than what is asked for.
PAUSE_SECONDS = 2


@contextmanager
def own_server() -> Iterator[EmbeddedServer]:
    """A server that the test may stop, with a migrated database whose log has an epoch."""
    with servers.own_server("prometheus") as server:
        assert command("migrate", database_url=server.dsn).returncode == 0
        execute(server.dsn, "SELECT log.epoch()")
        yield server


async def break_one_after_another(
    server: EmbeddedServer, folder: Path, breakages: Iterable[Breakage]
) -> None:
    """Assert that nothing fires before, that of each breakage exactly its alerts fire, and that they end."""
    async with watched(server, folder, quarantine_rows=str(QUARANTINE_ROWS)) as rig:
        began = time.monotonic()
        await asyncio.sleep(CALM_SECONDS)
        assert await rig.fired_since(time.monotonic() - began) == set()
        for breakage in breakages:
            try:
                await _break_and_repair(rig, breakage)
            except AssertionError as error:
                raise AssertionError(f"{breakage.breaks.__name__}: {error}") from error


async def _break_and_repair(rig: Watched, breakage: Breakage) -> None:
    names = {alert["alertname"] for alert in breakage.alerts}
    await asyncio.sleep(PAUSE_SECONDS)
    began = time.monotonic()
    async with breakage.breaks(rig):
        fired = await rig.until_firing(*names, seconds=breakage.seconds)
        for expected in breakage.alerts:
            assert any(expected.items() <= alert.items() for alert in fired), (expected, fired)
    await rig.until_firing(seconds=REPAIRED_SECONDS)
    assert await rig.fired_since(time.monotonic() - began) == names
