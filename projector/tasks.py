"""Wait for events and end tasks without losing a cancellation.

Before Python 3.12 asyncio.wait_for() swallows a cancellation that comes at the moment of the result: the task
goes on, and whoever waits for its end waits for ever.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Return whether an event is set within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel a task, again and again until it has ended; its result is ignored."""
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=1)
    if not task.cancelled():
        task.exception()


async def side_by_side(*work: Coroutine[Any, Any, None]) -> None:
    """Run coroutines concurrently; the first error ends the others and is raised."""
    tasks = [asyncio.create_task(some) for some in work]
    try:
        for done in asyncio.as_completed(tasks):
            await done
    finally:
        for task in tasks:
            await end(task)


async def to_its_end(work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Run what must not be cut off. Whoever is cancelled meanwhile learns of it when the work is done.

    From the first cancellation on it has so many seconds.
    """
    task = asyncio.ensure_future(work)
    deadline: float | None = None
    clock = asyncio.get_running_loop().time
    while not task.done() and (deadline is None or clock() < deadline):
        try:
            await asyncio.wait((task,), timeout=None if deadline is None else deadline - clock())
        except asyncio.CancelledError:
            deadline = deadline or clock() + seconds
    if deadline is not None:
        await end(task)
        raise asyncio.CancelledError
    await task
