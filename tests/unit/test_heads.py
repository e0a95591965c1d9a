"""The head of a body, decoded for the log's columns, is that of the whole body decoded."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from projector.zoom.bodies import decode_json
from projector.zoom.delivery import Head, head_in, head_of

BODY = (
    b'{"event":"user.updated","event_ts":1,"payload":{"account_id":"a","object":{"id":"x\\u00e9",'
    b'"n":[1,2.5e3,-0,null,true,false],"s":"h\xc3\xa9 \\ud83d\\ude00 \\n"}},"z":{"a":[{}],"b":"\\\\"}}'
)
PIECES = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"1", b"01", b"1.", b".5", b"-", b"e", b"1e999",
    b"9" * 400, b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\x00",
    b"\x1f", b"\x7f", b"\n", b" ", b"\\u", b"\\ud800", b"\\u0000", b"\\x", b"nul", b"NaN", b"-Infinity", b"'",
    b'"event":7,', b'"event":"b",', b'"payload":[],', b'"payload":{},', b'"account_id":{},', b"[" * 2000,
)  # fmt: skip


def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
    """The body with pieces removed and inserted."""
    body = BODY
    for at, cut, piece in changes:
        start = at % (len(body) + 1)
        body = body[:start] + piece + body[start + cut :]
    return body


def of(body: bytes) -> Head | None:
    try:
        return head_of(body)
    except ValueError:
        return None


def in_all_of(body: bytes) -> Head | None:
    try:
        return head_in(decode_json(body))
    except ValueError:
        return None


CHANGES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 3), st.sampled_from(PIECES)),
    min_size=0,
    max_size=3,
)


@settings(max_examples=1500)
@given(CHANGES)
@example([(0, 0, "\ufeff".encode())])
@example([(BODY.index(b"h\xc3"), 1, b"\xff")])
@example([(BODY.index(b'"z"'), 0, b'"event":"b",')])
def test_whatever_the_body_the_head_is_that_of_the_whole_decoded(
    changes: list[tuple[int, int, bytes]],
) -> None:
    body = apply(changes)
    assert repr(of(body)) == repr(in_all_of(body))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_every_encoding_of_json_has_a_head(encoding: str) -> None:
    body = json.dumps({"event": "e", "event_ts": 1, "payload": {"account_id": "ä"}}).encode(
        encoding
    )
    assert head_of(body) == Head("e", 1, "ä")


@pytest.mark.parametrize(
    "body",
    [b"", b"7", b"[]", b'"event"', b"{}", b'{"event":7}', b'{"event":null}', b'{"event":"e"'],
)
def test_what_is_no_event_has_none(body: bytes) -> None:
    assert of(body) is None
