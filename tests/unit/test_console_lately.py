"""What is read once in a while: by one at a time, never waited for long, and honest about its age."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from projector.console.lately import SHARE, Lately


class Counting:
    """A reading that the test lets end."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        return number


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def until_done(lately: Lately) -> None:
    running = lately._kept["count"].running
    assert running is not None
    await asyncio.wait([running])


async def test_whoever_asks_within_the_time_gets_what_was_read() -> None:
    clock, count = Clock(), Counting()
    lately = Lately(clock=clock)
    first = await lately.get("count", count, 60)
    assert (first.value, first.failed) == (1, None)
    assert first.at is not None
    assert datetime.now(UTC) - first.at < timedelta(seconds=5)
    clock.now += 59
    assert await lately.get("count", count, 60) == first
    assert count.begun == 1


async def test_what_is_old_is_shown_at_once_and_read_again_beside() -> None:
    clock, count = Clock(), Counting()
    lately = Lately(clock=clock)
    await lately.get("count", count, 60)
    clock.now += 61
    count.may_end.clear()
    assert (await asyncio.wait_for(lately.get("count", count, 60), 0.5)).value == 1
    count.may_end.set()
    await asyncio.sleep(0)
    await until_done(lately)
    assert (await lately.get("count", count, 60)).value == 2


async def test_many_who_ask_at_once_have_it_read_once() -> None:
    count = Counting()
    lately = Lately()
    count.may_end.clear()
    asking = [asyncio.create_task(lately.get("count", count, 60)) for _ in range(20)]
    await asyncio.sleep(0.01)
    count.may_end.set()
    assert {(await one).value for one in asking} == {1}
    assert count.begun == 1


async def test_nobody_waits_longer_than_patience() -> None:
    count = Counting()
    count.may_end.clear()
    lately = Lately(patience=0.02)
    assert await asyncio.wait_for(lately.get("count", count, 60), 0.5) == (None, None, None)
    count.may_end.set()
    await until_done(lately)
    assert (await lately.get("count", count, 60)).value == 1


async def test_several_first_readings_together_are_waited_for_once() -> None:
    count = Counting()
    count.may_end.clear()
    lately = Lately(patience=0.2)
    names = ("a", "b", "c", "d", "e", "f")
    began = time.monotonic()
    await asyncio.gather(*(lately.get(name, count, 60) for name in names))
    for name in names:
        await lately.get(name, count, 60)
    assert time.monotonic() - began < 0.6
    await lately.close()


async def test_a_database_that_is_away_leaves_what_is_known_and_its_age() -> None:
    clock, count = Clock(), Counting()
    lately = Lately(clock=clock)
    known = await lately.get("count", count, 60)
    clock.now += 61
    count.error = ConnectionRefusedError()
    await lately.get("count", count, 60)
    await until_done(lately)
    failed = await lately.get("count", count, 60)
    assert (failed.value, failed.at) == (known.value, known.at)
    assert failed.failed is not None
    assert count.begun == 2, "it is not tried again before its time"
    clock.now += 61
    count.error = None
    await lately.get("count", count, 60)
    await until_done(lately)
    again = await lately.get("count", count, 60)
    assert (again.value, again.failed) == (3, None)


async def test_a_first_failure_says_why() -> None:
    count = Counting()
    count.error = ConnectionRefusedError()
    found = await Lately().get("count", count, 60)
    assert (found.value, found.at) == (None, None)
    assert found.failed


async def test_what_takes_long_is_read_seldom() -> None:
    clock = Clock()
    begun = 0

    async def slow() -> int:
        nonlocal begun
        begun += 1
        clock.now += 10
        return begun

    lately = Lately(clock=clock)
    await lately.get("count", slow, 60)
    clock.now += 10 * SHARE - 1
    await lately.get("count", slow, 60)
    await asyncio.sleep(0.01)
    assert begun == 1
    clock.now += 1
    await lately.get("count", slow, 60)
    await until_done(lately)
    assert begun == 2


async def test_a_mistake_in_a_reading_is_not_swallowed() -> None:
    async def wrong() -> int:
        raise KeyError("column")

    lately = Lately()
    await lately.get("count", wrong, 60)
    with pytest.raises(KeyError):
        await lately.get("count", wrong, 60)


async def test_readings_of_different_names_do_not_wait_for_one_another() -> None:
    slow, quick = Counting(), Counting()
    slow.may_end.clear()
    lately = Lately(patience=0.02)
    await lately.get("slow", slow, 60)
    assert (await lately.get("quick", quick, 60)).value == 1
    await lately.close()
    task = lately._kept["slow"].running
    assert task is not None
    assert task.cancelled()
