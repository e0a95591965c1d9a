"""How long an answer 429 says to wait: Zoom in a time, proxies in seconds, and either may not say."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

DAY: Final = 86_400.0
# Seconds. Daily limits clear at 00:00 UTC, so nothing has to wait longer than a day and a bit.
_LONGEST: Final = DAY + 3600


def seconds_to_midnight(utc: float) -> float:
    """Seconds from an epoch time to a second after the next 00:00 UTC, when daily limits are clear."""
    return DAY - utc % DAY + 1


def told_to_wait(headers: Mapping[str, str], message: str, utc: float) -> float | None:
    """Seconds to wait, or None where the answer does not say. `utc`: the answer's own time.

    For a daily limit, which the headers or the message name, not less than until 00:00 UTC.
    """
    after = _retry_after(headers.get("Retry-After", "").strip(), utc)
    if "daily" in headers.get("X-RateLimit-Type", message).lower():
        after = max(after, seconds_to_midnight(utc))
    return min(after, _LONGEST) if after > 0 else None


def _retry_after(text: str, utc: float) -> float:
    """Seconds to wait by a Retry-After in seconds, as ISO time or as HTTP date; 0 for anything else."""
    try:
        seconds = float(text)
    except ValueError:
        until = _epoch(text, datetime.fromisoformat) or http_date(text)
        return 0 if until is None else until - utc
    return seconds if math.isfinite(seconds) else 0


def http_date(text: str) -> float | None:
    """The epoch seconds of an HTTP date; None where it is none."""
    return _epoch(text, parsedate_to_datetime)


def _epoch(text: str, parse: Callable[[str], datetime]) -> float | None:
    try:
        moment = parse(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
