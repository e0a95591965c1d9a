"""The load generator if wrk is not installed: `python -m tests.benchmarks.replayer`.

Replays the requests of a file over some connections, each once; prints what wrk's script prints.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path

import uvloop

from tests.benchmarks.raw_http import Answer, RawConnection
from tests.benchmarks.requests import read_requests


class Replay:
    """A closed loop: every connection sends its next request when the last one is answered."""

    def __init__(self, file: Path, *, again: bool) -> None:
        files = repeat(file) if again else (file,)
        self._requests = chain.from_iterable(read_requests(each) for each in files)
        self._seconds: list[float] = []
        self._refused = 0
        self._failed = 0
        self._over = asyncio.Event()

    async def run(self, port: int, connections: int, seconds: float) -> dict[str, float]:
        loop = asyncio.get_running_loop()
        opened = [
            (
                await loop.create_connection(
                    lambda: RawConnection(self._next, self._lost), "127.0.0.1", port
                )
            )[1]
            for _ in range(connections)
        ]
        started = time.perf_counter()
        for connection in opened:
            self._send(connection)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
        took, times = time.perf_counter() - started, sorted(self._seconds)
        if not times:
            raise SystemExit("no request was answered")
        return {
            "answers": len(times),
            "seconds": took,
            "p50_ms": times[len(times) // 2] * 1000,
            "p99_ms": times[len(times) * 99 // 100] * 1000,
            "refused": self._refused,
            "failed": self._failed,
        }

    def _send(self, connection: RawConnection) -> None:
        request = next(self._requests, None)
        if request is None:
            self._over.set()
        else:
            connection.send(request, time.perf_counter())

    def _next(self, connection: RawConnection, answer: Answer) -> None:
        self._seconds.append(time.perf_counter() - connection.sent)
        self._refused += answer.status != 200
        self._send(connection)

    def _lost(self, _connection: RawConnection) -> None:
        self._failed += 1


async def _main(port: str, connections: str, seconds: str, file: str, *again: str) -> None:
    replay = Replay(Path(file), again=bool(again))
    found = await replay.run(int(port), int(connections), float(seconds))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
