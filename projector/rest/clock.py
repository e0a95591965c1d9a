"""The clocks that pacing and retries go by, in one place so that a test can turn them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple


class Clock(NamedTuple):
    """`monotonic` and `utc` in seconds (`utc` since the epoch); `sleep` waits so many seconds."""

    monotonic: Callable[[], float] = time.monotonic
    utc: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


REAL: Final = Clock()
