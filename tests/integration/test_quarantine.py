"""The quarantine: bounded, without effect on appends, and genuine deliveries can be recovered."""

import asyncio
import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from projector.config import Settings
from projector.database import Database
from projector.ingress.metrics import Metrics
from projector.ingress.quarantine import QUEUE_ROWS, QuarantineWriter, TokenBucket
from projector.ingress.refusals import Refusals
from projector.log.append import append
from projector.log.quarantine import (
    Reverified,
    Suspect,
    keep,
    list_rows,
    purge,
    reverify,
    totals,
)
from projector.zoom.delivery import delivery_of, head_of
from projector.zoom.signature import fingerprint
from tests.ingress_rig import OTHER_SECRET, SECRET, event_body, serving, signed

RECEIVED = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)


def suspect(
    body: bytes | None = None, *, secret: bytes = OTHER_SECRET, **changes: object
) -> Suspect:
    body = event_body("user.created") if body is None else body
    headers = signed(body, secret, age=1_000_000)
    made = Suspect(
        RECEIVED,
        "wrong",
        "user.created",
        False,
        uuid.uuid4().hex,
        headers["x-zm-request-timestamp"],
        headers["x-zm-signature"],
        hashlib.sha256(body).digest(),
        body,
    )
    return made._replace(**changes)


async def kept(database: Database, *suspects: Suspect, rows: int = 100, size: int = 10**6) -> str:
    """Keep suspects; returns the first letter of each outcome."""
    answers = await keep(database, suspects, max_rows=rows, max_bytes=size)
    return "".join(answer[0] for answer in answers)


async def test_rows_are_bounded_and_the_newest_unsigned_are_dropped(database: Database) -> None:
    first = [suspect() for _ in range(3)]
    assert await kept(database, *first, suspect(), rows=3) == "kkkd"
    assert await kept(database, suspect(), rows=3) == "d"
    listed = await list_rows(database)
    assert [row.request_id for row in reversed(listed)] == [each.request_id for each in first]


async def test_bytes_are_bounded(database: Database) -> None:
    big, small = suspect(b"x" * 800), suspect(b"y" * 200)
    assert await kept(database, big, suspect(b"z" * 201), small, size=1000) == "kdk"
    assert (await totals(database)).bytes == 1000


async def test_signed_rows_take_the_room_of_the_newest_unsigned(database: Database) -> None:
    oldest, *others = (suspect() for _ in range(3))
    assert await kept(database, oldest, *others, rows=3) == "kkk"
    genuine = [suspect(signed=True, reason="media-type") for _ in range(2)]
    assert await kept(database, *genuine, rows=3) == "kk"
    assert await kept(database, suspect(), rows=3) == "d"
    left = {row.request_id for row in await list_rows(database)}
    assert left == {oldest.request_id, *(each.request_id for each in genuine)}
    assert await totals(database) == (3, sum(row.size for row in await list_rows(database)), 2)


async def test_a_signed_row_frees_as_many_bytes_as_it_needs(database: Database) -> None:
    unsigned = [suspect(bytes([65 + number]) * 100) for number in range(5)]
    assert await kept(database, *unsigned, size=500) == "kkkkk"
    assert await kept(database, suspect(b"s" * 250, signed=True), size=500) == "k"
    assert await totals(database) == (3, 450, 1)


async def test_signed_rows_are_bounded_too_and_give_nothing_up_in_vain(database: Database) -> None:
    genuine = [suspect(b"s%d" % number, signed=True) for number in range(3)]
    assert await kept(database, *genuine, rows=3) == "kkk"
    assert await kept(database, suspect(signed=True), rows=3) == "d"
    assert await kept(database, suspect(b"small"), size=1000) == "k"
    assert await kept(database, suspect(b"l" * 1001, signed=True), size=1000) == "d"
    assert (await totals(database)).rows == 4


async def test_the_same_bytes_are_kept_once_and_a_right_signature_wins(database: Database) -> None:
    body = event_body()
    assert await kept(database, suspect(body), suspect(body)) == "kk"
    assert (await totals(database)).rows == 1
    right = suspect(body, secret=SECRET, signed=True, reason="stale")
    assert await kept(database, right) == "k"
    [row] = await list_rows(database)
    assert (row.signed, row.reason) == (True, "stale")
    assert await kept(database, suspect(body)) == "k"
    assert (await list_rows(database))[0].signed


async def test_a_bound_of_zero_keeps_nothing(database: Database) -> None:
    assert await kept(database, suspect(), suspect(signed=True), rows=0) == "dd"


async def test_bounds_hold_however_many_replicas_write(
    database_url: str, database: Database
) -> None:
    async def write() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            for _ in range(10):
                await keep(connection, [suspect(), suspect()], max_rows=15, max_bytes=10**6)
        finally:
            await connection.close()

    await asyncio.gather(*(write() for _ in range(4)))
    assert (await totals(database)).rows == 15


