"""Dismissals and acknowledgements: what they take out of the views, and what they leave in."""

import io
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from projector.database import Database
from projector.history.feed import cursor_at_start, read_page
from projector.log.append import append
from projector.log.transfer import export_log, import_file
from projector.operations.acts import About, Act, act_body, record
from projector.operations.dead_letters import NoDeadLetter, dismiss, retry
from projector.operations.drift import NoDrift, acknowledge
from projector.projections import PROJECTIONS, projection_named
from projector.rebuild.rebuild import rebuild
from projector.state.dead_letters import list_dead_letters
from projector.state.status import read_status
from projector.zoom.events import digest_of
from tests.integration.test_history_plans import scanned
from tests.integration.test_transfer import other as other  # noqa: PLC0414  a fixture
from tests.oracle.story import T0_MS, event
from tests.runtime_rig import (
    append_bodies,
    assert_oracle_agrees,
    assert_verified,
    delivery,
    no_progress,
    replica,
    until_folded,
)

NOBODY = event("user.created", 1, {"email": "nobody@x.test"})
BLANK = event("group.member_added", 2, {"id": "g", "members": [{}]})
KNOWN = event("user.created", 3, {"id": "Uma", "dept": "Sales"})
MOVED = event("user.updated", 4, {"id": "Uma", "dept": "Labs"}, {"id": "Uma", "dept": "Office"})
AGAIN = event("user.updated", 9, {"id": "Uma", "dept": "Attic"}, {"id": "Uma", "dept": "Cellar"})


async def folded(database: Database, *bodies: bytes) -> None:
    if bodies:
        await append_bodies(database, bodies)
    async with replica(database):
        await until_folded(database)


async def shown(database: Database, view: str, columns: str) -> list[tuple[Any, ...]]:
    rows = await database.fetch(f"SELECT {columns} FROM directory.{view} ORDER BY position")
    return [tuple(row) for row in rows]


async def dead(database: Database) -> list[tuple[Any, ...]]:
    return await shown(database, "dead_letters", "position, projection")


async def drifting(database: Database) -> list[tuple[Any, ...]]:
    return await shown(database, "drift", "path, position")


def dismissal(body: bytes, projection: str, at: int, who: str, reason: str = "") -> bytes:
    about = About({"id": digest_of(body).hex(), "projection": projection, "reason": reason})
    return act_body(Act.DEAD_LETTER_DISMISSED, who, T0_MS + at, about)


async def acted(database: Database, *bodies: bytes) -> None:
    await append(database, [delivery(body) for body in bodies], source="operator")


async def test_a_dismissed_dead_letter_counts_no_more(database: Database) -> None:
    await folded(database, NOBODY, BLANK)
    assert await dead(database) == [(1, "users"), (2, "memberships")]
    assert (await read_status(database)).dead_letters == 2
    done = await dismiss(database, 1, projection=None, reason="a test", who="ann")
    assert (len(done.letters), done.acts) == (1, [3])
    await folded(database)
    assert await dead(database) == [(2, "memberships")]
    assert (await read_status(database)).dead_letters == 1
    (row,) = await shown(
        database, "dismissed_dead_letters", "position, projection, event, dismissed_by, reason"
    )
    assert row == (1, "users", "user.created", "ann", "a test")
    with pytest.raises(NoDeadLetter, match="dismissed already"):
        await dismiss(database, 1, projection=None, reason="again", who="bob")
    with pytest.raises(NoDeadLetter, match="memberships alone"):
        await dismiss(database, 2, projection="users", reason="other", who="bob")
    with pytest.raises(NoDeadLetter, match="is no dead letter"):
        await dismiss(database, 3, projection=None, reason="none", who="bob")
    await assert_oracle_agrees(database)


async def test_a_rebuild_brings_no_dismissed_dead_letter_back(database: Database) -> None:
    await folded(database, NOBODY)
    await dismiss(database, 1, projection=None, reason="a test", who="ann")
    await folded(database)
    await rebuild(database, PROJECTIONS, no_progress)
    assert await dead(database) == []
    await rebuild(database, [projection_named("dismissals")], no_progress)
    assert await dead(database) == []
    await assert_verified(database)
    await assert_oracle_agrees(database)


async def test_the_newest_act_wins_whichever_comes_first(database: Database) -> None:
    """Also one that comes before the dead letter itself."""
    early, late = (dismissal(NOBODY, "users", at, who, who) for at, who in ((5, "ann"), (6, "bob")))
    await acted(database, late, early)
    await folded(database, NOBODY)
    (row,) = await shown(database, "dismissed_dead_letters", "position, dismissed_by, reason")
    assert row == (3, "bob", "bob")
    assert await dead(database) == []
    await assert_oracle_agrees(database)


