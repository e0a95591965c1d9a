"""The fast path of deliveries that arrive whole: what it takes, its order of answers, how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from projector.ingress.server import serve
from projector.ingress.webhooks import Webhooks
from tests.ingress_rig import event_body, serving, settings_for_tests, signed

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def delivery(body: bytes, path: str = "/webhooks/zoom", **headers: str) -> bytes:
    lines = "".join(f"{name}: {text}\r\n" for name, text in signed(body, **headers).items())
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """Status, head and body of the next answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]), head, await reader.readexactly(length)


@asynccontextmanager
async def append_lock(database_url: str) -> AsyncIterator[None]:
    """Hold the append lock: nothing is appended while the block runs."""
    holder = await asyncpg.connect(database_url)
    try:
        async with holder.transaction():
            await holder.execute("SELECT log.take_append_lock()")
            yield
    finally:
        await holder.close()


@pytest.mark.parametrize("path", ["/webhooks/zoom", "/webhooks/zoom/user.presence_status_updated"])
async def test_a_whole_delivery_needs_no_task_of_aiohttp(
    database_url: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async def refuse(*_arguments: Any) -> None:
        raise AssertionError("the long way was taken")

    async with serving(database_url) as zoom:
        await zoom.until_ready()
        monkeypatch.setattr(Webhooks, "_append", refuse)
        reader, writer = await asyncio.open_connection("127.0.0.1", zoom.port)
        for _ in range(3):
            body = event_body()
            writer.write(delivery(body, path))
            status, _, echo = await answer(reader)
            assert (status, echo) == (200, body)
        writer.close()


async def test_pipelined_requests_are_answered_in_their_order(database_url: str) -> None:
    bodies = [event_body(number=number) for number in range(4)]
    first, second, third, fourth = map(delivery, bodies)
    async with serving(database_url) as zoom:
        await zoom.until_ready()
        reader, writer = await asyncio.open_connection("127.0.0.1", zoom.port)
        async with append_lock(database_url):
            writer.write(first)
            await asyncio.sleep(0.05)
            writer.write(GET)  # would be answered at once, but for the delivery before it
            await asyncio.sleep(0.05)
            writer.write(second + GET + third[:-10])
            await asyncio.sleep(0.05)
        writer.write(third[-10:])
        got = [await answer(reader) for _ in range(5)]
        writer.write(fourth)
        got.append(await answer(reader))
        writer.close()
    assert [status for status, _, _ in got] == [200] * 6
    livez = b"alive\n"
    assert [body for _, _, body in got] == [
        bodies[0], livez, bodies[1], livez, bodies[2], bodies[3],
    ]  # fmt: skip


async def test_whatever_is_not_a_signed_event_goes_the_long_way(database_url: str) -> None:
    async with serving(database_url) as zoom:
        await zoom.until_ready()
        reader, writer = await asyncio.open_connection("127.0.0.1", zoom.port)
        body = event_body()
        unsigned = delivery(body, x_zm_signature="v0=" + "0" * 64)
        path = "/webhooks/zoom/user.deleted"
        for request, expected in (
            (unsigned, 401),
            (delivery(b"[]"), 400),
            (delivery(body, Content_Type="text/plain"), 415),
            (delivery(body, path), 422),
            (delivery(body), 200),
        ):
            writer.write(request)
            assert (await answer(reader))[0] == expected
        writer.close()


async def test_past_its_deadline_a_whole_delivery_is_503_and_its_connection_stays(
    database_url: str,
) -> None:
    body = event_body()
    async with serving(database_url) as zoom:
        await zoom.until_ready()
        reader, writer = await asyncio.open_connection("127.0.0.1", zoom.port)
        async with append_lock(database_url):
            writer.write(delivery(body))
            status, head, problem = await answer(reader)
        assert status == 503
        assert b"Retry-After: 5\r\n" in head
        assert b"Content-Type: application/problem+json\r\n" in head
        assert b"problem:busy" in problem
        assert await zoom.metric(
            'projector_deliveries_total{event="user.presence_status_updated",outcome="busy"}'
        )
        writer.write(delivery(body))
        assert (await answer(reader))[0] == 200
        writer.close()


async def test_a_sender_that_hangs_up_before_its_answer_harms_nobody(database_url: str) -> None:
    async with serving(database_url) as zoom:
        await zoom.until_ready()
        _, writer = await asyncio.open_connection("127.0.0.1", zoom.port)
        gone = event_body()
        async with append_lock(database_url):
            writer.write(delivery(gone))
            await asyncio.sleep(0.05)
            writer.transport.abort()
            other = asyncio.create_task(zoom.post(event_body()))
            await asyncio.sleep(0.05)
        assert (await other).status == 200
        assert (await zoom.post(gone)).headers["X-Event-Duplicate"] == "true"


async def test_a_stop_waits_for_a_whole_delivery_and_then_closes(database_url: str) -> None:
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    settings = settings_for_tests()
    task = asyncio.create_task(serve(settings, database_url, ready=port.set_result, stop=stop))
    reader, writer = await asyncio.open_connection("127.0.0.1", await port)
    body = event_body()
    async with append_lock(database_url):
        writer.write(delivery(body))
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.sleep(0.3)
    status, head, echo = await answer(reader)
    assert (status, echo) == (200, body)
    assert b"Connection: close\r\n" in head
    assert await reader.read() == b""
    writer.close()
    async with asyncio.timeout(1.5):  # the stop ends with the answer, not at its time limit
        await task
