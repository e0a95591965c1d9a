"""The main functions on each supported PostgreSQL: append, fold, show, rebuild, verify."""

import asyncio
import io
from collections.abc import Sequence

import pytest

from projector.database import Database
from projector.embedded.binaries import MAJOR
from projector.log.append import append
from projector.log.read import read_head
from projector.log.transfer import export_log, import_file
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from projector.schema.migrate import migrate
from tests.conftest import EMBEDDED
from tests.oracle.histories import source_of
from tests.oracle.naive_views import KEYS
from tests.runtime_rig import (
    append_story,
    assert_oracle_agrees,
    assert_verified,
    no_progress,
    replica,
    story,
    until_folded,
)

pytestmark = pytest.mark.versions


async def test_it_is_the_release_that_is_meant(
    database: Database, request: pytest.FixtureRequest
) -> None:
    release = request.node.callspec.params["cluster"]
    major = await database.fetchval("SELECT current_setting('server_version_num')::int / 10000")
    assert major == (MAJOR if release == EMBEDDED else int(release))


async def test_append_fold_show_rebuild_verify(database: Database) -> None:
    some = story(6, 300)
    async with replica(database):
        await append_story(database, some)
        await until_folded(database)
    await assert_oracle_agrees(database)
    for view in KEYS:
        assert await database.fetchval(f"SELECT count(*) >= 0 FROM directory.{view}")
    assert await rebuild(database, PROJECTIONS, no_progress)
    await assert_oracle_agrees(database)
    await assert_verified(database)
    assert await migrate(database) == []


async def test_the_log_is_append_only_and_knows_its_duplicates(database: Database) -> None:
    some = story(4, 50)
    await append_story(database, some)
    delivered = [one for one in some if source_of(one.body) == "webhook"]
    assert all(answer.duplicate for answer in await append(database, delivered))
    for statement in ("UPDATE log.events SET body = ''", "DELETE FROM log.events"):
        with pytest.raises(Exception, match="append-only"):
            await database.fetch(statement)


async def test_export_and_import(database: Database) -> None:
    await append_story(database, story(5, 50))
    file = io.BytesIO()
    exported = (await export_log(database, file)).exported
    assert exported == await read_head(database) > 0
    file.seek(0)
    assert (await import_file(database, file)).duplicates == exported


async def test_replicas_migrate_at_once(database: Database) -> None:
    await database.fetch("DROP SCHEMA directory, state, log, observations, projector CASCADE")
    applied: Sequence[list[str]] = await asyncio.gather(*(migrate(database) for _ in range(4)))
    assert sum(bool(names) for names in applied) == 1
