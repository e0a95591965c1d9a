"""JSON values of the directory as Python values, exact, and their leaves."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec


class _Null:
    """A JSON null, where None says that nothing is there."""

    def __bool__(self) -> bool:
        return False


NULL: Final = _Null()

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_encode: Final = msgspec.json.Encoder(
    enc_hook=lambda _null: None, decimal_format="number", order="deterministic"
).encode


def parsed(text: str | None) -> Any:
    """A JSON text as a value: None where there is none, NULL for a JSON null; no digit is lost."""
    if text is None:
        return None
    value = _decode(text)
    return NULL if value is None else value


def written(value: Any) -> str:
    """Such a value as JSON text, in a fixed order."""
    return msgspec.json.format(_encode(value), indent=2).decode()


def leaves(
    document: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (path, value) of whatever in a document is no object, in the order of the paths."""
    for name in sorted(document):
        value = document[name]
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name), NULL if value is None else value
