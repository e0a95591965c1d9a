"""The delivery log that Zoom keeps of a webhook app: the attempts that failed."""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final, NamedTuple

from projector.simulator.sender import Outgoing

# Beyond this many rows the oldest are forgotten: a receiver that is away for long fails every attempt.
MOST_ROWS: Final = 100_000

# Zoom's status of an attempt that nobody answered.
NO_ANSWER: Final = -1


class FailedAttempt(NamedTuple):
    """One attempt: headers and body as sent, `status` as answered, when, and the how manieth from 0."""

    place: int
    at_ms: int
    status: int
    retry_num: int
    request_id: str
    headers: dict[str, str]
    body: bytes


class DeliveryLog:
    """The failed attempts, oldest first. Zoom shows successes too; this keeps none."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        """`now_ms`: the account's time, in epoch milliseconds."""
        self._now_ms = now_ms
        self._places = count()
        self._rows: deque[FailedAttempt] = deque(maxlen=MOST_ROWS)

    def failed(self, delivery: Outgoing, headers: dict[str, str], status: int | None) -> None:
        """Keep an attempt; `status` None: nobody answered."""
        self._rows.append(
            FailedAttempt(
                place=next(self._places),
                at_ms=self._now_ms(),
                status=NO_ANSWER if status is None else status,
                retry_num=delivery.attempts,
                request_id=delivery.request_id,
                headers=headers,
                body=delivery.body,
            )
        )

    def __iter__(self) -> Iterator[FailedAttempt]:
        """Iterate over the rows."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._rows)
