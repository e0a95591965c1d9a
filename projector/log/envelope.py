"""Envelopes, the lines of an export: a delivery's bytes and how they were received, as JSON and back.

An envelope is a JSON object: `received_at` (RFC 3339, UTC, microseconds), `request_id`, `source` and
`body`, the delivery's bytes as text. Bytes that are not UTF-8 are in `body_base64` instead. In a redacted
export `redacted` is true: the bodies are made for it, and their digests are not those of the log.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from projector.config import LONGEST_BODY
from projector.log.append import OWN_SOURCES, Source
from projector.zoom.bodies import decode_json
from projector.zoom.delivery import Delivery, delivery_of, head_in, head_of

# Event times count milliseconds from 1970, and asyncpg reads the last instant of 9999 as infinity.
_YEARS: Final = range(1970, 9999)

# Bytes of a line in memory. A body of LONGEST_BODY fits, if need be as base64.
LONGEST_LINE: Final = 64 * 1024 * 1024


class Line(NamedTuple):
    """What a line holds, and the source to append it with: import, but for facts of our own."""

    delivery: Delivery
    source: Source


class BadLine(ValueError):
    """A line that is no delivery; the message says why and quotes nothing."""


def encode(
    received_at: datetime,
    request_id: str | None,
    source: str,
    body: bytes,
    *,
    redacted: bool = False,
) -> bytes:
    """Return a line, with its newline, from which `decode` gets the same bytes.

    `redacted`: the line says that the body is not the one that was received.
    """
    moment = received_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    envelope: dict[str, Any] = {
        "received_at": moment + "Z",
        "request_id": request_id,
        "source": source,
        **({"redacted": True} if redacted else {}),
    }
    try:
        line = msgspec.json.encode(envelope | {"body": body.decode()})
    except UnicodeDecodeError:
        line = b""
    # Escapes can make the text many times as long as the bytes; base64 adds a third.
    if not line or len(line) >= LONGEST_LINE:
        line = msgspec.json.encode(envelope | {"body_base64": base64.b64encode(body).decode()})
    return line + b"\n"


def decode(line: bytes, now: datetime) -> Line:
    """Return what an envelope holds, or a bare body, which is the line itself, received `now`.

    `line` has no newline. Raises BadLine.
    """
    try:
        decoded = decode_json(line)
    except ValueError:
        raise BadLine("it is not JSON") from None
    if not isinstance(decoded, dict):
        raise BadLine("it is not a JSON object")
    if isinstance(decoded.get("event"), str):
        return Line(delivery_of(_bounded(line), head_in(decoded), received_at=now), "import")
    if "event" in decoded or "received_at" not in decoded:
        raise BadLine("it is neither an envelope nor a delivery with a text `event`")
    delivery = _delivery_in(decoded)
    return Line(delivery, _source_in(decoded, delivery.event))


def _source_in(envelope: dict[str, Any], event: str) -> Source:
    """The source of a fact of our own, which begins its name; import for whatever was delivered."""
    told = envelope.get("source")
    return next(
        (own for own in OWN_SOURCES if own == told and event.startswith(f"{own}.")), "import"
    )


def _delivery_in(envelope: dict[str, Any]) -> Delivery:
    request_id = envelope.get("request_id")
    if request_id is not None and not isinstance(request_id, str):
        raise BadLine("the envelope's request_id is no text")
    received_at, body = _moment(envelope["received_at"]), _bounded(_body(envelope))
    try:
        head = head_of(body)
    except ValueError:
        raise BadLine("the envelope's body is not a JSON object with a text `event`") from None
    return delivery_of(body, head, received_at=received_at, request_id=request_id)


def _moment(value: Any) -> datetime:
    """Return a time of receipt; without an offset it is in UTC."""
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise BadLine("the envelope's received_at is not a time as RFC 3339 spells it") from None
    if moment.year not in _YEARS:
        raise BadLine("the envelope's received_at lies outside the years 1970 to 9998")
    return moment


def _body(envelope: dict[str, Any]) -> bytes:
    text, encoded = envelope.get("body"), envelope.get("body_base64")
    if isinstance(text, str) and encoded is None:
        try:
            return text.encode()
        except UnicodeEncodeError:
            raise BadLine("the envelope's body holds a lone surrogate, so it is no text") from None
    if isinstance(encoded, str) and text is None:
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise BadLine("the envelope's body_base64 is not base64") from None
    raise BadLine("the envelope needs either body or body_base64, and as a text")


def _bounded(body: bytes) -> bytes:
    if len(body) > LONGEST_BODY:
        raise BadLine("its body is larger than 32 MiB")
    return body
