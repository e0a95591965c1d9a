"""What was acknowledged and is gone is told; and a log that went back is folded as it is."""

import asyncio
import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from projector.database import Database
from projector.errors import Fenced
from projector.ingress.acknowledged import KEPT, Acknowledged, Receipt
from projector.log.append import Appended
from projector.log.losses import epoch_after, note_losses
from projector.log.read import read_epoch
from projector.state.batch import Batch, make_batch
from tests.ingress_rig import event_body, serving
from tests.integration.test_runtime import batch_after, folder_on_users, lease_on_users
from tests.integration.test_runtime_restore import connection_arguments, run
from tests.runtime_rig import (
    RECEIVED,
    append_bodies,
    assert_oracle_agrees,
    assert_verified,
    delivery,
    renamed,
    replica,
    until,
    until_folded,
)

LOSSES = "SELECT epoch, replica, lost, first_received_at, last_received_at FROM log.losses"


async def test_a_restore_in_place_is_noticed_and_its_losses_are_counted(
    database: Database, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = str(tmp_path / "dump")
    target = [*connection_arguments(database_url), "-d", urlsplit(database_url).path[1:]]
    async with serving(database_url) as one, serving(database_url) as other:
        await one.until_ready()
        await other.until_ready()
        kept = [event_body() for _ in range(3)]
        lost = [event_body() for _ in range(5)]
        for body in kept:
            assert (await one.post(body)).status == 200
        await asyncio.sleep(1.2)  # both replicas know the epoch
        before = await read_epoch(database)
        await run("pg_dump", *target, "-Fc", "-f", dump)
        without_time = json.dumps({"event": "user.created", "payload": {}}).encode()
        for body in [*lost, without_time]:
            assert (await one.post(body)).status == 200
        assert (await other.post(lost[0])).status == 200  # a duplicate, acknowledged by another
        await run("pg_restore", *target, "--clean", "--if-exists", "--single-transaction", dump)

        async def told() -> bool:
            return bool(await database.fetch(LOSSES))

        await until(told)
        await asyncio.sleep(4)  # both replicas have told
        rows = await database.fetch(LOSSES)
        assert sum(row["lost"] for row in rows) == 6
        assert {row["epoch"] for row in rows} == {await read_epoch(database)} != {before}
        counted = [await zoom.metric("projector_acknowledged_lost_total") for zoom in (one, other)]
        assert sum(counted) == 6
        told_once = len(rows)
        # Zoom's retry of one is appended afresh, and goes on in the log that is now.
        again = await one.post(lost[1])
        assert again.status == 200
        assert "X-Event-Duplicate" not in again.headers
        await asyncio.sleep(5)
        assert len(await database.fetch(LOSSES)) == told_once
        assert {row["epoch"] for row in rows} == {await read_epoch(database)}
    said = capsys.readouterr().out
    assert "acknowledged_deliveries_lost" in said
    assert json.loads(lost[1])["payload"]["object"]["id"] not in said


async def test_nothing_lost_is_no_row(database: Database) -> None:
    some = [delivery(renamed(n)) for n in range(4)]
    appended = await append_bodies(database, [one.body for one in some])
    epoch = await read_epoch(database)
    seen = (appended[-1].position, some[-1].digest)
    assert await epoch_after(database, epoch, seen) == epoch
    times = [one.received_at for one in some]
    digests = [one.digest for one in some]
    asked = (times, [one.event_ts for one in some], digests)
    assert await note_losses(database, "replica", *asked) == []
    assert await database.fetch(LOSSES) == []


async def test_who_finds_the_log_gone_back_begins_one_epoch(database: Database) -> None:
    """However many find it."""
    await append_bodies(database, [renamed(1)])
    epoch = await read_epoch(database)
    gone = (7, b"g" * 32)
    found = await asyncio.gather(*(epoch_after(database, epoch, gone) for _ in range(5)))
    assert len(set(found)) == 1
    assert found[0] != epoch
    assert await database.fetchval("SELECT count(*) FROM log.epochs") == 2


async def test_receipts_are_bounded() -> None:
    acknowledged = Acknowledged(most=3)
    some = [delivery(renamed(n), RECEIVED) for n in range(5)]
    for one in some:
        acknowledged.add(one, Appended(1, duplicate=False))
        acknowledged.add(one, Appended(1, duplicate=True))
    assert [receipt.digest for receipt in acknowledged.receipts()] == [
        one.digest for one in some[-2:]
    ]
    newer = delivery(renamed(9), RECEIVED + KEPT + KEPT)
    acknowledged.add(newer, Appended(2, duplicate=False))
    acknowledged.forget_old()
    assert [receipt.digest for receipt in acknowledged.receipts()] == [newer.digest]
    acknowledged.forget([Receipt(newer.received_at, newer.event_ts, newer.digest)])
    assert acknowledged.receipts() == []


def of_another_log(batch: Batch) -> Batch:
    """The same positions as a batch's, with an event that the log does not hold."""
    body = renamed(99, "nobody")
    other = delivery(body)
    received = int(datetime.now(UTC).timestamp() * 1e6)
    rows = [(position, received, other.digest, body, False) for position, *_ in batch.rows]
    return dataclasses.replace(make_batch(batch.start, rows, full=batch.full))


async def test_a_batch_of_a_log_that_is_no_more_is_not_written(database: Database) -> None:
    await append_bodies(database, [renamed(1)])
    folder = folder_on_users(database, await lease_on_users(database, "one"))
    read = await batch_after(database, 0)
    with pytest.raises(Fenced):
        await folder.fold(of_another_log(read))
    assert await database.fetchval("SELECT count(*) FROM state.users") == 0
    await folder.fold(read)
    assert await database.fetchval("SELECT count(*) FROM state.users") == 1


async def test_a_replica_folds_what_the_log_holds_whatever_it_has_read(database: Database) -> None:
    await append_bodies(database, [renamed(1)])
    async with replica(database) as running:
        await until_folded(database)
        read = Batch(1, 2, b"", {}, [(2,)], full=False)

        async def stale() -> Batch:
            return of_another_log(read)

        running._feed._batches[1] = asyncio.create_task(stale())
        await append_bodies(database, [renamed(2)])
        await until_folded(database, 10)
        await assert_oracle_agrees(database)
    await assert_verified(database)
