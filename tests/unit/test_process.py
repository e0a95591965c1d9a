"""Signals: the first cancels the work, which clears up; then the earlier handlers are restored."""

import asyncio
import os
import signal

import pytest

from projector.process import STOP_SIGNALS, DeferredStop, Signalled, cancel_on, run, signal_handlers


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_cancels_the_work_after_it_has_cleared_up(number: signal.Signals) -> None:
    cleared = []

    async def work() -> None:
        try:
            send(number)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleared.append(True)

    with pytest.raises(Signalled) as signalled:
        run(cancel_on(STOP_SIGNALS, work()))
    assert signalled.value.number == number
    assert cleared == [True]


def test_work_that_no_signal_ends_returns_or_raises_as_it_is() -> None:
    async def returns() -> int:
        return 7

    async def cancels_itself() -> None:
        raise asyncio.CancelledError

    assert run(cancel_on(STOP_SIGNALS, returns())) == 7
    with pytest.raises(asyncio.CancelledError):
        run(cancel_on(STOP_SIGNALS, cancels_itself()))


def test_work_that_fails_while_it_clears_up_raises_that() -> None:
    async def work() -> None:
        try:
            send(signal.SIGTERM)
            await asyncio.sleep(60)
        finally:
            raise ValueError("not cleared")

    with pytest.raises(ValueError, match="not cleared"):
        run(cancel_on(STOP_SIGNALS, work()))


def test_each_signal_has_its_function_until_the_block_ends() -> None:
    async def work() -> list[str]:
        called: list[str] = []
        handlers = {
            signal.SIGTERM: lambda: called.append("term"),
            signal.SIGINT: lambda: called.append("int"),
        }
        with signal_handlers(handlers):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                send(number)
                await asyncio.sleep(0.05)
        return called

    before = signal.getsignal(signal.SIGTERM)
    assert run(work()) == ["term", "int", "term"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_stop_before_the_work_begins_is_kept_until_then() -> None:
    started = []

    async def work() -> None:
        started.append(True)
        await asyncio.sleep(60)

    before = signal.getsignal(signal.SIGTERM)
    with DeferredStop(interrupted=ValueError) as stop:
        send(signal.SIGTERM)
        stop.run(work)
    assert started == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_stop_cancels_the_work_once() -> None:
    cleared = []

    async def work() -> None:
        try:
            send(signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            send(signal.SIGINT)
            await asyncio.sleep(0.05)
            cleared.append(True)

    with DeferredStop(interrupted=ValueError) as stop:
        stop.run(work)
    assert cleared == [True]


def test_what_the_terminal_interrupted_is_no_error_after_a_stop() -> None:
    with DeferredStop(interrupted=ValueError):
        send(signal.SIGINT)
        raise ValueError("the child was interrupted")
    with pytest.raises(ValueError, match="of its own"), DeferredStop(interrupted=ValueError):
        raise ValueError("of its own")
