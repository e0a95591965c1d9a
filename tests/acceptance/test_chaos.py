"""Everything runs, with faults everywhere: nothing acknowledged is lost or duplicated at the end.

python -m pytest tests/acceptance/test_chaos.py --chaos-seconds 3600 --chaos-seed 7
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from projector.database import Database, open_database
from projector.embedded import EmbeddedServer
from projector.rebuild.claim import TTL
from projector.schema.migrate import migrate
from tests import own_server as servers
from tests.acceptance.chaos_rig import FaultInjector, Zoom, deploy
from tests.runtime_rig import assert_oracle_agrees, assert_verified, until, until_folded

EVENTS_A_SECOND = 40.0


@pytest.fixture
def own_server() -> Iterator[EmbeddedServer]:
    """A durable server for this test only."""
    with servers.own_server("projector-chaos", {"max_connections": "120"}) as server:
        yield server


async def test_chaos(
    own_server: EmbeddedServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seconds = float(request.config.getoption("--chaos-seconds"))
    seed = int(request.config.getoption("--chaos-seed"))
    database = await open_database(own_server.dsn)
    await migrate(database)
    database.terminate()
    deployment = deploy(own_server, tmp_path)
    zoom = Zoom([replica.port for replica in deployment.ingress], seed, EVENTS_A_SECOND)
    injector = FaultInjector(deployment, seed)
    try:
        delivering = asyncio.create_task(zoom.deliver_until_stopped())
        await injector.play(seconds)
        zoom.stopping = True
        await asyncio.wait_for(delivering, 60)
        database = await open_database(own_server.dsn)
        recovered = await until_folded(database, 60)
        await assert_nothing_lost_or_doubled(database, zoom)
        await assert_oracle_agrees(database)
        deployment.close()
        await until_claims_end(database)
        await assert_verified(database)
    finally:
        deployment.close()
        database.terminate()
    sys.stdout.write(summary(injector, zoom, recovered))


async def until_claims_end(database: Database) -> None:
    """A rebuild that lost its connection could not give its claim back; that ends by itself."""

    async def none() -> bool:
        return not await database.fetchval(
            "SELECT EXISTS (SELECT FROM state.rebuilds "
            "WHERE heartbeat_at > clock_timestamp() - $1::interval)",
            TTL,
        )

    await until(none, 2 * TTL.total_seconds())


def summary(injector: FaultInjector, zoom: Zoom, recovered: float) -> str:
    """A summary for whoever runs this for an hour."""
    faults = ", ".join(f"{injector.done.count(name)} {name}" for name in sorted(set(injector.done)))
    return (
        f"{faults}\n{len(zoom.sent)} events, {zoom.refused} attempts not acknowledged, "
        f"folded {recovered:.1f} s after the last\n"
    )


async def assert_nothing_lost_or_doubled(database: Database, zoom: Zoom) -> None:
    rows = await database.fetch("SELECT position, body FROM log.events ORDER BY position")
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    where = {row["body"]: row["position"] for row in rows}
    assert len(where) == len(rows), "an event is in the log twice"
    assert set(where) == zoom.sent, "an event is lost, or nobody sent it"
    for body, positions in zoom.acknowledged.items():
        assert positions == {where[body]}
    assert len(zoom.acknowledged) == len(zoom.sent)
