"""`projector up` and the end of its database: it says why, starts it again, and loses nothing."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from projector.cli.up_secret import SECRET_FILE
from projector.embedded import running_dsn
from tests.command_rig import projector, query
from tests.folders import new_folder
from tests.ingress_rig import event_body, signed
from tests.up_rig import Up, end_server, failed, running, server_runs

# As `up`, with less patience.
IMPATIENT = (
    sys.executable,
    "-c",
    """
import sys
from projector.cli import up_command
from projector.embedded import Keeper, Patience
patience = Patience(look=0.1, ask=0.5, first_pause=0.2, longest_pause=1.0, give_up=4.0)
up_command.Keeper = lambda server: Keeper(server, patience)
sys.argv = ["projector", "up"]
from projector.__main__ import main
main()
""",
)


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A new data directory."""
    path = new_folder("up")
    yield path
    end_server(path)
    shutil.rmtree(path)


@dataclass
class Load:
    """Deliveries, one after another, with what became of them."""

    url: str
    secret: bytes
    acknowledged: list[int] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    good: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, size: int = 0) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                body = event_body(filler="x" * size)
                async with session.post(
                    self.url, data=body, headers=signed(body, self.secret)
                ) as answer:
                    self.statuses.add(answer.status)
                    if answer.status == 200:
                        self.acknowledged.append(int(answer.headers["X-Event-Position"]))
                        self.good.set()
                    else:
                        await asyncio.sleep(0.05)

    async def until_good(self, seconds: float) -> None:
        """Wait for the next acknowledgement."""
        self.good.clear()
        await asyncio.wait_for(self.good.wait(), seconds)


@asynccontextmanager
async def loading(up: Up, data_dir: Path, senders: int = 4) -> AsyncIterator[Load]:
    load = Load(up.url, (data_dir / SECRET_FILE).read_bytes())
    tasks = [asyncio.create_task(load.run()) for _ in range(senders)]
    try:
        yield load
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().partition("\n")[0])


def readyz(url: str) -> tuple[int, str]:
    """Status and detail of /readyz."""

    async def ask() -> tuple[int, str]:
        address = url.replace("/webhooks/zoom", "/readyz")
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            text = await answer.text()
            return answer.status, text if answer.status == 200 else json.loads(text)["detail"]

    return asyncio.run(ask())


def metrics(url: str) -> str:
    async def ask() -> str:
        address = url.replace("/webhooks/zoom", "/metrics")
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            return await answer.text()

    return asyncio.run(ask())


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def positions(data_dir: Path) -> set[int]:
    dsn = running_dsn(data_dir)
    assert dsn is not None
    return {row[0] for row in query(dsn, "SELECT position FROM log.events")}


async def hold_statement(dsn: str) -> None:
    """Leave a backend in the middle of a long statement, whose client is gone."""
    connection = await asyncpg.connect(dsn)
    sleeping = asyncio.ensure_future(
        connection.execute("SELECT count(*) FROM generate_series(1, 1000000000)")
    )
    await asyncio.sleep(0.3)
    connection.terminate()
    with pytest.raises(asyncpg.PostgresConnectionError):
        await sleeping


def test_a_killed_database_comes_back_by_itself_and_what_was_acknowledged_is_there(
    fresh: Path,
) -> None:
    async def work(up: Up) -> Load:
        async with loading(up, fresh) as load:
            for number in range(3):
                await load.until_good(10)
                if number == 2:  # a backend that outlives its main process keeps a new one away
                    dsn = running_dsn(fresh)
                    assert dsn is not None
                    await hold_statement(dsn)
                os.kill(postmaster(fresh), signal.SIGKILL)
                deadline = time.monotonic() + 30
                while len(up.logged("embedded_database_is_back")) <= number:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.1)
                await load.until_good(10)
        return load

    with running(data_dir=str(fresh), port="0") as up:
        load = asyncio.run(work(up))
        assert load.statuses == {200, 503}
        assert len(set(load.acknowledged)) == len(load.acknowledged) > 50
        assert set(load.acknowledged) <= positions(fresh)
        assert projector("wait", "--timeout", "30", data_dir=str(fresh)).code == 0
        assert projector("verify", data_dir=str(fresh)).code == 0
        away, back = up.logged("embedded_database_is_away"), up.logged("embedded_database_is_back")
        assert "it was killed" in away[0]["reason"]
        assert len(back) == 3
        assert up.stop(signal.SIGTERM) == 0
    assert not server_runs(fresh)
    up.log_lines()  # nothing but JSON


def test_a_database_that_was_adopted_comes_back_too(fresh: Path) -> None:
    with running(data_dir=str(fresh), port="0") as up:
        assert up.stop(signal.SIGKILL) == -signal.SIGKILL
    pid = postmaster(fresh)
    with running(data_dir=str(fresh), port="0") as up:
        until(lambda: readyz(up.url)[0] == 200, 20)
        assert postmaster(fresh) == pid
        assert not up.logged("embedded_database_is_away")
        os.kill(pid, signal.SIGKILL)
        until(lambda: bool(up.logged("embedded_database_is_back")), 30)
        until(lambda: readyz(up.url)[0] == 200, 20)
        assert postmaster(fresh) != pid
        assert up.stop(signal.SIGTERM) == 0
    assert not server_runs(fresh)


