"""One append of many deliveries: each is answered in order; duplicates within and across batches."""

from datetime import UTC, datetime

import pytest

from projector.database import Database
from projector.log.append import Appended, append
from projector.zoom.delivery import Delivery, delivery_of, head_of
from tests.ingress_rig import event_body

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def delivery(body: bytes) -> Delivery:
    return delivery_of(body, head_of(body), received_at=NOW)


@pytest.mark.parametrize("event_ts", [1_770_000_000_000, None, -1])
async def test_repeats_within_and_across_batches(database: Database, event_ts: int | None) -> None:
    a, b, c, d = (delivery(event_body(event_ts=event_ts, name=name)) for name in "abcd")
    first = await append(database, [a, b, a, c, b, a])
    assert first == [
        Appended(1, duplicate=False),
        Appended(2, duplicate=False),
        Appended(1, duplicate=True),
        Appended(3, duplicate=False),
        Appended(2, duplicate=True),
        Appended(1, duplicate=True),
    ]
    second = await append(database, [d, c, d, a])
    assert second == [
        Appended(4, duplicate=False),
        Appended(3, duplicate=True),
        Appended(4, duplicate=True),
        Appended(1, duplicate=True),
    ]
    rows = await database.fetch("SELECT position, body FROM log.events ORDER BY position")
    assert [tuple(row) for row in rows] == [
        (position, each.body) for position, each in enumerate((a, b, c, d), start=1)
    ]
