"""The log file of `up`: private, bounded, and whole again after a full disk."""

import json
import os
import stat
from pathlib import Path

import pytest

from projector.cli import log_file
from projector.cli.log_file import LogFile
from projector.telemetry import LineWriter


def test_it_is_private_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "projector.log"
    LogFile(path).write(b"one\n")
    LogFile(path).write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_bounded_with_one_before_it(tmp_path: Path) -> None:
    path = tmp_path / "projector.log"
    log = LogFile(path, most_bytes=100)
    for number in range(50):
        log.write(f"{number:09}\n".encode())
    before = tmp_path / "projector.log.1"
    kept = before.read_text(encoding="ascii") + path.read_text(encoding="ascii")
    assert [int(line) for line in kept.split()] == list(range(30, 50))
    assert sorted(tmp_path.iterdir()) == [path, before]


def test_it_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "projector.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        LogFile(tmp_path / "projector.log").write(b"one\n")


def test_after_a_full_disk_lines_are_whole_and_what_was_lost_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, left = tmp_path / "projector.log", 20
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        nonlocal left
        if left == 0:
            raise OSError(28, "No space left on device")
        written = real(descriptor, data[:left])
        left -= written
        return written

    writer = LineWriter(LogFile(path))
    monkeypatch.setattr(log_file.os, "write", write)
    writer.msg(b'{"event":"one"}')
    writer.msg(b'{"event":"two"}')  # cut off in the middle
    writer.msg(b'{"event":"three"}')
    monkeypatch.undo()
    writer.msg(b'{"event":"four"}')
    writer.msg(b'{"event":"five"}')
    lines = path.read_bytes().splitlines()
    whole = [json.loads(line) for line in lines if line.endswith(b"}")]
    assert [line["event"] for line in whole] == ["one", "four", "log_lines_lost", "five"]
    assert whole[2]["lines"] == 2
