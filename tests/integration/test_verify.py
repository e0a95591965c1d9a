"""Verification: every way in which live rows can differ from the log is found."""

import asyncio
import os
import subprocess
import sys
import tracemalloc
from typing import Any

import pytest

from projector.database import Database
from projector.errors import LogMismatch
from projector.projections import PROJECTIONS, projection_named
from projector.rebuild import swap
from projector.rebuild.rebuild import rebuild
from projector.rebuild.verify import verify
from projector.state import comparison
from projector.state.comparison import Verdict
from tests.oracle.story import event
from tests.runtime_rig import (
    append_bodies,
    append_story,
    no_progress,
    rebuild_leftovers,
    renamed,
    replica,
    story,
    until_folded,
)


async def fold_all(database: Database) -> None:
    async with replica(database):
        await append_story(database, story(11, 400))
        await append_bodies(
            database, [event("user.updated", 1, {}), renamed(1, "a"), renamed(2, "b")]
        )
        await until_folded(database)


async def verdict_on(database: Database, name: str) -> Verdict:
    (verdict,) = await verify(database, [projection_named(name)], no_progress)
    assert await rebuild_leftovers(database) == 0
    return verdict


async def test_what_was_folded_verifies(database: Database) -> None:
    await fold_all(database)
    verdicts = await verify(database, PROJECTIONS, no_progress)
    assert [verdict.projection for verdict in verdicts] == [p.name for p in PROJECTIONS]
    assert all(verdict.rows and not verdict.differences for verdict in verdicts)


@pytest.mark.parametrize(
    ("tampering", "expected"),
    [
        (
            "UPDATE state.users SET profile = profile || '{\"dept\": \"x\"}' WHERE user_key = 'a'",
            ("users", ("A", "a"), "different", ("profile",)),
        ),
        ("DELETE FROM state.users WHERE user_key = 'a'", ("users", ("A", "a"), "missing", ())),
        (
            "UPDATE state.users SET user_key = 'ä' WHERE user_key = 'a'",
            ("users", ("A", "a"), "missing", ()),
        ),
        (
            "INSERT INTO state.users_history VALUES ('A', 'a', 7)",
            ("users_history", ("A", "a", "7"), "extra", ()),
        ),
        (
            "DELETE FROM state.users_history WHERE user_key = 'b'",
            ("users_history", ("A", "b", "403"), "missing", ()),
        ),
        (
            "DELETE FROM state.dead_letters WHERE position = 401",
            ("dead_letters", ("401",), "missing", ()),
        ),
        (
            "UPDATE state.dead_letters SET error = 'x' WHERE position = 401",
            ("dead_letters", ("401",), "different", ("error",)),
        ),
    ],
)
async def test_tampering_is_found(
    database: Database, tampering: str, expected: tuple[object, ...]
) -> None:
    await fold_all(database)
    await database.fetch(tampering)
    verdict = await verdict_on(database, "users")
    assert verdict.differences >= 1
    found = [(d.table, d.key, d.kind, d.columns) for d in verdict.examples]
    assert expected in found
    assert len(found) == verdict.differences


async def test_only_some_of_many_differences_are_kept(database: Database) -> None:
    await fold_all(database)
    await database.fetch("UPDATE state.users SET status = 'x'")
    verdict = await verdict_on(database, "users")
    users = await database.fetchval("SELECT count(*) FROM state.users")
    assert verdict.differences == users > len(verdict.examples) == comparison.EXAMPLES


async def test_everything_goes_on_during_a_verification(database: Database) -> None:
    await fold_all(database)
    stop = asyncio.Event()

    async def keep_appending() -> int:
        number = 0
        while not stop.is_set():
            number += 1
            await append_bodies(database, [renamed(number, f"while {number}")])
            await until_folded(database, 5)
        return number

    async with replica(database):
        appending = asyncio.create_task(keep_appending())
        for _ in range(3):
            verdicts = await verify(database, PROJECTIONS, no_progress)
            assert [v for v in verdicts if v.differences] == []
        stop.set()
        assert await appending > 5


async def test_another_projection_is_rebuilt_during_a_verification(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verification's snapshot is old, but it does not read the views."""
    await fold_all(database)
    compare, rebuilt = comparison.compare_rows, {}

    async def after_a_rebuild(*arguments: Any) -> None:
        if not rebuilt:
            rebuilt.update(await rebuild(database, [projection_named("groups")], no_progress))
        await compare(*arguments)

    monkeypatch.setattr(comparison, "compare_rows", after_a_rebuild)
    monkeypatch.setattr(swap, "ATTEMPTS", 2)
    assert (await verdict_on(database, "users")).differences == 0
    assert list(rebuilt) == ["groups"]


async def test_a_checkpoint_of_another_log_is_no_verdict(database: Database) -> None:
    await fold_all(database)
    await database.fetch("UPDATE state.checkpoints SET position = 9999")
    with pytest.raises(LogMismatch, match="projector rebuild users"):
        await verdict_on(database, "users")
    await database.fetch("UPDATE state.checkpoints SET position = 403, digest = sha256('x')")
    with pytest.raises(LogMismatch):
        await verdict_on(database, "users")


async def test_memory_does_not_grow_with_the_rows(database: Database) -> None:
    peaks = []
    for size in (2_000, 10_000):
        await append_bodies(database, [renamed(n, f"u{size}-{n}") for n in range(size)])
        async with replica(database):
            await until_folded(database)
        tracemalloc.start()
        live = list(comparison.compared_tables(projection_named("users")))
        async with database.transaction() as one, database.transaction() as other:
            verdict = Verdict("users", 0)
            for compared in live:
                await comparison.compare_rows(
                    comparison.rows_of(one, compared, "state"),
                    comparison.rows_of(other, compared, "state"),
                    compared,
                    verdict,
                )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert verdict.differences == 0
        assert verdict.rows > size
    assert peaks[1] < 1.5 * peaks[0]


async def test_a_dry_run_says_what_would_change_and_changes_nothing(
    database: Database, database_url: str
) -> None:
    await fold_all(database)
    await database.fetch("UPDATE state.users SET status = 'tampered' WHERE user_key = 'a'")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "projector", "rebuild", "users", "--dry-run"],
        env=os.environ | {"PROJECTOR_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "1 would change" in done.stdout
    assert "different in users: A, a (status)" in done.stdout
    status = await database.fetchval("SELECT status FROM state.users WHERE user_key = 'a'")
    assert status == "tampered"
    assert await rebuild_leftovers(database) == 0
