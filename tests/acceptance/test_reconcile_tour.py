"""The README's tour as processes: a Zoom that loses deliveries, and the run that makes up for it."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from projector.projections import PROJECTIONS
from tests.acceptance.test_simulate_command import exports, simulating, told_at_the_end
from tests.folders import new_folder
from tests.misbehaving_server import SECRET
from tests.processes import command, free_port
from tests.up_rig import end_server, running

# What no listing and no single answer tells: its drift stays.
STANDING = """
    SELECT entity, path FROM directory.drift
    WHERE entity <> 'personal_note' AND path NOT IN ('pic_url', 'primary_group_id')
      AND path NOT LIKE 'settings.%'
"""
# Of people who were there before their first delivery no event says what they are.
UNKNOWN = "SELECT count(*) FROM directory.users WHERE status = 'unknown'"
COUNTS = ("new", "repaired", "gone")


async def said(*arguments: str, code: int = 0, **settings: str) -> str:
    ran = await asyncio.to_thread(command, *arguments, **settings)
    assert ran.returncode == code, ran.stderr
    return ran.stdout


async def reconciled(**settings: str) -> dict[str, dict[str, Any]]:
    document = json.loads(await said("reconcile", "--json", **settings))
    assert document["complete"]
    return {section["section"]: section for section in document["sections"]}


@pytest.fixture
def data_dir() -> Iterator[Path]:
    path = new_folder("tour")
    yield path
    end_server(path)
    shutil.rmtree(path, ignore_errors=True)


async def test_what_was_lost_is_repaired_and_who_was_there_before_is_there(data_dir: Path) -> None:
    own = {"data_dir": str(data_dir), "zoom_secret_tokens": SECRET}
    with running(port="0", **own) as up:
        arguments = [
            "--url", up.url,
            "--events", "4000", "--lose", "0.1", "--api", "--api-port", str(free_port()),
        ]  # fmt: skip
        async with simulating(*arguments, data_dir=data_dir) as zoom:
            told = await exports(zoom)
            async with asyncio.timeout(60):
                while "Ctrl-C" not in (await told_at_the_end(zoom)):
                    pass
            own |= {f"zoom_{name.lower()}": value for name, value in told.items()}
            await said("wait", **own)
            database = await asyncpg.connect(await said("dsn", **own))
            try:
                assert await database.fetch(STANDING)
                assert await database.fetchval(UNKNOWN) > 0
                planned = await said("reconcile", "--dry-run", "--json", **own)
                assert await database.fetchval("SELECT count(*) FROM directory.coverage") == 0
                sections = await reconciled(**own)
                assert json.loads(planned)["dry_run"]
                assert json.loads(planned)["missing_scopes"] == []
                assert json.loads(planned)["never_received"] == []
                assert sections.keys() == {"deliveries", "groups", "users", "settings"}
                assert all(sum(told[n] for n in COUNTS) > 0 for told in sections.values())
                await said("wait", **own)
                assert await database.fetch(STANDING) == []
                assert await database.fetchval(UNKNOWN) == 0
                again = await reconciled(**own)
                assert all(told[name] == 0 for told in again.values() for name in COUNTS)
                coverage = await database.fetch("SELECT * FROM directory.coverage")
                assert all(row["complete_at"] is not None for row in coverage)
                assert len(coverage) == 4
            finally:
                await database.close()
            assert (await said("verify", **own)).count("0 differ from the log") == len(PROJECTIONS)
