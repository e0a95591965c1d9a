"""`projector sql`: psql on the database in use, and never as more than a reader."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projector.cli.sql_command import environment_of, find_psql, target_of
from projector.embedded import EmbeddedServer
from projector.embedded.binaries import installed_binaries
from projector.errors import ConfigurationError
from tests.command_rig import execute, projector
from tests.folders import new_folder
from tests.pgbouncer_rig import pgbouncer
from tests.processes import PROJECTOR, command, environment, free_port

PASSWORD = "Ofen-3-bis-Mittag"


def refused(url: str) -> str:
    """The one sentence by which it refuses a database; a process, because one that agrees becomes psql."""
    ran = command("sql", "SELECT 1", database_url=url)
    assert (ran.returncode, ran.stdout) == (4, "")
    assert ran.stderr.startswith("projector: ")
    assert ran.stderr.count("\n") == 1
    return ran.stderr


def test_a_query_is_answered_as_the_reader(database_url: str) -> None:
    ran = command("sql", "SELECT current_user, count(*) FROM users", database_url=database_url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "directory_reader |     0" in ran.stdout
    csv = command("sql", "TABLE users", "--", "--csv", "-t", database_url=database_url)
    assert (csv.returncode, csv.stdout) == (0, "")


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM log.events", "SELECT * FROM state.users", "CREATE TABLE public.t ()",
     "CREATE TEMP TABLE t ()", "nonsense"],
)  # fmt: skip
def test_what_a_reader_may_not_is_refused_with_psqls_code(
    database_url: str, statement: str
) -> None:
    ran = command("sql", statement, database_url=database_url)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "ERROR" in ran.stderr


def test_without_a_query_psql_reads_what_is_typed_or_a_file(
    database_url: str, tmp_path: Path
) -> None:
    env = environment(database_url=database_url)
    typed = subprocess.run(
        [*PROJECTOR, "sql"], env=env, input="SELECT 40 + 2 AS answer;\n\\q\n",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (typed.returncode, typed.stderr) == (0, "")
    assert "42" in typed.stdout
    file = tmp_path / "question.sql"
    file.write_text("-- who\nSELECT current_user;\n", encoding="utf-8")
    ran = command("sql", "--", "-X", "-A", "-t", "-f", str(file), database_url=database_url)
    assert (ran.returncode, ran.stdout) == (0, "directory_reader\n")
    commented = command(
        "sql", "--", "-- how many\nSELECT 40 + 2", "-A", "-t", database_url=database_url
    )
    assert (commented.returncode, commented.stdout) == (0, "42\n")


def test_a_reader_that_has_had_enough_ends_it_quietly(database_url: str) -> None:
    asked = "SELECT repeat('x', 1000) FROM generate_series(1, 100000)"
    psql = subprocess.Popen(
        [*PROJECTOR, "sql", asked], env=environment(database_url=database_url),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with psql:
        assert psql.stdout is not None
        assert psql.stderr is not None
        psql.stdout.read(10)
        psql.stdout.close()
        assert psql.stderr.read() == b""
        assert psql.wait() != 0


def test_the_wheels_psql_does_where_the_system_has_none(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_psql() == installed_binaries().program("psql")
    ran = command("sql", "SELECT current_user", database_url=database_url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "directory_reader" in ran.stdout


def test_where_there_is_none_at_all_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("projector.cli.sql_command.find_binaries", lambda: None)
    with pytest.raises(ConfigurationError, match=r"install .*postgresql-client.*embedded\]"):
        find_psql()


def test_a_database_without_a_directory_is_told(server: str) -> None:
    assert "no directory yet; run `projector migrate`" in refused(server)


# ---- logins ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The TCP port of a server with a reader, a stranger, and one who may read more than the directory."""
    path, number = new_folder("sql"), free_port()
    path.chmod(0o711)
    with EmbeddedServer(path, settings={"fsync": "off"}, tcp_port=number) as server:
        assert projector("migrate", database_url=server.dsn).code == 0
        execute(
            server.dsn,
            f"""
            CREATE ROLE bi LOGIN PASSWORD '{PASSWORD}' IN ROLE directory_reader;
            CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}';
            CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}' IN ROLE directory_reader;
            GRANT USAGE ON SCHEMA log TO clerk;
            """,
        )
        yield number
    shutil.rmtree(path)


