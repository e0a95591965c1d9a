"""Every row of the contract's table of answers, over HTTP against a real database."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from pydantic import SecretStr

from projector.database import Database
from projector.errors import ConfigurationError, ProjectorError
from projector.ingress.server import serve
from projector.log import quarantine
from projector.zoom.signature import fingerprint
from tests.ingress_rig import (
    NOWHERE,
    OTHER_SECRET,
    SECRET,
    Answer,
    Sender,
    event_body,
    serving,
    settings_for_tests,
    signed,
)

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def zoom(database_url: str) -> AsyncIterator[Sender]:
    async with serving(database_url) as sender:
        yield sender


async def logged(database: Database) -> list[bytes]:
    rows = await database.fetch("SELECT body FROM log.events ORDER BY position")
    return [row[0] for row in rows]


async def suspects(database: Database, *, expected: int) -> list[quarantine.Listed]:
    """The quarantine's rows, once there are `expected` of them."""
    for _ in range(100):
        rows = await quarantine.list_rows(database)
        if len(rows) >= expected:
            return rows
        await asyncio.sleep(0.02)
    raise AssertionError(f"{len(rows)} rows in the quarantine, not {expected}")


def is_problem(answer: Answer, status: int) -> bool:
    told = answer.json()
    return (
        answer.status == told["status"] == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and (status != 503 or int(answer.headers["Retry-After"]) > 0)
    )


async def test_an_appended_delivery_is_echoed_with_its_position(
    zoom: Sender, database: Database
) -> None:
    body = event_body() + b"  \n"
    headers = signed(body, x_zm_request_id="a1_b2")
    answer = await zoom.post(body, headers)
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers["Content-Type"] == "application/json"
    assert "X-Event-Duplicate" not in answer.headers
    rows = await database.fetch("SELECT * FROM log.events")
    assert len(rows) == 1
    row = rows[0]
    assert row["position"] == int(answer.headers["X-Event-Position"])
    assert row["body"] == body
    assert row["digest"] == hashlib.sha256(body).digest()
    assert row["event"] == "user.presence_status_updated"
    assert row["account_id"] == "AccountOfTests"
    assert row["request_id"] == "a1_b2"
    assert row["source"] == "webhook"
    assert row["verified_by"] == fingerprint(SECRET)


async def test_the_same_bytes_again_are_a_duplicate(zoom: Sender, database: Database) -> None:
    body = event_body()
    first, second = await zoom.post(body), await zoom.post(body)
    assert (second.status, second.body) == (200, body)
    assert second.headers["X-Event-Duplicate"] == "true"
    assert second.headers["X-Event-Position"] == first.headers["X-Event-Position"]
    assert await logged(database) == [body]
    assert await zoom.metric("projector_duplicates_total") == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":"meeting.started"}',
        b'{"event":""}',
        b'{"event":"user.created","payload":[]}',
        b'{"event":"user.created","payload":{"object":7},"event_ts":-1}',
        b'{"event":"user.created","event_ts":123456789012345678901234567890}',
        b'{"event":"user.created","event_ts":1e400,"payload":{"account_id":NaN}}',
        b'{"event":"user.created","payload":{"account_id":"a\\u0000\\ud800"}}',
        b'{"event":"user\\u0000\\udfff.created"}',
        '{"event":"user.crëated"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"event":"user.created"}',
        b'{"event":"user.created","payload":{"account_id":' + b"9" * 400 + b"}}",
        b'{"event":"' + b"n" * 100_000 + b'"}',
    ],
)
async def test_odd_events_are_appended_all_the_same(
    zoom: Sender, database: Database, body: bytes
) -> None:
    answer = await zoom.post(body)
    assert (answer.status, answer.body) == (200, body)
    assert await logged(database) == [body]


