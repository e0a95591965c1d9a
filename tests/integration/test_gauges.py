"""The gauges say what the database says now, and nothing where it says nothing."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from projector.database import Database, open_database
from projector.embedded import EmbeddedServer
from projector.exposition import exposition, new_registry
from projector.log.quarantine import keep
from projector.log.refusals import Counted, count_refusals
from projector.operations import gauges as gauges_module
from projector.operations.catalogue import GAUGES, UP
from projector.operations.gauges import DatabaseGauges, nothing_more
from projector.operations.measures import NAMED_ACCOUNTS, Measures
from projector.operations.of_deliveries import accounts_of
from projector.projections import PROJECTIONS
from projector.schema.migrate import migrate
from tests import own_server as servers
from tests.integration.test_check import put, read, suspect, told, whole_weeks
from tests.processes import free_port
from tests.runtime_rig import all_live, replica, until, until_folded

Shown = dict[str, dict[str, float]]


def shown(text: str) -> Shown:
    """The samples of an exposition by name and by the value of their one label."""
    found: Shown = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})["".join(sample.labels.values())] = sample.value
    return found


class Process:
    """What a process shows of a database."""

    def __init__(self, measures: Measures) -> None:
        self.registry = new_registry()
        self.measures = measures
        self.gauges = DatabaseGauges(self.registry, measures)

    @property
    def shows(self) -> Shown:
        return shown(exposition(self.registry).decode())

    async def until_up(self, up: float, seconds: float) -> float:
        async def is_so() -> bool:
            return self.shows[UP] == {"": up}

        return await until(is_so, seconds)


@asynccontextmanager
async def showing(database: Database, name: str | None = None) -> AsyncIterator[Process]:
    """A process that reads until the block ends."""
    process = Process(Measures(500))
    process.measures.replica = name
    task = asyncio.create_task(process.gauges.run(database))
    try:
        yield process
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_gauge_says_what_the_database_says(database: Database) -> None:
    began = time.time()
    async with replica(database) as running:
        await until(lambda: all_live(database))
        await put(database, whole_weeks(2, timedelta(hours=5)))
        await until_folded(database)
        await read(database, "users", 3)
        await database.fetch("DELETE FROM state.dead_letters")
        await put(database, [told("user.updated", datetime.now(UTC) - timedelta(hours=5), id=None)])
        await until_folded(database)
        await keep(
            database, [suspect(n, is_signed=False) for n in range(3)], max_rows=9, max_bytes=99
        )
        await count_refusals(database, {"wrong": Counted(41, 0, 0)}, now=60, timeout=5)
        await database.fetch(
            "INSERT INTO log.epochs SELECT 2, gen_random_uuid(), place, '2026-05-04 10:00Z' "
            "FROM log.epochs"
        )
        await database.fetch(
            "INSERT INTO log.lost_deliveries SELECT epoch, n, sha256(int4send(n)), now(), 'r', now() "
            "FROM log.epochs, generate_series(1, 10 * number) n"
        )
        await database.fetch("INSERT INTO observations.leases VALUES ('A', 'me')")
        async with showing(database, running.name) as process:
            await process.until_up(1, 5)
            now = process.shows
    head = await database.fetchval("SELECT max(position) FROM log.events")
    names = {projection.name for projection in PROJECTIONS}
    each = dict.fromkeys(names, 0.0)
    assert now["projector_log_head_position"] == {"": head}
    assert now["projector_projection_position"] == dict.fromkeys(names, head)
    assert now["projector_projection_lag_events"] == each
    assert now["projector_projection_lag_seconds"] == each
    assert now["projector_projection_stuck"] == each
    assert now["projector_lease_owned"] == now["projector_lease_mine"] == dict.fromkeys(names, 1.0)
    assert now["projector_dead_letters_open"] == each | {"users": 1}
    assert set(now["projector_drift_open"].values()) == {0}
    assert now["projector_quarantine_rows"] == {"": 3}
    assert now["projector_quarantine_bytes"] == {"": 6}
    assert now["projector_quarantine_limit_rows"] == {"": 500}
    assert now["projector_refused_deliveries_recent"] == {"wrong": 41}
    assert now["projector_epoch_number"] == {"": 2}
    assert now["projector_epoch_timestamp_seconds"] == {"": 1777888800}
    assert now["projector_deliveries_lost"] == {"": 20}
    assert now["projector_reconcile_running"] == {"": 1}
    assert now["projector_schema_behind"] == {"": 0}
    complete = now["projector_reconcile_complete_timestamp_seconds"]
    assert complete == {"users": pytest.approx(began - 3 * 3600, abs=60)}
    last = now["projector_last_received_timestamp_seconds"]
    assert last == {"A": pytest.approx(began - 5 * 3600, abs=60)}
    # Four events in every other hour for five hours, less than all of it because of summer time.
    (due,) = now["projector_silence_expected_deliveries"].values()
    assert 4 <= due <= 12
    assert now["projector_account_silent"] == {"A": 0}
    assert now["projector_log_bytes"][""] > 100_000
    assert now["projector_state_bytes"][""] > 100_000
    assert now["projector_disk_size_bytes"][""] >= now["projector_disk_free_bytes"][""] > 0
    assert set(GAUGES) - set(now) == {"projector_rebuild_position"}
    assert set(now) - set(GAUGES) == {"projector_build_info"}


async def test_an_account_is_silent_where_check_says_so(database: Database) -> None:
    async with replica(database):
        await put(database, whole_weeks(2, timedelta(hours=14)))
        await put(database, whole_weeks(2, timedelta(hours=1), "B"))
        await until_folded(database)
    async with showing(database) as process:
        await process.until_up(1, 5)
        assert process.shows["projector_account_silent"] == {"A": 1, "B": 0}


async def test_a_lag_a_foreign_lease_and_a_rebuild(database: Database) -> None:
    await put(database, [told("user.updated", datetime.now(UTC) - timedelta(seconds=90))])
    await database.fetch("UPDATE state.checkpoints SET moved_at = now() - interval '2 minutes'")
    await database.fetch("INSERT INTO state.replicas VALUES ('other')")
    await database.fetch("UPDATE state.checkpoints SET owner = 'other' WHERE projection = 'users'")
    await database.fetch(
        "INSERT INTO state.rebuilds (projection, owner, position) VALUES ('users', 'o', 7)"
    )
    async with showing(database, "mine") as process:
        await process.until_up(1, 5)
        now = process.shows
    assert now["projector_projection_lag_events"]["users"] == 1
    assert now["projector_projection_lag_seconds"]["users"] == pytest.approx(90, abs=10)
    assert now["projector_projection_stuck"]["users"] == 1
    assert now["projector_lease_owned"]["users"] == 1
    assert set(now["projector_lease_mine"].values()) == {0}
    assert sum(now["projector_lease_owned"].values()) == 1
    assert now["projector_rebuild_position"] == {"users": 7}
    assert "projector_epoch_number" not in now


async def test_more_accounts_than_are_named_are_one(database: Database) -> None:
    now = datetime.now(UTC)
    some = [
        told("user.created", now - timedelta(minutes=account), f"a{account:02}", id=f"u{number}")
        for account in range(NAMED_ACCOUNTS + 5)
        for number in range(3 if account < 2 else 1)
    ]
    async with replica(database):
        await put(database, some)
        await until_folded(database)
        async with showing(database) as process:
            await process.until_up(1, 5)
            last = process.shows["projector_last_received_timestamp_seconds"]
    assert sorted(last) == [f"a{n:02}" for n in range(NAMED_ACCOUNTS)] + ["other"]
    assert last["other"] == pytest.approx(now.timestamp() - 60 * NAMED_ACCOUNTS, abs=5)


@pytest.fixture
def own_server() -> Iterator[EmbeddedServer]:
    """A server that a test may stop."""
    with servers.own_server("projector-gauges") as server:
        yield server


async def test_with_the_database_away_nothing_is_told_of_it(own_server: EmbeddedServer) -> None:
    """Stopped, frozen and back again: within seconds `up` tells, and what cannot be known is absent."""
    database = await open_database(own_server.dsn)
    await migrate(database)
    async with showing(database) as process:
        await process.until_up(1, 5)
        assert len(process.shows) > 15
        own_server.stop()
        assert await process.until_up(0, 10) < 7
        assert set(process.shows) == {UP, "projector_build_info"}
        own_server.start()
        assert await process.until_up(1, 15) < 10
        assert "projector_projection_lag_seconds" in process.shows
        with frozen(own_server):
            assert await process.until_up(0, 15) < 12
            assert set(process.shows) == {UP, "projector_build_info"}
        assert await process.until_up(1, 20) < 15
    database.terminate()


@contextlib.contextmanager
def frozen(server: EmbeddedServer) -> Iterator[None]:
    """Every process of the server stands still."""
    folder = Path(server.dsn.partition("host=")[2].partition("&")[0]).parent
    pid = int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    parent = psutil.Process(pid)
    processes = [parent, *parent.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


async def test_a_reading_that_is_old_is_no_reading(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the loop that reads hangs."""
    async with showing(database) as process:
        await process.until_up(1, 5)
    monkeypatch.setattr(gauges_module, "OLDEST_SECONDS", 0.0)
    assert process.shows[UP] == {"": 0}
    assert set(process.shows) == {UP, "projector_build_info"}


