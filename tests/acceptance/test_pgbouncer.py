"""Through a real PgBouncer in transaction mode, without prepared statements."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from projector.database import Database, open_database
from projector.observations.outcome import Section
from projector.schema.migrate import migrate
from tests.conftest import database_of, run_on
from tests.ingress_rig import OTHER_SECRET, event_body, serving, signed
from tests.pgbouncer_rig import pgbouncer
from tests.processes import projectors
from tests.runtime_rig import replica
from tests.zoom_rest_rig import ZoomAccount, run_of

SESSIONS = 3

pytestmark = pytest.mark.binary("pgbouncer")


@pytest.fixture
async def pooled_url(database_url: str) -> AsyncIterator[str]:
    with pgbouncer(database_url, pool_size=SESSIONS) as url:
        yield url


@pytest.fixture
async def pooled(pooled_url: str) -> AsyncIterator[Database]:
    opened = await open_database(pooled_url)
    yield opened
    opened.terminate()


async def test_the_pooler_is_noticed(pooled: Database, database: Database) -> None:
    assert pooled.pooled
    assert not database.pooled


async def test_several_replicas_append_through_few_connections(
    pooled_url: str, database: Database
) -> None:
    bodies = [event_body() for _ in range(300)]
    async with serving(pooled_url) as one, serving(pooled_url) as other:
        await one.until_ready()
        await other.until_ready()
        answers = await asyncio.gather(
            *(zoom.post(body) for body in bodies for zoom in (one, other))
        )
        assert {answer.status for answer in answers} == {200}
        false = event_body()
        assert (await one.post(false, signed(false, OTHER_SECRET))).status == 401
        assert (await one.post(b"[]")).status == 400
    rows = await database.fetch("SELECT position, body FROM log.events ORDER BY position")
    assert [row["position"] for row in rows] == list(range(1, 301))
    assert sorted(row["body"] for row in rows) == sorted(bodies)
    assert await database.fetchval("SELECT count(*) FROM log.quarantine") == 2


async def test_the_durability_of_a_pooled_session_is_not_trusted(
    pooled: Database, pooled_url: str, database: Database
) -> None:
    """Another client may have left `synchronous_commit` off in a session that we are given."""
    await database.fetch("CREATE TABLE public.seen (setting text)")
    await database.fetch(
        """CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               INSERT INTO public.seen VALUES (current_setting('synchronous_commit')); RETURN NULL;
           END $$"""
    )
    await database.fetch(
        "CREATE TRIGGER note AFTER INSERT ON log.events FOR EACH STATEMENT EXECUTE FUNCTION note()"
    )

    async def switch_off() -> None:
        client = await asyncpg.connect(pooled_url, statement_cache_size=0)
        # Long enough that no two of them get the same session.
        await client.execute("SET synchronous_commit = off; SELECT pg_sleep(0.5)")
        await client.close()

    await asyncio.gather(*(switch_off() for _ in range(SESSIONS)))
    assert (await pooled.fetch("SHOW synchronous_commit"))[0][0] == "off"
    async with serving(pooled_url) as zoom:
        answers = await asyncio.gather(*(zoom.post(event_body()) for _ in range(20)))
        assert {answer.status for answer in answers} == {200}
    assert {row[0] for row in await database.fetch("SELECT setting FROM public.seen")} == {"on"}


async def test_migrations_need_no_session(server: str) -> None:
    await run_on(server, "DROP DATABASE IF EXISTS pooled_migrations WITH (FORCE)")
    await run_on(server, "CREATE DATABASE pooled_migrations")
    with pgbouncer(database_of(server, "pooled_migrations"), pool_size=3) as url:
        opened = [await open_database(url) for _ in range(4)]
        applied = await asyncio.gather(*(migrate(database) for database in opened))
        assert sorted(len(names) > 0 for names in applied) == [False, False, False, True]
        for database in opened:
            await database.close()
    await run_on(server, "DROP DATABASE pooled_migrations WITH (FORCE)")


async def test_a_delivery_comes_through_to_a_view(
    pooled_url: str, database: Database, tmp_path: Path
) -> None:
    with projectors(pooled_url, tmp_path, 1) as [projecting]:
        async with serving(pooled_url) as zoom:
            body = event_body(
                "user.created",
                payload={
                    "account_id": "A",
                    "creation_type": "create",
                    "object": {"id": "U1", "email": "new@example.org", "first_name": "New"},
                },
            )
            assert (await zoom.post(body)).status == 200
        for _ in range(200):
            rows = await database.fetch("SELECT user_id, status, email FROM directory.users")
            if rows:
                break
            await asyncio.sleep(0.05)
        assert [tuple(row) for row in rows] == [("U1", "pending", "new@example.org")]
        assert projecting.stop(signal.SIGTERM) == 0


async def test_a_run_reads_and_holds_its_lease(pooled: Database, database: Database) -> None:
    zoom = ZoomAccount()
    zoom.has_group("g", admins=["Ada@example.com"])
    zoom.has("Ada", group_ids=["g"])
    zoom.settings["Ada"] = {"in_meeting": {"chat": True}}
    async with replica(database):
        for new in (1, 0):
            outcomes = await run_of(pooled, zoom)
            assert all(outcome.complete for outcome in outcomes.values())
            assert outcomes[Section.USERS].new == outcomes[Section.SETTINGS].new == new
    assert await database.fetchval("SELECT count(*) FROM observations.leases") == 0
