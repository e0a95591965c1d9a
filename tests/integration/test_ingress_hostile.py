"""Hostile requests to the whole endpoint: no 500, no unhandled exception, and it keeps serving."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projector.database import Database
from projector.zoom.catalogue import EVENTS
from tests.ingress_rig import SECRET, Sender, event_body, serving, signed

ANSWERS = {200, 400, 401, 404, 405, 413, 415, 422, 503}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
events = st.sampled_from([*EVENTS, "endpoint.url_validation", "group.members_deleted"]) | st.text(
    st.characters(codec=None), max_size=20
)
deliveries = st.fixed_dictionaries(
    {"event": events},
    optional={
        "event_ts": json_values,
        "payload": json_values
        | st.fixed_dictionaries(
            {},
            optional={"account_id": json_values, "object": json_values, "plainToken": json_values},
        ),
    },
).map(lambda value: json.dumps(value).encode())
bodies = deliveries | json_values.map(lambda value: json.dumps(value).encode()) | st.binary()

tokens = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20)
values = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
odd_headers = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Expect",
         "Connection", "Host", "Upgrade", "x-zm-signature", "x-zm-request-timestamp",
         "x-zm-request-id", "X-Forwarded-For", "Cookie"]
    )
    | tokens,
    values | st.sampled_from(["0", "-1", "chunked", "gzip", "9" * 12, "close", "100-continue"]),
    max_size=4,
)  # fmt: skip
paths = st.sampled_from(
    ["/webhooks/zoom", "/webhooks/zoom/user.created", "/webhooks/zoom/%00", "/webhooks/zoom//",
     "/readyz", "/metrics", "*", "http://elsewhere/webhooks/zoom", "/webhooks/zoom?a=b#c"]
) | tokens.map(lambda token: f"/webhooks/zoom/{token}")  # fmt: skip
methods = st.sampled_from(
    ["POST"] * 8 + ["GET", "HEAD", "PUT", "OPTIONS", "CONNECT", "TRACE", "P!"]
)


@pytest.fixture
async def zoom(database_url: str) -> AsyncIterator[Sender]:
    async with serving(database_url, max_body_bytes=4096, quarantine_per_second=1000) as sender:
        yield sender


async def exchange(port: int, request: bytes) -> bytes:
    """Send a request and close the sending side; returns everything received."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def request_of(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


async def assert_well(zoom: Sender, answer: bytes) -> None:
    statuses = [int(part[9:12]) for part in answer.split(b"\r\n") if part.startswith(b"HTTP/1.1 ")]
    assert set(statuses) - {100} <= ANSWERS, statuses
    metrics = (await zoom.get("/metrics")).body
    assert b'outcome="unexpected"' not in metrics


relaxed = settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@relaxed
@given(method=methods, path=paths, odd=odd_headers, body=bodies, sign=st.booleans())
async def test_hostile_requests(
    zoom: Sender, method: str, path: str, odd: dict[str, str], body: bytes, *, sign: bool
) -> None:
    headers = {"Host": "x", "Content-Length": str(len(body)), "Connection": "close"}
    if sign:
        headers |= signed(body)
    await assert_well(
        zoom, await exchange(zoom.port, request_of(method, path, headers | odd, body))
    )


@relaxed
@given(noise=st.binary(min_size=1, max_size=300))
async def test_noise(zoom: Sender, noise: bytes) -> None:
    await assert_well(zoom, await exchange(zoom.port, noise))


@relaxed
@given(body=deliveries)
async def test_every_signed_event_is_kept_or_refused_as_a_validation(
    zoom: Sender, database: Database, body: bytes
) -> None:
    answer = await zoom.post(body)
    if json.loads(body)["event"] == "endpoint.url_validation":
        assert answer.status in {200, 400}
        return
    assert (answer.status, answer.body) == (200, body)
    position = int(answer.headers["X-Event-Position"])
    stored = await database.fetchval("SELECT body FROM log.events WHERE position = $1", position)
    assert stored == body


async def test_memory_stays_bounded_while_nothing_can_be_appended(
    database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projector.ingress.group_commit.QUEUE_BYTES", 3 * 1024 * 1024)
    async with serving(database_url) as zoom, database.transaction() as holder:
        await holder.execute("SELECT log.take_append_lock()")
        large = [event_body(extra="x" * 1_000_000) for _ in range(20)]
        answers = await asyncio.gather(*(zoom.post(body, signed(body, SECRET)) for body in large))
        assert {answer.status for answer in answers} == {503}
        assert sum(answer.seconds < 1.2 for answer in answers) >= 10
