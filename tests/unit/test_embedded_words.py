"""What is told of the embedded server: why it ended, never what clients sent; and what to install."""

import fcntl
import tomllib
from pathlib import Path

import pytest

from projector.embedded import locks
from projector.embedded.binaries import REQUIREMENT
from projector.embedded.layout import layout_of
from projector.embedded.locks import hold, holder
from projector.embedded.postmaster import last_words

PLANTED = "hunter2"
AT = "2026-11-26 14:00:00.000 UTC [7] "
EARLIER = f"""{AT}LOG:  starting PostgreSQL 18.1 on x86_64
{AT}PANIC:  could not locate a valid checkpoint record
{AT}LOG:  starting PostgreSQL 18.1 on x86_64
"""
NOISE = f"""{AT}FATAL:  role "{PLANTED}" does not exist
{AT}ERROR:  invalid input syntax for type integer: "{PLANTED}"
{AT}FATAL:  terminating connection due to administrator command
{AT}STATEMENT:  INSERT INTO t VALUES ('{PLANTED}')
\tPANIC:  {PLANTED}
"""


def words(folder: Path, log: str) -> str | None:
    """Of a server whose log this is, on a disk with room."""
    (folder / "postgres.log").write_text(log, encoding="utf-8")
    return last_words(layout_of(folder))


def test_what_the_server_says_of_itself_is_told_and_nothing_else(tmp_path: Path) -> None:
    assert words(tmp_path, EARLIER + NOISE) is None
    told = words(
        tmp_path,
        f'{EARLIER}{AT}PANIC:  could not write to file "pg_wal/1": No space left on device\n{NOISE}'
        f'{AT}FATAL:  could not open file "base/1": Permission denied\n',
    )
    assert told == (
        'could not write to file "pg_wal/1": No space left on device | '
        'could not open file "base/1": Permission denied'
    )
    assert words(tmp_path, f"{EARLIER}postgres: could not find it\nin the folder\n{NOISE}") == (
        "could not find it in the folder"
    )
    (tmp_path / "postgres.log").unlink()
    assert last_words(layout_of(tmp_path)) is None


def test_a_lock_that_its_holder_removed_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "lock", fcntl.flock
    removed: list[Path] = []

    def flock(descriptor: int, operation: int) -> None:
        real(descriptor, operation)
        if not removed:  # as if its last holder had removed it between our opening and locking it
            path.unlink()
            removed.append(path)

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    hold(path)
    assert holder(path) is not None


def test_what_is_to_be_installed_is_what_the_project_needs() -> None:
    root = Path(__file__).parent.parent.parent
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["optional-dependencies"]["embedded"] == [REQUIREMENT]
