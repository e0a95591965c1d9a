"""Counts that speed depends on: statements per delivery, rows written per net change.

Counts do not depend on how busy the machine is. test_runtime.py counts round trips per batch.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from projector.database import Connection, Database, open_database
from projector.database import connect as connect_for_real
from projector.folding.tables import Projection, SequenceTable
from projector.ingress import connection as lanes
from projector.projections import PROJECTIONS
from projector.rebuild import fill, scan, states, tasks
from projector.rebuild.rebuild import rebuild
from projector.rebuild.worker import LocalWorker
from projector.state.batch import make_batch
from projector.state.codec import Column
from projector.state.folder import Folder, Lease
from projector.state.shadow import Shadow
from projector.state.store import Store
from projector.statements import queries
from tests.ingress_rig import event_body, serving
from tests.oracle.story import event
from tests.runtime_rig import Counting, append_bodies, no_progress

NAMED = {projection.name: projection for projection in PROJECTIONS}
WAITERS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often an ingress replica sends each statement, by its text."""
    sent: Counter[str] = Counter()

    async def connect(url: str, *, statement_cache: int = 100) -> Connection:
        connection = await connect_for_real(url, statement_cache=statement_cache)
        connection.add_query_logger(lambda query: sent.update([query.query]))
        return connection

    monkeypatch.setattr(lanes, "connect", connect)
    return sent


async def test_deliveries_that_wait_share_one_statement(
    database_url: str, statements: Counter[str]
) -> None:
    append_statement = queries("log")["append_webhooks"]
    async with serving(database_url) as sender:
        await sender.until_ready()
        assert (await sender.post(event_body())).status == 200
        statements.clear()
        holder = await asyncpg.connect(database_url)
        await holder.execute("BEGIN; SELECT log.take_append_lock()")
        posts = [asyncio.create_task(sender.post(event_body())) for _ in range(100)]
        # The first batch waits for the lock, and after a quarter of a second that of the other lane.
        while await holder.fetchval(WAITERS) < 2:
            await asyncio.sleep(0.01)
        await holder.close()
        assert {answer.status for answer in await asyncio.gather(*posts)} == {200}
    # Three on a fast machine; on a slow one some deliveries arrive after those two.
    assert 2 <= statements[append_statement] <= 10
    others = {text for text in statements if text != append_statement}
    assert not [text for text in others if "BEGIN" in text.upper() or "RESET" in text.upper()]


def folder_in(connection: Connection, projection: Projection) -> Folder:
    """A folder whose statements all run in the caller's transaction."""
    store = Store(connection)
    return Folder(projection, store, Lease(0, 0))


async def written(connection: Connection, table: str) -> tuple[int, int]:
    """(inserted, updated) rows of a state table so far in this transaction."""
    row = await connection.fetchrow(
        "SELECT n_tup_ins, n_tup_upd FROM pg_stat_xact_user_tables "
        "WHERE schemaname = 'state' AND relname = $1",
        table,
    )
    assert row is not None
    return row[0], row[1]


async def process(connection: Connection, folder: Folder) -> None:
    """Fold everything after the folder's position as one batch."""
    after = folder.lease.position
    rows = await connection.fetch(queries("log")["read"], after, 10_000, 2**62, 2**30)
    await folder.fold(make_batch(after, rows, full=False))


def presence(number: int, user: str = "u") -> bytes:
    return event(
        "user.presence_status_updated", number, {"id": user, "presence_status": f"s{number}"}
    )


async def test_a_merge_table_writes_one_row_per_net_change(database: Database) -> None:
    await append_bodies(database, [presence(n) for n in range(1, 1001)])
    async with database.transaction() as connection:
        folder = folder_in(connection, NAMED["presence"])
        await process(connection, folder)
        assert await written(connection, "presence") == (1, 0)
        await append_bodies(connection, [presence(n) for n in range(2001, 3001)])
        await process(connection, folder)
        assert await written(connection, "presence") == (1, 1)
        # An event older than the row changes nothing, and writes nothing.
        await append_bodies(connection, [presence(n) for n in range(1001, 2001)])
        await process(connection, folder)
        assert await written(connection, "presence") == (1, 1)
        assert folder.lease.position == 3000


