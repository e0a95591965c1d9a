"""Hand-written events with times in milliseconds, and the views that they fold into."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from .naive_events import Delivery
from .naive_fold import fold

T0 = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
RECEIVED = T0 + timedelta(hours=1)
T0_MS = int(T0.timestamp() * 1000)


def clock(at: int) -> datetime:
    """Return the time `at` milliseconds into the story."""
    return T0 + timedelta(milliseconds=at)


def event(
    name: str, at: int, about: Any = None, old: Any = None, *, account: Any = "A", **payload: Any
) -> bytes:
    """Return one delivery: `about` and `old` are the object and old_object."""
    payload = {"account_id": account, "object": about, **payload}
    if old is not None:
        payload["old_object"] = old
    return json.dumps({"event": name, "event_ts": T0_MS + at, "payload": payload}).encode()


def fold_all(bodies: Sequence[bytes | None]) -> dict[str, list[dict[str, Any]]]:
    """Fold deliveries at positions 1, 2, ..., all received an hour into the story."""
    return fold([Delivery(n, RECEIVED, body) for n, body in enumerate(bodies, start=1)])


def only(rows: list[dict[str, Any]], *columns: str) -> Any:
    """Return the only row, or its values of the columns named."""
    (row,) = rows
    if not columns:
        return row
    return row[columns[0]] if len(columns) == 1 else tuple(row[column] for column in columns)


def pick(rows: list[dict[str, Any]], *columns: str) -> list[Any]:
    """Return the values of the columns named, row by row."""
    return [only([row], *columns) for row in rows]
