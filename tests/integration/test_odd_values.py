"""Values that Python and PostgreSQL treat differently give the same directory."""

from typing import Any

import pytest

from projector.database import Database
from projector.folding.columns import lowered
from tests.oracle.story import event
from tests.runtime_rig import append_bodies, assert_verified, replica, until_folded


def settings(at: int, new: Any, old: Any = None) -> bytes:
    about = {"id": "u", "settings": new}
    return event("user.settings_updated", at, about, None if old is None else {"settings": old})


async def fold_one_by_one(database: Database, *bodies: bytes) -> None:
    """Fold each in a separate batch, so that the row is read back before the next."""
    async with replica(database):
        for body in bodies:
            await append_bodies(database, [body])
            await until_folded(database)


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), (1, 1.0), ([1], [True])])
async def test_a_late_change_between_values_that_python_calls_equal(
    database: Database, before: Any, after: Any
) -> None:
    assert before == after
    late = settings(20, {"a": after})
    await fold_one_by_one(database, settings(10, {"a": before}), settings(30, {"b": 2}), late)
    assert await database.fetchval(
        "SELECT settings = $1::jsonb FROM directory.user_settings",
        f'{{"a": {after}, "b": 2}}'.replace("True", "true").replace("False", "false"),
    )
    await assert_verified(database)


@pytest.mark.parametrize("number", [1e23, -1.5e300, 10**23, 1e16, 0.1])
async def test_a_number_that_was_read_back_is_no_drift(database: Database, number: float) -> None:
    await fold_one_by_one(
        database, settings(10, {"a": number}), settings(20, {"a": 5}, {"a": number})
    )
    assert await database.fetch("SELECT * FROM directory.drift") == []
    await assert_verified(database)


@pytest.mark.parametrize("email", ["ΝΙΚΟΣ@x.test", "İpek@x.test", "ZOË@x.test"])
async def test_an_email_of_any_letters_means_the_user_who_has_it(
    database: Database, email: str
) -> None:
    assert await database.fetchval("SELECT lower($1::text)", email) == lowered(email)
    await fold_one_by_one(
        database,
        event("user.created", 1, {"id": "u", "email": email}),
        event("group.member_added", 2, {"id": "g", "members": [{"email": email}]}),
    )
    rows = await database.fetch("SELECT user_id FROM directory.memberships")
    assert [row["user_id"] for row in rows] == ["u"]
    await fold_one_by_one(
        database,
        event("user.deleted", 3, {"id": "u", "email": email}),
        event("user.created", 4, {"id": "u", "email": email}),
    )
    assert await database.fetch("SELECT * FROM directory.memberships") == []