async def test_odd_rows_do_not_fail_their_neighbours(zoom: Sender, database: Database) -> None:
    odd = [
        event_body("user.\x00created"),
        event_body("user.\ud800created"),
        event_body(event_ts=2**200),
        event_body(payload={"account_id": "\x00"}),
    ]
    bodies = [body for each in odd for body in (event_body(), each)]
    headers = {"x_zm_request_id": "caf\udce9"}
    answers = await asyncio.gather(*(zoom.post(body, signed(body, **headers)) for body in bodies))
    assert [answer.status for answer in answers] == [200] * len(bodies)
    assert sorted(await logged(database)) == sorted(bodies)


@pytest.mark.parametrize("path", ["/webhooks/zoom", "/webhooks/zoom/user.created"])
@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
async def test_url_validation_needs_no_database(path: str, secret: bytes) -> None:
    body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"q\\u00e9"}}'
    both = SecretStr(f"{SECRET.decode()},{OTHER_SECRET.decode()}")
    async with serving(NOWHERE, zoom_secret_tokens=both) as zoom:
        answer = await zoom.post(body, signed(body, secret), path)
        assert answer.status == 200
        expected = hmac.new(secret, "qé".encode(), hashlib.sha256).hexdigest()
        assert answer.json() == {"plainToken": "qé", "encryptedToken": expected}
        answered = await zoom.metric("projector_last_validation_timestamp_seconds")
        assert time.time() - 5 < answered <= time.time()
        assert (await zoom.get("/livez")).status == 200
        assert is_problem(await zoom.get("/readyz"), 503)


@pytest.mark.parametrize("payload", [{}, {"plainToken": 7}, {"plainToken": "\ud800"}, [], None])
async def test_a_validation_without_a_token_is_refused(payload: object) -> None:
    body = json.dumps({"event": "endpoint.url_validation", "payload": payload}).encode()
    async with serving(NOWHERE) as zoom:
        assert is_problem(await zoom.post(body), 400)
        assert await zoom.metric("projector_validations_failed_total") == 1


async def test_a_validation_with_a_wrong_signature_is_counted_and_not_kept(
    zoom: Sender, database: Database
) -> None:
    body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"q"}}'
    assert is_problem(await zoom.post(body, signed(body, OTHER_SECRET)), 401)
    assert await zoom.metric("projector_validations_failed_total") == 1
    marker = event_body()
    await zoom.post(marker, signed(marker, OTHER_SECRET))
    assert len(await suspects(database, expected=1)) == 1


@pytest.mark.parametrize(
    ("secret", "age", "reason"),
    [(OTHER_SECRET, 0, "wrong"), (SECRET, 400, "stale"), (SECRET, -400, "stale")],
)
async def test_a_refused_signature_is_quarantined(
    zoom: Sender, database: Database, secret: bytes, age: int, reason: str
) -> None:
    body = event_body("user.created")
    assert is_problem(await zoom.post(body, signed(body, secret, age=age)), 401)
    [row] = await suspects(database, expected=1)
    assert (row.reason, row.event, row.size) == (reason, "user.created", len(body))
    assert row.signed is (reason == "stale")
    assert await logged(database) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"x-zm-signature": ""},
        {"x-zm-request-timestamp": "yesterday"},
        {"x-zm-signature": "v0=" + "A" * 64},
        {"x-zm-signature": "v1=" + "0" * 64},
    ],
)
async def test_malformed_headers_are_refused_and_not_kept(
    zoom: Sender, database: Database, changed: dict[str, str]
) -> None:
    body = event_body()
    assert is_problem(await zoom.post(body, signed(body) | changed), 401)
    marker = event_body()
    await zoom.post(marker, signed(marker, OTHER_SECRET))
    assert [row.size for row in await suspects(database, expected=1)] == [len(marker)]


async def test_a_401_does_not_wait_for_the_database() -> None:
    body = event_body()
    async with serving(NOWHERE) as zoom:
        answer = await zoom.post(body, signed(body, OTHER_SECRET))
        assert is_problem(answer, 401)
        assert answer.seconds < 0.5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[1]",
        b'"event"',
        b"{}",
        b'{"event":7}',
        b'{"event":null}',
        b'{"event":"user.created"',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
async def test_what_is_no_event_is_400_and_kept_if_signed(
    zoom: Sender, database: Database, body: bytes
) -> None:
    assert is_problem(await zoom.post(body), 400)
    [row] = await quarantine.list_rows(database)
    assert (row.reason, row.signed, row.size) == ("not-an-event", True, len(body))


