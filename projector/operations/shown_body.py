"""Bodies as a person may see them: structure and keys stay, secrets never show, personal values on demand.

Pure. What is shown is chosen by name, and not what is hidden: a value whose name nobody thought of is hidden.
"""

import math
import re
from typing import Any, Final, NamedTuple

from projector.zoom.bodies import DEEPEST, SECRETS, clean_text, decode_json

# Names of fields that hold an id, a time or a word of Zoom's own, and what such a value looks like.
_PLAIN: Final = frozenset({
    "event", "event_ts", "time_stamp", "date_time", "date-time", "account_id", "id", "user_id", "group_id",
    "group_ids", "primary_group_id", "operator_id", "creation_type", "operation", "status", "type",
    "login_type", "client_type", "version", "presence_status", "user_created_at", "run", "projection",
    "entity", "path",
})  # fmt: skip
_WORD: Final = re.compile(r"[A-Za-z0-9_.:+/=-]{1,100}", re.ASCII)
_SECRET: Final = "[secret]"  # noqa: S105  what stands in place of one
_DEEPER: Final = f"[nested deeper than {DEEPEST} levels]"


class ShownBody(NamedTuple):
    """A body to show, or why there is none to show."""

    value: Any
    why_not: str | None = None


def shown_body(body: bytes | None, *, reveal: bool) -> ShownBody:
    """A body, redacted. `reveal`: personal values show too; secrets do not.

    Nothing shows of a body that is not JSON: what is secret in it cannot be told.
    """
    if body is None:
        return ShownBody(None, "the body is erased")
    try:
        return ShownBody(redacted(decode_json(body), reveal=reveal))
    except ValueError:
        return ShownBody(None, f"the body of {len(body):,} bytes cannot be read as JSON")


def redacted(value: Any, *, reveal: bool, name: str = "", levels: int = DEEPEST) -> Any:
    """A JSON value, redacted, with texts that any JSON can hold. `name`: of the field whose value it is."""
    if name.lower() in SECRETS:
        return _SECRET
    if isinstance(value, dict):
        if not levels:
            return _DEEPER
        return {
            (key := clean_text(raw)): redacted(item, reveal=reveal, name=key, levels=levels - 1)
            for raw, item in value.items()
        }
    if isinstance(value, list):
        if not levels:
            return _DEEPER
        return [redacted(item, reveal=reveal, name=name, levels=levels - 1) for item in value]
    return _leaf(value, name, reveal=reveal)


def _leaf(value: Any, name: str, *, reveal: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if reveal or not value or (name in _PLAIN and _WORD.fullmatch(value)):
            return clean_text(value)
        return f"[text of {len(value)} characters]"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if reveal or name in _PLAIN else "[number]"
