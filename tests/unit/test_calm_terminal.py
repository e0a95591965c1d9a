"""The calm terminal: readable lines above a summary that is rewritten."""

import pytest

from projector.cli.calm_terminal import CalmTerminal, Folded, Taken


@pytest.fixture(autouse=True)
def _a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().err.split("\n")
    return [line.rpartition("\r\x1b[K")[2] for line in lines]


def test_a_warning_is_one_readable_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = CalmTerminal()
    terminal.tell("warning", {"event": "append failed", "reason": "the disk is full", "times": 1,
                              "deliveries": 3})  # fmt: skip
    terminal.tell("warning", {"event": "append failed", "reason": "the disk is full", "times": 1,
                              "deliveries": 5})  # fmt: skip
    terminal.tell("error", {"event": "loop_died", "exc_info": ValueError("x"), "times": 7})
    terminal.tell("warning", {"event": "odd", "reason": "a\x1b[2Jb\nc"})
    one, two, three, end = shown(capsys)
    assert one[9:] == "warning: append failed: the disk is full (deliveries 3)"
    assert two[9:] == "error: loop died (times 7, more in the log)"
    assert three.isprintable()
    assert end == ""


def test_the_summary_stays_last(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = CalmTerminal()
    terminal.show(Taken(1, 0, 0), Folded(1, 1, 0.0))
    terminal.say("something happened")
    terminal.show(Taken(1234, 2, 3), None)
    terminal.end()
    terminal.say("stopped")
    happened, summary, stopped, _ = shown(capsys)
    assert happened == "something happened"
    assert summary[9:] == "1,234 taken, 2 duplicates, 3 refused; the database does not answer"
    assert stopped == "stopped"


def test_a_terminal_that_cannot_rewrite_gets_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    terminal = CalmTerminal()
    terminal.show(Taken(1, 0, 0), Folded(1, 1, 0.0))
    terminal.show(Taken(2, 0, 0), Folded(2, 2, 0.0))
    assert "\x1b" not in (text := capsys.readouterr().err)
    assert text.count("\n") == 2
