"""TCP ways that a test can cut: what is on them stops, and nobody is told, as when a network fails."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

from tests.processes import free_port


class Way:
    """A port of the loopback address that leads to another, until it is cut.

    While it is cut it takes connections and says nothing; mending closes those that saw the cut.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        self._flows.clear()

    async def mend(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()
        self._flows.set()

    async def close(self) -> None:
        self._server.close()
        await self.mend()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._flows.wait()
            with suppress(OSError):  # nobody listens there: the caller's connection closes too
                there, back = await asyncio.open_connection("127.0.0.1", self._target)
                self._open.add(back)
                await asyncio.gather(
                    self._pump(reader, writer, back), self._pump(there, back, writer)
                )
                self._open.discard(back)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _pump(
        self, source: asyncio.StreamReader, own: asyncio.StreamWriter, to: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await source.read(65536):
                await self._flows.wait()
                if own.transport.is_closing():
                    break  # it saw a cut: what was on its way is lost
                to.write(data)
                await to.drain()
            await self._flows.wait()  # that one side is gone is not told either
        except ConnectionError:
            pass
        finally:
            to.close()


class Ways:
    """Ways with a thread of their own: tests and the processes that they wait for do not hold them up."""

    def __init__(self) -> None:
        self._ways: list[Way] = []
        began: Future[None] = Future()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(began),), daemon=True)
        self._thread.start()
        began.result(10)

    async def _serve(self, began: "Future[None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        began.set_result(None)
        await self._stop.wait()
        for way in self._ways:
            await way.close()

    def to(self, target: int) -> Way:
        """Open a way to a port."""
        way = Way(target)
        self._ways.append(way)
        self._run(way.listen())
        return way

    def cut(self, *ways: Way) -> None:
        for way in ways:
            self._run(way.cut())

    def mend(self, *ways: Way) -> None:
        for way in ways:
            self._run(way.mend())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


@contextmanager
def cuttable() -> Iterator[Ways]:
    ways = Ways()
    try:
        yield ways
    finally:
        ways.close()
