"""Rows of Zoom's own log of failed deliveries, as deliveries. Pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from projector.observations.rows import Json
from projector.zoom.bodies import decode_json
from projector.zoom.catalogue import URL_VALIDATION
from projector.zoom.delivery import Delivery, delivery_of, head_of
from projector.zoom.event_time import instant
from projector.zoom.signature import fingerprint, headers_refused, signer

_REQUEST_ID: Final = "x-zm-request-id"
_TIMESTAMP: Final = "x-zm-request-timestamp"
_SIGNATURE: Final = "x-zm-signature"


class Failed(NamedTuple):
    """A delivery that failed, and every id under which Zoom may have sent it."""

    delivery: Delivery
    request_ids: frozenset[str]


def is_validation(row: Json) -> bool:
    """Whether the row is of a URL validation, which tells nothing."""
    return row.get("event") == URL_VALIDATION


def failed_delivery(row: Json, secrets: Sequence[bytes], now: datetime) -> Failed | None:
    """The delivery of a row, as it was sent; None where its body is no event.

    It counts as received when Zoom sent it: what names no time of its own happened then. `verified_by` is
    told where one of `secrets` made the signature that stands among the headers.
    """
    text = row.get("request_body")
    try:
        body = text.encode() if isinstance(text, str) else b""
        head = head_of(body)
    except ValueError:
        return None
    headers = _headers(row.get("request_headers"))
    own, sent = headers.get(_REQUEST_ID), row.get("request_id")
    ids = [value for value in (own, sent) if isinstance(value, str) and value]
    delivery = delivery_of(
        body,
        head,
        received_at=_sent_at(row.get("date_time"), now),
        request_id=ids[0] if ids else None,
        verified_by=_verified_by(headers, secrets, body),
    )
    return Failed(delivery, frozenset(ids))


def _sent_at(told: Any, now: datetime) -> datetime:
    ms = instant(told)
    if ms is None or ms > now.timestamp() * 1000:
        return now
    return datetime.fromtimestamp(ms / 1000, UTC)


def _headers(told: Any) -> Mapping[str, str]:
    """The headers by lower-cased name, from a text that is documented no further: JSON, or lines."""
    if not isinstance(told, str):
        return {}
    try:
        decoded = json.loads(told)
    except ValueError:
        lines = (line.partition(":") for line in told.splitlines())
        return {name.strip().lower(): value.strip() for name, _, value in lines}
    if isinstance(decoded, list):
        decoded = _named(decoded)
    if not isinstance(decoded, dict):
        return {}
    return {name.lower(): value for name, value in decoded.items() if isinstance(value, str)}


def _named(entries: list[Any]) -> dict[str, Any]:
    return {
        str(entry["name"]): entry.get("value")
        for entry in entries
        if isinstance(entry, dict) and "name" in entry
    }


def _verified_by(headers: Mapping[str, str], secrets: Sequence[bytes], body: bytes) -> str | None:
    timestamp, signature = headers.get(_TIMESTAMP), headers.get(_SIGNATURE)
    if headers_refused(timestamp, signature) or timestamp is None or signature is None:
        return None
    secret = signer(secrets, timestamp, signature, body)
    return None if secret is None else fingerprint(secret)


def absent(failed: Sequence[Failed], held: Sequence[Any]) -> list[Delivery]:
    """Those that the log does not hold, each once.

    `held`: (event_ts, request_id, digest, body) of what it holds of the same times. The same delivery is told
    by its bytes, by its request id, or by what it says: it is not known whether Zoom logs the bytes it sent.
    """
    digests = {row["digest"] for row in held}
    ids = {(row["event_ts"], row["request_id"]) for row in held}
    said = [(row["event_ts"], _said(row["body"])) for row in held]
    found = []
    for delivery, request_ids in failed:
        told = (delivery.event_ts, _said(delivery.body))
        named = {(delivery.event_ts, one) for one in request_ids}
        if delivery.digest not in digests and not named & ids and told not in said:
            found.append(delivery)
        digests.add(delivery.digest)
        ids |= named
        said.append(told)
    return found


def _said(body: bytes | None) -> Any:
    """What a body says, whatever its spelling; an erased one says nothing that another could repeat."""
    try:
        return object() if body is None else decode_json(body)
    except ValueError:
        return body
