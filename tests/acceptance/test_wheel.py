"""The built wheel, installed elsewhere: the SQL is in it, and it works without the checkout."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.command_rig import execute, query
from tests.conftest import database_of

ROOT = Path(__file__).parent.parent.parent
STORY = ROOT / "tests" / "payloads" / "all.ndjson"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT],
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; its dependencies come from this environment."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet", "--no-deps",
         "--no-index", wheel],
        check=True,
    )  # fmt: skip
    (site,) = environment.glob("lib/python3.*/site-packages")
    # A .pth file's folders come after the environment's own packages, and .pth files in them are not
    # followed: an editable installation of the checkout stays invisible.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return environment / "bin"


def test_everything_that_is_sql_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    sql = {path.relative_to(ROOT / "sql") for path in (ROOT / "sql").rglob("*.sql")}
    assert len(sql) > 20
    assert {f"projector/sql/{path.as_posix()}" for path in sql} <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_wheel_brings_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (licence,) = [name for name in archive.namelist() if name.endswith("/LICENSE")]
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()
        assert b"\nLicense-Expression: Apache-2.0\n" in archive.read(metadata)


def test_the_installed_wheel_migrates_takes_folds_and_verifies(
    installed: Path, server: str, tmp_path: Path
) -> None:
    name = "of_the_wheel"
    execute(server, f"CREATE DATABASE {name}")
    url = database_of(server, name)

    def run(*command: str) -> str:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        ran = subprocess.run(
            [installed / command[0], *command[1:]],
            cwd=tmp_path,
            env=environment | {"PROJECTOR_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    where = run("python", "-c", "import projector; print(projector.__file__)").strip()
    assert Path(where).is_relative_to(installed.parent)
    run("projector", "migrate")
    assert run("projector", "import", str(STORY)) == "imported 21, known already 0, bad 0\n"
    assert "users\trebuilt up to position 21" in run("projector", "rebuild").splitlines()
    run("projector", "verify", "users")
    assert query(url, "SELECT count(*) > 0 FROM directory.users") == [(True,)]
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")
