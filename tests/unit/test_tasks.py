"""A cancellation is never lost, even if it coincides with a result."""

import asyncio

import asyncpg
import pytest

from projector.database import cancellable
from projector.tasks import end, set_within


async def test_a_cancellation_that_meets_the_event_still_cancels() -> None:
    event = asyncio.Event()
    task = asyncio.create_task(set_within(event, 10))
    await asyncio.sleep(0)
    event.set()
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()


async def test_waiting_says_whether_the_event_came() -> None:
    event = asyncio.Event()
    assert not await set_within(event, 0.01)
    event.set()
    assert await set_within(event, 0.01)


async def test_a_task_that_overhears_its_cancellation_is_ended_all_the_same() -> None:
    overheard = 0

    async def stubborn() -> None:
        nonlocal overheard
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                overheard += 1
                if overheard == 2:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(end(task), 5)
    assert overheard == 2
    failed = asyncio.create_task(set_within(None, 1))  # type: ignore[arg-type]
    await asyncio.wait((failed,))
    await end(failed)


async def test_a_cancellation_wins_over_the_connection_that_breaks_in_it() -> None:
    async def breaks_when_cancelled() -> None:
        with cancellable():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise asyncpg.ConnectionDoesNotExistError("closed meanwhile") from None

    task = asyncio.create_task(breaks_when_cancelled())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()
    with pytest.raises(asyncpg.ConnectionDoesNotExistError), cancellable():
        raise asyncpg.ConnectionDoesNotExistError("closed by itself")
