"""Simulates Zoom for a URL: validates it, then delivers the history of a simulated account."""

import asyncio
import base64
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from yarl import URL

from projector.errors import ConfigurationError
from projector.simulator.account import FEWEST_USERS, Account
from projector.simulator.schedule import Schedule, outgoing, request_id
from projector.simulator.sender import (
    DEADLINE_SECONDS,
    Sender,
    UrlNotValidated,
    open_session,
)
from projector.simulator.tally import Summary, Tally
from projector.zoom.event_time import DAY_MS

__all__ = ["PlayOptions", "Summary", "UrlNotValidated", "play"]

# Zoom retries 5 minutes after the first attempt, 20 minutes after that, and an hour after that.
RETRY_GAPS_SECONDS: Final = (300.0, 1200.0, 3600.0)

MOST_DAYS: Final = 10_000

PROGRESS_SECONDS: Final = 0.1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class PlayOptions:
    """What to send, and how. Raises ConfigurationError for invalid values.

    The account's history takes `days` and ends at `end_ms` (epoch milliseconds; None: now). The
    same seed and end give the same bodies. Without an `account_id` each seed and end is another
    account: overlapping histories of one account would contradict each other. `rate` is in
    deliveries per second (0: as fast as possible), `duplicates` is the share that is sent twice,
    `disorder` is how many places late a delivery may come, and `time_scale` is the factor applied to
    Zoom's times between attempts.
    """

    url: str
    events: int = 1000
    users: int = 50
    groups: int | None = None
    seed: int = 1
    account_id: str | None = None
    days: float = 30
    end_ms: int | None = None
    rate: float = 0
    concurrency: int = 16
    duplicates: float = 0
    disorder: int = 0
    time_scale: float = 1 / 3000
    deadline_seconds: float = DEADLINE_SECONDS

    def __post_init__(self) -> None:
        demands = (
            (self._is_http(), "the URL must begin with http:// or https:// and name a host"),
            (self.events >= 0, "the number of events cannot be negative"),
            (self.users >= FEWEST_USERS, f"at least {FEWEST_USERS} users are needed"),
            (self.days * DAY_MS >= self.events, "that many events need more days"),
            (self.days <= MOST_DAYS, f"a history takes at most {MOST_DAYS:,} days"),
            (self.rate >= 0, "the rate cannot be negative"),
            (self.concurrency >= 1, "the concurrency must be at least 1"),
            (0 <= self.duplicates <= 1, "the share of duplicates is between 0 and 1"),
            (self.disorder >= 0, "the disorder cannot be negative"),
            (self.time_scale >= 0, "the time scale cannot be negative"),
            (self.deadline_seconds > 0, "the deadline must be positive"),
        )
        for met, demand in demands:
            if not met:
                raise ConfigurationError(demand)

    def _is_http(self) -> bool:
        try:
            url = URL(self.url)
        except ValueError:
            return False
        return url.scheme in ("http", "https") and bool(url.host)

    @property
    def retry_gaps(self) -> tuple[float, ...]:
        """Seconds before each retry."""
        return tuple(gap * self.time_scale for gap in RETRY_GAPS_SECONDS)


async def play(
    options: PlayOptions, secret: str | bytes, progress: Progress | None = None
) -> Summary:
    """Validate the URL, deliver every event, and return the outcome.

    `progress` is called regularly with the events settled and their total. Raises UrlNotValidated
    if the URL fails Zoom's validation; nothing is delivered then.
    """
    rng = random.Random(f"deliveries of {options.seed}")
    account = _account(options)
    token = secret.encode() if isinstance(secret, str) else secret
    async with open_session(options.concurrency, options.deadline_seconds) as session:
        sender = Sender(session, URL(options.url), token)
        await sender.validate_url(_url_safe(rng.randbytes(16)), request_id(rng))
        events = account.events(options.events, span_ms=int(options.days * DAY_MS))
        deliveries = outgoing(events, rng, duplicates=options.duplicates, disorder=options.disorder)
        schedule = Schedule(deliveries, rate=options.rate, gaps=options.retry_gaps)
        return await _deliver(options, sender, schedule, account.account_id, progress)


def _account(options: PlayOptions) -> Account:
    end_ms = time.time_ns() // 1_000_000 if options.end_ms is None else options.end_ms
    return Account(
        options.seed,
        users=options.users,
        groups=options.groups,
        start_ms=end_ms - int(options.days * DAY_MS),
        account_id=options.account_id or _account_id(options.seed, end_ms),
    )


def _account_id(seed: int, end_ms: int) -> str:
    """An id in Zoom's format, unique to this history."""
    return _url_safe(random.Random(f"account {seed} until {end_ms}").randbytes(16))


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def _deliver(
    options: PlayOptions,
    sender: Sender,
    schedule: Schedule,
    account_id: str,
    progress: Progress | None,
) -> Summary:
    tally = Tally()
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        workers = [
            group.create_task(_work(sender, schedule, tally)) for _ in range(options.concurrency)
        ]
        if progress is not None:
            await _report(workers, tally, options.events, progress)
    return tally.summary(account_id, time.monotonic() - started)


async def _work(sender: Sender, schedule: Schedule, tally: Tally) -> None:
    """Make one attempt after another until none is left."""
    while (delivery := await schedule.take()) is not None:
        answer = await sender.send(delivery)
        tally.attempted(answer)
        if answer.retryable and schedule.retry(delivery):
            tally.retried += 1
        else:
            tally.settled(answer, copy=delivery.copy)


async def _report(
    workers: list[asyncio.Task[None]], tally: Tally, total: int, progress: Progress
) -> None:
    running = set(workers)
    while running:
        _, running = await asyncio.wait(running, timeout=PROGRESS_SECONDS)
        progress(tally.events, total)
