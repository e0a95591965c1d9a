"""Signed deliveries as the bytes of HTTP requests, made before anything is measured."""

import time
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Final

from projector.zoom.signature import sign
from tests.benchmarks.mixed_log import ACCOUNT, opaque_id, settings_text

SECRET: Final = "the secret of the benchmarks"
PATH: Final = "/webhooks/zoom"

# The length of a request in its file: digits of this fixed width, before the request.
WIDTH: Final = 8

_numbers = count(1)


def small_bodies(size: int = 500) -> Iterator[bytes]:
    """Presence events of `size` bytes; no two of this process are equal."""
    users = [opaque_id("user", n) for n in range(50_000)]
    while True:
        n = next(_numbers)
        body = (
            f'{{"event":"user.presence_status_updated","event_ts":{_now_ms()},"payload":{{'
            f'"account_id":"{ACCOUNT}","object":{{"id":"{users[n % 50_000]}",'
            f'"email":"person.{n % 50_000}@example.com","presence_status":"Available",'
            f'"number":{n},"filler":"'
        )
        yield f'{body}{"x" * (size - len(body) - 4)}"}}}}}}'.encode()


def large_bodies() -> Iterator[bytes]:
    """Settings events of about 16 KB, with a new and an old document each; no two are equal."""
    documents = [settings_text(variant, sections=20, flags=14) for variant in range(16)]
    users = [opaque_id("user", n) for n in range(50_000)]
    while True:
        n = next(_numbers)
        user, new, old = users[n % 50_000], documents[n % 16], documents[(n - 1) % 16]
        yield (
            f'{{"event":"user.settings_updated","event_ts":{_now_ms()},"payload":{{'
            f'"account_id":"{ACCOUNT}","operator":"admin@example.com","number":{n},'
            f'"object":{{"id":"{user}","settings":{{{new}}}}},'
            f'"old_object":{{"id":"{user}","settings":{{{old}}}}}}}}}'
        ).encode()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def signed_request(body: bytes, number: int = 0) -> bytes:
    """A POST of a body, signed now."""
    timestamp = str(int(time.time()))
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"User-Agent: benchmark\r\nX-Zm-Request-Timestamp: {timestamp}\r\n"
        f"X-Zm-Signature: {sign(SECRET.encode(), timestamp, body)}\r\n"
        f"X-Zm-Request-Id: benchmark-{number}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def write_requests(path: Path, bodies: Iterable[bytes]) -> int:
    """Write signed requests to a file for a load generator; returns how many."""
    number = 0
    with path.open("wb") as file:
        for number, body in enumerate(bodies, start=1):
            request = signed_request(body, number)
            file.write(b"%0*d" % (WIDTH, len(request)))
            file.write(request)
    return number


def read_requests(path: Path) -> Iterator[bytes]:
    """The requests of a file, one by one."""
    with path.open("rb") as file:
        while length := file.read(WIDTH):
            yield file.read(int(length))
