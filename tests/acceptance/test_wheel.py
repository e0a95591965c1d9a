"""The built wheel, installed elsewhere: the SQL is in it, and it works without the checkout."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from command_rig import execute, query
from conftest import database_of

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
    """A virtual environment with the wheel; what it depends on comes from this one."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet", "--no-deps",
         "--no-index", wheel],
        check=True,
    )  # fmt: skip
    (site,) = environment.glob("lib/python3.*/site-packages")
    # Lines of a .pth file come after the environment's own packages, and theirs are not followed:
    # an editable installation of the checkout stays out of sight.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return environment / "bin"


def test_everything_that_is_sql_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    sql = {path.relative_to(ROOT / "sql") for path in (ROOT / "sql").rglob("*.sql")}
    assert len(sql) > 20
    assert {f"projector/sql/{path.as_posix()}" for path in sql} <= names
    assert not [name for name in names if name.startswith("tests/")]


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
