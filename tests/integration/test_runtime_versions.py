"""Versions: an older and a newer release run together, without a manual step."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from projector.database import Database
from projector.errors import SchemaMismatch
from projector.folding.tables import MergeTable, Projection
from projector.live import upgrade
from projector.projections import PROJECTIONS, projection_named
from projector.rebuild.rebuild import rebuild
from projector.rebuild.scan import Scanner
from projector.rebuild.verify import verify
from projector.schema.migrate import create_views
from projector.state.dead_letters import retry_dead_letters
from projector.statements import queries
from tests.oracle.story import event
from tests.runtime_rig import (
    append_bodies,
    append_story,
    counted,
    no_progress,
    owners,
    raw,
    rebuild_leftovers,
    renamed,
    replica,
    story,
    until,
    until_folded,
)


def twice(events: Any) -> Any:
    """Freshness as the newer release computes it: counts every event twice."""
    for row in projection_named("freshness").tables[0].rows["user.updated"](events):
        yield row._replace(events=2 * row.events)


def newer(projection: Projection) -> Projection:
    """The freshness of the next release."""
    table, *others = projection.tables
    assert isinstance(table, MergeTable)
    rows = dict.fromkeys(table.rows, twice)
    changed = MergeTable(table.name, table.row, table.key, rows, table.merge, table.rules)
    return Projection(projection.name, projection.version + 1, (changed, *others))


NOW = projection_named("freshness").version
OLD = PROJECTIONS
NEW = tuple(newer(p) if p.name == "freshness" else p for p in PROJECTIONS)


async def stored(database: Database) -> dict[str, Any]:
    rows = await database.fetch(
        "SELECT s.state, s.lag_events, c.version, c.wanted, c.owner "
        "FROM state.checkpoints c JOIN directory.projection_status s USING (projection) "
        "WHERE projection = 'freshness'"
    )
    return dict(rows[0])


async def is_of(database: Database, version: int) -> bool:
    return bool((await stored(database))["version"] == version)


async def test_a_newer_release_rebuilds_and_takes_over(database: Database) -> None:
    some = [renamed(n) for n in range(300)]
    await append_bodies(database, some)
    with capture_logs() as lines:
        async with replica(database, projections=OLD) as old:
            await until_folded(database)
            assert await counted(database) == 300
            async with replica(database, projections=NEW) as new:
                await until(lambda: is_of(database, NOW + 1))
                await append_bodies(database, [renamed(n) for n in range(300, 350)])
                await until_folded(database)
                assert await counted(database) == 700
                await until(lambda: is_owned_by(database, new.name))
                await until(lambda: has_said(lines))
                assert "freshness" not in old.workers
        said = [line for line in lines if line["event"] == "projection_is_newer"]
        assert [(line["projection"], line["stored"], line["code"]) for line in said] == [
            ("freshness", NOW + 1, NOW)
        ]
    assert await rebuild_leftovers(database) == 0


async def is_owned_by(database: Database, name: str) -> bool:
    return (await owners(database))["freshness"] == name


async def has_said(lines: list[Any]) -> bool:
    return any(line["event"] == "projection_is_newer" for line in lines)


@dataclass
class Gate:
    """Blocks every rebuild's scan until it is opened."""

    reached: asyncio.Event
    opened: asyncio.Event


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    held = Gate(asyncio.Event(), asyncio.Event())
    original = Scanner.scan

    async def scan(*arguments: Any) -> None:
        held.reached.set()
        await held.opened.wait()
        await original(*arguments)

    monkeypatch.setattr(Scanner, "scan", scan)
    return held


async def test_the_older_release_keeps_the_old_rows_current_meanwhile(
    database: Database, gate: Gate
) -> None:
    await append_bodies(database, [renamed(n) for n in range(100)])
    async with replica(database, projections=NEW):
        await gate.reached.wait()
        async with replica(database, projections=OLD) as old:
            await until(lambda: is_owned_by(database, old.name))
            await append_bodies(database, [renamed(n) for n in range(100, 120)])
            await until_folded(database)
            assert await counted(database) == 120
            assert (await stored(database))["state"] == "rebuilding"
            assert (await stored(database))["version"] == NOW
        gate.opened.set()
        await until(lambda: is_of(database, NOW + 1))
        assert await counted(database) == 240


