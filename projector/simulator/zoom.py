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
from projector.simulator.delivery_log import DeliveryLog
from projector.simulator.losses import Fate, Losses
from projector.simulator.schedule import Schedule, outgoing, request_id
from projector.simulator.sender import (
    DEADLINE_SECONDS,
    Outgoing,
    Sender,
    UrlNotValidated,
    open_session,
)
from projector.simulator.tally import Summary, Tally
from projector.zoom.accounts import SIMULATED
from projector.zoom.event_time import DAY_MS

__all__ = ["PlayOptions", "SimulatedZoom", "Summary", "UrlNotValidated", "play"]

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
    account: overlapping histories of one account would contradict each other. `before` people are
    there before the first event. `rate` is in deliveries per second (0: as fast as possible),
    `duplicates` is the share that is sent twice, `disorder` is how many places late a delivery may
    come, `lose` is the share that never arrives, and `time_scale` is the factor applied to Zoom's
    times between attempts.
    """

    url: str
    events: int = 1000
    users: int = 50
    before: int = 0
    groups: int | None = None
    seed: int = 1
    account_id: str | None = None
    days: float = 30
    end_ms: int | None = None
    rate: float = 0
    concurrency: int = 16
    duplicates: float = 0
    disorder: int = 0
    lose: float = 0
    time_scale: float = 1 / 3000
    deadline_seconds: float = DEADLINE_SECONDS

    def __post_init__(self) -> None:
        demands = (
            (self._is_http(), "the URL must begin with http:// or https:// and name a host"),
            (self.events >= 0, "the number of events cannot be negative"),
            (self.users >= FEWEST_USERS, f"at least {FEWEST_USERS} users are needed"),
            (self.before >= 0, "the number of people before the first event cannot be negative"),
            (self.days * DAY_MS >= self.events, "that many events need more days"),
            (self.days <= MOST_DAYS, f"a history takes at most {MOST_DAYS:,} days"),
            (self.rate >= 0, "the rate cannot be negative"),
            (self.concurrency >= 1, "the concurrency must be at least 1"),
            (0 <= self.duplicates <= 1, "the share of duplicates is between 0 and 1"),
            (self.disorder >= 0, "the disorder cannot be negative"),
            (0 <= self.lose <= 1, "the share of lost deliveries is between 0 and 1"),
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
    """Validate the URL, deliver every event, and return the outcome, as `SimulatedZoom.deliver` does."""
    return await SimulatedZoom(options).deliver(secret, progress)


class SimulatedZoom:
    """A Zoom of one account: the account as it is, and what its delivery log knows of failures."""

    def __init__(self, options: PlayOptions) -> None:
        self._options = options
        self.account = _account(options)
        self.deliveries = DeliveryLog(lambda: self.account.now_ms)

    async def deliver(self, secret: str | bytes, progress: Progress | None = None) -> Summary:
        """Validate the URL, deliver every event, and return the outcome; once only.

        `progress` is called regularly with the events settled and their total. Afterwards the account's
        time goes on by itself. Raises UrlNotValidated if the URL fails Zoom's validation; nothing is
        delivered then.
        """
        options = self._options
        rng = random.Random(f"deliveries of {options.seed}")
        token = secret.encode() if isinstance(secret, str) else secret
        async with open_session(options.concurrency, options.deadline_seconds) as session:
            sender = Sender(session, URL(options.url), token)
            await sender.validate_url(_url_safe(rng.randbytes(16)), request_id(rng))
            events = self.account.events(options.events, span_ms=int(options.days * DAY_MS))
            planned = outgoing(
                events, rng, duplicates=options.duplicates, disorder=options.disorder
            )
            schedule = Schedule(planned, rate=options.rate, gaps=options.retry_gaps)
            summary = await self._run(sender, schedule, progress)
        self.account.end_history()
        return summary

    async def _run(self, sender: Sender, schedule: Schedule, progress: Progress | None) -> Summary:
        options, tally = self._options, Tally()
        losses = Losses(options.seed, options.lose)
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            workers = [
                group.create_task(self._work(sender, schedule, tally, losses))
                for _ in range(options.concurrency)
            ]
            if progress is not None:
                await _report(workers, tally, options.events, progress)
        return tally.summary(self.account.account_id, time.monotonic() - started)

    async def _work(self, sender: Sender, schedule: Schedule, tally: Tally, losses: Losses) -> None:
        """Make one attempt after another until none is left."""
        while (delivery := await schedule.take()) is not None:
            fate = losses.fate_of(delivery)
            if fate is not Fate.SENT:
                tally.withhold(copy=delivery.copy)
                if fate is Fate.GIVEN_UP and not delivery.copy:
                    self._give_up(sender, delivery)
                continue
            headers = sender.headers(delivery)
            answer = await sender.send(delivery, headers)
            tally.attempted(answer)
            if not answer.acknowledged:
                self.deliveries.failed(delivery, headers, answer.status)
            if answer.retryable and schedule.retry(delivery):
                tally.retried += 1
            else:
                tally.settled(answer, copy=delivery.copy)

    def _give_up(self, sender: Sender, delivery: Outgoing) -> None:
        """Log all the attempts of a delivery that reaches nobody."""
        for attempts in range(1 + len(RETRY_GAPS_SECONDS)):
            tried = delivery._replace(attempts=attempts)
            self.deliveries.failed(tried, sender.headers(tried), None)


def _account(options: PlayOptions) -> Account:
    end_ms = time.time_ns() // 1_000_000 if options.end_ms is None else options.end_ms
    return Account(
        options.seed,
        users=options.users,
        before=options.before,
        groups=options.groups,
        start_ms=end_ms - int(options.days * DAY_MS),
        account_id=options.account_id or _account_id(options.seed, end_ms),
    )


def _account_id(seed: int, end_ms: int) -> str:
    """An id that says what it is, unique to this history."""
    return SIMULATED + _url_safe(random.Random(f"account {seed} until {end_ms}").randbytes(16))


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def _report(
    workers: list[asyncio.Task[None]], tally: Tally, total: int, progress: Progress
) -> None:
    running = set(workers)
    while running:
        _, running = await asyncio.wait(running, timeout=PROGRESS_SECONDS)
        progress(tally.events, total)