async def test_what_names_no_dead_letter_is_harmless(database: Database) -> None:
    await acted(database, dismissal(b"never sent", "users", 1, "ann"))
    await acted(database, dismissal(NOBODY, "groups", 2, "ann"))
    await folded(database, NOBODY)
    assert await dead(database) == [(3, "users")]
    await assert_oracle_agrees(database)


async def test_an_act_that_says_nothing_is_a_dead_letter_itself(database: Database) -> None:
    await record(database, Act.DEAD_LETTER_DISMISSED, "ann", About({"id": "no digest"}))
    drift = {"id": "Uma", "entity": "user", "path": 5, "event": digest_of(MOVED).hex()}
    await record(database, Act.DRIFT_ACKNOWLEDGED, "ann", About(drift, "A"), About(drift))
    await folded(database, KNOWN, MOVED)
    assert await dead(database) == [(n, "dismissals") for n in (1, 2, 3)]
    assert await drifting(database) == [("dept", 5)]
    await dismiss(database, 1, projection=None, reason="mistyped", who="ann")
    await folded(database)
    assert await dead(database) == [(n, "dismissals") for n in (2, 3)]
    await assert_oracle_agrees(database)
    await assert_verified(database)


@pytest.mark.parametrize("source", ["webhook", "import", "quarantine", "recovered"])
async def test_an_act_that_was_delivered_folds_as_nothing(database: Database, source: Any) -> None:
    forged = dismissal(NOBODY, "users", 5, "mallory")
    await append(database, [delivery(forged)], source=source)
    await folded(database, NOBODY)
    assert await dead(database) == [(2, "users")]
    await assert_oracle_agrees(database)


async def test_acknowledged_drift_counts_no_more_until_another_event_disagrees(
    database: Database,
) -> None:
    await folded(database, KNOWN, MOVED)
    assert await drifting(database) == [("dept", 2)]
    done = await acknowledge(
        database, "user", "UMA", "dept", account=None, reason="known", who="ann"
    )
    assert done.acts == [3]
    await folded(database)
    assert await drifting(database) == []
    assert (await read_status(database)).drift == 0
    (row,) = await shown(
        database, "acknowledged_drift", "entity_id, path, known, reported, acknowledged_by, reason"
    )
    assert row == ("Uma", "dept", '"Sales"', '"Office"', "ann", "known")
    await folded(database, AGAIN)
    assert await drifting(database) == [("dept", 4)]
    assert len(await shown(database, "acknowledged_drift", "path")) == 1
    await assert_oracle_agrees(database)
    await rebuild(database, PROJECTIONS, no_progress)
    assert await drifting(database) == [("dept", 4)]
    await assert_verified(database)


async def test_a_selection_that_is_not_clear_acknowledges_nothing(database: Database) -> None:
    elsewhere = [
        event("user.created", 3, {"id": "Uma", "dept": "Sales"}, account="B"),
        event("user.updated", 4, {"id": "Uma", "dept": "L"}, {"dept": "O"}, account="B"),
    ]
    await folded(database, KNOWN, MOVED, *elsewhere)
    who = {"reason": "known", "who": "ann"}
    with pytest.raises(NoDrift, match="--account: A, B"):
        await acknowledge(database, "user", "Uma", "dept", account=None, **who)
    with pytest.raises(NoDrift, match="drift list"):
        await acknowledge(database, "group", "Uma", "dept", account="A", **who)
    assert await database.fetchval("SELECT max(position) FROM log.events") == 4
    await acknowledge(database, "user", "Uma", None, account="B", **who)
    await folded(database)
    assert await drifting(database) == [("dept", 2)]


async def test_a_path_may_be_as_long_as_a_document_has_it(database: Database) -> None:
    deep: Any = {"x" * 900: {"y" * 3000: "old"}}
    known = event("user.settings_updated", 3, {"id": "Uma", "settings": deep})
    wrong: Any = {"x" * 900: {"y" * 3000: "other"}}
    told = event(
        "user.settings_updated", 4, {"id": "Uma", "settings": {"x" * 900: {"y" * 3000: "new"}}},
        {"settings": wrong},
    )  # fmt: skip
    await folded(database, known, told)
    path = f"{'x' * 900}.{'y' * 3000}"
    assert await drifting(database) == [(path, 2)]
    await acknowledge(
        database, "user_settings", "Uma", path, account=None, reason="known", who="ann"
    )
    await folded(database)
    assert await drifting(database) == await dead(database) == []
    await assert_verified(database)


async def test_acts_survive_export_and_import_though_positions_differ(
    database: Database, other: Database
) -> None:
    await append_bodies(other, [event("user.created", 0, {"id": "first"})])
    await folded(database, NOBODY, KNOWN, MOVED)
    await dismiss(database, 1, projection=None, reason="a test", who="ann")
    await acknowledge(database, "user", "Uma", "dept", account=None, reason="known", who="bob")
    out = io.BytesIO()
    await export_log(database, out)
    assert (await import_file(other, io.BytesIO(out.getvalue()))).appended == 5
    await folded(other)
    columns = "position, projection, dismissed_by, reason"
    assert await shown(other, "dismissed_dead_letters", columns) == [(2, "users", "ann", "a test")]
    columns = "position, path, acknowledged_by, reason"
    assert await shown(other, "acknowledged_drift", columns) == [(4, "dept", "bob", "known")]
    assert await dead(other) == await drifting(other) == []
    await assert_oracle_agrees(other)


