"""A database server is lost: synchronous, nothing acknowledged is lost with it; asynchronous, it is told.

python -m pytest tests/acceptance/test_failover.py --failovers 20
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from projector.database import Database
from tests.acceptance.failover_rig import (
    EVENTS_A_SECOND,
    Product,
    TimedZoom,
    opened,
    prepare,
    product_before,
)
from tests.acceptance.test_chaos import assert_nothing_lost_or_doubled
from tests.other_postgres import found
from tests.patroni_rig import Cluster, patroni_cluster
from tests.processes import command
from tests.runtime_rig import assert_oracle_agrees, until, until_folded

pytestmark = pytest.mark.binary("patroni", "etcd", "haproxy")

LONGEST_REFUSAL = 30.0
# Where the machine has so much to do that the cluster itself takes longer, ours may be back so long after it.
AFTER_THE_CLUSTER = 10.0


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if not found():
        pytest.skip("no PostgreSQL server of this system, which Patroni needs")
    with patroni_cluster(synchronous=request.param) as made:
        yield made


def kill(cluster: Cluster) -> None:
    """Server and Patroni are killed; the machine is back once the other one has taken over."""
    primary = cluster.primary
    assert primary is not None, cluster.said()
    cluster.kill(primary)
    cluster.until_promoted(primary)
    cluster.start_patroni(primary)


def switch_over(cluster: Cluster) -> None:
    cluster.switch_over()


def cut_off(cluster: Cluster) -> None:
    """The primary runs on where nobody reaches it, but for clients that wait for an answer."""
    primary = cluster.primary
    assert primary is not None, cluster.said()
    cluster.cut_off(primary)
    cluster.until_promoted(primary)
    cluster.mend(primary)


async def assert_clean(database: Database, cluster: Cluster) -> None:
    """Views equal a naive fold of the log, and the command says so too."""
    await assert_oracle_agrees(database)
    verified = await asyncio.to_thread(command, "verify", database_url=cluster.url)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def said_by(product: Product) -> str:
    return "\n".join(
        f"== {process._log.name}\n{process.said[-6000:]}"
        for process in (*product.ingress, *product.projectors)
    )


@pytest.mark.parametrize("cluster", [True], indirect=True, ids=["synchronous"])
async def test_nothing_acknowledged_is_lost(
    cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rounds = int(request.config.getoption("--failovers"))
    await prepare(cluster)
    with product_before(cluster, tmp_path) as product:
        zoom = TimedZoom([one.port for one in product.ingress], 1, EVENTS_A_SECOND)
        delivering = asyncio.create_task(zoom.deliver_until_stopped())
        refusals: dict[str, list[float]] = {}
        for failover in [kill, switch_over, cut_off] * rounds:
            await asyncio.sleep(2)
            since = time.monotonic()
            await asyncio.to_thread(failover, cluster)
            await asyncio.to_thread(cluster.until_healthy)
            limit = max(LONGEST_REFUSAL, time.monotonic() - since + AFTER_THE_CLUSTER)
            await asyncio.sleep(4)
            for port in zoom.ports:
                silence = max(zoom.silence(port, since), _still(zoom, port))
                refusals.setdefault(failover.__name__, []).append(silence)
                assert silence < limit, said_by(product) + cluster.said()
        zoom.stopping = True
        await asyncio.wait_for(delivering, 60)
        product.assert_never_ended()
        database = await opened(cluster)
        folded = await until_folded(database, 60)
        await assert_nothing_lost_or_doubled(database, zoom)
        assert await database.fetch("SELECT * FROM log.losses") == []
        epochs = await database.fetchval("SELECT count(*) FROM log.epochs")
        assert epochs >= 3 * rounds, "an epoch of each primary"
        await assert_clean(database, cluster)
        product.assert_never_ended()
        database.terminate()
    longest = {
        name: f"{max(some):.1f} (half of them below {median(some):.1f})"
        for name, some in refusals.items()
    }
    sys.stdout.write(
        f"{rounds} failovers of each kind; longest refusal in s: {longest}; {len(zoom.acknowledged)} "
        f"acknowledged, none lost or doubled; {zoom.refused} attempts refused; folded {folded:.1f} s later\n"
    )


def _still(zoom: TimedZoom, port: int) -> float:
    """For how long a replica has acknowledged nothing by now."""
    times = zoom.answered.get(port)
    return time.monotonic() - times[-1] if times else 0.0


@pytest.mark.parametrize("cluster", [False], indirect=True, ids=["asynchronous"])
async def test_what_an_asynchronous_standby_loses_is_counted(
    cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rounds = int(request.config.getoption("--failovers"))
    await prepare(cluster)
    with product_before(cluster, tmp_path) as product:
        ports = [one.port for one in product.ingress]
        zoom = TimedZoom(ports, 2, EVENTS_A_SECOND, duplicates=0)
        delivering = asyncio.create_task(zoom.deliver_until_stopped())
        for _ in range(rounds):
            await asyncio.sleep(3)
            primary = cluster.primary
            assert primary is not None
            cluster.stop_replication(primary)
            await asyncio.sleep(2)
            await asyncio.to_thread(cluster.kill, primary)
            await asyncio.to_thread(cluster.until_promoted, primary)
            cluster.mend(primary)
            cluster.start_patroni(primary)
            await asyncio.to_thread(cluster.until_healthy)
            await asyncio.sleep(3)
        zoom.stopping = True
        await asyncio.wait_for(delivering, 60)
        database = await opened(cluster)
        await until_folded(database, 60)
        held = {row[0] for row in await database.fetch("SELECT body FROM log.events")}
        lost = set(zoom.acknowledged) - held
        assert len(lost) > 10 * rounds, "the standby was meant to lag"

        async def told() -> bool:
            return await _told(database) >= len(lost)

        await until(told, 15)
        assert await _told(database) == len(lost), said_by(product)
        rows = await database.fetch(
            "SELECT l.lost, e.number FROM log.losses l JOIN log.epochs e USING (epoch)"
        )
        assert {row["number"] for row in rows} == set(range(2, rounds + 2))
        errors = [
            line for one in product.ingress for line in one.logged("acknowledged_deliveries_lost")
        ]
        assert sum(line["count"] for line in errors) == len(lost)
        await assert_clean(database, cluster)
        product.assert_never_ended()
        database.terminate()
    sys.stdout.write(
        f"{rounds} failovers; {len(zoom.acknowledged)} acknowledged, {len(lost)} of them lost and told\n"
    )


async def _told(database: Database) -> int:
    return int(await database.fetchval("SELECT coalesce(sum(lost), 0)::bigint FROM log.losses"))