async def test_the_path_must_name_the_event(zoom: Sender, database: Database) -> None:
    body = event_body("user.updated")
    assert (await zoom.post(body, path="/webhooks/zoom/user.updated")).status == 200
    other = event_body("user.updated")
    assert is_problem(await zoom.post(other, path="/webhooks/zoom/user.created"), 422)
    [row] = await quarantine.list_rows(database)
    assert (row.reason, row.event) == ("other-event", "user.updated")
    assert await logged(database) == [body]


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("group.member_deleted", "group.members_deleted"),
        ("group.members_deleted", "group.member_deleted"),
        ("group.members_deleted", "group.members_deleted"),
        ("some.new_event", "some.new_event"),
    ],
)
async def test_path_and_body_agree_after_aliases(zoom: Sender, path: str, event: str) -> None:
    assert (await zoom.post(event_body(event), path=f"/webhooks/zoom/{path}")).status == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": FORM},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "identity, br"},
    ],
)
async def test_what_is_not_plain_json_is_415_and_kept_if_signed(
    zoom: Sender, database: Database, changed: dict[str, str]
) -> None:
    body = event_body()
    assert is_problem(await zoom.post(body, signed(body) | changed), 415)
    [row] = await quarantine.list_rows(database)
    assert row.reason == "media-type"


@pytest.mark.parametrize(
    "media", ["application/json", "APPLICATION/JSON ; a=b", "application/a+json"]
)
async def test_json_by_any_name_is_taken(zoom: Sender, media: str) -> None:
    body = event_body()
    assert (await zoom.post(body, signed(body) | {"Content-Type": media})).status == 200


async def test_a_body_over_the_limit_is_413(database_url: str) -> None:
    async with serving(database_url, max_body_bytes=2048) as zoom:
        fits = event_body(extra="x" * (2048 - len(event_body(extra=""))))
        assert (len(fits), (await zoom.post(fits)).status) == (2048, 200)
        over = fits + b" "
        assert is_problem(await zoom.post(over), 413)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(over), 500):
                yield over[start : start + 500]
                await asyncio.sleep(0)

        options = {"data": pieces(), "headers": signed(over)}
        assert is_problem(await zoom.request("POST", "/webhooks/zoom", **options), 413)


async def test_a_chunked_body_is_taken(zoom: Sender, database: Database) -> None:
    body = event_body()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]
            await asyncio.sleep(0.001)

    options = {"data": pieces(), "headers": signed(body)}
    assert (await zoom.request("POST", "/webhooks/zoom", **options)).status == 200
    assert await logged(database) == [body]


async def test_without_a_database_a_delivery_is_503_at_once() -> None:
    async with serving(NOWHERE) as zoom:
        answer = await zoom.post(event_body())
        assert is_problem(answer, 503)
        assert answer.seconds < 1


async def test_without_a_database_no_signed_delivery_is_lost_to_a_4xx() -> None:
    async with serving(NOWHERE) as zoom:
        assert is_problem(await zoom.post(b"[]"), 503)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webhooks/zoom", 405),
        ("PUT", "/webhooks/zoom/user.created", 405),
        ("POST", "/readyz", 405),
        ("GET", "/", 404),
        ("POST", "/webhooks", 404),
        ("POST", "/webhooks/zoom/a/b", 404),
    ],
)
async def test_other_routes(zoom: Sender, method: str, path: str, status: int) -> None:
    answer = await zoom.request(method, path)
    assert is_problem(answer, status)
    assert ("Allow" in answer.headers) is (status == 405)


async def test_answers_never_repeat_the_input(zoom: Sender) -> None:
    body = b'{"event":7,"needle":"needle"}'
    answers = [
        await zoom.post(body, path="/webhooks/zoom/needle"),
        await zoom.post(body, signed(body, OTHER_SECRET, needle="needle")),
        await zoom.post(body, path="/needle"),
        await zoom.post(body, signed(body, expect="needle")),
    ]
    assert [answer.status for answer in answers] == [400, 401, 404, 400]
    for answer in answers:
        assert b"needle" not in answer.body
        assert "needle" not in str(dict(answer.headers))