async def test_a_scrape_asks_the_database_nothing(database: Database) -> None:
    async with showing(database) as process:
        await process.until_up(1, 5)
        process.gauges._read = nothing_more
        database.terminate()
        assert len(process.shows) > 15


async def test_a_part_that_may_not_be_read_is_left_out_alone(database_url: str) -> None:
    """As an ingress's role would see it: that the database answers, and no more."""
    database = await open_database(f"{database_url}&role=projector_ingress")
    async with showing(database) as process:
        await process.until_up(1, 5)
        assert set(process.shows) <= {
            UP, "projector_build_info", "projector_schema_behind", "projector_log_bytes",
            "projector_state_bytes",
        }  # fmt: skip
    database.terminate()


async def test_a_process_with_a_connection_of_its_own_finds_the_database_when_it_comes() -> None:
    registry = new_registry()
    gauges = DatabaseGauges(registry, nothing_more)
    task = asyncio.create_task(gauges.run_on(f"postgresql://nobody@127.0.0.1:{free_port()}/x"))
    await asyncio.sleep(0.5)
    assert shown(exposition(registry).decode())[UP] == {"": 0}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_accounts_without_deliveries_have_no_history() -> None:
    assert accounts_of([], []) == []


def test_each_gauge_has_a_meaning() -> None:
    for name, told_of in GAUGES.items():
        assert name.startswith("projector_")
        assert told_of.text.endswith("."), name
        assert not name.endswith("_age_seconds")
