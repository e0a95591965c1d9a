"""Random processes of a rebuild are killed: nothing is left behind, and the next one succeeds."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from projector.database import Database
from projector.errors import SideProcessFailed
from projector.projections import PROJECTIONS, projection_named
from projector.rebuild import fill, tasks
from projector.rebuild.rebuild import rebuild
from projector.rebuild.side_process import SideWorker
from projector.rebuild.tasks import Task
from tests.runtime_rig import live, no_progress, raw, rebuild_leftovers, until

# Each of five stages has a task for each of two side processes: the kill with the last number comes too.
SIDE_KILLS = 10
PARENT_KILLS = 4
# Some tables of each kind.
NAMES = ["users", "presence", "freshness"]
SOME = [projection_named(name) for name in NAMES]
EVENTS = 200
SCAN_POSITIONS = 20


async def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie has."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return True


class Killer:
    """Kills the side process that is given the task of that number: before it, at it or after it."""

    def __init__(self, task: int) -> None:
        chance = random.Random(task)
        self.task = task
        self.after_ms = chance.choice([0, 0, 1, 5, 20])
        self.seen: set[int] = set()
        self.killed: int | None = None

    async def do(self, worker: SideWorker, task: Task) -> None:
        self.seen.add(worker.pid)
        self.task -= 1
        if self.killed is not None or self.task >= 0:
            await SIDE_DO(worker, task)
            return
        self.killed = worker.pid
        if self.after_ms:
            working = asyncio.create_task(SIDE_DO(worker, task))
            await asyncio.wait((working,), timeout=self.after_ms / 1000)
            os.kill(worker.pid, signal.SIGSTOP)
            await asyncio.sleep(0.05)  # a reply already sent has arrived by now
            os.kill(worker.pid, signal.SIGKILL)
            await working
        else:
            os.kill(worker.pid, signal.SIGKILL)
        await SIDE_DO(worker, task)


SIDE_DO = SideWorker.do


async def test_a_rebuild_whose_side_process_is_killed_says_so_and_leaves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(database, count=EVENTS)
    before = await raw(database)
    monkeypatch.setattr(fill, "POSITIONS_A_PROCESS", 1)
    monkeypatch.setattr(tasks, "SCAN_POSITIONS", SCAN_POSITIONS)
    for task in range(SIDE_KILLS):
        killer = Killer(task)
        monkeypatch.setattr(SideWorker, "do", lambda *given, by=killer: by.do(*given))
        with pytest.raises(SideProcessFailed) as failed:
            await rebuild(database, SOME, no_progress, processes=3)
        assert f"process {killer.killed} of this rebuild ended with -9" in str(failed.value)
        assert [pid for pid in killer.seen if not await gone(pid)] == []
        assert await rebuild_leftovers(database) == 0
        assert await backends(database) == 0
        assert await raw(database) == before
        await rebuild(database, SOME, no_progress, processes=1)
        assert await raw(database) == before
    monkeypatch.setattr(SideWorker, "do", SIDE_DO)
    await rebuild(database, PROJECTIONS, no_progress, processes=3)
    assert await raw(database) == before


async def backends(database: Database) -> int:
    """The number of other sessions in a transaction."""
    return int(
        await database.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
    )


COMMAND = f"""
import sys
from projector.rebuild import fill, tasks
fill.POSITIONS_A_PROCESS = 1
tasks.SCAN_POSITIONS = {SCAN_POSITIONS}
from projector.cli.app import main
sys.argv = ["projector", "rebuild", "--processes", "3", *{NAMES}]
main()
"""


def children(pid: int) -> list[int]:
    """The child processes of a process."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


async def test_a_killed_rebuild_takes_its_side_processes_along_and_the_next_one_succeeds(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await live(database, count=EVENTS)
    before = await raw(database)
    left_behind = 0
    for seed in range(PARENT_KILLS):
        chance = random.Random(seed)
        with (tmp_path / "said").open("ab") as said:
            parent = subprocess.Popen(
                [sys.executable, "-c", COMMAND],
                env=os.environ | {"PROJECTOR_DATABASE_URL": database_url},
                stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip

        async def started(pid: int = parent.pid) -> bool:
            return len(children(pid)) == 2

        try:
            await until(started, 30, pause=0.005)
            sides = children(parent.pid)
            await asyncio.sleep(chance.choice([0, 0.3, 1.0, 1.3]) + chance.random() / 4)
        finally:
            parent.kill()
            parent.wait(10)

        async def all_gone(pids: tuple[int, ...] = tuple(sides)) -> bool:
            return all([await gone(pid) for pid in pids])

        await until(all_gone, 5)
        left_behind += await rebuild_leftovers(database) > 0
        assert await raw(database) == before
        await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '20 s'")
        await rebuild(database, SOME, no_progress, processes=1)
        assert await rebuild_leftovers(database) == 0
        assert await raw(database) == before
    assert left_behind > 1, (tmp_path / "said").read_text(encoding="utf-8")
