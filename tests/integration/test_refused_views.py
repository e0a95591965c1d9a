"""What readers see of deliveries that were refused: that they came and why, and nothing of what they say."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from projector.database import Database
from projector.log.quarantine import list_rows
from tests.integration.test_quarantine import kept, suspect

SECRET = "PLANTED-7fd1"


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET SESSION AUTHORIZATION directory_reader")
    yield connection
    await connection.close()


async def test_the_quarantine_shows_what_the_operators_list_shows(
    database: Database, reader: asyncpg.Connection
) -> None:
    await kept(database, suspect(), suspect(signed=True, reason="media-type"))
    rows = await reader.fetch("SELECT * FROM directory.quarantine ORDER BY id DESC")
    assert [tuple(row) for row in rows] == [
        (one.id, one.received_at, one.reason, one.event, one.signed, one.size)
        for one in await list_rows(database)
    ]
    assert rows[0]["event"] == "user.created"


@pytest.mark.parametrize(
    "event", [f"user.{SECRET}", f"user.created {SECRET.lower()}", "a" * 65, ""]
)
async def test_the_quarantine_shows_no_name_that_an_ingress_would_not_keep(
    database: Database, reader: asyncpg.Connection, event: str
) -> None:
    await kept(database, suspect(event=event))
    assert await reader.fetchval("SELECT event FROM directory.quarantine") is None


@pytest.mark.parametrize("column", ["body", "signature_header", "timestamp_header", "digest"])
async def test_the_owner_of_the_view_cannot_read_more(database_url: str, column: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET SESSION AUTHORIZATION projector_projector")
        await connection.fetch("SELECT event FROM log.quarantine")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT {column} FROM log.quarantine")
    finally:
        await connection.close()


async def test_refusals_are_shown_by_the_hour_and_reason(
    database: Database, reader: asyncpg.Connection
) -> None:
    await database.fetch(
        "INSERT INTO log.refusals VALUES "
        "('2026-05-04 03:00+00', 'wrong', 7, '2026-05-04 03:02+00', '2026-05-04 03:09+00')"
    )
    row = await reader.fetchrow(
        "SELECT reason, refused, last_at - first_at FROM directory.refusals"
    )
    assert (row[0], row[1], row[2].total_seconds()) == ("wrong", 7, 420)
