"""`check` finds each trouble when it is made to happen on a real database, and nothing else."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from projector.config import Settings
from projector.database import Database, open_database
from projector.embedded import EmbeddedServer
from projector.errors import ConfigurationError, DatabaseUnavailable
from projector.log.append import append
from projector.log.quarantine import Suspect, keep
from projector.log.refusals import Counted, count_refusals
from projector.operations.check import Checks, check
from projector.operations.finding import Finding, Level
from projector.operations.reading import Reader
from projector.schema.migrate import migrate
from projector.schema.migrations import migrations
from projector.zoom.catalogue import EVENTS
from projector.zoom.delivery import Delivery, delivery_of, head_of
from tests.folders import new_folder
from tests.ingress_rig import NOWHERE, OTHER_SECRET, event_body, serving, signed
from tests.runtime_rig import all_live, replica, until, until_folded

ACCOUNT = "A"
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)


def told(event: str, at: datetime, account: str = ACCOUNT, **about: Any) -> Delivery:
    """A delivery that happened and was received at a time."""
    body = json.dumps(
        {
            "event": event,
            "event_ts": int(at.timestamp() * 1000),
            "payload": {"account_id": account, "object": {"id": "u", "group_id": "g"} | about},
        }
    ).encode()
    return delivery_of(body, head_of(body), received_at=at)


def whole_weeks(weeks: int, until_ago: timedelta, account: str = ACCOUNT) -> list[Delivery]:
    """Every event, in every other hour of some weeks, up to a time ago; unique by its milliseconds."""
    end = datetime.now(UTC) - until_ago
    ticks = int(weeks * WEEK / (2 * HOUR))
    return [
        told(event, end - 2 * HOUR * tick - timedelta(milliseconds=number), account)
        for tick in range(ticks, -1, -1)
        for number, event in enumerate(EVENTS if tick % 12 == 0 else OFTEN)
    ]


OFTEN = ("user.updated", "user.presence_status_updated", "user.signed_in", "user.signed_out")


async def put(database: Database, some: list[Delivery]) -> None:
    for start in range(0, len(some), 400):
        await append(database, some[start : start + 400])


def settings(**changes: Any) -> Settings:
    return Settings(**changes)


async def findings(url: str, **changes: Any) -> list[Finding]:
    return await check(settings(**changes), url)


def codes(some: list[Finding]) -> list[tuple[Level, str]]:
    return [(one.level, one.code) for one in some]


@pytest.fixture
async def folding(database: Database) -> AsyncIterator[Database]:
    """A database whose projections a live replica folds."""
    async with replica(database):
        await until(lambda: all_live(database))
        yield database


@pytest.fixture
async def healthy(folding: Database) -> Database:
    """An account of five weeks that has just delivered, folded."""
    await put(folding, whole_weeks(5, timedelta(0)))
    await until_folded(folding)
    await folding.fetch("DELETE FROM state.dead_letters")
    return folding


@pytest.mark.usefixtures("healthy")
async def test_of_a_healthy_account_nothing_is_found(database_url: str) -> None:
    assert await findings(database_url) == []


@pytest.mark.usefixtures("folding")
async def test_an_empty_log_that_is_folded_is_healthy(database_url: str) -> None:
    assert await findings(database_url) == []


async def test_a_database_that_does_not_answer() -> None:
    (found,) = await findings(NOWHERE)
    assert (found.level, found.code) == (Level.WRONG, "database")
    assert found.says == "nothing listens at 127.0.0.1:1"
    assert "PROJECTOR_DATABASE_URL" in found.do


async def test_a_database_that_goes_away_meanwhile_says_why(database: Database) -> None:
    async def lost() -> list[Finding]:
        await database.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
        return []

    checks = Checks(Settings(), Reader(database, 5), frozenset())  # type: ignore[call-arg]
    with pytest.raises(DatabaseUnavailable) as raised:
        await checks._of("dead letters", lost)
    assert "terminating connection due to administrator command" in str(raised.value)
    assert str(raised.value).endswith("; look at its log, and run this again")


async def test_no_database_at_all() -> None:
    (found,) = await check(settings(), ConfigurationError("no database: nothing is set; set it"))
    assert (found.code, found.says, found.do) == (
        "database", "no database: nothing is set", "set it",
    )  # fmt: skip


async def test_a_schema_behind_ahead_and_not_there(
    folding: Database, database_url: str, cluster: str
) -> None:
    needed = len(migrations())
    await folding.fetch("INSERT INTO projector.migrations VALUES ($1, 'later', 1)", needed + 1)
    assert codes(await findings(database_url)) == [(Level.NOTE, "schema-ahead")]
    await folding.fetch(
        "UPDATE projector.migrations SET serves = $1 WHERE name = 'later'", needed + 1
    )
    assert codes(await findings(database_url)) == [(Level.WRONG, "schema-newer")]
    await folding.fetch("DELETE FROM projector.migrations WHERE number >= $1", needed)
    (found,) = await findings(database_url)
    assert (found.code, found.do) == ("schema-behind", "run `projector migrate`")
    (found,) = await findings(cluster)
    assert (found.code, found.says) == ("schema-behind", "is not there yet")


async def test_no_replica_folds(database: Database, database_url: str) -> None:
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.WARNING, "projection-idle")
    await put(database, [told("user.updated", datetime.now(UTC) - HOUR / 20)])
    await database.fetch("UPDATE state.checkpoints SET moved_at = now() - interval '2 minutes'")
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.WRONG, "projection-stuck")
    assert "projections account_settings, " in found.subject


async def test_a_projection_is_stuck(healthy: Database, database_url: str) -> None:
    """Its rows are locked, as by a forgotten transaction."""
    blocker = await open_database(database_url, size=1)
    async with blocker.transaction() as connection:
        await connection.execute(
            "SELECT * FROM state.checkpoints WHERE projection = 'users' FOR UPDATE"
        )
        await put(healthy, [told("user.updated", datetime.now(UTC) - HOUR / 20)])
        await until_folded(healthy, names={"freshness"})
        assert codes(await findings(database_url)) == [(Level.WARNING, "projection-lag")]
    await blocker.close()


async def stand(database: Database, what: str) -> None:
    """Set something of the checkpoint of users; nobody folds."""
    await database.fetch(f"UPDATE state.checkpoints SET {what} WHERE projection = 'users'")


@pytest.fixture
async def standing(database: Database) -> Database:
    """A folded database whose leases a replica holds that writes no more."""
    await put(database, whole_weeks(1, timedelta(0)))
    async with replica(database):
        await until_folded(database)
    await database.fetch("DELETE FROM state.dead_letters")
    await database.fetch("INSERT INTO state.replicas VALUES ('r', now() + interval '8 seconds')")
    await database.fetch("UPDATE state.checkpoints SET owner = 'r'")
    return database


@pytest.mark.parametrize(
    ("what", "seconds", "level", "code", "says"),
    [
        ("position = position - 1", 30, None, "", ""),
        ("position = position - 1", 90, Level.WARNING, "projection-lag", "90 seconds behind, 1 event"),
        ("position = position - 1", 700, Level.WRONG, "projection-lag", "11 minutes behind"),
        ("position = position - 1", 200_000, Level.NOTE, "projection-catching-up", "2 days ago"),
        ("position = position - 1, moved_at = now() - interval '90 s'", 90, Level.WRONG,
         "projection-stuck", "not moved for 90 seconds, with 1 event waiting"),
        ("position = position - 1, moved_at = now() - interval '90 s', error = 'DiskFullError'", 90,
         Level.WRONG, "projection-stuck", "after an error: DiskFullError"),
        ("error = 'DiskFullError'", 0, Level.WARNING, "projection-waits", "try again: DiskFullError"),
        ("position = position + 1", 0, Level.WRONG, "projection-beyond-head", "restoring"),
        ("wanted = version + 1, owner = NULL", 0, Level.WRONG, "projection-stale", "newer release"),
        ("owner = NULL", 0, Level.WARNING, "projection-idle", "no live replica"),
    ],
)  # fmt: skip
async def test_how_projections_stand(
    standing: Database,
    database_url: str,
    what: str,
    seconds: int,
    level: Level,
    code: str,
    says: str,
) -> None:
    await put(standing, [told("user.updated", datetime.now(UTC) - timedelta(seconds=seconds))])
    await standing.fetch(
        "UPDATE state.checkpoints SET position = (SELECT max(position) FROM log.events), moved_at = now()"
    )
    await stand(standing, what)
    found = await findings(database_url)
    if level is None:
        assert found == []
        return
    (one,) = found
    assert (one.level, one.code, one.subject) == (level, code, "projection users")
    assert says in one.says


async def test_a_rebuild_of_an_upgrade_is_no_trouble(standing: Database, database_url: str) -> None:
    await stand(standing, "wanted = version + 1, owner = NULL")
    await standing.fetch("INSERT INTO state.rebuilds (projection, owner) VALUES ('users', 'r')")
    assert await findings(database_url) == []


async def test_dead_letters_are_one_finding_a_projection(
    healthy: Database, database_url: str
) -> None:
    now = datetime.now(UTC)
    bad = [told("user.updated", now - timedelta(seconds=n), id=None) for n in range(5)]
    bad += [told("group.member_added", now, id="g", members=[{}])]
    await put(healthy, bad)
    await until_folded(healthy)
    found = await findings(database_url)
    assert [(one.code, one.subject, one.says.partition(",")[0]) for one in found] == [
        ("dead-letters", "projection memberships", "could not fold 1 event"),
        ("dead-letters", "projection users", "could not fold 5 events"),
    ]
    assert {one.level for one in found} == {Level.WARNING}


async def test_drift_is_one_finding_an_entity(healthy: Database, database_url: str) -> None:
    now = datetime.now(UTC)
    body = {
        "event": "user.updated",
        "event_ts": int(now.timestamp() * 1000),
        "payload": {
            "account_id": ACCOUNT,
            "object": {"id": "v", "dept": "b", "company": "b"},
            "old_object": {"id": "v", "dept": "a", "company": "a"},
        },
    }
    first = told("user.updated", now - timedelta(seconds=1), id="v", dept="x", company="x")
    raw = json.dumps(body).encode()
    await put(healthy, [first, delivery_of(raw, head_of(raw), received_at=now)])
    await until_folded(healthy)
    (found,) = await findings(database_url)
    assert (found.level, found.code, found.subject) == (Level.WARNING, "drift", "user")
    assert found.says.startswith("2 values contradicted by Zoom")


def suspect(number: int, *, is_signed: bool) -> Suspect:
    return Suspect(
        datetime.now(UTC) - HOUR, "stale" if is_signed else "wrong", "user.updated", is_signed, None,
        "1", "v0=", number.to_bytes(32, "big"), b"{}",
    )  # fmt: skip


async def test_the_quarantine_with_its_reasons_and_filling(
    healthy: Database, database_url: str
) -> None:
    await keep(
        healthy, [suspect(n, is_signed=n < 3) for n in range(10)], max_rows=100, max_bytes=10**6
    )
    signed_ones, unsigned = await findings(database_url)
    assert (signed_ones.level, signed_ones.code) == (Level.WARNING, "quarantined")
    assert signed_ones.says.startswith("holds 3 stale, the oldest from 60 minutes ago")
    assert (unsigned.level, unsigned.code) == (Level.NOTE, "quarantined-unsigned")
    assert "7 wrong" in unsigned.says
    for limit, level in ((12, Level.WARNING), (10, Level.WRONG)):
        found = await findings(database_url, quarantine_rows=limit)
        assert (level, "quarantine-full") in codes(found)
    assert (Level.WARNING, "quarantine-full") in codes(
        await findings(database_url, quarantine_bytes=24)
    )
    assert "quarantine-full" not in str(await findings(database_url, quarantine_rows=13))


@pytest.mark.usefixtures("folding")
async def test_a_wrong_secret_with_how_many_and_since_when(database_url: str) -> None:
    async with serving(database_url, quarantine_per_second=0) as zoom:
        for _ in range(7):
            body = event_body()
            await zoom.post(body, signed(body, OTHER_SECRET))
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.WRONG, "wrong-secret")
    assert ": 7 refused since 20" in found.says
    assert "no good one came meanwhile" in found.says
    assert "PROJECTOR_ZOOM_SECRET_TOKENS" in found.do


async def refused(database: Database, reason: str, hours: float) -> None:
    """One refusal, so many hours ago."""
    at = -hours * 3600
    await count_refusals(database, {reason: Counted(3, at, at)}, now=0, timeout=5)
    await database.fetch("UPDATE log.refusals SET hour = date_trunc('hour', last_at, 'UTC')")


@pytest.mark.parametrize(
    ("reason", "hours", "good_hours", "expected"),
    [
        ("wrong", 2, None, (Level.WRONG, "wrong-secret")),
        ("wrong", 23, None, (Level.WRONG, "wrong-secret")),
        ("wrong", 25, None, None),
        ("wrong", 2, 1, None),
        ("wrong", 0.5, 0.1, (Level.WARNING, "wrong-secret")),
        ("wrong", 2, 3, (Level.WRONG, "wrong-secret")),
        ("stale", 2, None, (Level.WRONG, "stale-signature")),
        ("validation", 2, None, (Level.WRONG, "validation-failed")),
        ("validation", 0.5, 0.1, (Level.WARNING, "validation-failed")),
        ("dropped-signed", 2, None, (Level.WRONG, "quarantine-dropped")),
        ("too-large", 2, None, (Level.NOTE, "too-large")),
        ("missing", 2, None, None),
        ("dropped-unsigned", 2, None, None),
    ],
)
async def test_refusals_age_out_and_sooner_where_a_good_delivery_came(
    folding: Database, database_url: str, reason: str, hours: float, good_hours: float | None, expected: Any
) -> None:  # fmt: skip
    await refused(folding, reason, hours)
    if good_hours is not None:
        await put(folding, [told("user.created", datetime.now(UTC) - good_hours * HOUR)])
        await until_folded(folding)
    assert codes(await findings(database_url)) == ([] if expected is None else [expected])


async def test_a_silent_account_is_one_finding(folding: Database, database_url: str) -> None:
    await put(folding, whole_weeks(5, timedelta(hours=14)))
    await put(folding, whole_weeks(5, timedelta(0), "simulated-b"))
    await put(folding, whole_weeks(5, timedelta(hours=14), "simulated-c"))
    await until_folded(folding)
    await folding.fetch("DELETE FROM state.dead_letters")
    one, other = await findings(database_url)
    assert (one.level, one.code, one.subject) == (Level.WRONG, "silent-account", "account A")
    assert "silent for 14 hours" in one.says
    assert other.subject == "account simulated-c"
    assert "projector simulate" in other.do


async def test_a_silent_event_is_found_where_the_account_is_not(
    folding: Database, database_url: str
) -> None:
    now = datetime.now(UTC)
    some = [
        one
        for one in whole_weeks(5, timedelta(0))
        if one.event not in ("user.signed_in", "user.signed_out")
        or one.received_at < now - 2 * 24 * HOUR
    ]
    await put(folding, some)
    await until_folded(folding)
    await folding.fetch("DELETE FROM state.dead_letters")
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.WARNING, "silent-event")
    assert found.says.startswith("user.signed_in and user.signed_out came regularly and not since")
    assert await findings(database_url, not_subscribed="user.signed_in, user.signed_out") == []


async def test_events_that_never_came(folding: Database, database_url: str) -> None:
    lacking = {"user.deleted", "group.lock_settings_updated"}
    some = [one for one in whole_weeks(2, timedelta(0)) if one.event not in lacking]
    await put(folding, some)
    await until_folded(folding)
    await folding.fetch("DELETE FROM state.dead_letters")
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.NOTE, "never-received")
    assert "group.lock_settings_updated and user.deleted never came" in found.says
    await folding.fetch("DELETE FROM state.freshness WHERE event = 'user.signed_in'")
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.WARNING, "never-received")
    assert found.says.startswith("user.signed_in, group.lock_settings_updated and user.deleted")
    left_out = "user.signed_in,user.deleted,group.lock_settings_updated"
    assert await findings(database_url, not_subscribed=left_out) == []
    (found,) = await findings(database_url, not_subscribed=f"{left_out},user.updated")
    assert (found.level, found.code) == (Level.NOTE, "settings")
    with pytest.raises(ConfigurationError, match=r"is user\.updated meant"):
        await findings(database_url, not_subscribed="user.upated")


async def test_a_new_account_owes_nothing_yet(folding: Database, database_url: str) -> None:
    await put(folding, [told("user.updated", datetime.now(UTC) - n * HOUR) for n in range(100)])
    await until_folded(folding)
    assert await findings(database_url) == []


CREDENTIALS = {
    "zoom_account_id": ACCOUNT,
    "zoom_client_id": SecretStr("i"),
    "zoom_client_secret": SecretStr("s"),
}


async def read(
    database: Database, section: str, hours: float, unreadable: str | None = None
) -> None:
    """The record of a reading of a section, so many hours ago."""
    at = datetime.now(UTC) - hours * HOUR
    about = {"id": section, "complete": unreadable is None, "unreadable": unreadable, "read": 1}
    await append(database, [told("rest.section_read", at, **about)], source="rest")
    await until_folded(database)


async def test_coverage(healthy: Database, database_url: str) -> None:
    (found,) = await findings(database_url, **CREDENTIALS)
    assert (found.level, found.code) == (Level.WARNING, "never-reconciled")
    for section in ("users", "groups"):
        await read(healthy, section, 1)
    assert await findings(database_url, **CREDENTIALS) == []
    await read(healthy, "settings", 19)
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.WARNING, "coverage-old")
    assert found.says == "last read completely: settings (19 hours ago)"
    await read(healthy, "settings", 2)
    await read(healthy, "groups", 0.5, "scope group:read:admin is missing")
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.WARNING, "coverage-unreadable")
    assert "groups (scope group:read:admin is missing)" in found.says


async def test_a_new_epoch_until_everything_is_read_again(
    healthy: Database, database_url: str
) -> None:
    assert await findings(database_url) == []
    await healthy.fetch(
        "INSERT INTO log.epochs SELECT 2, gen_random_uuid(), place, now() - interval '6 days' "
        "FROM log.epochs"
    )
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.WARNING, "epoch-changed")
    await read(healthy, "users", 1)
    assert await findings(database_url) == []
    await healthy.fetch("DELETE FROM state.coverage")
    await healthy.fetch(
        "UPDATE log.epochs SET begun_at = now() - interval '8 days' WHERE number = 2"
    )
    assert await findings(database_url) == []


async def test_lost_deliveries_with_their_hours(healthy: Database, database_url: str) -> None:
    await healthy.fetch(
        "INSERT INTO log.lost_deliveries SELECT log.epoch(), n, sha256(int4send(n)), "
        "CASE n WHEN 41 THEN '2026-05-04 10:07Z' ELSE timestamptz '2026-05-04 10:00Z' END, "
        "'r', now() - interval '2 hours' FROM generate_series(1, 41) n"
    )
    await healthy.fetch(
        "INSERT INTO log.lost_deliveries "
        "VALUES (log.epoch(), 0, sha256('0'), '2026-05-04 10:09Z', 's', now())"
    )
    (found,) = await findings(database_url)
    assert (found.level, found.code) == (Level.WRONG, "deliveries-lost")
    assert (
        "lost 42 events received between 2026-05-04 10:00 UTC and 2026-05-04 10:09 UTC"
        in found.says
    )
    assert "reconcile these hours" in found.do
    await healthy.fetch("UPDATE log.lost_deliveries SET noticed_at = now() - interval '2 hours'")
    await read(healthy, "users", 1)
    assert await findings(database_url) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"allow_unsigned": True, "zoom_secret_tokens": SecretStr("s")}, "without a signature"),
        (
            {"zoom_account_id": "A"},
            "PROJECTOR_ZOOM_CLIENT_ID and PROJECTOR_ZOOM_CLIENT_SECRET not set",
        ),
        ({"zoom_app_id": SecretStr("A")}, "though PROJECTOR_ZOOM_APP_ID is"),
        ({"quarantine_rows": 0, "quarantine_per_second": 0}, "0: a genuine delivery"),
    ],
)
@pytest.mark.usefixtures("folding")
async def test_settings_that_contradict_each_other(
    database_url: str, changes: Any, says: str
) -> None:
    (found,) = await findings(database_url, **changes)
    assert (found.level, found.code) == (Level.WARNING, "settings")
    assert says in found.says


@pytest.mark.usefixtures("healthy")
async def test_what_the_operators_role_may_read_is_enough(database_url: str) -> None:
    """Every part of the check, the probe of the disk included; who may not read, is told so."""
    assert await findings(f"{database_url}&role=projector_operator") == []
    found = await findings(f"{database_url}&role=projector_ingress")
    assert {(one.level, one.code) for one in found} == {(Level.WARNING, "not-checked")}


@pytest.mark.binary("mount")
async def test_a_full_disk_is_found() -> None:
    """A server on a file system of its own, filled to the last byte: it answers, and takes nothing."""
    folder = new_folder("projector-full")
    folder.chmod(0o711)
    await ran("mount", "-t", "tmpfs", "-o", "size=300m,mode=711", "tmpfs", str(folder))
    try:
        with EmbeddedServer(folder, settings={"max_wal_size": "32MB"}) as server:
            database = await open_database(server.dsn)
            await migrate(database)
            async with replica(database):
                await until(lambda: all_live(database))
                full = await check(settings(), server.dsn, folder / "postgres")
                assert codes(full) == [(Level.WRONG, "disk-full")]  # 300 MB are no room
                assert "nearly full" in full[0].says
                fill(folder / "filling")
                for own_folder in (folder / "postgres", None):
                    (found,) = await check(settings(), server.dsn, own_folder)
                    assert (found.level, found.code) == (Level.WRONG, "disk-full")
                    assert found.says.startswith("full: the server cannot extend a file")
                (folder / "filling").unlink()
                (found,) = await check(settings(), server.dsn)
                assert "nearly full" in found.says  # as the server tells its folder
            await database.close()
    finally:
        await ran("umount", str(folder))
        folder.rmdir()


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 65_536):
            pass
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x"):
            pass


async def ran(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(*arguments)
    assert await process.wait() == 0, arguments
