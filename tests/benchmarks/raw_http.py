"""A connection that sends prepared requests one after the other, with as little work as possible."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, cast


class Answer(NamedTuple):
    """A response: its status, and its head with lower-case names."""

    status: int
    head: bytes


class RawConnection(asyncio.Protocol):
    """Calls `answered` with each response; `sent` is then the time at which its request was sent."""

    def __init__(
        self,
        answered: Callable[["RawConnection", Answer], None],
        lost: Callable[["RawConnection"], None],
    ) -> None:
        self._answered = answered
        self._lost = lost
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not isinstance: uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, now: float) -> None:
        """Send a request; the one before must have been answered."""
        assert self._transport is not None
        self.sent = now
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].lower()
        length = int(header(head, b"content-length") or 0)
        if len(self._received) < end + 4 + length:
            return
        self._received = self._received[end + 4 + length :]
        self._answered(self, Answer(int(head[9:12]), head))

    def connection_lost(self, _exc: Exception | None) -> None:
        self._lost(self)


def header(head: bytes, name: bytes) -> bytes | None:
    """The value of a header of an answer."""
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else None].strip()