def test_a_server_that_can_never_start_again_ends_it_with_the_reason(fresh: Path) -> None:
    with running(IMPATIENT, data_dir=str(fresh), port="0") as up:
        until(lambda: readyz(up.url)[0] == 200, 10)
        control = fresh / "postgres" / "global" / "pg_control"
        control.rename(fresh / "moved away")
        os.kill(postmaster(fresh), signal.SIGKILL)
        until(lambda: "pg_control" in readyz(up.url)[1], 3)
        ran = projector("status", data_dir=str(fresh))
        assert ran.code == 3
        assert f"`projector up` runs (pid {up.pid}), and its database does not" in ran.sentence()
        began = time.monotonic()
        assert up.process.wait(15) == 1
        assert time.monotonic() - began < 10
    last = up.said.splitlines()[-1]
    assert last.startswith("projector: the embedded PostgreSQL did not come back within")
    assert "pg_control" in last
    assert "Traceback" not in up.said
    assert not server_runs(fresh)
    (fresh / "moved away").rename(control)
    with running(data_dir=str(fresh), port="0") as up:
        assert up.stop(signal.SIGTERM) == 0


def test_a_server_that_hangs_is_told_and_left_alone(fresh: Path) -> None:
    with running(IMPATIENT, data_dir=str(fresh), port="0") as up:
        pid = postmaster(fresh)
        os.kill(pid, signal.SIGSTOP)
        try:
            # The ingress may well append on: the connections that it has are served.
            until(lambda: "runs and does not answer" in up.said, 30)
            assert up.logged("embedded_database_is_away")
            assert up.process.poll() is None
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: readyz(up.url)[0] == 200, 20)
        assert postmaster(fresh) == pid
        assert up.stop(signal.SIGTERM) == 0


if os.geteuid() == 0:  # only root can mount

    @contextmanager
    def small_disk(size: str) -> Iterator[Path]:
        """A file system of that size."""
        folder = new_folder("small")
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "tmpfs", folder], check=True
        )
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
            folder.rmdir()

    def fill(path: Path) -> None:
        """Write a file until the disk is full."""
        with path.open(
            "wb", buffering=0
        ) as file:  # a buffer would be written once more when it closes
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                return

    def panic(dsn: str) -> None:
        """Have the server need a new segment of its write-ahead log."""

        async def work() -> None:
            connection = await asyncpg.connect(dsn)
            try:
                for _ in range(20):
                    await connection.execute("SELECT pg_switch_wal()")
                    await connection.execute("SELECT txid_current()")
            finally:
                connection.terminate()

        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            asyncio.run(work())

    def test_a_full_disk_is_told_and_survived() -> None:
        with small_disk("400m") as disk:
            data_dir = disk / "data"
            with running(data_dir=str(data_dir), port="0") as up:
                asyncio.run(full_and_freed(up, data_dir))
                dsn = running_dsn(data_dir)
                assert dsn is not None
                fill(disk / "filler")
                panic(dsn)
                until(lambda: not server_runs(data_dir), 30)
                until(lambda: "is full" in readyz(up.url)[1], 10)
                told = readyz(up.url)[1]
                assert f"the disk of {data_dir} is full" in told
                assert "PROJECTOR_DATABASE_URL" not in told
                ran = projector("status", data_dir=str(data_dir))
                assert f"the disk of {data_dir} is full" in ran.sentence()
                code, sentence = failed(data_dir=str(data_dir), port="0")
                assert (code, "used by another process" in sentence) == (1, True)
                (disk / "filler").unlink()
                until(lambda: readyz(up.url)[0] == 200, 45)
                asyncio.run(deliver_some(up, data_dir))
                assert up.process.poll() is None
                assert projector("wait", "--timeout", "30", data_dir=str(data_dir)).code == 0
                assert projector("verify", data_dir=str(data_dir)).code == 0
                assert up.stop(signal.SIGTERM) == 0
            reasons = [line["reason"] for line in up.logged("embedded_database_is_away")]
            assert any("is full" in reason for reason in reasons)

    async def full_and_freed(up: Up, data_dir: Path) -> None:
        """A disk that is full for a while under load: refused with the reason, then taken again."""
        filler = data_dir.parent / "filler"
        load = Load(up.url, (data_dir / SECRET_FILE).read_bytes())
        task = asyncio.create_task(load.run(size=200_000))
        try:
            await load.until_good(10)
            fill(filler)
            deadline = time.monotonic() + 30
            while 503 not in load.statuses:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)
            filler.unlink()
            await load.until_good(45)
        finally:
            task.cancel()
            await asyncio.wait((task,))
        assert load.statuses == {200, 503}
        assert set(load.acknowledged) <= await asyncio.to_thread(positions, data_dir)
        text = await asyncio.to_thread(metrics, up.url)
        assert 'projector_append_failures_total{reason="' in text
        failures = up.logged("append failed")
        assert failures, up.said
        assert len(failures) < 10  # one a reason and minute, however many failed

    async def deliver_some(up: Up, data_dir: Path) -> None:
        async with loading(up, data_dir) as load:
            await load.until_good(10)
        assert load.statuses == {200}

    def test_a_first_start_on_a_disk_too_small_leaves_nothing() -> None:
        with small_disk("20m") as disk:
            code, sentence = failed(data_dir=str(disk / "a" / "data"), port="0")
            assert code == 1
            assert "is full" in sentence
            assert list(disk.iterdir()) == []
