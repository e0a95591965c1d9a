"""Logging: JSON lines off a terminal, readable ones on one; to standard error."""

import logging
import sys
import traceback
from typing import Any

import msgspec
import structlog
from structlog.typing import Processor

from projector.config import LogFormat, Settings

_encode = msgspec.json.Encoder(enc_hook=str).encode


def _render(_logger: Any, _method: str, event: structlog.typing.EventDict) -> bytes:
    return _encode(event)


def _frames(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Say where an exception came from, without its message and locals: those may hold a payload."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        event["exception"] = type(error).__name__
        event["frames"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
    return event


def configure_logging(settings: Settings) -> None:
    """Set up structlog for the whole process. Levels below the configured one cost one comparison."""
    console = settings.log_format is LogFormat.CONSOLE or (
        settings.log_format is None and sys.stderr.isatty()
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _frames,
    ]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, structlog.dev.ConsoleRenderer()]
        if console
        else [*shared, _render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
        if console
        else structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
