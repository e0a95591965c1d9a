"""Export and import of the log: the same bytes in the same order, once."""

import asyncio
import io
import json
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.database import Database, open_database
from projector.errors import AppendRefused, DatabaseUnavailable
from projector.log import transfer
from projector.log.append import append
from projector.log.transfer import ExportSummary, ImportSummary, export_log, import_file
from projector.zoom.delivery import delivery_of, head_of
from tests.conftest import database_of, run_on
from tests.delivery_bodies import bodies
from tests.directory_rows import shown
from tests.oracle.histories import as_log, history, source_of
from tests.runtime_rig import append_told, assert_oracle_agrees, replica, until_folded

MOMENT = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@asynccontextmanager
async def empty_database(server: str, template: str) -> AsyncIterator[Database]:
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    await run_on(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    database = await open_database(database_of(server, name))
    yield database
    database.terminate()
    await run_on(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def other(server: str, template: str) -> AsyncIterator[Database]:
    async with empty_database(server, template) as database:
        yield database


def event(number: int, **extra: object) -> bytes:
    return json.dumps(
        {"event": "user.updated", "event_ts": 1_500_000_000_000 + number} | extra
    ).encode()


async def received(database: Database, sent: Sequence[bytes]) -> None:
    deliveries = [
        delivery_of(
            body,
            head_of(body),
            received_at=MOMENT + timedelta(microseconds=number),
            request_id=f"request {number}",
            verified_by="fingerprint",
        )
        for number, body in enumerate(sent)
    ]
    if deliveries:
        await append(database, deliveries)


async def logged(database: Database) -> list[tuple[bytes, datetime, str | None]]:
    rows = await database.fetch(
        "SELECT body, received_at, request_id FROM log.events ORDER BY position"
    )
    return [tuple(row) for row in rows]


async def exported(database: Database) -> bytes:
    out = io.BytesIO()
    await export_log(database, out)
    return out.getvalue()


@settings(max_examples=8)
@given(sent=st.lists(bodies, max_size=30, unique=True))
def test_export_import_export_is_the_same(server: str, template: str, sent: list[bytes]) -> None:
    async def there_and_back() -> None:
        async with empty_database(server, template) as one, empty_database(server, template) as two:
            await received(one, sent)
            first = await exported(one)
            answer = await import_file(two, io.BytesIO(first))
            assert answer == ImportSummary(appended=len(sent), duplicates=0, bad=0)
            assert await logged(two) == await logged(one)
            assert [body for body, *_ in await logged(two)] == sent
            second = await exported(two)
            assert first.replace(b'"source":"webhook"', b'"source":"import"') == second

    asyncio.run(there_and_back())


async def test_importing_twice_adds_nothing(database: Database) -> None:
    lines = b"".join(event(number) + b"\n" for number in range(5))
    assert await import_file(database, io.BytesIO(lines)) == ImportSummary(5, 0, 0)
    assert await import_file(database, io.BytesIO(lines)) == ImportSummary(0, 5, 0)
    assert await import_file(database, io.BytesIO(await exported(database))) == ImportSummary(
        0, 5, 0
    )
    assert len(await logged(database)) == 5


async def test_importing_adds_nothing_that_the_append_has_forgotten(database: Database) -> None:
    body = event(1)
    await import_file(database, io.BytesIO(body))
    assert await database.fetchval("SELECT log.forget_digests(now() + interval '1 h', 10)") == 1
    assert await import_file(database, io.BytesIO(body)) == ImportSummary(0, 1, 0)


async def test_one_line_twice_in_a_file_counts_once(database: Database) -> None:
    lines = event(1) + b"\n" + event(2) + b"\n" + event(1)
    assert await import_file(database, io.BytesIO(lines)) == ImportSummary(2, 1, 0)
    assert [body for body, *_ in await logged(database)] == [event(1), event(2)]


async def test_bare_bodies_are_kept_byte_for_byte(database: Database) -> None:
    sent = [b" \t" + event(1) + b" \r", event(2), b'\t{"event":"user.updated","x":"\\ud83d"} ']
    before = datetime.now(UTC)
    await import_file(database, io.BytesIO(b"\n".join(sent)))
    rows = await logged(database)
    assert [body for body, *_ in rows] == sent
    assert all(before <= at <= datetime.now(UTC) and request is None for _, at, request in rows)
    assert await database.fetchval("SELECT DISTINCT source FROM log.events") == "import"


async def test_bad_lines_are_told_by_number_and_do_not_stop(database: Database) -> None:
    lines = [event(1), b"", b"sesame", b"  \r", event(2), b'{"event": 7}', event(3)]
    told: list[tuple[int, str]] = []
    answer = await import_file(
        database, io.BytesIO(b"\n".join(lines)), report_bad=lambda *bad: told.append(bad)
    )
    assert answer == ImportSummary(appended=3, duplicates=0, bad=2)
    assert [number for number, _ in told] == [3, 6]
    assert not any("sesame" in reason for _, reason in told)


async def test_a_line_too_long_is_skipped(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits, exceeds = event(1), event(2, more="x" * 500)
    monkeypatch.setattr(transfer, "LONGEST_LINE", len(fits))
    monkeypatch.setattr(transfer, "_SKIPPED_AT_ONCE", 7)
    told: list[int] = []
    steps: list[tuple[int, int]] = []
    lines = b"\n".join([fits, exceeds, b'{"event":"user.created"}', exceeds])
    answer = await import_file(
        database,
        io.BytesIO(lines),
        lambda *step: steps.append(step),
        lambda number, _reason: told.append(number),
    )
    assert steps == [(4, len(lines))]
    assert answer == ImportSummary(appended=2, duplicates=0, bad=2)
    assert told == [2, 4]


async def test_pages_and_batches(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [event(number, more="x" * (300 if number % 7 == 0 else 1)) for number in range(40)]
    await received(database, sent)
    monkeypatch.setattr(transfer, "BATCH_ROWS", 6)
    monkeypatch.setattr(transfer, "BATCH_BYTES", 350)
    steps: list[tuple[int, int]] = []
    out = io.BytesIO()
    assert await export_log(database, out, lambda *step: steps.append(step)) == ExportSummary(
        40, 0, 0
    )
    assert steps[-1] == (40, 40)
    assert len(steps) > 6
    assert steps == sorted(set(steps))

    steps.clear()
    source = io.BytesIO(out.getvalue())
    assert (await import_file(other, source, lambda *step: steps.append(step))).appended == 40
    assert steps[-1] == (40, len(out.getvalue()))
    assert len(steps) > 6
    assert await logged(other) == await logged(database)


async def test_what_is_erased_or_repeated_is_left_out_and_counted(database: Database) -> None:
    await received(database, [event(1), event(2), event(3)])
    await database.fetch("SELECT log.forget_digests('3000-01-01', 10)")
    await received(database, [event(2), event(4)])
    async with database.transaction() as connection:
        await connection.execute("ALTER TABLE log.events DISABLE TRIGGER events_are_append_only")
        await connection.execute("UPDATE log.events SET body = NULL WHERE position = 1")
        await connection.execute(
            "ALTER TABLE log.events ENABLE ALWAYS TRIGGER events_are_append_only"
        )
    out = io.BytesIO()
    assert await export_log(database, out) == ExportSummary(exported=3, erased=1, repeated=1)
    written = [json.loads(line)["body"].encode() for line in out.getvalue().splitlines()]
    assert written == [event(2), event(3), event(4)]


async def test_an_empty_log_and_an_empty_file(database: Database) -> None:
    assert await exported(database) == b""
    assert await import_file(database, io.BytesIO(b"")) == ImportSummary(0, 0, 0)


async def test_an_append_lock_that_others_hold_for_a_while_is_waited_for(
    database: Database,
) -> None:
    async with database.transaction() as holder:
        await holder.execute("SELECT log.take_append_lock()")
        importing = asyncio.create_task(import_file(database, io.BytesIO(event(1))))
        await asyncio.sleep(1.7)  # longer than a single append waits
        assert not importing.done()
    assert await importing == ImportSummary(1, 0, 0)


async def test_an_append_lock_that_is_never_released_ends_the_import(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_ATTEMPTS", 1)
    async with database.transaction() as holder:
        await holder.execute("SELECT log.take_append_lock()")
        with pytest.raises(AppendRefused):
            await import_file(database, io.BytesIO(event(1)))


async def test_a_database_that_goes_away_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_ATTEMPTS", 2)
    database.terminate()
    with pytest.raises(DatabaseUnavailable):
        await export_log(database, io.BytesIO())
    with pytest.raises(DatabaseUnavailable):
        await import_file(database, io.BytesIO(event(1)))


async def test_what_kind_an_event_is_survives_export_and_import(
    database: Database, other: Database
) -> None:
    """Also where the same bytes came by HTTP too, before or after."""
    some = as_log(history(11, 250))
    told = [delivery_of(d.body, head_of(d.body), received_at=d.received_at) for d in some]
    facts = [one for one in told if source_of(one.body) == "rest"]
    await append(database, facts[:5])
    await append_told(database, told)
    await append(database, facts[5:10])
    summary = await import_file(other, io.BytesIO(await exported(database)))
    assert summary == ImportSummary(len(told) + 10, 0, 0)
    kinds = "SELECT source IN ('rest', 'declared', 'operator'), digest FROM log.events ORDER BY position"
    here, there = [[tuple(r) for r in await d.fetch(kinds)] for d in (database, other)]
    assert here == there
    assert (await import_file(other, io.BytesIO(await exported(database)))).appended == 0
    for one in (database, other):
        async with replica(one):
            await until_folded(one)
    assert await shown(database) == await shown(other)
    await assert_oracle_agrees(database)


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("rest.user_gone", "rest", "rest"),
        ("rest.user_gone", "webhook", "import"),
        ("rest.user_gone", "operator", "import"),
        ("rest", "rest", "import"),
        ("user.deleted", "rest", "import"),
        ("declared.model", "declared", "declared"),
        ("user.deleted", None, "import"),
        ("rest.user_gone", ["rest"], "import"),
    ],
)
async def test_an_envelope_is_believed_only_where_name_and_source_agree(
    database: Database, name: str, source: object, expected: str
) -> None:
    body = json.dumps({"event": name, "payload": {"account_id": "A", "object": {"id": "u"}}})
    line = {"received_at": MOMENT.isoformat(), "source": source, "body": body}
    await import_file(database, io.BytesIO(json.dumps(line).encode()))
    assert await database.fetchval("SELECT source FROM log.events") == expected
