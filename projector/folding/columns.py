"""Typed columns: coercions of JSON values. What a column cannot hold becomes null."""

import re
from collections.abc import Callable
from typing import Any, Final

from projector.zoom.events import Event

Coercion = Callable[[Any], Any]

# Characters; the longest that RFC 5321 allows.
LONGEST_EMAIL: Final = 320

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}


def held(event: Event, column: str, coercion: Coercion, value: Any) -> Any:
    """A value as a column holds it. Null for what it cannot hold, which is noted in the event."""
    result = coercion(value)
    if result is None and value is not None and value != "":
        event.not_held(column)
    return result


def text(value: Any) -> str | None:
    """A text, or an integer in decimal."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _integer(value: Any, limit: int) -> int | None:
    if isinstance(value, bool):
        return None
    if (isinstance(value, float) and value.is_integer()) or (
        isinstance(value, str) and _INTEGER.fullmatch(value)
    ):
        value = int(value)
    if isinstance(value, int) and -limit <= value < limit:
        return value
    return None


def int4(value: Any) -> int | None:
    """A 32-bit integer, also from its text."""
    return _integer(value, 2**31)


def int8(value: Any) -> int | None:
    """A 64-bit integer, also from its text."""
    return _integer(value, 2**63)


def boolean(value: Any) -> bool | None:
    """True or false, also as text or as 1 and 0."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _BOOLEANS.get(value.lower())
    if isinstance(value, int):
        return {0: False, 1: True}.get(value)
    return None


def document(value: Any) -> dict[str, Any] | None:
    """A JSON object."""
    return value if isinstance(value, dict) else None


def email(value: Any) -> str | None:
    """An e-mail as sent: any text that is not empty and that an index can hold."""
    address = value if type(value) is str else text(value)
    return address if address and len(address) <= LONGEST_EMAIL else None


def lowered(text: str) -> str:
    """A text as PostgreSQL's lower() returns it: character by character, whatever the neighbours."""
    if text.isascii():
        return text.lower()
    return "".join(char.lower()[0] for char in text)
