"""The results of a run: counts, and latencies in bounded memory."""

import math
from collections import Counter
from dataclasses import dataclass

from projector.simulator.sender import Answer

# Each bucket of latencies is 1 % wider than the one before.
_BUCKETS = 1 / math.log(1.01)
_SHORTEST_SECONDS = 1e-6


@dataclass(frozen=True)
class Summary:
    """The outcome of the deliveries of one run.

    Every delivery, copies included, ends as delivered, lost or withheld: `delivered + lost_deliveries +
    withheld == events + copies`. `lost` counts by the result of the last attempt: a status, `time-out` or
    `no connection`. `withheld` are those lost on purpose. `duplicates` are acknowledged deliveries whose
    bytes the log already held: copies, and retries after an attempt that was appended but timed out.
    `retried` counts attempts after the first. Latencies, in milliseconds, are of attempts that were answered
    or timed out; None if there was none. `last_position` is the greatest position in an answer.
    """

    account_id: str
    events: int
    copies: int
    delivered: int
    duplicates: int
    retried: int
    lost: dict[str, int]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    seconds: float
    last_position: int | None
    withheld: int = 0

    @property
    def lost_deliveries(self) -> int:
        """The number of deliveries that were given up."""
        return sum(self.lost.values())

    @property
    def per_second(self) -> float:
        """Acknowledged deliveries per second."""
        return self.delivered / self.seconds if self.seconds > 0 else 0.0


class Latencies:
    """A histogram of durations; percentiles are exact to 1 %."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._longest = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[math.floor(math.log(max(seconds, _SHORTEST_SECONDS)) * _BUCKETS)] += 1
        self._longest = max(self._longest, seconds)

    def percentile_ms(self, share: float) -> float | None:
        """The duration in milliseconds that this share (0 to 1) of all does not exceed."""
        needed = share * self._counts.total()
        for bucket in sorted(self._counts):
            needed -= self._counts[bucket]
            if needed <= 0:
                return 1000 * min(math.exp((bucket + 1) / _BUCKETS), self._longest)
        return None


class Tally:
    """The counts of a run in progress."""

    def __init__(self) -> None:
        self.events = 0
        self.copies = 0
        self.delivered = 0
        self.duplicates = 0
        self.retried = 0
        self.withheld = 0
        self.lost: Counter[str] = Counter()
        self.last_position: int | None = None
        self._latencies = Latencies()

    def attempted(self, answer: Answer) -> None:
        """Count the latency of one attempt, if it was answered or timed out."""
        if answer.status is not None or answer.timed_out:
            self._latencies.add(answer.seconds)

    def settled(self, answer: Answer, *, copy: bool) -> None:
        """Count one delivery by the answer to its last attempt."""
        self.copies += copy
        self.events += not copy
        if not answer.acknowledged:
            self.lost[answer.label] += 1
            return
        self.delivered += 1
        self.duplicates += answer.duplicate
        if answer.position is not None:
            self.last_position = max(self.last_position or 0, answer.position)

    def withhold(self, *, copy: bool) -> None:
        """Count one delivery that is lost on purpose."""
        self.copies += copy
        self.events += not copy
        self.withheld += 1

    def summary(self, account_id: str, seconds: float) -> Summary:
        """The counts so far; `seconds` is the duration of the run."""
        percentile = self._latencies.percentile_ms
        return Summary(
            account_id=account_id,
            events=self.events,
            copies=self.copies,
            delivered=self.delivered,
            duplicates=self.duplicates,
            retried=self.retried,
            lost=dict(self.lost),
            p50_ms=percentile(0.5),
            p95_ms=percentile(0.95),
            p99_ms=percentile(0.99),
            max_ms=percentile(1.0),
            seconds=seconds,
            last_position=self.last_position,
            withheld=self.withheld,
        )
