"""A file to import that is no NDJSON: JSON documents over many lines, or an array of them.

People format JSON to read it. Such a file is taken for what it holds, where it fits in memory.
"""

import io
import json
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple, Protocol

from projector.errors import ImportRefused

# Bytes of such a file; a larger one has to be made NDJSON.
LARGEST_FILE: Final = 64 * 1024 * 1024

_MARK: Final = b"\xef\xbb\xbf"  # with which some editors begin a file
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_decode: Final = json.JSONDecoder().raw_decode


class Piece(NamedTuple):
    """The text of one document as it stands in the file; the line it begins in, from 1; bytes read for it."""

    line: int
    text: bytes
    size: int


class Lines(Protocol):
    """Gives lines as binary files do."""

    def readline(self, size: int, /) -> bytes:
        """Return the next line, at most `size` bytes of it; empty at the end."""


def opened(source: BinaryIO, longest_line: int) -> list[Piece] | Lines:
    """Return the documents of a file whose first line is none by itself, else what to read its lines from.

    Raises ImportRefused for such a file that is too large for memory.
    """
    begun = b""
    while (line := source.readline(longest_line + 1)) and not line.removeprefix(_MARK).strip():
        begun += line
    begun += line
    if not _goes_on(line.removeprefix(_MARK).strip()):
        return _Rejoined(begun, source)
    begun += source.read(max(0, LARGEST_FILE + 1 - len(begun)))
    if len(begun) <= LARGEST_FILE:
        found = _documents(begun)
        return _Rejoined(begun, source) if found is None else found
    if line.removeprefix(_MARK).lstrip()[:1] == b"[" or line.strip() == b"{":
        raise ImportRefused(
            "the file is one JSON document and larger than 64 MiB; make a line of each delivery first: "
            "jq -c 'if type == \"array\" then .[] else . end' FILE"
        )
    return _Rejoined(begun, source)


def _goes_on(line: bytes) -> bool:
    """Whether a line begins something that does not end in it, or an array."""
    if line.startswith(b"["):
        return True
    if not line.startswith(b"{"):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return True
    return False


def _documents(file: bytes) -> list[Piece] | None:
    """Return the objects that a file holds one after the other, or in one array; None where it does not."""
    try:
        text = file.removeprefix(_MARK).decode()
        pieces = list(_pieces(text))
    except (ValueError, RecursionError):
        return None
    if pieces:
        last = pieces[-1]
        left = len(file) - sum(piece.size for piece in pieces)
        pieces[-1] = last._replace(size=last.size + left)
    return pieces


def _pieces(text: str) -> Iterator[Piece]:
    """Yield the objects; raises ValueError where anything else stands there."""
    at = _after_blanks(text, 0)
    is_array = text.startswith("[", at)
    at = _after_blanks(text, at + is_array)
    line = 1 + text.count("\n", 0, at)
    while at < len(text) and not (is_array and text.startswith("]", at)):
        _, end = _decode(text, at)
        found = text[at:end].encode()
        yield Piece(line, found, len(found))
        start, at = at, _after_blanks(text, end)
        if is_array and text.startswith(",", at):
            at = _after_blanks(text, at + 1)
        elif is_array and not text.startswith("]", at):
            raise ValueError("no comma")
        line += text.count("\n", start, at)
    if is_array and _after_blanks(text, at + 1) != len(text):
        raise ValueError("more than an array, or less")


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()


class _Rejoined:
    """The lines of a file of which the beginning has been read."""

    def __init__(self, begun: bytes, rest: BinaryIO) -> None:
        self._begun = io.BytesIO(begun)
        self._rest = rest

    def readline(self, size: int, /) -> bytes:
        """Return the next line, at most `size` bytes of it; empty at the end."""
        line = self._begun.readline(size)
        if line.endswith(b"\n") or len(line) >= size:
            return line
        return line + self._rest.readline(size - len(line))