async def test_a_sequence_table_writes_one_row_per_net_change(database: Database) -> None:
    def updates(first: int) -> list[bytes]:
        return [
            event("user.updated", n, {"id": f"u{n % 5}", "dept": f"d{n}"})
            for n in range(first, first + 500)
        ]

    await append_bodies(database, updates(1))
    async with database.transaction() as connection:
        folder = folder_in(connection, NAMED["users"])
        await process(connection, folder)
        assert await written(connection, "users") == (5, 0)
        assert await written(connection, "users_history") == (500, 0)
        await append_bodies(connection, updates(1001))
        await process(connection, folder)
        assert await written(connection, "users") == (5, 5)
        assert await written(connection, "users_history") == (1000, 0)


async def test_a_merge_table_is_never_read(database: Database) -> None:
    """A batch of presence, sign-ins or freshness is one write: the database merges.

    Of memberships only the versions are read.
    """
    person = {"id": "u", "client_type": "win", "presence_status": "Away"}
    await append_bodies(
        database,
        [
            event("user.presence_status_updated", 1, person),
            event("user.signed_in", 2, person),
            event("group.member_added", 3, {"id": "g", "members": [person]}),
        ]
        * 2,
    )
    rows = await database.fetch(queries("log")["read"], 0, 10_000, 2**62, 2**30)
    for name in ("presence", "sign_ins", "memberships", "freshness"):
        counting = Counting(database)
        store = Store(counting)
        lease = Lease(0, await database.fetchval("SELECT max(epoch) FROM state.checkpoints"))
        folder = Folder(NAMED[name], store, lease)
        await folder.fold(make_batch(0, rows, full=False))
        versions = {"load": 1} if NAMED[name].merging[0].versions else {}
        assert counting.counts == {"write": 1} | versions


async def test_rows_are_found_by_their_keys_however_small_the_table_was(
    database_url: str, database: Database
) -> None:
    """Plans are cached: a sequential scan planned for a small table would be used on a large one."""
    users = [event("user.updated", n, {"id": f"u{n}", "dept": "d"}) for n in range(20)]
    await append_bodies(database, users)
    async with database.transaction() as connection:
        await process(connection, folder_in(connection, NAMED["users"]))
    await database.fetch("ANALYZE state.users")
    await database.fetch("ANALYZE state.users_history")
    table = next(table for table in NAMED["users"].tables if isinstance(table, SequenceTable))
    keys = [("A", f"u{n}") for n in range(3)]
    by_key = await open_database(database_url, size=1, by_key=True)
    try:
        async with by_key.transaction() as connection:
            store = Store(connection)
            assert set(await store.load(table, keys)) == set(keys)
            assert set(await store.histories(table, keys)) == set(keys)
            read = await connection.fetch(
                "SELECT relname, seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables "
                "WHERE relname IN ('users', 'events') ORDER BY relname"
            )
        assert [tuple(row) for row in read] == [("events", 0, 3), ("users", 0, 3)]
    finally:
        await by_key.close()


