"""People of whom an observation would change nothing, told at sight. Pure.

Most people of most runs are such. To fold each observation and to compare takes several times as long. Where
this is in doubt it says no, and the fold decides (preview.py).
"""

from typing import Any, Final

from projector.folding.columns import text
from projector.observations.rows import Json
from projector.projections.users import User
from projector.zoom.event_time import instant

_ABSENT: Final = object()


def is_unchanged(row: User, user: str, about: Json, as_of_ms: int) -> bool:
    """Whether an observation of a person, as of that time, surely changes nothing in their row."""
    if row.removed or row.drift or not row.last_position or about.get("status") != row.status:
        return False
    if row.status == "pending" or (row.user_id != user and not row.spelled_by_lifecycle):
        return False
    if int.from_bytes(row.folded[:8], "big") >= as_of_ms:
        return False  # something later is folded: it would go on top
    return all(_is_held(row, name, value) for name, value in about.items())


def _is_held(row: User, name: str, value: Any) -> bool:
    if name == "status":
        return True
    if name == "user_created_at":
        return row.created_ms is not None or instant(value) == row.observed_created_ms
    if name == "custom_attributes":
        return _are_held(row, value)
    # A column holds a value of its own type as it is.
    held = row.profile.get(name, _ABSENT)
    return type(held) is type(value) and bool(held == value)


def _are_held(row: User, seen: Any) -> bool:
    held = {entry["key"]: (entry["name"], text(entry["value"])) for entry in row.custom_attributes}
    return isinstance(seen, list) and all(
        isinstance(key := entry.get("key"), str)
        and isinstance(name := entry.get("name"), str)
        and isinstance(value := entry.get("value"), str)
        and held.get(key) == (name, value)
        for entry in seen
    )
