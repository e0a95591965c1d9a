"""An older ingress runs while a newer release migrates the schema."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from projector.database import Database, open_database
from projector.schema import migrate as schema
from projector.schema.migrations import Migration
from tests.load_balancer import zoom_at
from tests.processes import IngressProcess, ingresses

ADDITIVE = """-- serves: 1
ALTER TABLE log.events ADD COLUMN added text;
ALTER TABLE log.digests ADD COLUMN added bigint DEFAULT 7;
ALTER TABLE log.quarantine ADD COLUMN added text;
CREATE TABLE log.added (id bigint PRIMARY KEY);
CREATE INDEX events_added ON log.events (added) WHERE added IS NOT NULL;
"""


def release_with(monkeypatch: pytest.MonkeyPatch, text: str, *, serves: int) -> None:
    """Make this process the next release: one more migration."""
    known = schema.migrations()
    number = len(known) + 1
    following = Migration(number, f"{number:04}_next", serves, text)
    monkeypatch.setattr(schema, "migrations", lambda: [*known, following])


async def watch_readiness(replica: IngressProcess, seen: set[int]) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"http://127.0.0.1:{replica.port}/readyz") as response:
                seen.add(response.status)
            await asyncio.sleep(0.05)


async def test_an_older_ingress_lives_through_an_additive_migration(
    database_url: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ingresses(database_url, tmp_path) as both:
        seen: set[int] = set()
        for replica in both:
            await replica.until_ready()
        watchers = [asyncio.create_task(watch_readiness(replica, seen)) for replica in both]
        try:
            async with (
                zoom_at(f"http://127.0.0.1:{both[0].port}") as one,
                zoom_at(f"http://127.0.0.1:{both[1].port}") as two,
                one.load(40),
                two.load(40),
            ):
                await asyncio.sleep(1)
                release_with(monkeypatch, ADDITIVE, serves=1)
                newer = await open_database(database_url)
                assert len(await schema.migrate(newer)) == 1
                await newer.close()
                await asyncio.sleep(2.5)
        finally:
            for watcher in watchers:
                watcher.cancel()
        assert [*one.failures, *two.failures] == []
        assert seen == {200}
    rows = await database.fetch("SELECT body, added FROM log.events")
    assert sorted(row["body"] for row in rows) == sorted([*one.acknowledged, *two.acknowledged])
    assert len(rows) > 200


async def test_an_ingress_that_the_schema_no_longer_serves_is_unready(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ingresses(database_url, tmp_path, count=1) as [replica]:
        await replica.until_ready()
        number = len(schema.migrations()) + 1
        release_with(monkeypatch, f"-- serves: {number}\nSELECT 1", serves=number)
        newer = await open_database(database_url)
        await schema.migrate(newer)
        await newer.close()
        async with aiohttp.ClientSession() as session:
            for _ in range(100):
                async with session.get(f"http://127.0.0.1:{replica.port}/readyz") as response:
                    status, told = response.status, await response.text()
                if status == 503:
                    break
                await asyncio.sleep(0.05)
        assert status == 503
        assert "newer release" in told