async def test_the_rows_of_a_membership_are_its_net_members(database: Database) -> None:
    changes = [
        event(
            f"group.member_{'added' if n % 2 else 'deleted'}",
            n,
            {"id": "g", "members": [{"id": "one"}, {"id": "two"}]},
        )
        for n in range(1, 301)
    ]
    await append_bodies(database, changes)
    async with database.transaction() as connection:
        await process(connection, folder_in(connection, NAMED["memberships"]))
        assert await written(connection, "memberships") == (2, 0)


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The rows that rebuilds write by COPY, and the number of COPYs, by table."""
    counts: Counter[str] = Counter()
    copy = Shadow.copy

    async def counting(self: Shadow, table: str, columns: Any, records: Any) -> None:
        rows = [r async for r in records] if hasattr(records, "__aiter__") else list(records)
        counts[table] += len(rows)
        counts[f"calls for {table}"] += 1
        await copy(self, table, columns, rows)

    monkeypatch.setattr(Shadow, "copy", counting)
    return counts


async def append_many(database: Database) -> None:
    """Presence and updates of seven users."""
    await append_bodies(database, [presence(n, f"u{n % 7}") for n in range(1, 2001)])
    await append_bodies(
        database,
        [event("user.updated", n, {"id": f"u{n % 7}", "dept": f"d{n}"}) for n in range(1, 1001)],
    )


async def test_a_rebuild_copies_each_table_once(database: Database, copied: Counter[str]) -> None:
    await append_many(database)
    await rebuild(database, [NAMED["presence"], NAMED["users"]], no_progress)
    assert copied == {
        "presence_runs": 7,
        "calls for presence_runs": 1,
        "users": 7,
        "calls for users": 1,
        "user_versions": 1000,
        "calls for user_versions": 1,
        "removed_emails": 0,
        "calls for removed_emails": 1,
        "users_history": 1000,
        "calls for users_history": 1,
        "notes": 0,
        "calls for notes": 1,
    }


async def test_what_does_not_fit_into_memory_is_written_once_more_and_never_read_back(
    database: Database, copied: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Any] = []
    monkeypatch.setattr(Store, "load", loaded.append)
    monkeypatch.setattr(fill, "MEMORY", 1)
    monkeypatch.setattr(scan, "READ_ROWS", 100)
    monkeypatch.setattr(tasks, "SCANS_A_PROCESS", 1)
    await append_many(database)
    await rebuild(database, [NAMED["presence"], NAMED["users"]], no_progress)
    assert (copied["presence_runs"], copied["calls for presence_runs"]) == (140, 20)
    assert (copied["users"], copied["calls for users"]) == (7, 1)
    assert loaded == []
    assert await database.fetchval("SELECT count(*) FROM state.presence") == 7


@pytest.mark.parametrize("shares", [1, 2])
async def test_an_event_is_read_once_by_a_scan_and_once_with_its_entity_whoever_reads_it(
    database: Database, copied: Counter[str], monkeypatch: pytest.MonkeyPatch, shares: int
) -> None:
    read: Counter[str] = Counter()
    skim, decode = scan.skim_rows, states.decode_rows

    def counting(kind: str, function: Any) -> Any:
        def counted(rows: Any) -> Any:
            read[kind] += len(rows)
            return function(rows)

        return counted

    @asynccontextmanager
    async def here(number: int, _url: str, shadows: Any, memory: int) -> AsyncIterator[Any]:
        yield [LocalWorker(database, shadows, memory) for _ in range(number)]

    monkeypatch.setattr(scan, "skim_rows", counting("scanned", skim))
    monkeypatch.setattr(states, "decode_rows", counting("with its entity", decode))
    monkeypatch.setattr(fill, "side_workers", here)
    monkeypatch.setattr(fill, "POSITIONS_A_PROCESS", 1)
    await append_many(database)
    await rebuild(database, [NAMED["presence"], NAMED["users"]], no_progress, processes=shares)
    assert read == {"scanned": 3000, "with its entity": 1000}
    assert (copied["users"], copied["calls for users"]) == (7, shares)
    assert copied["users_history"] == 1000
    assert copied["presence_runs"] <= 7 * shares


async def test_most_events_that_a_row_in_memory_supersedes_make_no_row(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan goes backwards: it reads the newest of a user's thousand presence events first."""
    given: Counter[str] = Counter()
    contribute = scan.contribute

    def counting(table: Any, events: Any, rows: Any) -> Any:
        given[table.name] += sum(len(events.get(name, ())) for name in table.rows)
        return contribute(table, events, rows)

    monkeypatch.setattr(scan, "contribute", counting)
    monkeypatch.setattr(scan, "READ_ROWS", 10)
    await append_bodies(database, [presence(n) for n in range(1, 1001)])
    await rebuild(database, [NAMED["presence"]], no_progress)
    assert given == {"presence": 10}
    assert await database.fetchval("SELECT presence_status FROM directory.presence") == "s1000"


async def test_a_rebuild_reads_the_events_that_it_folds_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[int] = Counter()
    skim = scan.skim_rows

    def counting(rows: Any) -> Any:
        read[len(rows)] += 1
        return skim(rows)

    monkeypatch.setattr(scan, "skim_rows", counting)
    await append_bodies(database, [presence(n, "u1") for n in range(1, 1001)])
    await append_bodies(database, [event("group.created", 2000, {"id": "g"})])
    await append_bodies(database, [presence(n, "u1") for n in range(3001, 4001)])
    await rebuild(database, [NAMED["groups"]], no_progress)
    assert read == {1: 1}
    assert await database.fetchval("SELECT count(*) FROM state.groups") == 1


async def test_an_array_is_asked_for_its_shape_by_one_element(database: Database) -> None:
    asked: list[int] = []

    class Counted(Column):
        def __iter__(self) -> Iterator[Any]:
            values = list(super().__iter__())
            asked.append(len(values))
            return iter(values)

    column = Counted([None, *map(str, range(999))])
    assert await database.fetchval("SELECT cardinality($1::text[])", column) == 1000
    assert asked == [1, 1000]
