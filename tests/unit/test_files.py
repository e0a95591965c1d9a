"""Files that commands write: their mode, whole or not at all, and over nothing that is there."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from projector.cli.files import target
from projector.errors import ConfigurationError, ProjectorError


def write(path: Path, data: bytes = b"new", *, overwrite: bool = False) -> None:
    with target(str(path), overwrite=overwrite) as out:
        out.write(data)


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write(tmp_path / "new")
    finally:
        os.umask(before)
    assert (tmp_path / "new").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_what_is_there_is_replaced_only_where_that_is_said(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"yesterday's")
    kept.chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"kept is there already; .*--overwrite"):
        write(kept)
    assert kept.read_bytes() == b"yesterday's"
    write(kept, overwrite=True)
    assert kept.read_bytes() == b"new"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [kept]


def interrupted(path: Path, *, overwrite: bool) -> None:
    with target(str(path), overwrite=overwrite) as out:
        out.write(b"half")
        raise KeyboardInterrupt


def overtaken(path: Path) -> None:
    """Somebody makes a file of that name while ours is written."""
    with target(str(path)) as out:
        out.write(b"late")
        path.write_bytes(b"another's")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_failure_leaves_no_half_file(tmp_path: Path, overwrite: bool) -> None:
    kept = tmp_path / "kept"
    if overwrite:
        kept.write_bytes(b"yesterday's")
    with pytest.raises(KeyboardInterrupt):
        interrupted(kept, overwrite=overwrite)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([b"yesterday's"] * overwrite)


def test_one_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted"
    with pytest.raises(ConfigurationError, match="is there already"):
        overtaken(wanted)
    assert wanted.read_bytes() == b"another's"
    assert list(tmp_path.iterdir()) == [wanted]


def test_where_files_have_one_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write(tmp_path / "new")
    with pytest.raises(ConfigurationError):
        overtaken(tmp_path / "other")
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"new", b"another's"}


def test_a_link_stays_and_leads_to_the_new_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("real")
    write(link)
    assert link.is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    with pytest.raises(ConfigurationError):
        write(link)


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write(pipe)
    reader.join(10)
    assert read == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "why"), [("absent/new", "No such file"), ("", "Is a directory"), ("file/new", "Not a dir")]
)  # fmt: skip
def test_what_cannot_be_written_is_told(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ProjectorError, match=why):
        write(tmp_path / name, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


TO_STDOUT = """
import sys
from projector.cli.failures import report
from projector.cli.files import target
try:
    with target("-") as out:
        for _ in range(100_000):
            out.write(b"x" * 100)
        out.flush()
except Exception as error:
    sys.exit(report(error))
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("stream", ["full", "closed"])
def test_a_stream_that_takes_no_more_is_one_sentence(stream: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    writing = subprocess.Popen(
        [sys.executable, "-c", TO_STDOUT],
        stdout=full if stream == "full" else subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(full)
    with writing:
        if writing.stdout is not None:
            writing.stdout.read(1)
            writing.stdout.close()
        assert writing.stderr is not None
        said = writing.stderr.read().decode()
    assert said.startswith("projector: standard output cannot be written (")
    assert said.count("\n") == 1
    assert writing.returncode == 1