def url_of(login: str, port: int) -> str:
    return f"postgresql://{login}:{PASSWORD}@127.0.0.1:{port}/projector"


@pytest.mark.parametrize("login", ["bi", "clerk"])
def test_whoever_may_take_the_role_does(port: int, login: str) -> None:
    url = url_of(login, port)
    ran = command("sql", "SELECT current_user, session_user", "--", "-A", "-t", database_url=url)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"directory_reader|{login}\n", "")


def test_a_login_that_may_not_take_the_role_is_told_what_to_run(port: int) -> None:
    sentence = refused(url_of("stranger", port))
    assert "run `projector grant directory_reader stranger`" in sentence
    assert PASSWORD not in sentence


def test_the_password_is_in_no_argument(port: int) -> None:
    url = url_of("bi", port)
    asking = subprocess.Popen(
        [*PROJECTOR, "sql", "SELECT pg_sleep(20)"],
        env=environment(database_url=f"{url}?application_name=asking"),
        stdout=subprocess.DEVNULL,
    )
    with asking:
        deadline = time.monotonic() + 30
        # In the middle of its start a program has no arguments yet.
        while len(words := arguments_of(asking.pid)) < 2 or "psql" not in words[0]:
            assert time.monotonic() < deadline
            assert asking.poll() is None
            time.sleep(0.01)
        asking.kill()
    assert f"postgresql://bi@127.0.0.1:{port}/projector?application_name=asking" in words
    assert PASSWORD not in " ".join(words)


def arguments_of(pid: int) -> list[str]:
    told = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    return told.stdout.split()


@pytest.mark.binary("pgbouncer")
def test_behind_a_pooler_a_login_that_only_reads_may_ask(port: int) -> None:
    server = f"postgresql://bi:{PASSWORD}@/projector?host=127.0.0.1&port={port}"
    with pgbouncer(server) as url:
        ran = command("sql", "SELECT current_user, count(*) FROM directory.users", database_url=url)
        assert (ran.returncode, "bi           |     0" in ran.stdout) == (0, True)
        assert ran.stderr == (
            "a pooler stands between, which keeps no search path: write directory.users for users\n"
        )


@pytest.mark.binary("pgbouncer")
def test_behind_a_pooler_nobody_is_more_than_a_reader(port: int, database_url: str) -> None:
    server = f"postgresql://clerk:{PASSWORD}@/projector?host=127.0.0.1&port={port}"
    for dsn, login in ((server, "clerk"), (database_url, "projector")):
        with pgbouncer(dsn) as url:
            assert f"the login {login} may do more than read" in refused(url)


# ---- URLs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected", "password"),
    [
        ("postgresql://u:p%40%2F@h:1/d", "postgresql://u@h:1/d", "p@/"),
        ("postgres://u@h/d", "postgres://u@h/d", None),
        ("postgresql://u:p@a:1,b:2/d?target_session_attrs=primary",
         "postgresql://u@a:1,b:2/d?target_session_attrs=primary", "p"),
        ("postgresql:///d?host=/a%20b&password=p&sslpassword=q&user=u",
         "postgresql:///d?host=%2Fa%20b&user=u", "p"),
        ("postgresql://h?database=d&sslmode=require",
         "postgresql://h?sslmode=require&dbname=d", None),
    ],
)  # fmt: skip
def test_a_url_as_psql_takes_it(url: str, expected: str, password: str | None) -> None:
    target = target_of(url)
    assert (target.url, target.password) == (expected, password)


def test_settings_of_the_session_go_along_and_ours_come_last() -> None:
    target = target_of(
        "postgresql://u@h/d?statement_timeout=5s&role=owner&options=-c%20a.b%3D1&my.x=a%20b"
    )
    environment = environment_of(
        target, {"PGOPTIONS": "-c c.d=2", "HOME": "/h"}, {"role": "reader"}
    )
    assert environment == {
        "PGOPTIONS": r"-c c.d=2 -c a.b=1 -c my.x=a\ b -c role=reader -c statement_timeout=5s",
        "HOME": "/h",
    }
    assert target.url == "postgresql://u@h/d"


def test_a_url_that_asks_for_another_role_does_not_get_it(database_url: str) -> None:
    ran = command("sql", "SELECT current_user", database_url=f"{database_url}&role=projector")
    assert "directory_reader" in ran.stdout
