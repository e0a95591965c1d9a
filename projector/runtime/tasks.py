"""Waiting and ending, so that no cancellation is lost.

asyncio.wait_for() before Python 3.12 swallows a cancellation that comes at the same moment as the result:
the task goes on, and whoever waits for its end waits for ever.
"""

import asyncio
from typing import Any


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event is set in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel a task, again and again until it has ended; how it ended is nobody's concern."""
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=1)
    if not task.cancelled():
        task.exception()
