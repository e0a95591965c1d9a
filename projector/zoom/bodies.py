"""Bodies: decoding JSON as Zoom may send it, and cleaning it for state."""

import json
import math
from typing import Any, Final

import msgspec

SECRETS: Final = frozenset({"host_key", "pmi_password"})
_SECRET_NAMES: Final = tuple(name.encode() for name in SECRETS)

# Most levels of a body that is folded: far more than Zoom sends, far fewer than PostgreSQL or the
# recursive functions here can take.
DEEPEST: Final = 100

_decode = msgspec.json.decode


def decode_json(body: bytes) -> Any:
    """Decode JSON as Python's `json` accepts it: lone surrogates, NaN, UTF-16 and a BOM included.

    Raises ValueError for anything else (too deep a nesting too).
    """
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_leniently(body)


def _decode_leniently(body: bytes) -> Any:
    try:
        return json.loads(body, parse_int=_integer)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _integer(digits: str) -> int | float:
    """An integer; infinity where it has more digits than Python converts."""
    try:
        return int(digits)
    except ValueError:
        return math.inf


def clean_text(text: str) -> str:
    """Replace what PostgreSQL cannot hold, U+0000 and lone surrogates, by U+FFFD."""
    if text.isascii():
        return text.replace("\x00", "\ufffd") if "\x00" in text else text
    if any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in text):
        return "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def clean(value: Any) -> Any:
    """A JSON value as state may hold it: clean texts, no secrets at any depth, null for NaN and infinity."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {
            name: clean(item)
            for key, item in value.items()
            if (name := clean_text(key)) not in SECRETS
        }
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _clean_at_any_depth(value: Any) -> Any:
    """The same at any depth: what is too deep for recursion is cut off just below the deepest level allowed.

    So it still counts as nested too deeply.
    """
    try:
        return clean(value)
    except RecursionError:
        return clean(_without_depths(value, DEEPEST + 1))


def _without_depths(value: Any, levels: int) -> Any:
    if isinstance(value, dict):
        return {k: _without_depths(v, levels - 1) for k, v in value.items()} if levels else None
    if isinstance(value, list):
        return [_without_depths(item, levels - 1) for item in value] if levels else None
    return value


def decode_clean(body: bytes) -> Any:
    """Decode a body and clean it, where cleaning could change anything.

    Raises ValueError as `decode_json` does.
    """
    try:
        decoded = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _clean_at_any_depth(_decode_leniently(body))
    return _clean_at_any_depth(decoded) if may_need_cleaning(body) else decoded


def may_need_cleaning(body: bytes) -> bool:
    """Whether a UTF-8 body may hold a secret, or a text that state cannot hold.

    Without a backslash no text holds U+0000 or a surrogate, and a secret's name stands in the bytes as it
    is. The backslash comes first because a search for one byte is the cheaper one.
    """
    return b"\\" in body or any(name in body for name in _SECRET_NAMES)


def is_nested_too_deeply(body: Any, raw: bytes) -> bool:
    """Whether a decoded body is nested deeper than 100 levels."""
    return may_be_nested_too_deeply(raw) and _is_too_deep(body)


def may_be_nested_too_deeply(raw: bytes) -> bool:
    """Whether a body has enough brackets to be nested deeper than 100 levels."""
    return raw.count(b"{") + raw.count(b"[") > DEEPEST


def _is_too_deep(value: Any, depth: int = DEEPEST) -> bool:
    if isinstance(value, dict):
        return depth == 0 or any(_is_too_deep(item, depth - 1) for item in value.values())
    if isinstance(value, list):
        return depth == 0 or any(_is_too_deep(item, depth - 1) for item in value)
    return False
