"""A rebuild in several processes: the same rows, and nothing left behind when any of them fails."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from projector.database import CONNECT_SECONDS, Database
from projector.errors import DatabaseUnavailable, SideProcessFailed
from projector.log.read import read_head
from projector.projections import PROJECTIONS
from projector.rebuild import fill, tasks
from projector.rebuild.rebuild import rebuild
from projector.rebuild.side_process import SideDatabaseLost, SideWorker, side_workers
from projector.rebuild.tasks import Scan, Task
from projector.rebuild.verify import verify
from tests.runtime_rig import assert_oracle_agrees, live, no_progress, raw, rebuild_leftovers


@pytest.fixture(autouse=True)
def small_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make even a short log use several processes, with several scans each."""
    monkeypatch.setattr(fill, "POSITIONS_A_PROCESS", 1)
    monkeypatch.setattr(tasks, "SCAN_POSITIONS", 50)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process ids of side processes, in the order of their first tasks."""
    pids: list[int] = []
    original = SideWorker.do

    async def do(self: SideWorker, task: Task) -> None:
        if self.pid not in pids:
            pids.append(self.pid)
        await original(self, task)

    monkeypatch.setattr(SideWorker, "do", do)
    return pids


async def _gone(pid: int, seconds: float = 10) -> None:
    for _ in range(int(seconds / 0.1)):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"process {pid} still runs")


@pytest.mark.parametrize("processes", [2, 3])
async def test_several_processes_make_the_rows_of_one(
    database: Database, started: list[int], monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    await live(database)
    before = await raw(database)
    head = await read_head(database)
    for memory in (fill.MEMORY, 30_000):
        monkeypatch.setattr(fill, "MEMORY", memory)
        rebuilt = await rebuild(database, PROJECTIONS, no_progress, processes=processes)
        assert list(rebuilt.items()) == [(p.name, head) for p in PROJECTIONS]
        assert await raw(database) == before
        verdicts = await verify(database, PROJECTIONS, no_progress, processes=processes)
        assert [verdict.differences for verdict in verdicts] == [0] * len(PROJECTIONS)
        assert await rebuild_leftovers(database) == 0
    assert len(started) == 4 * (processes - 1)
    for pid in started:
        await _gone(pid)
    await assert_oracle_agrees(database)


async def test_a_short_log_is_not_worth_a_process(
    database: Database, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fill, "POSITIONS_A_PROCESS", 1000)
    await live(database, count=300)
    await rebuild(database, PROJECTIONS, no_progress, processes=8)
    assert started == []


async def test_progress_counts_every_process(database: Database) -> None:
    await live(database)
    head = await read_head(database)
    reached: list[int] = []
    await rebuild(database, PROJECTIONS, lambda position, _: reached.append(position), processes=2)
    assert reached == sorted(reached)
    assert reached[-1] == head
    assert 2 * head // 3 in reached, "the whole scan, and then the rest"


@dataclass
class Held:
    """A rebuild whose side process cannot read the log until it is released."""

    rebuild: "asyncio.Task[dict[str, int]]"
    pid: int


@pytest.fixture
async def held(
    database: Database, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Held]:
    await live(database, count=300)
    before = await raw(database)
    locked = asyncio.Event()
    noting = SideWorker.do

    async def do(self: SideWorker, task: Task) -> None:
        if locked.is_set():
            await noting(self, task)
            return
        async with database.transaction() as connection:
            await connection.execute("LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE")
            locked.set()
            await noting(self, task)

    monkeypatch.setattr(SideWorker, "do", do)
    running = asyncio.create_task(rebuild(database, PROJECTIONS, no_progress, processes=2))
    await locked.wait()
    while not started:
        await asyncio.sleep(0.01)
    yield Held(running, started[0])
    assert running.done()
    await _gone(started[0])
    assert await rebuild_leftovers(database) == 0
    assert await raw(database) == before


async def test_a_killed_side_process_ends_the_rebuild(held: Held) -> None:
    os.kill(held.pid, signal.SIGKILL)
    with pytest.raises(
        SideProcessFailed, match=rf"process {held.pid} .* ended with -9 .* run this"
    ):
        await held.rebuild


async def test_a_cancelled_rebuild_ends_its_side_process(held: Held) -> None:
    held.rebuild.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held.rebuild


async def test_a_side_process_that_loses_the_database_says_so(
    held: Held, database: Database
) -> None:
    while not await database.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ):
        await asyncio.sleep(0.05)
    with pytest.raises(DatabaseUnavailable, match="the live rows are whole: run this again"):
        await held.rebuild


async def test_a_side_process_that_gets_no_connection_says_so() -> None:
    nobody_listens = "postgresql://nobody@127.0.0.1:1/none"
    async with side_workers(1, nobody_listens, [], 1) as (side,):
        with pytest.raises(SideDatabaseLost):
            await side.do(Scan(0, 1, []))


async def test_a_side_process_runs_the_code_of_its_parent(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that of the folder in which the command is run."""
    await live(database, count=50)
    (tmp_path / "projector").mkdir()
    (tmp_path / "projector" / "__init__.py").write_text("raise ImportError('another release')")
    monkeypatch.chdir(tmp_path)
    rebuilt = await rebuild(database, PROJECTIONS, no_progress, processes=2)
    assert len(rebuilt) == len(PROJECTIONS)


async def test_a_side_process_ends_with_its_parent(tmp_path: Path) -> None:
    """Even while it waits, for seconds, for a database that accepts the connection but never answers."""
    connected: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
    silent = await asyncio.start_server(
        lambda _, writer: connected.set_result(writer), "127.0.0.1", 0
    )
    port = silent.sockets[0].getsockname()[1]
    said = tmp_path / "pid"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(said), str(port)
    )
    connection = await asyncio.wait_for(connected, 30)
    parent.kill()
    await parent.wait()
    await _gone(int(said.read_text()), seconds=CONNECT_SECONDS / 2)
    connection.close()
    await connection.wait_closed()
    silent.close()


PARENT = """
import asyncio, pathlib, sys
from projector.rebuild.side_process import side_workers
from projector.rebuild.tasks import Scan

async def main():
    url = f"postgresql://nobody@127.0.0.1:{sys.argv[2]}/none"
    async with side_workers(1, url, [], 1) as (side,):
        pathlib.Path(sys.argv[1]).write_text(str(side.pid))
        await side.do(Scan(0, 1, []))

asyncio.run(main())
"""
