"""Waiting and ending, so that no cancellation is lost.

asyncio.wait_for() before Python 3.12 swallows a cancellation that comes at the same moment as the result:
the task goes on, and whoever waits for its end waits for ever.
"""

import asyncio
from collections.abc import Coroutine
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


async def side_by_side(*work: Coroutine[Any, Any, None]) -> None:
    """Run all of it at once; the first error ends the rest, and is raised as it is."""
    tasks = [asyncio.create_task(some) for some in work]
    try:
        for done in asyncio.as_completed(tasks):
            await done
    finally:
        for task in tasks:
            await end(task)