async def test_a_retry_leaves_dismissed_ones_alone_unless_named(database: Database) -> None:
    await folded(database, KNOWN, NOBODY)
    # As an earlier release may have left it: it folds now.
    await database.fetch(
        "INSERT INTO state.dead_letters (position, projection, event, error) "
        "VALUES (1, 'users', 'user.created', 'an old reason')"
    )
    await dismiss(database, 1, projection=None, reason="a test", who="ann")
    await folded(database)
    done, act = await retry(database, None, "bob")
    assert (done.folded, act) == (0, None)
    assert [(left.position, left.why) for left in done.left] == [
        (2, "there is no payload.object.id")
    ]
    with pytest.raises(NoDeadLetter):
        await retry(database, [1, 77], "bob")
    done, act = await retry(database, [1], "bob")
    assert (done.folded, done.left, act) == (1, [], 4)
    assert await list_dead_letters(database, dismissed=None, positions=[1]) == []
    body = await database.fetchval("SELECT body FROM log.events WHERE position = 4")
    assert json.loads(body)["payload"] == {"operator": "bob", "object": {"folded": 1, "left": 0}}


async def test_a_projection_that_this_release_lacks_is_said_to_be_why(database: Database) -> None:
    await folded(database, KNOWN)
    await database.fetch(
        "INSERT INTO state.dead_letters (position, projection, event, error) "
        "VALUES (1, 'of_tomorrow', 'user.created', 'a reason')"
    )
    done, _ = await retry(database, None, "bob")
    assert [left.why for left in done.left] == ["this release has no such projection"]


async def test_the_feed_waits_for_no_dismissal(database: Database) -> None:
    """So a release that brings this projection neither stops consumers nor refuses their cursors."""
    await folded(database, KNOWN)
    await database.fetch(
        "UPDATE state.checkpoints SET position = 0 WHERE projection = 'dismissals'"
    )
    page = await read_page(database, await cursor_at_start(database))
    assert page.lines
    assert page.cursor.position == 1


async def test_a_batch_with_dead_letters_is_one_line_of_the_log(database: Database) -> None:
    broken = [
        event("user.created", n, {"email": "secret-person@x.test", "n": n}) for n in range(30)
    ]
    await database.fetch(
        "ALTER TABLE state.groups ADD CONSTRAINT spoiled CHECK (profile ->> 'name' <> 'X')"
    )
    spoiled = [event("group.created", n, {"id": f"g{n}", "name": "X"}) for n in range(3)]
    await append_bodies(database, [*broken, *spoiled])
    with capture_logs() as lines:
        async with replica(database):
            await until_folded(database)
    told = {line["projection"]: line for line in lines if line["event"] == "dead_letters"}
    assert len([line for line in lines if line["event"] == "dead_letters"]) == len(told) == 2
    assert told["users"] == {
        "event": "dead_letters", "log_level": "warning", "projection": "users", "count": 30,
        "position": 1, "name": "user.created", "error": "there is no payload.object.id",
    }  # fmt: skip
    assert (told["groups"]["count"], told["groups"]["position"]) == (3, 31)
    assert told["groups"]["error"] == "the write failed: CheckViolationError"
    assert "secret-person" not in repr(lines)


async def test_a_dead_letter_is_found_in_the_log_by_its_position(database: Database) -> None:
    """Whatever the tables hold: no plan of these views reads the log."""
    await database.fetch(
        "INSERT INTO log.events (position, received_at, event, event_ts, digest, source, body) "
        "SELECT n, now(), 'x', n, sha256(n::text::bytea), 'webhook', 'x' FROM generate_series(1, 20000) n"
    )
    await database.fetch(
        "INSERT INTO state.dead_letters (position, projection, event, error) "
        "SELECT n * 20, 'users', 'x', 'y' FROM generate_series(1, 900) n"
    )
    await database.fetch(
        "INSERT INTO state.dismissed_dead_letters "
        "SELECT encode(sha256((n * 20)::text::bytea), 'hex'), 'users', '\\x00' FROM generate_series(1, 500) n"
    )
    for analyzed in (False, True):
        if analyzed:
            await database.fetch("ANALYZE")
        for view, rows in (("dead_letters", 400), ("dismissed_dead_letters", 500)):
            query = f"SELECT * FROM directory.{view}"
            assert len(await database.fetch(query)) == rows
            plan = json.loads(await database.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}"))
            assert "events" not in scanned(plan[0]["Plan"])