async def test_readiness_tells_why_not(database_url: str, database: Database) -> None:
    async with serving(database_url) as zoom:
        await zoom.until_ready()
        await database.fetch("ALTER TABLE projector.migrations RENAME TO gone")
        for _ in range(100):
            answer = await zoom.get("/readyz")
            if answer.status == 503:
                break
            await asyncio.sleep(0.05)
        assert is_problem(answer, 503)
        assert "projector migrate" in answer.json()["detail"]
        assert (await zoom.get("/livez")).status == 200


async def test_unknown_names_cannot_explode_the_labels(zoom: Sender) -> None:
    for number in range(20):
        await zoom.post(event_body(f"made.up_{number}"))
    assert await zoom.metric('projector_deliveries_total{event="other",outcome="appended"}') == 20
    assert b"made.up" not in (await zoom.get("/metrics")).body


async def test_unsigned_deliveries_where_they_are_allowed(database_url: str) -> None:
    options = {"allow_unsigned": True, "zoom_secret_tokens": None}
    async with serving(database_url, **options) as zoom:
        plain = {"Content-Type": "application/json"}
        body = event_body()
        assert (await zoom.post(body, plain)).status == 200
        assert (await zoom.post(event_body())).status == 200
        validation = b'{"event":"endpoint.url_validation","payload":{"plainToken":"q"}}'
        assert is_problem(await zoom.post(validation, plain), 503)


async def test_a_wrong_signature_is_refused_where_unsigned_ones_are_allowed(
    database_url: str,
) -> None:
    async with serving(database_url, allow_unsigned=True) as zoom:
        body = event_body()
        assert is_problem(await zoom.post(body, signed(body, OTHER_SECRET)), 401)
        assert (await zoom.post(body, {"Content-Type": "application/json"})).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"zoom_secret_tokens": None},
        {"allow_unsigned": True, "host": "0.0.0.0"},  # noqa: S104
        {"allow_unsigned": True, "host": "example.org"},
        {"trusted_proxies": "everybody"},
    ],
)
async def test_what_would_let_strangers_in_does_not_start(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="PROJECTOR_"):
        await serve(settings_for_tests(**changes), NOWHERE, stop=asyncio.Event())


async def test_a_port_in_use_is_told_in_one_sentence(zoom: Sender) -> None:
    with pytest.raises(ProjectorError, match=f"port {zoom.port} .* in use"):
        await serve(settings_for_tests(port=zoom.port), NOWHERE, stop=asyncio.Event())


@pytest.mark.parametrize(
    ("version", "wish", "stays"),
    [
        ("HTTP/1.1", "", True),
        ("HTTP/1.1", "Connection: keep-alive\r\n", True),
        ("HTTP/1.1", "Connection: close\r\n", False),
        ("HTTP/1.0", "", False),
        ("HTTP/1.0", "Connection: keep-alive\r\n", False),
    ],
)
async def test_an_acknowledged_connection_stays_open_as_its_sender_wishes(
    database_url: str, version: str, wish: str, stays: bool
) -> None:
    body = event_body()
    lines = [f"{name}: {text}\r\n" for name, text in signed(body).items()]
    head = f"POST /webhooks/zoom {version}\r\nHost: x\r\n{wish}{''.join(lines)}"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    async with serving(database_url) as zoom:
        reader, writer = await asyncio.open_connection("127.0.0.1", zoom.port)
        for duplicate in (False, True):
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert (b"X-Event-Duplicate: true\r\n" in answer) == duplicate
            assert (b"Connection: close\r\n" in answer) == (not stays)
            sent_at = parsedate_to_datetime(answer.split(b"Date: ")[1].split(b"\r\n")[0].decode())
            assert abs((datetime.now(UTC) - sent_at).total_seconds()) < 30
            assert await reader.readexactly(len(body)) == body
            if not stays:
                assert await reader.read() == b""
                break
        writer.close()
