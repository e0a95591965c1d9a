"""Rows of Zoom's delivery log as deliveries."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from projector.observations.delivery_log import absent, failed_delivery
from projector.zoom.delivery import Delivery
from projector.zoom.events import digest_of
from projector.zoom.signature import fingerprint, sign

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
BODY = '{"event":"user.updated","event_ts":7,"payload":{"account_id":"A","object":{"id":"ü"}}}'
SECRET = b"the secret"


def row(body: str = BODY, **more: Any) -> dict[str, Any]:
    return {
        "event": "user.updated",
        "request_body": body,
        "date_time": "2026-05-04T08:00:00Z",
        **more,
    }


def delivery_in(given: dict[str, Any]) -> Delivery:
    found = failed_delivery(given, (SECRET,), NOW)
    assert found is not None
    return found.delivery


def test_the_bytes_are_those_of_the_text() -> None:
    delivery = delivery_in(row())
    assert delivery.body == BODY.encode()
    assert (delivery.event, delivery.event_ts, delivery.account_id) == ("user.updated", 7, "A")
    assert delivery.received_at == datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
    assert delivery.verified_by is None


@pytest.mark.parametrize("when", [None, "yesterday", "2026-05-05T00:00:00Z", 5e300])
def test_a_time_that_is_none_or_to_come_is_now(when: Any) -> None:
    assert delivery_in(row(date_time=when)).received_at == NOW


def as_lines(headers: dict[str, str]) -> str:
    return "\r\n".join(f"{name}: {value}" for name, value in headers.items())


def as_list(headers: dict[str, str]) -> str:
    return json.dumps([{"name": name, "value": value} for name, value in headers.items()])


@pytest.mark.parametrize("written", [json.dumps, as_lines, as_list])
def test_the_stored_signature_tells_the_secret(written: Any) -> None:
    headers = {
        "X-Zm-Signature": sign(SECRET, 5, BODY.encode()),
        "X-Zm-Request-Timestamp": "5",
        "X-Zm-Request-Id": "r1",
    }
    delivery = delivery_in(row(request_headers=written(headers)))
    assert delivery.verified_by == fingerprint(SECRET)
    assert delivery.request_id == "r1"
    assert delivery_in(row(BODY + " ", request_headers=written(headers))).verified_by is None


@pytest.mark.parametrize(
    "headers", [None, 5, "", "[]", "[1]", "{}", '"x"', '{"x-zm-signature": 5}', "nonsense"]
)
def test_odd_headers_verify_nothing(headers: Any) -> None:
    assert delivery_in(row(request_headers=headers)).verified_by is None


@pytest.mark.parametrize("body", [None, 5, "", "[]", '{"event": 1}', "{", "\ud800"])
def test_what_is_no_event_is_no_delivery(body: Any) -> None:
    assert failed_delivery({"request_body": body}, (), NOW) is None


def held(body: str, request_id: str | None = None) -> dict[str, Any]:
    raw = body.encode()
    return {"event_ts": 7, "request_id": request_id, "digest": digest_of(raw), "body": raw}


def test_each_is_appended_once() -> None:
    rows = [row(request_id="r1"), row(request_id="r1", retry_num=1), row(BODY + " "), row()]
    failed = [found for one in rows if (found := failed_delivery(one, (), NOW)) is not None]
    assert len(absent(failed, [])) == 1
    assert absent(failed, [held(BODY)]) == []
    assert absent(failed, [held(json.dumps(json.loads(BODY)))]) == []
    assert absent(failed[:2], [held(BODY.replace("ü", "other"), "r1")]) == []
    assert len(absent(failed[:2], [held(BODY.replace("ü", "other"), "r2")])) == 1
