"""Reads JSON values of a delivery: cleaning, ids, typed columns, event time."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

SECRETS = frozenset({"host_key", "pmi_password"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_MS = 24 * 60 * 60 * 1000

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DIGITS = re.compile(r"[0-9]+")


def clean(value: Any) -> Any:
    """Return a value as state may hold it: no secrets, no NUL, no lone surrogate, no NaN."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items() if key not in SECRETS}
    return value


def as_object(value: Any) -> dict[str, Any]:
    """Return the value if it is an object, else an empty object."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str | None:
    """Read a text column."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else None


def identifier(value: Any) -> str | None:
    """Read an id or an e-mail: like text, but "" names nobody."""
    return text(value) or None


def _integer(value: Any, bits: int) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    whole = whole or (isinstance(value, float) and value.is_integer())
    whole = whole or (isinstance(value, str) and _INTEGER.fullmatch(value) is not None)
    limit = 1 << (bits - 1)
    return int(value) if whole and -limit <= int(value) < limit else None


def int4(value: Any) -> int | None:
    """Read an integer column."""
    return _integer(value, 32)


def int8(value: Any) -> int | None:
    """Read a bigint column."""
    return _integer(value, 64)


def boolean(value: Any) -> bool | None:
    """Read a boolean column."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {0: False, 1: True}.get(value)
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}.get(value.lower())
    return None


PROFILE: dict[str, Callable[[Any], Any]] = {
    "email": text,
    "first_name": text,
    "last_name": text,
    "display_name": text,
    "type": int4,
    "role": text,
    "dept": text,
    "company": text,
    "language": text,
    "timezone": text,
    "phone_number": text,
    "phone_country": text,
    "pic_url": text,
    "pmi": int8,
    "use_pmi": boolean,
    "vanity_name": text,
    "primary_group_id": text,
}


def moment(time_ms: int) -> datetime:
    """Turn epoch milliseconds into a time."""
    return EPOCH + timedelta(milliseconds=time_ms)


def milliseconds(time: datetime) -> int:
    """Floor a time to epoch milliseconds."""
    return (time - EPOCH) // timedelta(milliseconds=1)


def _epoch_ms(value: Any) -> int | None:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        digits = value.lstrip("0") or "0"
        # Longer than any valid time; int() refuses thousands of digits.
        return int(digits) if len(digits) <= 19 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def date_ms(value: Any) -> int | None:
    """Read a date, or milliseconds, as epoch milliseconds from 0."""
    found = _any_date_ms(value)
    return found if found is not None and found >= 0 else None


def _any_date_ms(value: Any) -> int | None:
    if not isinstance(value, str) or _DIGITS.fullmatch(value):
        return _epoch_ms(value)
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return milliseconds(time if time.tzinfo else time.replace(tzinfo=UTC))


def event_time(body: dict[str, Any], received_at: datetime) -> int:
    """Return an event's time in epoch milliseconds: the first plausible candidate."""
    payload = as_object(body.get("payload"))
    subject = as_object(payload.get("object"))
    received = milliseconds(received_at)
    candidates = (
        _epoch_ms(body.get("event_ts")),
        _epoch_ms(payload.get("time_stamp")),
        _epoch_ms(body.get("time_stamp")),
        date_ms(subject.get("date_time")),
        date_ms(subject.get("date-time")),
    )
    for time_ms in candidates:
        if time_ms is not None and 0 <= time_ms <= received + DAY_MS:
            return time_ms
    return received
