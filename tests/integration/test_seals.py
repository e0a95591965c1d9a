"""The chain over the log: it stands for what was appended, and breaks with any change behind our back."""

import asyncio
import hashlib

import pytest
from structlog.testing import capture_logs

from projector.database import Database, open_database
from projector.live.housekeeping import seal_log
from projector.log import seals
from projector.log.seals import ChainVerdict, Seal, parse_anchor, seal_block, verify_chain
from tests.command_rig import Ran, execute, projector
from tests.runtime_rig import append_bodies, no_progress, renamed

HEAD = 60
BLOCK = 25


@pytest.fixture
async def sealed(database: Database) -> Database:
    """A log of 60 events with seals at 25, 50 and 55."""
    for start in range(0, HEAD, 20):
        await append_bodies(database, [renamed(n) for n in range(start, start + 20)])
    for until in (BLOCK, 2 * BLOCK, 2 * BLOCK + 5):
        assert (await seal_block(database, until)) is not None
    return database


async def verdict_of(database: Database, anchor: Seal | None = None) -> ChainVerdict:
    return await verify_chain(database, anchor, no_progress)


async def findings(database: Database, anchor: Seal | None = None) -> list[str]:
    return (await verdict_of(database, anchor)).findings


async def newest(database: Database) -> Seal:
    return (await verdict_of(database)).sealed


async def behind_our_back(database: Database, *statements: str) -> None:
    """What a superuser can do: lift the triggers and write."""
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        for trigger in ("events", "seals"):
            await connection.execute(f"ALTER TABLE log.{trigger} DISABLE TRIGGER ALL")
        for statement in statements:
            await connection.execute(statement)
        for trigger in ("events", "seals"):
            await connection.execute(
                f"ALTER TABLE log.{trigger} ENABLE ALWAYS TRIGGER {trigger}_are_append_only"
            )


COPY = (
    "INSERT INTO log.events (position, received_at, event, event_ts, digest, source, body) "
    "SELECT {position}, now(), 'user.updated', 1, sha256('x'), 'webhook', 'x'"
)
MOVE_AWAY = "UPDATE log.events SET position = position + 1000 WHERE position {which}"
MOVE_BACK = "UPDATE log.events SET position = position - {by} WHERE position > 1000"
BROKEN_FIRST = "positions 1 to 25: a row was changed"
BROKEN_SECOND = "positions 26 to 50: a row was changed"

TAMPERED = {
    "body": (
        ["UPDATE log.events SET body = 'other' WHERE position = 7"],
        ["position 7: the body was changed"],
    ),
    "body and digest": (
        ["UPDATE log.events SET body = 'other', digest = sha256('other') WHERE position = 7"],
        [BROKEN_FIRST],
    ),
    "body beyond the seals": (
        ["UPDATE log.events SET body = 'other' WHERE position = 58"],
        ["position 58: the body was changed"],
    ),
    "received_at": (
        ["UPDATE log.events SET received_at = received_at + '1us' WHERE position = 50"],
        [BROKEN_SECOND],
    ),
    "null to empty": (
        ["UPDATE log.events SET verified_by = '' WHERE position = 30"],
        [BROKEN_SECOND],
    ),
    "event_ts": (["UPDATE log.events SET event_ts = NULL WHERE position = 30"], [BROKEN_SECOND]),
    "source": (["UPDATE log.events SET source = 'operator' WHERE position = 30"], [BROKEN_SECOND]),
    "a border between columns": (
        ["UPDATE log.events SET event = 'user.update', account_id = 'd' || account_id WHERE position = 3"],
        [BROKEN_FIRST],
    ),
    "a row removed": (
        ["DELETE FROM log.events WHERE position = 30"],
        ["positions 26 to 50: 25 rows were sealed, 24", BROKEN_SECOND, "position 30: the row is missing"],
    ),
    "a row removed beyond the seals": (
        ["DELETE FROM log.events WHERE position = 57"],
        ["position 57: the row is missing"],
    ),
    "the end removed": (
        ["DELETE FROM log.events WHERE position > 53"],
        ["positions 51 to 55: 5 rows were sealed, 3", "positions 51 to 55: a row was changed",
         "positions 54 to 55: the rows are missing"],
    ),
    "a row in between": (
        [MOVE_AWAY.format(which=">= 30"), MOVE_BACK.format(by=999), COPY.format(position=30)],
        [BROKEN_SECOND, "positions 51 to 55: a row was changed"],
    ),
    "a row far beyond the end": (
        [COPY.format(position=70)],
        ["positions 61 to 69: the rows are missing"],
    ),
    "a row before the first": (
        [COPY.format(position=0)],
        ["position 0 has a row: the log begins at 1"],
    ),
    "two rows exchanged": (
        [MOVE_AWAY.format(which="= 30"),
         "UPDATE log.events SET position = 30 WHERE position = 31",
         "UPDATE log.events SET position = 31 WHERE position = 1030"],
        [BROKEN_SECOND],
    ),
    "numbered anew": (
        ["DELETE FROM log.events WHERE position = 1", MOVE_AWAY.format(which="> 0"),
         MOVE_BACK.format(by=1001)],
        [BROKEN_FIRST, BROKEN_SECOND, "positions 51 to 55: a row was changed"],
    ),
    "a seal": (
        ["UPDATE log.seals SET chain = sha256('x') WHERE position = 25"],
        [BROKEN_FIRST, BROKEN_SECOND],
    ),
    "a seal removed": (
        ["DELETE FROM log.seals WHERE position = 25"],
        ["positions 1 to 50: 25 rows were sealed, 50", "positions 1 to 50: a row was changed"],
    ),
}  # fmt: skip


