"""Two real replicas behind the real HAProxy, with the compose file's own configuration."""

import asyncio
import hashlib
import hmac
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from projector.database import Database, open_database
from projector.embedded import EmbeddedServer
from projector.schema.migrate import migrate
from tests.folders import new_folder
from tests.ingress_rig import SECRET, event_body, signed
from tests.load_balancer import haproxy, zoom_at
from tests.processes import IngressProcess, ingresses

pytestmark = [pytest.mark.binary("haproxy"), pytest.mark.binary("openssl")]

RATE = 50.0


async def stored(database: Database) -> list[bytes]:
    return [row[0] for row in await database.fetch("SELECT body FROM log.events")]


async def test_restarting_each_replica_in_turn_fails_no_delivery(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with ingresses(database_url, tmp_path) as both, haproxy(tmp_path, *both) as address:
        for replica in both:
            await replica.until_ready()
        async with zoom_at(address) as zoom, zoom.load(RATE):
            await asyncio.sleep(1.5)
            for replica in both:
                replica.signal(signal.SIGTERM)
                assert await replica.ended() == 0
                await asyncio.to_thread(replica.start)  # deliveries go on
                await replica.until_ready()
                await asyncio.sleep(1.5)
        assert zoom.failures == []
        assert len(zoom.acknowledged) > 200
        assert sorted(await stored(database)) == sorted(zoom.acknowledged)
        served = [
            sum(line.get("outcome") == "appended" for line in replica.log_lines())
            for replica in both
        ]
        assert min(served) > 50


async def test_a_killed_replica_loses_nothing_that_was_acknowledged(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with ingresses(database_url, tmp_path) as both, haproxy(tmp_path, *both) as address:
        for replica in both:
            await replica.until_ready()
        async with zoom_at(address, attempts=4) as zoom, zoom.load(RATE):
            await asyncio.sleep(1)
            both[0].signal(signal.SIGKILL)
            await asyncio.sleep(1.5)
        assert zoom.failures == []
        assert sorted(await stored(database)) == sorted(zoom.acknowledged)


@pytest.fixture
def own_server() -> Iterator[EmbeddedServer]:
    """A database server for one test, which may stop it."""
    folder = new_folder("projector-own")
    folder.chmod(0o711)
    server = EmbeddedServer(folder, settings={"fsync": "off"})
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


async def validated(zoom_address: str) -> bool:
    body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"plain"}}'
    expected = hmac.new(SECRET, b"plain", hashlib.sha256).hexdigest()
    async with zoom_at(zoom_address) as zoom:
        status, answer = await zoom.send(body)
    return status == 200 and expected.encode() in answer


async def test_the_url_is_validated_while_the_database_is_down(
    own_server: EmbeddedServer, tmp_path: Path
) -> None:
    url = await asyncio.to_thread(own_server.start)
    database = await open_database(url)
    await migrate(database)
    await database.close()
    with ingresses(url, tmp_path) as both, haproxy(tmp_path, *both) as address:
        for replica in both:
            await replica.until_ready()
        async with zoom_at(address) as zoom:
            assert (await zoom.send(event_body()))[0] == 200
            await asyncio.to_thread(own_server.stop)
            await asyncio.sleep(2.5)  # until HAProxy has found both replicas unready
            assert await validated(address)
            status, answer = await zoom.send(event_body())
            assert status == 503
            assert b"urn:directory-projector:problem:busy" in answer
            await asyncio.to_thread(own_server.start)
            for replica in both:
                await replica.until_ready()
            assert (await zoom.send(event_body()))[0] == 200
            assert await validated(address)


async def test_only_the_webhooks_are_forwarded(database_url: str, tmp_path: Path) -> None:
    paths = [
        "/metrics", "/readyz", "/livez", "/", "/webhooks", "/webhooks/../metrics",
        "/webhooks/%2e%2e/metrics", "/webhooks/zoom/../../metrics", "//metrics",
        "/webhooks/..%2fmetrics",
    ]  # fmt: skip
    with ingresses(database_url, tmp_path) as both, haproxy(tmp_path, *both) as address:
        await both[0].until_ready()
        for path in paths:
            process = await asyncio.create_subprocess_exec(
                "curl", "--silent", "--insecure", "--path-as-is", "--include", address + path,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            output, _ = await process.communicate()
            assert b" 404 " in output.splitlines()[0], (path, output)
            assert b"projector_" not in output


async def test_the_client_is_known_behind_the_proxy(database_url: str, tmp_path: Path) -> None:
    trusting = {"trusted_proxies": "127.0.0.0/8"}
    one = IngressProcess(database_url, tmp_path / "one.log", **trusting)
    two = IngressProcess(database_url, tmp_path / "two.log", **trusting)
    try:
        with haproxy(tmp_path, one, two) as address:
            await one.until_ready()
            await two.until_ready()
            async with zoom_at(address) as zoom:
                body = event_body()
                spoofed = signed(body) | {"X-Forwarded-For": "203.0.113.7"}
                url = f"{address}/webhooks/zoom"
                async with zoom.session.post(url, data=body, headers=spoofed) as response:
                    assert response.status == 200
        lines = [line for replica in (one, two) for line in replica.log_lines()]
        assert [line["client"] for line in lines if "client" in line] == ["127.0.0.1"]
    finally:
        one.close()
        two.close()
