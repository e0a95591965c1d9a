"""The live projection's baseline: `python -m tests.benchmarks.upsert_per_event URL EVENTS`.

A simple program: reads the log in order and runs one prepared upsert per event (one per member of a
membership), 500 events per transaction. The event loop and the decoder are the product's. Prints the
seconds taken.
"""

import sys
import time
from typing import Any, Final

import asyncpg
import msgspec
import uvloop

from tests.benchmarks import four_tables as tables

BATCH: Final = 500
READ: Final = (
    "SELECT position, event, body FROM log.events WHERE position > $1 ORDER BY position LIMIT $2"
)


async def fold(connection: Any, position: int, event: str, body: bytes) -> None:
    """Write the rows of one event."""
    entity = msgspec.json.decode(body)["payload"]["object"]
    if event == tables.PRESENCE:
        await connection.execute(
            tables.UPSERT_PRESENCE,
            entity["id"],
            position,
            entity["presence_status"],
            entity["email"],
        )
    elif event in tables.USERS:
        document = msgspec.json.encode(entity).decode()
        await connection.execute(tables.UPSERT_USER, entity["id"], position, event, document)
    elif event in tables.MEMBERS:
        for member in entity["members"]:
            await connection.execute(
                tables.UPSERT_MEMBER,
                entity["id"], member["id"], position, event == tables.MEMBERS[0], member["email"],
            )  # fmt: skip
    elif event in tables.SIGNS:
        await connection.execute(
            tables.UPSERT_SIGN_IN,
            entity["id"], entity["client_type"], position, event == tables.SIGNS[0],
            entity["version"],
        )  # fmt: skip


async def main(url: str, events: int) -> None:
    connection = await asyncpg.connect(url)
    started, position = time.perf_counter(), 0
    while position < events:
        rows = await connection.fetch(READ, position, min(BATCH, events - position))
        async with connection.transaction():
            for row in rows:
                await fold(connection, *row)
        position = rows[-1][0]
    sys.stdout.write(f"{time.perf_counter() - started}\n")
    await connection.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
