"""Refused deliveries are counted in the database, by hour and reason, away from every request."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from projector.database import Database, open_database
from projector.ingress.connection import Turns
from projector.ingress.refusals import Refusals
from projector.live.housekeeping import REFUSALS_KEPT
from projector.log.refusals import Counted, count_refusals, forget_refusals
from tests.ingress_rig import NOWHERE, OTHER_SECRET, event_body, serving, signed

VALIDATION = json.dumps(
    {"event": "endpoint.url_validation", "payload": {"plainToken": "x"}, "event_ts": 1}
).encode()


async def counted(database: Database) -> dict[str, int]:
    rows = await database.fetch("SELECT reason, refused FROM log.refusals")
    return {row[0]: row[1] for row in rows}


async def test_every_kind_of_refusal_is_counted_with_its_times(
    database_url: str, database: Database
) -> None:
    began = datetime.now(UTC)
    async with serving(
        database_url, max_body_bytes=1024, quarantine_rows=1, quarantine_per_second=100
    ) as zoom:
        for _ in range(3):
            body = event_body()
            await zoom.post(body, signed(body, OTHER_SECRET))
        body = event_body()
        await zoom.post(body, signed(body, age=4000))
        await zoom.post(event_body(), {"Content-Type": "application/json"})
        await zoom.post(body, signed(body) | {"x-zm-signature": "v0=no"})
        await zoom.post(b"[]")
        await zoom.post(body, signed(body) | {"Content-Type": "text/plain"})
        await zoom.post(body, path="/webhooks/zoom/user.deleted")
        await zoom.post(event_body(padding="x" * 2000))
        await zoom.post(VALIDATION, signed(VALIDATION, OTHER_SECRET))
        await zoom.post(VALIDATION.replace(b'"x"', b"7"))
        assert (await zoom.post(event_body())).status == 200
    assert await counted(database) == {
        "wrong": 3, "stale": 1, "missing": 1, "malformed": 1, "not-an-event": 1, "media-type": 1,
        "other-event": 1, "too-large": 1, "validation": 2, "dropped-unsigned": 2, "dropped-signed": 1,
    }  # fmt: skip
    rows = await database.fetch("SELECT hour, first_at, last_at FROM log.refusals")
    for row in rows:
        assert began - timedelta(seconds=1) <= row["first_at"] <= row["last_at"]
        assert row["last_at"] <= datetime.now(UTC)
        assert row["hour"].minute == 0


async def test_nothing_waits_for_the_count_and_nothing_is_lost(
    database_url: str, database: Database
) -> None:
    """While the table is locked refusals are answered at once; afterwards all of them are counted."""
    async with serving(database_url) as zoom:
        await zoom.until_ready()
        holder = await open_database(database_url, size=1)
        async with holder.transaction() as connection:
            await connection.execute("LOCK TABLE log.refusals")
            answers = []
            for _ in range(60):
                body = event_body()
                answers.append(await zoom.post(body, signed(body, OTHER_SECRET)))
                await asyncio.sleep(0.1)
            assert max(answer.seconds for answer in answers) < 1
        await holder.close()
    assert (await counted(database))["wrong"] == 60


async def test_what_cannot_be_written_is_kept() -> None:
    class Away:
        def __init__(self) -> None:
            self.written: list[tuple[object, ...]] = []
            self.away = True

        async def fetch(
            self, _statement: str, *arguments: object, timeout: float | None = None
        ) -> list[asyncpg.Record]:
            assert timeout is not None
            if self.away:
                raise ConnectionRefusedError
            self.written.append(arguments)
            return []

    lane = Away()
    refusals = Refusals(lane)
    for _ in range(2):
        refusals.note("wrong")
        await refusals.write()
    lane.away = False
    refusals.note("stale")
    await refusals.write()
    await refusals.write()
    (reasons, counts, first, last), *more = lane.written
    assert (sorted(zip(reasons, counts, strict=True)), more) == ([("stale", 1), ("wrong", 2)], [])  # type: ignore[call-overload]
    assert all(f >= age >= 0 for f, age in zip(first, last, strict=True))  # type: ignore[call-overload]


async def test_replicas_add_up_and_widen_the_times(database: Database) -> None:
    now = time.monotonic()
    told = [Counted(5, now - 30, now - 10), Counted(7, now - 90, now - 60)]
    await asyncio.gather(
        *(count_refusals(database, {"wrong": one}, now=now, timeout=5) for one in told)
    )
    (row,) = await database.fetch(
        "SELECT refused, extract(epoch FROM clock_timestamp() - first_at)::float8 AS first, "
        "extract(epoch FROM clock_timestamp() - last_at)::float8 AS last FROM log.refusals"
    )
    assert row["refused"] == 12
    assert row["first"] == pytest.approx(90, abs=2)
    assert row["last"] == pytest.approx(10, abs=2)


async def test_old_counts_are_forgotten(database: Database) -> None:
    await database.fetch(
        "INSERT INTO log.refusals SELECT date_trunc('hour', now() - d * interval '1 day'), 'wrong', 1, "
        "now(), now() FROM generate_series(0, 120, 10) d"
    )
    assert await forget_refusals(database, datetime.now(UTC) - REFUSALS_KEPT) == 4
    assert await database.fetchval("SELECT count(*) FROM log.refusals") == 9


async def test_the_ingress_may_add_and_nothing_else(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL ROLE projector_ingress")
        await connection.execute("SELECT 1")
        for forbidden in (
            "SELECT * FROM log.refusals",
            "DELETE FROM log.refusals",
            "SELECT log.forget_refusals(now())",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(forbidden)


async def test_a_replica_without_a_database_still_answers() -> None:
    async with serving(NOWHERE) as zoom:
        body = event_body()
        assert (await zoom.post(body, signed(body, OTHER_SECRET))).status == 401


async def test_parts_that_share_a_connection_take_turns() -> None:
    """A second statement on a connection that is busy would be refused, and the connection dropped."""

    class OneAtATime:
        busy = False

        async def fetch(self, *_arguments: object, **_options: object) -> list[asyncpg.Record]:
            assert not self.busy
            self.busy = True
            await asyncio.sleep(0.01)
            self.busy = False
            return []

    shared = Turns(OneAtATime())
    await asyncio.gather(*(shared.fetch("") for _ in range(5)))
