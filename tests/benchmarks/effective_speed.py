"""Effective settings: how quick one person's are, and one path of everybody."""

import time
from typing import Final

import asyncpg

from tests.benchmarks.bench import Bench
from tests.benchmarks.databases import fresh
from tests.benchmarks.effective_data import ACCOUNT, fill
from tests.benchmarks.figures import Row, Target, spread

USERS_AN_EVENT: Final = 25  # 200,000 people at 5,000,000 events
PEOPLE_A_GROUP: Final = 40
REPEATED: Final = 15

PERSON: Final = (
    "SELECT * FROM directory.effective_user_settings WHERE account_id = $1 AND user_id = $2"
)
PATH: Final = "SELECT * FROM directory.effective_user_settings WHERE path = $1"
VIOLATIONS: Final = "SELECT * FROM directory.lock_violations WHERE path = $1"
A_PATH: Final = "recording.cloud_recording"


async def effective(bench: Bench) -> list[Row]:
    """The settings of one person who is in two groups, and one setting of everybody."""
    users = bench.scale.large_events // USERS_AN_EVENT
    async with fresh(bench.server) as url:
        await fill(url, users=users, groups=users // PEOPLE_A_GROUP)
        connection = await asyncpg.connect(url)
        try:
            person = await _times(connection, PERSON, ACCOUNT, "Person_10")
            path = await _times(connection, PATH, A_PATH)
            violated = await _times(connection, VIOLATIONS, A_PATH)
        finally:
            await connection.close()
    return [
        Row(
            "effective-person", "effective settings of one person", "ms", spread(person),
            target=Target(10, 5, "lower"),
        ),
        Row(
            "effective-path", f"one effective setting of {users:,} people", "ms", spread(path),
            target=Target(3000, 1500, "lower"),
        ),
        Row("violations-path", f"violated locks of one setting, {users:,} people", "ms", spread(violated)),
    ]  # fmt: skip


async def _times(connection: asyncpg.Connection, query: str, *arguments: str) -> list[float]:
    """Milliseconds of a prepared query, again and again."""
    statement = await connection.prepare(query)
    taken = []
    for _ in range(REPEATED + 6):  # the first five are planned for their arguments
        started = time.perf_counter()
        rows = await statement.fetch(*arguments, timeout=600)
        taken.append((time.perf_counter() - started) * 1000)
        assert rows
    return taken[6:]
