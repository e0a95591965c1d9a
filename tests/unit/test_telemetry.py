"""Log lines: JSON without a terminal, and never an exception's text, a secret or a payload."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from projector import telemetry
from projector.config import LogFormat, LogLevel, Settings
from projector.telemetry import configure_logging

PLANTED = "hunter2@example.com"


class Captured:
    """What was written to standard error, which is no terminal."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capture
        self._written = b""

    def text(self) -> str:
        self._written += self._capture.readouterr().err
        return self._written.decode()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def captured(capsysbinary: pytest.CaptureFixture[bytes]) -> Iterator[Captured]:
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Captured(capsysbinary)
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def configured(**settings: Any) -> Any:
    """A logger of a process with these settings."""
    configure_logging(Settings(**settings))
    return structlog.get_logger()


def fail(with_local: str) -> None:
    planted_local = with_local
    raise ValueError(f"cannot take {planted_local}")


def test_a_line_off_a_terminal_is_json_with_a_level_and_a_time(captured: Captured) -> None:
    configured().info("request", status=200, request_id="r", answer=None)
    (line,) = captured.lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request", "level": "info", "status": 200, "request_id": "r", "answer": None,
    }  # fmt: skip


def test_what_is_bound_is_in_every_line(captured: Captured) -> None:
    logger = configured()
    bound = logger.bind(request_id="r")
    bound.info("one")
    bound.warning("two")
    logger.info("three")
    assert [line.get("request_id") for line in captured.lines()] == ["r", "r", None]


def test_levels_below_the_configured_one_are_not_written(captured: Captured) -> None:
    logger = configured(log_level=LogLevel.WARNING)
    for level in ("debug", "info", "warning", "error"):
        getattr(logger, level)(level)
    assert [line["event"] for line in captured.lines()] == ["warning", "error"]


def test_any_value_makes_a_line(captured: Captured) -> None:
    configured().info("odd", value={1, 2}, surrogate="\ud800", line="a\nb", error=ValueError)
    assert captured.lines()[0]["line"] == "a\nb"
    assert captured.text().count("\n") == 1


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_an_exception_leaves_its_type_and_place_alone(
    captured: Captured, log_format: LogFormat
) -> None:
    logger = configured(log_format=log_format)
    try:
        fail(PLANTED)
    except ValueError:
        logger.exception("failed")
    assert "ValueError" in captured.text()
    assert "test_telemetry.py" in captured.text()
    assert PLANTED not in captured.text()
    assert "cannot take" not in captured.text()


def test_the_line_of_an_exception_names_its_frames(captured: Captured) -> None:
    logger = configured()
    try:
        fail(PLANTED)
    except ValueError as error:
        logger.error("failed", exc_info=error)  # noqa: TRY400
    (line,) = captured.lines()
    assert line["exception"] == "ValueError"
    assert line["frames"][-1].endswith(" fail")


async def test_lines_of_one_turn_are_written_after_it_in_order(captured: Captured) -> None:
    logger = configured()
    logger.info("one")
    logger.info("two")
    await asyncio.sleep(0)
    logger.info("three")
    await asyncio.sleep(0)
    assert [line["event"] for line in captured.lines()] == ["one", "two", "three"]


async def test_what_asyncio_says_of_a_failed_task_holds_no_message(captured: Captured) -> None:
    configured()

    async def doomed() -> None:
        fail(PLANTED)

    task = asyncio.ensure_future(doomed())
    await asyncio.sleep(0.01)
    del task  # its exception was never retrieved, which asyncio logs
    await asyncio.sleep(0.01)
    (line,) = captured.lines()
    assert (line["event"], line["library"], line["level"]) == ("library", "asyncio", "error")
    assert line["says"] == "Task exception was never retrieved"
    assert line["exception"] == "ValueError"
    assert PLANTED not in captured.text()


def test_what_libraries_say_holds_no_arguments(captured: Captured) -> None:
    configured()
    logging.getLogger("aiohttp.server").error("Error handling request from %s", PLANTED)
    logging.getLogger("aiohttp.server").info("nobody asked")
    (line,) = captured.lines()
    assert line["says"] == "Error handling request from %s"
    assert PLANTED not in captured.text()


def test_what_recurs_is_said_at_once_and_then_once_a_minute_with_how_often(
    captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(telemetry.time, "monotonic", lambda: now)
    trouble = telemetry.Recurring(configured(), "append failed")
    for second in range(125):
        now = 1000.0 + second
        trouble("disk_full", reason="full")
        if second % 10 == 0:
            trouble("lost", reason="gone")
    lines = captured.lines()
    assert {line["event"] for line in lines} == {"append failed"}
    assert {line["level"] for line in lines} == {"warning"}
    assert [(line["reason"], line["times"]) for line in lines] == [
        ("full", 1), ("gone", 1), ("full", 60), ("gone", 6), ("full", 60), ("gone", 6),
    ]  # fmt: skip


def test_a_file_takes_the_lines_and_a_person_is_told_of_what_warns(captured: Captured) -> None:
    file, told = io.BytesIO(), []
    configure_logging(Settings(), file=file, tell=lambda level, line: told.append((level, line)))
    logger = structlog.get_logger()
    logger.info("one", n=1)
    logger.warning("two", n=2)
    assert captured.text() == ""
    assert [json.loads(line)["event"] for line in file.getvalue().splitlines()] == ["one", "two"]
    assert [level for level, _ in told] == ["warning"]


def test_lines_that_cannot_be_written_stop_nothing(captured: Captured) -> None:
    class Broken(io.BytesIO):
        def write(self, _lines: Any) -> int:
            raise BrokenPipeError

    configure_logging(Settings(), file=Broken())
    structlog.get_logger().warning("nobody reads this")
    assert captured.text() == ""
