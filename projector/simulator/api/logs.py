"""The delivery log as the API shows it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from projector.simulator.api.problems import Problem, problem
from projector.simulator.delivery import Json
from projector.simulator.delivery_log import NO_ANSWER, FailedAttempt
from projector.zoom.event_time import DAY_MS

KEPT_MS: Final = 7 * DAY_MS
FAILED: Final = ("1", "2")

# A program that asks for the last seven days has computed them a little earlier.
_LENIENCE_MS: Final = 60_000
_TIMED_OUT_REASON: Final = 2
_STATUS_REASON: Final = 1


def window(parameters: Mapping[str, str], now_ms: int, *, strict: bool) -> tuple[int, int]:
    """The times asked for, in epoch milliseconds; raises Problem where they are no times or too early.

    Not `strict`: too early a start is cut, as where days pass in seconds.
    """
    earliest = now_ms - KEPT_MS
    start = _moment(parameters.get("from"), earliest)
    end = _moment(parameters.get("to"), now_ms) + 999  # the whole of that second
    if end < start or (strict and start < earliest - _LENIENCE_MS):
        raise problem(404, 1502, "The time range must be within the last seven days.")
    return max(start, earliest - _LENIENCE_MS), end


def log_row(attempt: FailedAttempt, endpoint: str) -> Json:
    """An attempt; headers and bodies are texts."""
    return {
        "event": json.loads(attempt.body)["event"],
        "status": attempt.status,
        "failed_reason_type": _TIMED_OUT_REASON if attempt.status == NO_ANSWER else _STATUS_REASON,
        "endpoint": endpoint,
        "subscription_id": "simulated",
        "request_headers": json.dumps(attempt.headers),
        "request_body": attempt.body.decode(),
        "response_headers": "",
        "response_body": "",
        "date_time": datetime.fromtimestamp(attempt.at_ms // 1000, UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        ),
        "trace_id": f"trace-{attempt.place}",
        "request_id": attempt.request_id,
        "retry_num": attempt.retry_num,
    }


def _moment(text: str | None, default_ms: int) -> int:
    if not text:
        return default_ms
    try:
        told = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _no_time() from None
    return int(told.timestamp()) * 1000


def _no_time() -> Problem:
    return problem(404, 1501, "A time has the form yyyy-MM-dd'T'HH:mm:ss'Z'.")