async def test_an_untouched_log_is_as_sealed(sealed: Database) -> None:
    verdict = await verdict_of(sealed)
    assert verdict.findings == []
    assert (verdict.head, verdict.seals, verdict.unsealed) == (HEAD, 3, 5)
    assert await findings(sealed, verdict.sealed) == []


@pytest.mark.parametrize("how", TAMPERED)
async def test_whatever_is_changed_behind_our_back_is_found(sealed: Database, how: str) -> None:
    statements, expected = TAMPERED[how]
    await behind_our_back(sealed, *statements)
    found = await findings(sealed)
    assert len(found) == len(expected), found
    for finding, beginning in zip(found, expected, strict=True):
        assert finding.startswith(beginning)


async def test_a_body_may_be_erased(sealed: Database) -> None:
    await behind_our_back(sealed, "UPDATE log.events SET body = NULL WHERE position = 30")
    assert await findings(sealed) == []


async def test_seals_that_are_made_anew_are_told_by_the_anchor_alone(sealed: Database) -> None:
    anchor = await newest(sealed)
    await behind_our_back(
        sealed,
        "UPDATE log.events SET received_at = now() WHERE position = 30",
        "DELETE FROM log.seals",
        "SELECT log.seal(25)", "SELECT log.seal(50)", "SELECT log.seal(55)",
    )  # fmt: skip
    assert await findings(sealed) == []
    (finding,) = await findings(sealed, anchor)
    assert finding.startswith("the chain at position 55 is not the anchor's")


async def test_the_newest_seals_removed_are_told_by_the_anchor_alone(sealed: Database) -> None:
    anchor = await newest(sealed)
    await behind_our_back(sealed, "DELETE FROM log.seals WHERE position > 25")
    assert await findings(sealed) == []
    assert await findings(sealed, anchor) == [
        "there is no seal at the anchor's position 55 any more"
    ]
    await behind_our_back(
        sealed, "DELETE FROM log.seals", "DELETE FROM log.events WHERE position > 40"
    )
    assert await findings(sealed, anchor) == [
        "the anchor is at position 55, and the log ends at 40"
    ]


async def test_the_seals_too_are_append_only(sealed: Database) -> None:
    for statement in (
        "UPDATE log.seals SET rows = 0",
        "DELETE FROM log.seals",
        "TRUNCATE log.seals",
    ):
        with pytest.raises(Exception, match=r"log\.seals is append-only"):
            await sealed.fetch(statement)


async def test_a_chain_is_what_its_comment_says(sealed: Database) -> None:
    """The chain computed from the rows by hand: whoever keeps a copy of the rows can do it too."""
    rows = await sealed.fetch(
        "SELECT position, (extract(epoch FROM received_at - '2000-01-01 UTC') * 1000000)::bigint, "
        "event_ts, digest, event, account_id, request_id, source, verified_by FROM log.events "
        "WHERE position <= 25 ORDER BY position"
    )
    parts = b""
    for position, received, event_ts, digest, *texts in rows:
        row = position.to_bytes(8) + received.to_bytes(8)
        row += b"\x01" + event_ts.to_bytes(8) + digest
        for text in texts:
            row += b"\xff" * 4 if text is None else len(text.encode()).to_bytes(4) + text.encode()
        parts += hashlib.sha256(row).digest()
    expected = hashlib.sha256(hashlib.sha256(parts).digest()).digest()
    assert await sealed.fetchval("SELECT chain FROM log.seals WHERE position = 25") == expected


