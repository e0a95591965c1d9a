"""Limits on a sender: slow bodies, too many connections, endless headers, invalid HTTP."""

import asyncio
import json
import time

import pytest

from tests.ingress_rig import Sender, event_body, serving, signed


async def raw(port: int, *pieces: bytes, pause: float = 0) -> tuple[bytes, float]:
    """Send pieces over a new connection; returns what was received, and the seconds it took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.monotonic()
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return head + await reader.readexactly(length), time.monotonic() - started
    finally:
        writer.close()


def request_head(body: bytes, **headers: str) -> bytes:
    lines = [f"{name}: {value}" for name, value in (signed(body) | headers).items()]
    text = "\r\n".join(["POST /webhooks/zoom HTTP/1.1", "Host: x", *lines])
    return text.encode() + b"\r\n"


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_a_slow_body_is_answered_before_zoom_gives_up(database_url: str) -> None:
    body = event_body()
    async with serving(database_url) as zoom:
        head = request_head(body) + b"Content-Length: %d\r\n\r\n" % len(body)
        answer, seconds = await raw(zoom.port, head + body[:10])
        assert status_of(answer) == 503
        assert b"Retry-After" in answer
        assert b"Connection: close" in answer
        assert seconds < 2.5


async def test_a_body_that_trickles_in_is_bounded_as_a_whole(database_url: str) -> None:
    body = event_body()
    async with serving(database_url) as zoom:
        reader, writer = await asyncio.open_connection("127.0.0.1", zoom.port)
        writer.write(request_head(body) + b"Content-Length: %d\r\n\r\n" % len(body))

        async def trickle() -> None:
            for byte in body:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        trickling = asyncio.create_task(trickle())
        started = time.monotonic()
        assert status_of(await reader.readuntil(b"\r\n\r\n")) == 503
        assert time.monotonic() - started < 2.5
        trickling.cancel()
        writer.close()


async def test_connections_over_the_limit_are_turned_away(database_url: str) -> None:
    async with serving(database_url, max_connections=3) as zoom:
        assert (await zoom.post(event_body())).status == 200  # holds one connection open
        held = [await asyncio.open_connection("127.0.0.1", zoom.port) for _ in range(2)]
        await asyncio.sleep(0.05)
        answer, seconds = await raw(zoom.port)
        assert status_of(answer) == 503
        assert b"Retry-After" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 503
        assert seconds < 0.5
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.05)
        body = event_body()
        head = request_head(body) + b"Content-Length: %d\r\n\r\n" % len(body)
        answer, _ = await raw(zoom.port, head + body)
        assert status_of(answer) == 200
        assert await zoom.metric("projector_connections_refused_total") == 1


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"needle needle needle\r\n\r\n",
        b"POST /webhooks/zoom HTTP/9.needle\r\n\r\n",
        b"POST /webhooks/zoom HTTP/1.1\r\nHost: x\r\nneedle needle\r\n\r\n",
        b"POST /webhooks/zoom HTTP/1.1\r\nHost: x\r\nContent-Length: needle\r\n\r\n",
        b"POST /webhooks/zoom HTTP/1.1\r\nHost: x\r\nA: " + b"needle" * 2000 + b"\r\n\r\n",
        b"POST /" + b"needle" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n" + b"A: needle\r\n" * 5000 + b"\r\n",
        b"POST /webhooks/zoom HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nneedle\r\n",
        b"\x16\x03\x01\x02\x00\x01needle\r\n\r\n",
    ],
)
async def test_bad_http_is_a_problem_that_repeats_nothing(
    database_url: str, request_bytes: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving(database_url) as zoom:
        answer, _ = await raw(zoom.port, request_bytes)
        assert status_of(answer) == 400
        assert b"application/problem+json" in answer
        assert b"needle" not in answer
        assert (await zoom.post(event_body())).status == 200
    written = capfd.readouterr()
    assert "needle" not in written.out + written.err


async def test_a_sender_that_waits_for_100_continue_is_asked_on(database_url: str) -> None:
    body = event_body()
    async with serving(database_url) as zoom:
        head = request_head(body, Expect="100-continue")
        head += b"Content-Length: %d\r\n\r\n" % len(body)
        reader, writer = await asyncio.open_connection("127.0.0.1", zoom.port)
        writer.write(head)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert status_of(await reader.readuntil(b"\r\n\r\n")) == 200
        writer.close()


async def test_a_sender_that_hangs_up_leaves_the_replica_well(database_url: str) -> None:
    async with serving(database_url) as zoom:
        for cut in (0, 10, 50):
            body = event_body()
            head = request_head(body) + b"Content-Length: %d\r\n\r\n" % len(body)
            _, writer = await asyncio.open_connection("127.0.0.1", zoom.port)
            writer.write(head + body[:cut])
            await writer.drain()
            writer.close()
        assert (await zoom.post(event_body())).status == 200


async def test_forwarded_headers_are_believed_from_trusted_proxies_alone(
    database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def logged_client(trusted: str, forwarded: str) -> bool:
        body = event_body()
        async with serving(database_url, trusted_proxies=trusted) as zoom:
            headers = signed(body) | {"X-Forwarded-For": forwarded}
            assert (await zoom.post(body, headers)).status == 200
        written = capfd.readouterr()
        return "203.0.113.9" in written.out + written.err

    assert await logged_client("127.0.0.0/8", "198.51.100.1, 203.0.113.9")
    assert await logged_client("127.0.0.1,10.0.0.0/8", "203.0.113.9, 10.1.2.3")
    assert not await logged_client("127.0.0.1", "203.0.113.9, 198.51.100.1")
    assert not await logged_client("", "203.0.113.9")
    assert not await logged_client("127.0.0.1", "203.0.113.9, nonsense")


async def test_memory_for_partial_bodies_is_bounded(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projector.ingress.limits.PARTIAL_BYTES", 100_000)

    async def piecemeal(zoom: Sender) -> int:
        body = event_body(extra="x" * 60_000)
        head = request_head(body) + b"Content-Length: %d\r\n\r\n" % len(body)
        answer, _ = await raw(zoom.port, head, body[:50_000], body[50_000:], pause=0.2)
        return status_of(answer)

    async with serving(database_url) as zoom:
        statuses = await asyncio.gather(*(piecemeal(zoom) for _ in range(4)))
        assert 503 in statuses
        assert await piecemeal(zoom) == 200