async def test_without_an_older_replica_it_says_that_it_is_stale(
    database: Database, gate: Gate
) -> None:
    async with replica(database, projections=OLD):
        await append_bodies(database, [renamed(1)])
        await until_folded(database)
    await append_bodies(database, [renamed(2), renamed(3)])
    async with replica(database, projections=NEW):
        await gate.reached.wait()
        found = await stored(database)
        assert (found["state"], found["lag_events"], found["owner"]) == ("stale", 2, None)
        assert await counted(database) == 1  # the old rows can still be read
        gate.opened.set()
        await until(lambda: is_live(database))
        assert await counted(database) == 6


async def is_live(database: Database) -> bool:
    return bool((await stored(database))["state"] == "live")


async def test_several_new_replicas_rebuild_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrade, "PAUSE_SECONDS", 0.2)
    await append_bodies(database, [renamed(n) for n in range(300)])
    async with replica(database, projections=OLD):
        await until_folded(database)
    with capture_logs() as lines:
        async with (
            replica(database, projections=NEW),
            replica(database, projections=NEW),
            replica(database, projections=NEW),
        ):
            await until(lambda: is_of(database, NOW + 1))
            await append_bodies(database, [renamed(n) for n in range(300, 400)])
            await until_folded(database)
    done = [line for line in lines if line["event"] == "upgrade_done"]
    assert len(done) == 1
    assert await counted(database) == 800


async def test_a_replica_that_stops_in_its_upgrade_leaves_nothing(
    database: Database, gate: Gate
) -> None:
    await append_story(database, story(1, 50))
    async with replica(database, projections=OLD):
        await until_folded(database)
    async with replica(database, projections=NEW):
        await gate.reached.wait()
        assert await rebuild_leftovers(database) > 0
    assert await rebuild_leftovers(database) == 0
    gate.opened.set()
    async with replica(database, projections=NEW):
        await until(lambda: is_of(database, NOW + 1))


async def test_a_view_waits_for_the_version_that_it_needs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        f"-- needs: freshness {NOW + 1}\nCREATE OR REPLACE VIEW directory.later AS SELECT 1 AS one"
    )
    monkeypatch.setattr("projector.schema.migrate.view_files", lambda: iter([text]))
    async with database.transaction() as connection:
        await create_views(connection)
    exists = "SELECT to_regclass('directory.later') IS NOT NULL"
    assert not await database.fetchval(exists)
    async with replica(database, projections=NEW):
        await until(lambda: is_of(database, NOW + 1))
    assert await database.fetchval(exists)
    checkpoint = (await database.fetch(queries("state")["checkpoint"], "users"))[0]
    assert checkpoint["version"] == projection_named("users").version


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        (projection_named("users").version + 1, "run this command of the newer release"),
        (1, "then run this again"),
    ],
)
async def test_commands_leave_another_releases_rows_alone(
    database: Database, there: int, sentence: str
) -> None:
    await append_bodies(database, [renamed(1), event("user.updated", 2, {})])
    async with replica(database):
        await until_folded(database)
    users = [projection_named("users")]
    await database.fetch(
        "UPDATE state.checkpoints SET version = $1 WHERE projection = 'users'", there
    )
    before = await raw(database)
    for command in (verify(database, users, no_progress), retry_dead_letters(database)):
        with pytest.raises(SchemaMismatch, match=sentence):
            await command
    if there > users[0].version:
        with pytest.raises(SchemaMismatch, match=sentence):
            await rebuild(database, users, no_progress)
        assert await raw(database) == before
    else:  # a newer release may rebuild older rows
        await rebuild(database, users, no_progress)
        assert len((await retry_dead_letters(database)).left) == 1
    assert await rebuild_leftovers(database) == 0
