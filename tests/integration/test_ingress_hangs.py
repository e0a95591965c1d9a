"""A database that hangs, goes away or refuses a row: every delivery is answered within 2.5 s."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from projector.database import Database
from projector.statements import queries
from tests.ingress_rig import Answer, Sender, event_body, serving

LIMIT_SECONDS = 2.5


def refused_in_time(answer: Answer) -> bool:
    return (
        answer.status == 503 and "Retry-After" in answer.headers and answer.seconds < LIMIT_SECONDS
    )


@asynccontextmanager
async def append_lock_held(database_url: str) -> AsyncIterator[int]:
    """Another session holds the append lock; yields its process id."""
    holder = await asyncpg.connect(database_url)
    try:
        async with holder.transaction():
            await holder.execute("SELECT log.take_append_lock()")
            yield await holder.fetchval("SELECT pg_backend_pid()")
    finally:
        await holder.close()


async def backends(database: Database, *, of_appends: bool = False) -> list[int]:
    """Process ids of the other sessions of this database."""
    rows = await database.fetch(
        """SELECT pid FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND backend_type = 'client backend' AND (NOT $1 OR query LIKE '%FROM log.append_webhooks($1%')
        """,
        of_appends,
    )
    return [row[0] for row in rows]


async def posts(zoom: Sender, count: int) -> list[Answer]:
    return list(await asyncio.gather(*(zoom.post(event_body()) for _ in range(count))))


async def test_with_the_append_lock_held_everything_is_refused_in_time(
    database_url: str, database: Database
) -> None:
    async with serving(database_url) as zoom:
        await zoom.until_ready()
        async with append_lock_held(database_url) as pid:
            waves = []
            for _ in range(20):  # ten seconds
                waves.append(asyncio.create_task(posts(zoom, 3)))
                await asyncio.sleep(0.5)
            answers = [answer for wave in waves for answer in await wave]
            assert all(refused_in_time(answer) for answer in answers)
            holders = await database.fetch(queries("log")["append_lock_holders"])
            assert pid in [holder["pid"] for holder in holders]
            assert (await zoom.get("/readyz")).status == 503
            assert (await zoom.get("/livez")).status == 200
        again = await posts(zoom, 5)
        assert [answer.status for answer in again] == [200] * 5
        await zoom.until_ready()


async def test_a_stopped_server_process_delays_its_batch_alone(
    database_url: str, database: Database
) -> None:
    async with serving(database_url) as zoom:
        assert (await zoom.post(event_body())).status == 200
        stopped = await backends(database, of_appends=True)
        assert len(stopped) == 1
        os.kill(stopped[0], signal.SIGSTOP)
        try:
            stuck = asyncio.create_task(zoom.post(event_body()))
            await asyncio.sleep(0.3)
            meanwhile = await posts(zoom, 5)
            assert [answer.status for answer in meanwhile] == [200] * 5
            assert refused_in_time(await stuck)
        finally:
            os.kill(stopped[0], signal.SIGCONT)


async def test_with_every_server_process_stopped_all_is_answered_in_time(
    database_url: str, database: Database
) -> None:
    async with serving(database_url) as zoom:
        await zoom.until_ready()
        await zoom.post(event_body())
        stopped = await backends(database)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            answers = [*await posts(zoom, 10), *await posts(zoom, 10)]
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        assert all(answer.status == 200 or refused_in_time(answer) for answer in answers)
        assert any(answer.status == 503 for answer in answers)
        assert (await zoom.post(event_body())).status == 200


async def test_lost_connections_are_replaced_before_anybody_notices(
    database_url: str, database: Database
) -> None:
    async with serving(database_url) as zoom:
        for _ in range(3):
            assert (await zoom.post(event_body())).status == 200
            await database.fetch(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()"""
            )


async def test_a_row_that_the_database_refuses_fails_alone(
    database_url: str, database: Database
) -> None:
    await database.fetch("ALTER TABLE log.events ADD CHECK (event <> 'poison')")
    async with serving(database_url) as zoom:
        events = ["good"] * 9 + ["poison"] + ["good"] * 9
        answers = await asyncio.gather(*(zoom.post(event_body(event)) for event in events))
        assert [answer.status for answer in answers] == [
            503 if event == "poison" else 200 for event in events
        ]
    assert await database.fetchval("SELECT count(*) FROM log.events") == 18


async def test_two_replicas_that_get_the_same_bytes_at_once_append_them_once(
    database_url: str, database: Database
) -> None:
    bodies = [event_body() for _ in range(40)]
    async with serving(database_url) as one, serving(database_url) as other:
        for body in bodies:
            answers = await asyncio.gather(*(zoom.post(body) for zoom in (one, other, one, other)))
            assert {answer.status for answer in answers} == {200}
            assert len({answer.headers["X-Event-Position"] for answer in answers}) == 1
            fresh = [answer for answer in answers if "X-Event-Duplicate" not in answer.headers]
            assert len(fresh) == 1
    assert await database.fetchval("SELECT count(*) FROM log.events") == len(bodies)


async def test_a_full_queue_is_refused_at_once(database_url: str) -> None:
    async with serving(database_url, append_queue=4) as zoom:
        async with append_lock_held(database_url):
            answers = await posts(zoom, 40)
        assert all(refused_in_time(answer) for answer in answers)
        assert sum(answer.seconds < 0.5 for answer in answers) > 20


async def test_a_reader_never_sees_an_unacknowledged_gap(
    database_url: str, database: Database
) -> None:
    async with serving(database_url) as one, serving(database_url) as other:
        await asyncio.gather(*(posts(zoom, 200) for zoom in (one, other)))
    rows = await database.fetch("SELECT position FROM log.events ORDER BY position")
    assert [row[0] for row in rows] == list(range(1, 401))


@pytest.mark.parametrize("event_ts", [2**63 - 1, 2**63, -(2**63), 10**300])
async def test_absurd_numbers(database_url: str, event_ts: int) -> None:
    async with serving(database_url) as zoom:
        assert (await zoom.post(event_body(event_ts=event_ts))).status == 200