async def test_where_nothing_is_to_seal_nothing_is_sealed(database: Database) -> None:
    """An empty log, as a fresh one is, and a bound below the first event: no seal of rows to come."""
    for until in (0, 5, 2**62):
        assert await seal_block(database, until) is None
    await append_bodies(database, [renamed(n) for n in range(3)])
    assert await seal_block(database, 0) is None
    assert await database.fetch("SELECT FROM log.seals") == []
    assert (await seal_block(database, 2**62)) is not None
    assert await seal_block(database, 2**62) is None
    assert await findings(database) == []


async def test_replicas_that_seal_at_once_make_one_chain(database: Database) -> None:
    await append_bodies(database, [renamed(n) for n in range(200)])
    made: list[Seal] = []

    async def seal(offset: int) -> None:
        for until in range(offset, 201, 7):
            seal = await seal_block(database, until)
            if seal is not None:
                made.append(seal)
            await asyncio.sleep(0)

    await asyncio.gather(*(seal(offset) for offset in range(1, 9)))
    verdict = await verdict_of(database)
    assert verdict.findings == []
    assert verdict.seals == len({seal.position for seal in made}) == len(made) > 2


async def test_a_seal_under_way_keeps_others_from_sealing(database: Database) -> None:
    await append_bodies(database, [renamed(n) for n in range(9)])
    async with database.transaction() as first:
        assert await seal_block(first, 5) is not None
        assert await seal_block(database, 9) is None
    assert (await seal_block(database, 9)) is not None
    assert await findings(database) == []


async def test_a_fixed_snapshot_cannot_seal(sealed: Database) -> None:
    with pytest.raises(Exception, match="READ COMMITTED"):
        async with sealed.transaction(isolation="repeatable_read") as connection:
            await seal_block(connection, HEAD)


async def test_housekeeping_seals_blocks_of_a_size_and_says_the_last(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in range(0, 21_000, 3000):
        await append_bodies(database, [renamed(n) for n in range(start, start + 3000)])
    with capture_logs() as lines:
        await seal_log(database, 20_500)
        await seal_log(database, 20_500)
    rows = await database.fetch("SELECT position, rows FROM log.seals ORDER BY position")
    assert [tuple(row) for row in rows] == [(10_000, 10_000), (20_000, 10_000), (20_500, 500)]
    (said,) = [line for line in lines if line["event"] == "log_sealed"]
    kept = parse_anchor(f"{said['position']}:{said['chain']}")
    monkeypatch.setattr(seals, "SEALS_AT_ONCE", 2)
    verdict = await verdict_of(database, kept)
    assert (verdict.findings, verdict.seals, verdict.unsealed) == ([], 3, 500)


def test_the_command(database_url: str) -> None:
    def verified(*words: str) -> Ran:
        return projector("verify", *words, database_url=database_url)

    asyncio.run(_some_seals(database_url))
    good = verified("--log")
    assert good.code == 0
    (line,) = [line for line in good.lines if line.startswith("anchor\t")]
    anchor = line.removeprefix("anchor\t")
    assert "keep the anchor elsewhere" in good.said
    again = verified("--log", "--anchor", anchor)
    assert (again.code, again.said) == (0, "")
    execute(database_url, "ALTER TABLE log.events DISABLE TRIGGER events_are_append_only")
    execute(database_url, "DELETE FROM log.events WHERE position = 3")
    broken = verified("--log", "--anchor", anchor)
    assert broken.code == 1
    assert "log\tposition 3: the row is missing" in broken.lines
    for words in (("--log", "users"), ("--anchor", anchor), ("--log", "--anchor", "12:ab")):
        assert verified(*words).code == 2


async def _some_seals(database_url: str) -> None:
    database = await open_database(database_url)
    await append_bodies(database, [renamed(n) for n in range(9)])
    await seal_log(database, 5)
    await database.close()
