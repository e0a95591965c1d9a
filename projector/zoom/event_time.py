"""Event time: when something happened, by what its delivery says."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

DAY_MS: Final = 86_400_000
INT8_DIGITS: Final = 19
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def event_time(body: Mapping[str, Any], received_ms: int) -> int:
    """Event time in epoch milliseconds: the first plausible value of the five places that may hold it.

    A value more than 24 h after receipt counts as absent; without any, it is the time of receipt.
    """
    latest = received_ms + DAY_MS
    own = body.get("event_ts")
    if type(own) is int and 0 <= own <= latest:  # nearly every delivery
        return own
    payload = body.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    entity = payload.get("object")
    entity = entity if isinstance(entity, dict) else {}
    candidates = (
        _milliseconds(own),
        _milliseconds(payload.get("time_stamp")),
        _milliseconds(body.get("time_stamp")),
        instant(entity.get("date_time")),
        instant(entity.get("date-time")),
    )
    for candidate in candidates:
        if candidate is not None and candidate <= latest:
            return candidate
    return received_ms


def _milliseconds(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= INT8_DIGITS:
        return int(value)
    return None


def instant(value: Any) -> int | None:
    """Epoch milliseconds of an RFC 3339 text or of an integer from 0, as such or as text; None for others."""
    number = _milliseconds(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    try:
        elapsed = parsed - _EPOCH
    except OverflowError:
        return None
    milliseconds = elapsed.days * DAY_MS + elapsed.seconds * 1000 + elapsed.microseconds // 1000
    return milliseconds if milliseconds >= 0 else None
