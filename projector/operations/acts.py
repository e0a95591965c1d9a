"""Acts: events of our own that say what an operator did, who it was, and when.

An act says what was done in numbers and names, never in the words of a delivery.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec

from projector.database import UNAVAILABLE, Appendable, Queryable, retrying
from projector.log.append import Source, Within, append
from projector.zoom.bodies import clean
from projector.zoom.catalogue import DEAD_LETTER_DISMISSED, DRIFT_ACKNOWLEDGED
from projector.zoom.delivery import Delivery, delivery_of, head_of

_encode = msgspec.json.Encoder().encode

ATTEMPTS: Final = 8


class Act(StrEnum):
    """What an operator may do, by the name of its event. The first two fold; the others are a record."""

    DEAD_LETTER_DISMISSED = DEAD_LETTER_DISMISSED
    DRIFT_ACKNOWLEDGED = DRIFT_ACKNOWLEDGED
    DEAD_LETTERS_RETRIED = "operator.dead_letters_retried"
    QUARANTINE_REVERIFIED = "operator.quarantine_reverified"
    QUARANTINE_PURGED = "operator.quarantine_purged"
    REBUILT = "operator.rebuilt"
    PERSON_RECONCILED = "operator.person_reconciled"
    SUBJECT_READ = "operator.subject_read"


class About(NamedTuple):
    """What one act is about: `told` is the event's `object`; the account where it is of one."""

    told: Mapping[str, Any]
    account: str | None = None


async def record(database: Appendable, act: Act, who: str, *about: About) -> list[int]:
    """Append an act for each thing that it is about, in one commit; returns their positions.

    Waits for a log that is locked or away, some seconds. Raises what an append raises.
    """
    return await append_patiently(database, deliveries(act, who, about), "operator")


async def append_patiently(
    database: Appendable, bodies: Sequence[Delivery], source: Source
) -> list[int]:
    """Append facts of our own in one commit, as `record` does; returns their positions."""
    appended = await retrying(
        partial(append, database, bodies, source=source),
        on=(*UNAVAILABLE, asyncpg.LockNotAvailableError),
        times=ATTEMPTS,
    )
    return [one.position for one in appended]


async def record_within(connection: Queryable, act: Act, who: str, about: About) -> int:
    """Append an act in a transaction, with the deed and before its commit; returns its position.

    The log's lock is held until that commit: the act comes last.
    """
    [appended] = await append(Within(connection), deliveries(act, who, [about]), source="operator")
    return appended.position


def deliveries(act: Act, who: str, about: Sequence[About]) -> list[Delivery]:
    """The events of acts of this moment, as the log takes them."""
    now_ms = time.time_ns() // 1_000_000
    return [received_now(act_body(act, who, now_ms, one)) for one in about]


def received_now(body: bytes) -> Delivery:
    """A body of our own as the log takes it."""
    return delivery_of(body, head_of(body), received_at=datetime.now(UTC))


def act_body(event: str, who: str, at_ms: int, about: About) -> bytes:
    """The body of an act, or of another event of an operator: JSON in UTF-8. `at_ms`: epoch milliseconds."""
    account = {} if about.account is None else {"account_id": about.account}
    payload = {**account, "operator": who, "object": about.told}
    body = {"event": str(event), "event_ts": at_ms, "payload": payload}
    try:
        return _encode(body)
    except UnicodeEncodeError:  # a lone surrogate, as an argument that is no UTF-8 has
        return _encode(clean(body))
