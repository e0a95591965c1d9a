"""What /readyz says: the reason why this replica cannot append."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from projector.errors import DatabaseUnavailable, SchemaMismatch
from projector.ingress.acknowledged import Acknowledged
from projector.ingress.losses import Losses
from projector.ingress.metrics import Metrics
from projector.ingress.readiness import Bounded, Readiness


class FailingLane:
    """Raises the same for every statement."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def fetch(self, *_: Any, timeout: float | None = None) -> Any:
        assert timeout is not None
        raise self._error


def readiness_of(lane: FailingLane, why: Callable[[], str | None] | None = None) -> Readiness:
    """What answers /readyz of a replica with such a lane."""
    probe, metrics = Bounded(lane), Metrics()
    losses = Losses(probe, Acknowledged(), lambda: None, metrics)
    return Readiness(probe, passes, losses, metrics, why)


async def passes(_lane: Any) -> None:
    """A schema that fits."""


async def probed(readiness: Readiness) -> str | None:
    running = asyncio.create_task(readiness.run())
    while readiness.reason == "the database has not been asked yet":
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait((running,))
    return readiness.reason


@pytest.mark.parametrize(
    ("error", "words"),
    [(asyncpg.DiskFullError("could not extend file"), "disk is full (could not extend file); free"),
     (asyncpg.ReadOnlySQLTransactionError("x"), "takes no writes"),
     (asyncpg.InsufficientPrivilegeError("permission denied for schema log"), "for schema log"),
     (DatabaseUnavailable("nothing listens at db:5432; look there"), "nothing listens at db:5432"),
     (SchemaMismatch("run `projector migrate`"), "run `projector migrate`"),
     (TimeoutError(), "does not answer in time, or the append lock is held")],
)  # fmt: skip
async def test_the_reason_is_the_database_s_own(error: Exception, words: str) -> None:
    reason = await probed(readiness_of(FailingLane(error)))
    assert reason is not None
    assert words in reason


async def test_who_keeps_the_server_knows_better() -> None:
    lane, known = FailingLane(ConnectionRefusedError()), ["its disk is full"]
    readiness = readiness_of(lane, lambda: known[0] if known else None)
    assert await probed(readiness) == "its disk is full"
    known.clear()
    assert readiness.reason is not None
    readiness.draining = True
    assert readiness.reason == "this replica is stopping"
