"""Envelopes preserve any body, and reports of bad lines do not repeat them."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.log import envelope
from projector.log.envelope import BadLine, decode, encode
from tests.delivery_bodies import bodies

NOW = datetime(2031, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)
MOMENT = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
BODY = b'{"event": "user.updated", "payload": {"account_id": "a", "object": {"id": "u"}}}'

YEARS = datetime(1970, 1, 2), datetime(9998, 12, 30)  # noqa: DTZ001  hypothesis adds the zone
moments = st.datetimes(*YEARS, timezones=st.just(UTC))


def enveloped(**changes: object) -> bytes:
    line = {"received_at": "2030-01-02T03:04:05.678901Z", "request_id": "r", "body": BODY.decode()}
    return json.dumps(line | changes).encode()


@given(bodies, moments, st.none() | st.text(max_size=20), st.sampled_from(["webhook", "import"]))
def test_an_envelope_gives_back_what_it_was_made_of(
    body: bytes, received_at: datetime, request_id: str | None, source: str
) -> None:
    line = encode(received_at, request_id, source, body)
    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    delivery = decode(line[:-1], NOW).delivery
    assert delivery.body == body
    assert delivery.received_at == received_at
    assert delivery.request_id == (request_id and request_id.replace("\x00", "\ufffd"))


def test_an_envelope_has_the_documented_keys() -> None:
    west = timezone(timedelta(hours=-5))
    line = json.loads(encode(MOMENT.astimezone(west), "r", "webhook", BODY))
    assert line == {
        "received_at": "2030-01-02T03:04:05.678901Z",
        "request_id": "r",
        "source": "webhook",
        "body": BODY.decode(),
    }


def test_bytes_that_are_no_utf_8_are_told_apart_from_text() -> None:
    body = BODY.decode().encode("utf-16")
    line = json.loads(encode(MOMENT, None, "webhook", body))
    assert "body" not in line
    assert base64.b64decode(line["body_base64"]) == body


def test_a_line_that_escapes_would_make_too_long_is_base64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "LONGEST_LINE", 1000)
    body = b'{"event":"' + b'\\"' * 300 + b'"}'
    line = encode(MOMENT, None, "webhook", body)
    assert b"body_base64" in line
    assert decode(line[:-1], NOW).delivery.body == body


@given(bodies.filter(lambda body: b"\n" not in body))
def test_a_bare_body_is_kept_byte_for_byte(body: bytes) -> None:
    delivery = decode(body, NOW).delivery
    assert (delivery.body, delivery.received_at, delivery.request_id) == (body, NOW, None)


def test_a_delivery_with_keys_of_an_envelope_is_a_delivery() -> None:
    line = b'{"event": "user.updated", "received_at": "2030-01-02T03:04:05Z", "body": "{}"}'
    assert decode(line, NOW).delivery.body == line


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2030-01-02T03:04:05.678901Z", MOMENT),
        ("2030-01-02T04:04:05.678901+01:00", MOMENT),
        ("2030-01-02T03:04:05.678901", MOMENT),
        ("2030-01-02 03:04:05.678901999Z", MOMENT),
    ],
)
def test_times_of_receipt(written: str, meant: datetime) -> None:
    assert decode(enveloped(received_at=written), NOW).delivery.received_at == meant


@pytest.mark.parametrize(
    "line",
    [
        b"sesame",
        b"[1]",
        b"null",
        b"{}",
        b'{"event": 1}',
        b'{"event": null, "received_at": "2030-01-02T03:04:05Z", "body": "{}"}',
        b'{"body": "{\\"event\\": \\"sesame\\"}"}',
        b"[" * 100_000,
        b"\xff\xfe\xfd",
        enveloped(body="sesame"),
        enveloped(body="[]"),
        enveloped(body='{"event": null}'),
        enveloped(body=None),
        enveloped(body={"event": "sesame"}),
        enveloped(body='{"event": "sesame \ud800"}'),
        enveloped(body_base64=base64.b64encode(BODY).decode()),
        enveloped(body=None, body_base64="sesame!"),
        enveloped(body=None, body_base64="s\u00e9same"),
        enveloped(body=None, body_base64=7),
        enveloped(request_id=7),
        enveloped(received_at="sesame"),
        enveloped(received_at=None),
        enveloped(received_at=1893553445),
        enveloped(received_at="1969-12-31T23:59:59Z"),
        enveloped(received_at="0001-01-01T00:00:00+01:00"),
        enveloped(received_at="9999-12-31T23:59:59.999999Z"),
    ],
)
def test_bad_lines(line: bytes) -> None:
    with pytest.raises(BadLine) as caught:
        decode(line, NOW)
    assert "sesame" not in str(caught.value)


def test_a_body_over_the_limit_is_a_bad_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "LONGEST_BODY", len(BODY))
    assert decode(BODY, NOW).delivery.body == BODY
    for line in (BODY + b" ", enveloped(body=BODY.decode() + " ")):
        with pytest.raises(BadLine):
            decode(line, NOW)
