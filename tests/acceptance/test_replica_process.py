"""One replica as a process, as in production: its event loop, its signals, its log."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from projector.database import Database
from tests.conftest import cloned
from tests.ingress_rig import SECRET, event_body, signed
from tests.load_balancer import zoom_at
from tests.processes import IngressProcess, ingresses


async def stored(database: Database) -> list[bytes]:
    return [row[0] for row in await database.fetch("SELECT body FROM log.events")]


async def head_of_answer(port: int, request: bytes) -> bytes:
    """Send bytes over a new connection; returns the status line and the headers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    return head


async def test_connections_over_the_limit_are_turned_away(
    database_url: str, tmp_path: Path
) -> None:
    replica = IngressProcess(database_url, tmp_path / "log", max_connections="2")
    try:
        await asyncio.sleep(0.1)  # the connection that waited for the port is gone
        held = [await asyncio.open_connection("127.0.0.1", replica.port) for _ in range(2)]
        await asyncio.sleep(0.1)
        head = await head_of_answer(replica.port, b"")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: " in head
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        head = await head_of_answer(replica.port, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
    finally:
        replica.close()


ODD_REQUESTS = [
    (b"needle needle needle\r\n\r\n", b"400"),
    (b"POST /webhooks/zoom HTTP/1.1\r\nHost: x\r\nA: " + b"n" * 9000 + b"\r\n\r\n", b"400"),
    (b"POST /webhooks/zoom HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", b"413"),
    (b"POST /webhooks/zoom HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nslow", b"503"),
    (b"POST /webhooks/zoom HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"401"),
]


@pytest.fixture(scope="module")
def asked(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[IngressProcess]:
    """One replica, which gets all the odd requests."""
    with (
        cloned(server, template) as url,
        IngressProcess(url, tmp_path_factory.mktemp("asked") / "log") as replica,
    ):
        yield replica


@pytest.mark.parametrize(("request_bytes", "status"), ODD_REQUESTS)
async def test_odd_requests_are_answered_within_the_limit(
    asked: IngressProcess, request_bytes: bytes, status: bytes
) -> None:
    head = await head_of_answer(asked.port, request_bytes)
    assert head.split(b" ")[1] == status
    assert not [line for line in asked.log_lines() if line["level"] == "error"]


async def test_a_replica_that_was_asked_odd_things_ends_as_any_other(
    asked: IngressProcess,
) -> None:
    heads = await asyncio.gather(
        *(head_of_answer(asked.port, request_bytes) for request_bytes, _ in ODD_REQUESTS)
    )
    assert [head.split(b" ")[1] for head in heads] == [status for _, status in ODD_REQUESTS]
    asked.signal(signal.SIGINT)
    assert await asked.ended() == 0
    assert not [line for line in asked.log_lines() if line["level"] == "error"]


async def test_a_draining_replica_serves_on_and_says_so(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with ingresses(database_url, tmp_path, count=1) as [replica]:
        await replica.until_ready()
        address = f"http://127.0.0.1:{replica.port}"
        async with zoom_at(address) as zoom:
            assert (await zoom.send(event_body()))[0] == 200
            replica.signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            async with zoom.session.get(f"{address}/readyz") as response:
                assert response.status == 503
            async with zoom.session.get(f"{address}/livez") as response:
                assert response.status == 200
            body = event_body()
            url = f"{address}/webhooks/zoom"
            async with zoom.session.post(url, data=body, headers=signed(body)) as response:
                assert response.status == 200
                assert response.headers["Connection"] == "close"
            assert await replica.ended() == 0
    assert len(await stored(database)) == 2


async def test_what_is_in_flight_is_finished_at_the_end(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with ingresses(database_url, tmp_path, count=1) as [replica]:
        await replica.until_ready()
        async with (
            zoom_at(f"http://127.0.0.1:{replica.port}") as zoom,
            database.transaction() as holder,
        ):
            assert (await zoom.send(event_body()))[0] == 200
            await holder.execute("SELECT log.take_append_lock()")
            in_flight = asyncio.create_task(zoom.send(event_body()))
            await asyncio.sleep(0.2)
            replica.signal(signal.SIGINT)  # no drain period
            await asyncio.sleep(0.5)
            assert not in_flight.done()
            await holder.execute("COMMIT; BEGIN")
            assert (await in_flight)[0] == 200
        assert await replica.ended() == 0


async def test_keep_alive_connections_do_not_hold_up_the_end(
    database_url: str, tmp_path: Path
) -> None:
    with ingresses(database_url, tmp_path, count=1) as [replica]:
        await replica.until_ready()
        _, writer = await asyncio.open_connection("127.0.0.1", replica.port)
        replica.signal(signal.SIGINT)
        assert await replica.ended(4) == 0
        writer.close()


async def test_log_lines_hold_no_payload_secret_or_signature(
    database_url: str, tmp_path: Path
) -> None:
    with ingresses(database_url, tmp_path, count=1) as [replica]:
        await replica.until_ready()
        async with zoom_at(f"http://127.0.0.1:{replica.port}") as zoom:
            body = event_body(payload={"account_id": "AccountOfTests", "object": {"id": "Person"}})
            headers = signed(body)
            url = f"{zoom.address}/webhooks/zoom"
            async with zoom.session.post(url, data=body, headers=headers) as response:
                assert response.status == 200
            assert (await zoom.send(b'{"needle":'))[0] == 400
        replica.signal(signal.SIGINT)
        assert await replica.ended() == 0
        [good, bad] = [line for line in replica.log_lines() if line["event"] == "request"]
        assert good["request_id"] == headers["x-zm-request-id"]
        assert (good["outcome"], good["status"]) == ("appended", 200)
        assert good["delivery"] == "user.presence_status_updated"
        assert (bad["outcome"], bad["status"]) == ("not-an-event", 400)
        written = replica.said
        for hidden in ("AccountOfTests", "Person", "needle", SECRET.decode(), "v0="):
            assert hidden not in written
