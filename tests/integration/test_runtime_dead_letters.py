"""Events and logs that cannot be folded are reported, and everything else goes on."""

from projector.database import Database
from projector.projections import projection_named
from projector.rebuild.rebuild import rebuild
from projector.state.dead_letters import Left, list_dead_letters, retry_dead_letters
from tests.oracle.story import event
from tests.runtime_rig import (
    all_live,
    append_bodies,
    assert_oracle_agrees,
    assert_verified,
    counted,
    no_progress,
    positions,
    renamed,
    replica,
    states,
    until,
    until_folded,
)


async def test_an_event_that_spoils_the_write_becomes_the_only_dead_letter(
    database: Database,
) -> None:
    await database.fetch(
        "ALTER TABLE state.users ADD CONSTRAINT spoiled CHECK (profile ->> 'dept' IS DISTINCT FROM 'X')"
    )
    bodies = [renamed(n, f"u{n % 40}") for n in range(200)]
    bodies[77] = event("user.updated", 77, {"id": "u37", "dept": "X"})
    async with replica(database) as running:
        await append_bodies(database, bodies)
        await until_folded(database)
        letters = [tuple(row)[:3] for row in await list_dead_letters(database)]
        assert letters == [(78, "users", "user.updated")]
        assert await counted(database) == 200
        assert (
            running.metrics.registry.get_sample_value(
                "projector_dead_letters_written_total", {"projection": "users"}
            )
            == 1
        )
        names = await database.fetchval(
            "SELECT count(*) FROM directory.users WHERE display_name IS NOT NULL"
        )
        assert names == 40

        # While the cause remains, a retry changes nothing; then the event folds at its place in time.
        left = Left(78, "users", "the write failed: CheckViolationError")
        assert await retry_dead_letters(database) == (0, [left])
        await append_bodies(database, [event("user.updated", 500, {"id": "u37", "dept": "Y"})])
        await until_folded(database)
        await database.fetch("ALTER TABLE state.users DROP CONSTRAINT spoiled")
        assert await retry_dead_letters(database) == (1, [])
        assert await list_dead_letters(database) == []
        await assert_oracle_agrees(database)
        await append_bodies(database, [renamed(900)])
        await until_folded(database)
    await assert_oracle_agrees(database)
    await assert_verified(database)


async def test_a_checkpoint_that_is_not_of_this_log_is_reported(database: Database) -> None:
    await append_bodies(database, [renamed(1), renamed(2)])
    async with replica(database):
        await until_folded(database)
    await database.fetch("UPDATE state.checkpoints SET position = 9 WHERE projection = 'users'")
    await database.fetch(
        "UPDATE state.checkpoints SET digest = sha256('other') WHERE projection = 'groups'"
    )
    async with replica(database):
        await append_bodies(database, [renamed(3)])
        await until(lambda: is_reported(database))
        found = await states(database)
        assert found["users"][0] == "beyond head"
        assert "beyond the head" in str(found["users"][1])
        assert found["groups"][0] == "waiting"
        assert "projector rebuild groups" in str(found["groups"][1])
        assert found["presence"] == ("live", None)
        assert (await positions(database))["groups"] == 2

        await rebuild(
            database, [projection_named("users"), projection_named("groups")], no_progress
        )
        await until_folded(database)
        await until(lambda: all_live(database), 15)
    await assert_verified(database)


async def is_reported(database: Database) -> bool:
    found = await states(database)
    return found["users"][1] is not None and found["groups"][1] is not None
