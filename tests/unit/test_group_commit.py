"""Group commit without a database: batches, bounds, deadlines, and rows that fail alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import structlog

from projector.errors import AppendRefused
from projector.ingress.group_commit import BATCH_BYTES, BATCH_EVENTS, QUEUE_BYTES, GroupCommit
from projector.ingress.metrics import Metrics
from projector.zoom.delivery import Delivery

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENT_COLUMN, BODY_COLUMN = 1, 8


class FakeLane:
    """Answers appends with increasing positions, after calling `before`."""

    def __init__(self, before: Callable[[list[str]], Any] | None = None) -> None:
        self.batches: list[list[str]] = []
        self._before = before
        self._position = 0

    async def fetch_to_end(
        self, _statement: str, *columns: Any, timeout: float | None = None
    ) -> Any:
        assert timeout is not None
        assert timeout > 0
        events = json.loads(f"[{columns[EVENT_COLUMN][1:-1]}]")
        self.batches.append(events)
        if self._before is not None:
            result = self._before(events)
            if asyncio.iscoroutine(result):
                await result
        answers = [(self._position + number, False) for number in range(1, len(events) + 1)]
        self._position += len(events)
        return answers


def delivery(event: str = "e", size: int = 2) -> Delivery:
    return Delivery(NOW, event, 1, None, None, b"\0" * 32, None, b" " * size)


def within(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


@asynccontextmanager
async def running(*lanes: FakeLane, bound: int = 1000) -> AsyncIterator[GroupCommit]:
    commit = GroupCommit(lanes, bound=bound, metrics=Metrics())
    task = asyncio.create_task(commit.run())
    yield commit
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_arrives_together_shares_an_append() -> None:
    lane = FakeLane()
    async with running(lane) as commit:
        answers = [commit.submit(delivery(), within(2)) for _ in range(30)]
        positions = [(await answer).position for answer in answers]
    assert positions == list(range(1, 31))
    assert len(lane.batches) == 1


async def test_what_arrives_during_an_append_shares_the_next() -> None:
    gate = asyncio.Event()
    lane = FakeLane(lambda _events: gate.wait())
    async with running(lane) as commit:
        first = commit.submit(delivery("first"), within(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        rest = [commit.submit(delivery("rest"), within(2)) for _ in range(10)]
        gate.set()
        await asyncio.gather(first, *rest)
    assert [len(batch) for batch in lane.batches] == [1, 10]


async def test_the_next_batch_is_sent_before_the_last_one_is_answered() -> None:
    gate = asyncio.Event()
    story: list[str] = []

    async def appending(events: list[str]) -> None:
        story.append(f"append {events[0]}")
        await gate.wait()

    async def told(event: str) -> None:
        await commit.submit(delivery(event), within(2))
        story.append(f"answer {event}")

    async with running(FakeLane(appending)) as commit:
        first = asyncio.create_task(told("first"))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(told("second"))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, second)
    assert story == ["append first", "append second", "answer first", "answer second"]


async def test_batches_are_bounded_in_events_and_bytes() -> None:
    lane = FakeLane()
    async with running(lane) as commit:
        many = [commit.submit(delivery("many"), within(2)) for _ in range(BATCH_EVENTS + 1)]
        await asyncio.gather(*many)
        large = [commit.submit(delivery("large", BATCH_BYTES), within(2)) for _ in range(2)]
        await asyncio.gather(*large)
    assert [len(batch) for batch in lane.batches] == [BATCH_EVENTS, 1, 1, 1]


async def test_a_full_queue_refuses_at_once() -> None:
    lane = FakeLane(lambda _events: asyncio.Event().wait())
    async with running(lane, bound=3) as commit:
        in_flight = commit.submit(delivery(), within(0.3))
        await asyncio.sleep(0.01)
        queued = [commit.submit(delivery(), within(0.3)) for _ in range(3)]
        with pytest.raises(AppendRefused, match="full"):
            commit.submit(delivery(), within(0.3))
        results = await asyncio.gather(in_flight, *queued, return_exceptions=True)
    assert all(isinstance(result, AppendRefused) for result in results)


async def test_the_queue_is_bounded_in_bytes() -> None:
    commit = GroupCommit((FakeLane(),), bound=1000, metrics=Metrics())
    half = QUEUE_BYTES // 2
    held = [commit.submit(delivery(size=half), within(9)) for _ in range(2)]
    with pytest.raises(AppendRefused, match="full"):
        commit.submit(delivery(), within(9))
    assert len(held) == 2


async def test_every_deadline_is_kept_and_frees_the_queue() -> None:
    lane = FakeLane(lambda _events: asyncio.Event().wait())
    loop = asyncio.get_running_loop()
    async with running(lane, bound=5) as commit:
        started = loop.time()
        waiting = [commit.submit(delivery(), within(0.2)) for _ in range(5)]
        await asyncio.sleep(0.01)
        late = [commit.submit(delivery(), within(0.4)) for _ in range(5)]
        await asyncio.gather(*waiting, return_exceptions=True)
        assert 0.15 < loop.time() - started < 0.35
        results = await asyncio.gather(*late, return_exceptions=True)
        assert 0.35 < loop.time() - started < 0.6
        assert {type(result) for result in results} == {AppendRefused}
        assert commit.depth == 0


async def test_another_lane_stands_in_for_one_that_hangs() -> None:
    hanging = FakeLane(lambda _events: asyncio.Event().wait())
    other = FakeLane()
    async with running(hanging, other) as commit:
        stuck = commit.submit(delivery("stuck"), within(0.6))
        await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()
        started = loop.time()
        assert (await commit.submit(delivery("next"), within(2))).position == 1
        assert loop.time() - started < 0.4
        with pytest.raises(AppendRefused):
            await stuck
    assert (hanging.batches, other.batches) == ([["stuck"]], [["next"]])


@pytest.mark.parametrize(
    "error",
    [asyncpg.DataError("bad"), asyncpg.CheckViolationError("bad"), ValueError(), OverflowError()],
)
async def test_a_bad_row_fails_alone(error: Exception) -> None:
    def refuse(events: list[str]) -> None:
        if "bad" in events:
            raise error

    lane = FakeLane(refuse)
    async with running(lane) as commit:
        events = [f"good{number}" for number in range(20)]
        events.insert(7, "bad")
        waiting = [commit.submit(delivery(event), within(2)) for event in events]
        results = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [
        event
        for event, result in zip(events, results, strict=True)
        if isinstance(result, AppendRefused)
    ]
    assert refused == ["bad"]


@pytest.mark.parametrize(
    "error", [OSError(), TimeoutError(), asyncpg.LockNotAvailableError("held"), KeyError("odd")]
)
async def test_an_append_that_fails_refuses_its_batch_and_nothing_else(error: Exception) -> None:
    def refuse(events: list[str]) -> None:
        if "first" in events:
            raise error

    lane = FakeLane(refuse)
    async with running(lane) as commit:
        with pytest.raises(AppendRefused):
            await commit.submit(delivery("first"), within(2))
        assert (await commit.submit(delivery("second"), within(2))).position == 1
    assert lane.batches == [["first"], ["second"]]


async def test_stopping_answers_what_waits() -> None:
    lane = FakeLane(lambda _events: asyncio.Event().wait())
    async with running(lane) as commit:
        in_flight = commit.submit(delivery(), within(9))
        await asyncio.sleep(0.01)
        queued = commit.submit(delivery(), within(9))
    for answer in (in_flight, queued):
        with pytest.raises(AppendRefused, match="stopping"):
            await answer


async def test_a_failure_is_counted_and_logged_by_its_reason() -> None:
    def fail(_events: list[str]) -> None:
        raise asyncpg.DiskFullError("could not extend file: No space left on device")

    metrics = Metrics()
    commit = GroupCommit([FakeLane(fail)], bound=1000, metrics=metrics)
    task = asyncio.create_task(commit.run())
    with structlog.testing.capture_logs() as lines:
        for _ in range(5):
            with pytest.raises(AppendRefused):
                await commit.submit(delivery(), within(2))
    task.cancel()
    await asyncio.wait((task,))
    (line,) = [line for line in lines if line["event"] == "append failed"]
    assert "No space left on device" in line["reason"]
    assert "free space" in line["reason"]
    read = metrics.registry.get_sample_value
    name = "projector_append_failures_total"
    assert read(name, {"reason": "disk_full"}) == 5
    assert read(name, {"reason": "timeout"}) == 0