async def test_reverify_appends_what_a_new_secret_verifies(database: Database) -> None:
    genuine, false = suspect(), suspect(secret=b"nobody's")
    await kept(database, genuine, false)
    assert await reverify(database, [SECRET]) == Reverified(0, 0, 2)
    assert await reverify(database, [SECRET, OTHER_SECRET]) == Reverified(1, 0, 1)
    rows = await database.fetch("SELECT * FROM log.events")
    assert len(rows) == 1
    row = rows[0]
    assert row["body"] == genuine.body
    assert row["received_at"] == RECEIVED
    assert row["source"] == "quarantine"
    assert row["verified_by"] == fingerprint(OTHER_SECRET)
    assert row["request_id"] == genuine.request_id
    assert [left.request_id for left in await list_rows(database)] == [false.request_id]
    assert await reverify(database, [OTHER_SECRET]) == Reverified(0, 0, 1)


async def test_reverify_releases_what_the_log_holds_already(database: Database) -> None:
    genuine = suspect()
    await kept(database, genuine)
    head = head_of(genuine.body)
    await append(database, [delivery_of(genuine.body, head, received_at=RECEIVED)])
    assert await reverify(database, [OTHER_SECRET]) == Reverified(0, 1, 0)
    assert (await totals(database)).rows == 0


async def test_reverify_takes_signed_events_and_leaves_what_is_none(database: Database) -> None:
    event = suspect(secret=SECRET, signed=True, reason="other-event")
    broken = suspect(b"[]", secret=SECRET, signed=True, reason="not-an-event")
    validation = suspect(
        b'{"event":"endpoint.url_validation","payload":{"plainToken":"x"}}',
        secret=SECRET, signed=True, reason="media-type",
    )  # fmt: skip
    await kept(database, event, broken, validation)
    assert await reverify(database, [SECRET]) == Reverified(1, 0, 2)
    assert {row.reason for row in await list_rows(database)} == {"not-an-event", "media-type"}


async def test_reverify_goes_through_more_than_a_batch(database: Database) -> None:
    suspects = [suspect(secret=SECRET if n % 2 else b"nobody's") for n in range(60)]
    await kept(database, *suspects)
    assert await reverify(database, [SECRET]) == Reverified(30, 0, 30)


async def test_purge(database: Database) -> None:
    old = [suspect(received_at=RECEIVED - timedelta(days=day)) for day in range(4)]
    await kept(database, *old)
    assert await purge(database, before=RECEIVED - timedelta(days=1)) == 2
    [newer, older] = [row.id for row in await list_rows(database)]
    assert await purge(database, ids=[newer, 999]) == 1
    assert [row.id for row in await list_rows(database)] == [older]
    assert await purge(database) == 1


async def test_the_stored_headers_survive_a_round_trip(
    database_url: str, database: Database
) -> None:
    body = event_body()
    async with serving(database_url) as zoom:
        assert (await zoom.post(body, signed(body, OTHER_SECRET))).status == 401
    assert await reverify(database, [OTHER_SECRET]) == Reverified(1, 0, 0)


async def test_a_flood_neither_fills_the_quarantine_nor_slows_the_rest(
    database_url: str, database: Database
) -> None:
    async with serving(database_url, quarantine_per_second=20, quarantine_rows=30) as zoom:

        async def flood() -> None:
            for _ in range(50):
                body = event_body()
                assert (await zoom.post(body, signed(body, OTHER_SECRET))).status == 401

        floods = [asyncio.create_task(flood()) for _ in range(8)]
        genuine = [await zoom.post(event_body()) for _ in range(20)]
        malformed = await zoom.post(b"[1]")
        await asyncio.gather(*floods)
        assert {answer.status for answer in genuine} == {200}
        assert max(answer.seconds for answer in genuine) < 1
        assert malformed.status == 400
        dropped = await zoom.metric('projector_quarantine_dropped_total{signed="false"}')
        assert dropped >= 300
    held = await totals(database)
    assert held.rows <= 30
    assert held.signed == 1


async def test_a_quarantine_that_hangs_holds_nothing_else_up(database_url: str) -> None:
    holder = await asyncpg.connect(database_url)
    async with serving(database_url) as zoom, holder.transaction():
        await holder.execute("SELECT pg_advisory_xact_lock(7017, 3)")
        false = event_body()
        assert (await zoom.post(false, signed(false, OTHER_SECRET))).seconds < 0.5
        answer = await zoom.post(event_body())
        assert (answer.status, answer.seconds < 0.5) == (200, True)
        malformed = await zoom.post(b"[]")
        assert malformed.status == 503
        assert malformed.seconds < 2.5
    await holder.close()


def test_an_allowance_grants_its_rate_and_a_second_in_reserve() -> None:
    bucket = TokenBucket(10)
    granted = sum(bucket.take(100 + tick / 1000) for tick in range(3000))
    assert 38 <= granted <= 41
    assert not TokenBucket(0).take(1)


async def test_the_queue_is_bounded_and_signed_suspects_push_others_out() -> None:
    lane = _Unreachable()
    writer = QuarantineWriter(lane, Settings(), Metrics(), Refusals(lane))
    unsigned = [writer.offer(suspect()) for _ in range(QUEUE_ROWS + 5)]
    assert [answer.done() for answer in unsigned].count(True) == 5
    held = [writer.offer(suspect(signed=True)) for _ in range(QUEUE_ROWS)]
    assert not any(answer.done() for answer in held)
    assert all(answer.result() == "dropped" for answer in unsigned)
    assert writer.offer(suspect(signed=True)).result() == "dropped"


class _Unreachable:
    async def fetch(self, *_arguments: object, **_options: object) -> list[asyncpg.Record]:
        pytest.fail("nothing is written in this test")
