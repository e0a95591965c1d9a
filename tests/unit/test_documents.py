"""A file of JSON over many lines is taken for what it holds; any other is read line by line."""

import io
import json

import pytest

from projector.errors import ImportRefused
from projector.log import documents
from projector.log.documents import Piece, opened

LONGEST = 10_000


def pieces(file: bytes) -> list[tuple[int, bytes]]:
    """The documents of a file, with the lines they begin in."""
    found = opened(io.BytesIO(file), LONGEST)
    assert isinstance(found, list), "it is read line by line"
    assert sum(piece.size for piece in found) == (len(file) if found else 0)
    return [(piece.line, piece.text) for piece in found]


def lines(file: bytes) -> list[bytes]:
    """The lines of a file that is read so."""
    found = opened(io.BytesIO(file), LONGEST)
    assert not isinstance(found, list), "it is taken for documents"
    return list(iter(lambda: found.readline(LONGEST), b""))


ONE, TWO = b'{\n  "event": "a"\n}', b'{\r\n  "event": "\xc3\xb6",\r\n  "x": [1, {}]\r\n}'


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (ONE, [(1, ONE)]),
        (b"\n \n" + ONE + b"\n", [(3, ONE)]),
        (b"\xef\xbb\xbf" + ONE, [(1, ONE)]),
        (ONE + b"\n" + TWO + b"\n", [(1, ONE), (4, TWO)]),
        (b"[" + ONE + b",\n" + TWO + b"\n]\n", [(1, ONE), (4, TWO)]),
        (b"[\n\n" + ONE + b"\n,\n" + TWO + b"]", [(3, ONE), (7, TWO)]),
        (b'[{"event":"a"},{"event":"b"}]', [(1, b'{"event":"a"}'), (1, b'{"event":"b"}')]),
        (b"[\n7,\n" + ONE + b"]", [(2, b"7"), (3, ONE)]),
        (b"[]\n", []),
        (b"[\n]", []),
    ],
)
def test_documents_are_found_with_their_bytes(
    file: bytes, expected: list[tuple[int, bytes]]
) -> None:
    assert pieces(file) == expected


@pytest.mark.parametrize(
    "file",
    [
        b"", b"\n\n", b'{"event":"a"}\n{\n', b'{"event":"a"}\n{"event":"b"}', b"hunter2\n" + ONE,
        b'{"event": \n{"event":"b"}\n', b'{"event":"a"\n{"event":"b"}\n', b"[1]\n" + ONE, b"[1\n2]\n",
        b"[" + ONE, b"[" + ONE + b",]x", ONE + b",\n" + TWO, b'{\n"a": "\xff"\n}', b"[\n" * 9_000,
        b"\xef\xbb\xbf\n{\n",
    ],
)  # fmt: skip
def test_anything_else_is_read_line_by_line(file: bytes) -> None:
    assert lines(file) == list(io.BytesIO(file))


def test_lines_are_whole_where_the_beginning_that_was_read_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = b'{"event":\n' + b'{"event":"b"}\n' * 50
    for largest in range(30, 80):
        monkeypatch.setattr(documents, "LARGEST_FILE", largest)
        assert lines(file) == list(io.BytesIO(file))


@pytest.mark.parametrize("begins", [b"[", b"{\n", b" [\n"])
def test_one_that_is_too_large_is_told_once(monkeypatch: pytest.MonkeyPatch, begins: bytes) -> None:
    monkeypatch.setattr(documents, "LARGEST_FILE", 30)
    with pytest.raises(ImportRefused, match="jq -c"):
        opened(io.BytesIO(begins + ONE * 10), LONGEST)


def test_documents_as_large_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    file = json.dumps([{"event": "x" * 100}, {"event": "y"}], indent=1).encode()
    monkeypatch.setattr(documents, "LARGEST_FILE", len(file))
    found = opened(io.BytesIO(file), LONGEST)
    assert isinstance(found, list)
    assert found[1] == Piece(5, b'{\n  "event": "y"\n }', len(file) - found[0].size)
