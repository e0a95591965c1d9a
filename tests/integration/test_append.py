"""The log's append: commit order is position order, whatever happens to the appenders."""

import asyncio
import random
import time
import uuid

import asyncpg
import pytest

from projector.database import UNAVAILABLE, Connection, Database
from projector.log.append import Appended
from projector.log.read import read_head
from tests.runtime_rig import append_bodies, delivery, renamed

NO_LOCK = """
    CREATE OR REPLACE FUNCTION log.take_append_lock() RETURNS void LANGUAGE sql VOLATILE AS
        'SELECT NULL::void'
"""

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"

APPENDERS, CALLS, EVENTS = 6, 40, 25


class Poller:
    """A reader that remembers only its last position."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.seen: list[int] = []

    async def run(self) -> None:
        while True:
            last = self.seen[-1] if self.seen else 0
            rows = await self._database.fetch(
                "SELECT position FROM log.events WHERE position > $1 ORDER BY position LIMIT 300",
                last,
            )
            self.seen += [row[0] for row in rows]
            await asyncio.sleep(0)


class Appender:
    """Appends over a connection that may be cut; a call with an unknown outcome is repeated."""

    def __init__(self, url: str, number: int) -> None:
        self._url = url
        self._number = number
        self.answers: dict[bytes, Appended] = {}
        self.cut = 0
        self.collisions = 0

    async def run(self) -> None:
        calls = [
            [renamed(call * EVENTS + n, f"user-{self._number}") for n in range(EVENTS)]
            for call in range(CALLS)
        ]
        connection = await self._connect()
        for bodies in calls:
            while True:
                try:
                    answers = await append_bodies(connection, bodies)
                except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
                    self.collisions += 1
                except UNAVAILABLE:
                    self.cut += 1
                    connection.terminate()
                    connection = await self._connect()
                else:
                    self.answers |= dict(zip(bodies, answers, strict=True))
                    break
        await connection.close()

    async def _connect(self) -> Connection:
        """Open a connection, again if it is cut while opening."""
        name = {"application_name": f"appender {self._number}"}
        while True:
            try:
                return await asyncpg.connect(self._url, server_settings=name)
            except UNAVAILABLE:
                self.cut += 1


async def append_from_everywhere(
    database: Database, url: str, *, cuts: int
) -> tuple[list[Appender], list[int]]:
    """Run many appenders at once, some cut off; returns them and what a polling reader saw."""
    appenders = [Appender(url, number) for number in range(APPENDERS)]
    poller = Poller(database)
    polling = asyncio.create_task(poller.run())
    chance = random.Random(1)

    async def cut() -> None:
        for _ in range(cuts):
            await asyncio.sleep(0.02)
            await database.fetch(CUT, f"appender {chance.randrange(APPENDERS)}")

    await asyncio.gather(cut(), *(appender.run() for appender in appenders))
    await asyncio.sleep(0.1)
    assert not polling.done(), "the reader failed"
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    return appenders, poller.seen


@pytest.mark.versions
async def test_a_polling_reader_misses_nothing(database: Database, database_url: str) -> None:
    appenders, seen = await append_from_everywhere(database, database_url, cuts=12)
    total = APPENDERS * CALLS * EVENTS
    assert seen == list(range(1, total + 1))
    assert sum(appender.cut for appender in appenders) > 2
    assert sum(appender.collisions for appender in appenders) == 0
    where = {
        digest: position
        for position, digest in await database.fetch("SELECT position, digest FROM log.events")
    }
    assert len(where) == total
    for appender in appenders:
        for body, answer in appender.answers.items():
            assert where[delivery(body).digest] == answer.position


async def test_without_the_append_lock_that_fails(database: Database, database_url: str) -> None:
    await database.fetch(NO_LOCK)
    appenders, seen = await append_from_everywhere(database, database_url, cuts=0)
    collisions = sum(appender.collisions for appender in appenders)
    assert collisions > 0 or seen != list(range(1, APPENDERS * CALLS * EVENTS + 1))


async def test_whoever_appends_later_waits_for_the_commit(
    database: Database, database_url: str
) -> None:
    first = await asyncpg.connect(database_url)
    transaction = first.transaction()
    await transaction.start()
    assert await append_bodies(first, [renamed(1)]) == [(1, False)]
    second = asyncio.create_task(append_bodies(database, [renamed(2)]))
    await asyncio.sleep(0.2)
    assert not second.done()
    assert await read_head(database) == 0
    await transaction.commit()
    assert await second == [(2, False)]
    await first.close()


async def test_who_is_killed_before_the_commit_leaves_no_gap(
    database: Database, database_url: str
) -> None:
    first = await asyncpg.connect(database_url)
    await first.transaction().start()
    await append_bodies(first, [renamed(1), renamed(2)])
    first.terminate()
    assert await append_bodies(database, [renamed(3)]) == [(1, False)]


async def test_the_same_bytes_at_the_same_moment_are_appended_once(
    database: Database, database_url: str
) -> None:
    connections = [await asyncpg.connect(database_url) for _ in range(8)]
    bodies = [renamed(number) for number in range(20)]
    twice = [*bodies, *reversed(bodies)]
    answers = await asyncio.gather(
        *(append_bodies(connection, twice) for connection in connections)
    )
    assert await read_head(database) == 20
    fresh = [answer for some in answers for answer in some if not answer.duplicate]
    assert sorted(answer.position for answer in fresh) == list(range(1, 21))
    for some in answers:
        assert [a.position for a in some] == [a.position for a in answers[0]]
        assert [a.position for a in some[20:]] == [a.position for a in some[19::-1]]
    for connection in connections:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log.events SET event = 'other'",
        "UPDATE log.events SET event = 'other' WHERE false",
        "DELETE FROM log.events",
        "TRUNCATE log.events",
    ],
)
async def test_the_log_refuses_change(
    database: Database, database_url: str, statement: str
) -> None:
    await append_bodies(database, [renamed(1)])
    role = f"service_{uuid.uuid4().hex[:8]}"
    await database.fetch(f"CREATE ROLE {role}")
    await database.fetch(f"GRANT ALL ON SCHEMA log TO {role}")
    await database.fetch(f"GRANT ALL ON ALL TABLES IN SCHEMA log TO {role}")
    await database.fetch(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA log TO {role}")
    connection = await asyncpg.connect(database_url)
    for identity in ("NONE", role):
        for setting in ("origin", "replica"):
            await connection.execute("RESET ROLE")
            await connection.execute(f"SET session_replication_role = {setting}")
            await connection.execute(f"SET ROLE {identity}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await connection.execute(statement)
    await connection.execute("RESET ROLE")
    await connection.execute(f"DROP OWNED BY {role}")
    await connection.execute(f"DROP ROLE {role}")
    await connection.close()
    rows = await database.fetch("SELECT event FROM log.events")
    assert [row[0] for row in rows] == ["user.updated"]


@pytest.mark.parametrize("setting", ["off", "local", "on", "remote_apply"])
async def test_the_commit_is_durable_whatever_the_session_says(
    database: Database, database_url: str, setting: str
) -> None:
    # A deferred trigger runs during the commit, and sees the setting that applies to it.
    await database.fetch("CREATE TABLE public.commits (setting text)")
    await database.fetch(
        "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "INSERT INTO public.commits VALUES (current_setting('synchronous_commit')); RETURN NULL; END$$"
    )
    await database.fetch(
        "CREATE CONSTRAINT TRIGGER note AFTER INSERT ON log.events DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION public.note()"
    )
    connection = await asyncpg.connect(database_url)
    await connection.execute(f"SET synchronous_commit = {setting}")
    await append_bodies(connection, [renamed(1)])
    kept = await connection.fetchval("SELECT setting FROM public.commits")
    assert kept == ("on" if setting in ("off", "local") else setting)
    assert await connection.fetchval("SHOW synchronous_commit") == setting
    await connection.close()


async def test_a_held_append_lock_is_waited_for_below_the_deadline(
    database: Database, database_url: str
) -> None:
    holder = await asyncpg.connect(database_url)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("SELECT log.take_append_lock()")
    started = time.monotonic()
    with pytest.raises(asyncpg.LockNotAvailableError):
        await append_bodies(database, [renamed(1)])
    assert 1.0 < time.monotonic() - started < 2.2
    await transaction.rollback()
    assert await append_bodies(database, [renamed(1)]) == [(1, False)]
    await holder.close()


async def test_who_vanishes_between_append_and_commit_does_not_keep_the_lock(
    database: Database, database_url: str
) -> None:
    vanished = await asyncpg.connect(database_url)
    await vanished.transaction().start()
    await append_bodies(vanished, [renamed(1)])
    started = time.monotonic()
    with pytest.raises(asyncpg.LockNotAvailableError):
        await append_bodies(database, [renamed(2)])
    assert await append_bodies(database, [renamed(2)]) == [(1, False)]
    assert time.monotonic() - started < 3
    await vanished.close()


async def test_a_fixed_snapshot_cannot_append(database: Database) -> None:
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read"),
    ):
        with pytest.raises(asyncpg.RaiseError, match="READ COMMITTED"):
            await append_bodies(connection, [renamed(1)])
