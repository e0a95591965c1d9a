"""How long look-ups in the views take, in milliseconds, on the data of `load_directory.py`.

    python tests/benchmarks/look_ups.py postgresql://...

Each look-up is for another person or group each time, and planned each time, as from `psql`. First calls,
which fill caches, are not counted.
"""

import argparse
import asyncio
import statistics
import sys
import time
from typing import Final

import asyncpg

REPEATED: Final = 40
FIRST: Final = 10

# $user, $email, $group: a person's, and one of the 300-member groups that the person is in.
LOOK_UPS: Final = {
    "a user by id": "users WHERE user_id = $user",
    "a user by e-mail": "users WHERE lower(email) = lower($email)",
    "a person's groups": "memberships WHERE user_id = $user",
    "a group's 300 people": "memberships WHERE group_id = $group",
    "a group with its counts": "groups WHERE group_id = $group",
    "a person's presence": "presence WHERE user_id = $user",
    "a person's sign-ins": "sign_ins WHERE user_id = $user",
    "a person's settings": "user_settings WHERE user_id = $user",
    "those one by one": "user_setting_values WHERE user_id = $user",
}
LISTS: Final = {
    "all groups, without counts": "SELECT group_id, name FROM directory.groups",
    "the first 50 groups, with counts": "SELECT * FROM directory.groups ORDER BY name LIMIT 50",
    "all groups, with counts": "SELECT * FROM directory.groups",
    "all users": "SELECT * FROM directory.users",
    "presence now": "SELECT presence_status, count(*) FROM directory.presence GROUP BY 1",
}
SOMEBODY: Final = """
    SELECT u.user_id AS user, u.email, m.group_id AS group
    FROM state.users u TABLESAMPLE SYSTEM (1)
    CROSS JOIN LATERAL (
        SELECT m.group_id FROM state.memberships m
        JOIN state.groups g ON g.account_id = m.account_id AND g.group_id = m.group_id
        WHERE m.account_id = u.account_id AND m.person_key = u.user_key AND m.added
          AND NOT g.removed AND g.profile ->> 'name' LIKE 'Group ____'
        LIMIT 1
    ) m
    WHERE NOT u.removed LIMIT $1
"""


async def _milliseconds(connection: asyncpg.Connection, query: str) -> float:
    start = time.perf_counter()
    await connection.execute(query)  # the simple protocol, as psql uses
    return (time.perf_counter() - start) * 1000


async def measure(dsn: str) -> None:
    """Print the median and the 95th percentile of each look-up, and the median of each list."""
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    people = await connection.fetch(SOMEBODY, REPEATED + FIRST)
    for title, view in LOOK_UPS.items():
        taken = []
        for person in people:
            query = f"SELECT * FROM directory.{view}"
            for name, value in person.items():
                query = query.replace(f"${name}", f"'{value}'")
            taken.append(await _milliseconds(connection, query))
        taken = sorted(taken[FIRST:])
        slow = taken[len(taken) * 95 // 100]
        sys.stdout.write(f"{title:36}{statistics.median(taken):10.1f} ms{slow:10.1f} ms (95 %)\n")
    for title, query in LISTS.items():
        taken = [await _milliseconds(connection, query) for _ in range(4)]
        sys.stdout.write(f"{title:36}{statistics.median(taken[1:]):10.1f} ms\n")
    await connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dsn", help="of a database that load_directory.py has filled")
    asyncio.run(measure(parser.parse_args().dsn))
