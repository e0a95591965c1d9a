"""`pytest --no-skips`: a skipped test is a failure, and is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SKIPPING = """
import pytest
def test_one(): pass
def test_two(): pytest.skip("the system binary x is missing")
"""
EXPECTING = """
import pytest
@pytest.mark.xfail
def test_three(): assert False
"""


def run(folder: Path, text: str, *options: str) -> tuple[int, str]:
    """Run a file of tests with the project's plugin; exit code and output."""
    (folder / "test_it.py").write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-p",
            "no:cacheprovider",
            *options,
        ],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (SKIPPING, [], 0),
        (SKIPPING, ["--no-skips"], 1),
        (SKIPPING, ["--no-skips", "-p", "xdist", "-n", "1"], 1),
        (EXPECTING, ["--no-skips"], 0),
    ],
    ids=["allowed", "not allowed", "not allowed in another process", "expected to fail"],
)
def test_a_skip_fails_where_none_is_allowed(
    tmp_path: Path, text: str, options: list[str], code: int
) -> None:
    returned, said = run(tmp_path, text, *options)
    assert returned == code, said
    assert ("test_it.py::test_two" in said) == (code == 1)
