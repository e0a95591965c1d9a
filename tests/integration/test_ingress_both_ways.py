"""A delivery gets the same answer, row and log line whether it arrives whole or in pieces."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog

from projector.database import Database
from projector.ingress.fast_path import FastPath
from projector.ingress.protocol import LACKING
from tests.ingress_rig import OTHER_SECRET, SECRET, event_body, serving, signed
from tests.integration.test_ingress_hangs import append_lock_held

VALIDATION = b'{"event":"endpoint.url_validation","payload":{"plainToken":"%b"}}'
OF_ONE_DELIVERY = {"request_id", "seconds", "position"}


@dataclass(frozen=True)
class Case:
    """A request; `body` None: a unique event."""

    name: str
    status: int
    body: bytes | None = None
    path: str = "/webhooks/zoom"
    secret: bytes = SECRET
    age: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    locked: bool = False
    twice: bool = False

    def request(self, number: int) -> tuple[bytes, bytes, bytes]:
        """The first bytes of the request, the rest of its head, and its body."""
        body = event_body() if self.body is None else self.body.replace(b"NUMBER", b"%d" % number)
        fields = signed(body, self.secret, age=self.age) | self.headers
        lines = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
        head = f"POST {self.path} HTTP/1.1\r\nHost: x\r\n{lines}"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        return head[:40].encode(), head[40:].encode(), body


CASES = [
    Case("appended", 200),
    Case("named in the path", 200, path="/webhooks/zoom/user.presence_status_updated"),
    Case("known already", 200, twice=True),
    Case("unknown event", 200, b'{"event":"a.b","number":NUMBER}'),
    Case("breaks its schema", 200, b'{"event":"user.created","payload":[NUMBER]}'),
    Case("URL validation", 200, VALIDATION % b"q"),
    Case("validation without a token", 400, b'{"event":"endpoint.url_validation"}'),
    Case("validation of a stranger", 401, VALIDATION % b"q", secret=OTHER_SECRET),
    Case("wrong signature", 401, secret=OTHER_SECRET),
    Case("stale", 401, age=400),
    Case("malformed signature", 401, headers={"x-zm-signature": "v0=1"}),
    Case("no event", 400, b'{"number":NUMBER}'),
    Case("no JSON", 400, b"no JSON NUMBER"),
    Case("media type", 415, headers={"Content-Type": "text/plain"}),
    Case("encoded", 415, headers={"Content-Encoding": "gzip"}),
    Case("another event in the path", 422, path="/webhooks/zoom/user.deleted"),
    Case("too large", 413, b"x" * 1025, settings={"max_body_bytes": 1024}),
    Case("append lock held", 503, locked=True),
    Case("queue full", 503, settings={"append_queue": 1}, locked=True),
]


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """The log lines of requests."""
    before = structlog.get_config()
    said: list[dict[str, Any]] = []

    def keep(_logger: Any, _level: str, line: Any) -> str:
        if line["event"] == "request":
            said.append(dict(line))
        return ""

    structlog.configure(processors=[keep], logger_factory=structlog.ReturnLoggerFactory())
    yield said
    structlog.configure(**before)


async def send(port: int, pieces: list[bytes]) -> tuple[int, dict[str, str], bytes]:
    """Send pieces one by one; returns the answer's status, headers and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.02)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.02)
    first, *rest = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).split(b"\r\n")
    headers = dict(line.decode().split(": ", 1) for line in rest if line)
    body = await reader.readexactly(int(headers["Content-Length"]))
    writer.close()
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_whole_and_in_pieces(
    database_url: str,
    database: Database,
    lines: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    case: Case,
) -> None:
    judged: list[bytes] = []
    take = FastPath.take

    def counted(self: FastPath, message: Any, body: bytes, *rest: Any) -> bool:
        judged.append(body)
        return take(self, message, body, *rest)

    monkeypatch.setattr(FastPath, "take", counted)
    seen = []
    async with serving(database_url, **case.settings) as zoom:
        await zoom.until_ready()
        for number, whole in enumerate((True, False), start=1):
            first, head, body = case.request(number)
            pieces = [first + head + body] if whole else [first, head, body[:10], body[10:]]
            async with AsyncExitStack() as stack:
                if case.twice:
                    await zoom.post(body)
                if case.locked:
                    await stack.enter_async_context(append_lock_held(database_url))
                lines.clear()
                judged.clear()
                status, headers, echo = await send(zoom.port, pieces)
                assert bool(judged) is (whole and not LACKING)
            await asyncio.sleep(0.05)
            if status == 200 and b"plainToken" not in echo:
                assert int(headers.pop("X-Event-Position")) > 0
                assert echo == body
                echo = b""
            assert headers.pop("Date")
            assert headers.pop("Content-Length")
            [line] = lines
            told = {name: line[name] for name in line.keys() - OF_ONE_DELIVERY}
            assert (line["position"] is None) is (
                "X-Event-Duplicate" not in headers and line["outcome"] != "appended"
            )
            row = await database.fetch(
                """SELECT event, event_ts IS NULL, account_id, request_id IS NULL, source, verified_by,
                          digest = sha256($1)
                   FROM log.events WHERE body = $1""",
                body,
            )
            held = await database.fetch(
                "SELECT reason, event, signed FROM log.quarantine WHERE body = $1", body
            )
            seen.append(
                (status, headers, echo, told, list(map(tuple, row)), list(map(tuple, held)))
            )
            await database.fetch("DELETE FROM log.quarantine")
    assert seen[0] == seen[1]
    assert seen[0][0] == case.status
